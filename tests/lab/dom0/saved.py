# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that are put away and come back."""
import os
import random
import subprocess

from dom0.case import Case, document, listed
from lib import world
from lib.server import libvirt


class Saved(Case):
    def word(self):
        """What only the memory of this run has."""
        return '%08x' % random.getrandbits(32)

    def saved(self, kind, **more):
        self.forget_console('one')
        domain = self.conn.defineXML(document('one', kind, **more))
        domain.create()
        self.said('one', 'guest# ')
        word = self.word()
        self.typed(domain, 'echo %s-%s >/tmp/word; echo writ""ten' % (word[:4], word[4:]))
        self.said('one', 'written')
        return domain, word

    def is_same(self, word):
        self.forget_console('one')
        self.typed(self.conn.lookupByName('one'), 'cat /tmp/word')
        self.said('one', word[:4] + '-' + word[4:])

    def test_to_a_file_and_back(self):
        path = world.SCRATCH + '/one.save'
        domain, word = self.saved('xen')
        domain.save(path)
        self.assertEqual((domain.isActive(), listed()), (0, {}))
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SAVED])
        self.conn.restore(path)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_RESTORED])
        self.is_same(word)

    def test_managed(self):
        domain, word = self.saved('xenpvh')
        domain.managedSave()
        self.assertEqual((domain.isActive(), domain.hasManagedSaveImage(), listed()), (0, 1, {}))
        domain.create()
        self.assertEqual(domain.hasManagedSaveImage(), 0)
        self.is_same(word)

    def test_dump(self):
        """Of a PV guest: of others libxl looks at each place below 4 GiB where memory may be, which takes minutes here."""
        path = world.SCRATCH + '/one.core'
        domain, word = self.saved('xen', memory=112)
        domain.coreDump(path, 0)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.assertGreater(os.path.getsize(path), 100 << 20)
        with open(path, 'rb') as f:
            self.assertEqual(f.read(4), b'\x7fELF')
        os.unlink(path)
        self.is_same(word)
        domain.coreDump(path, libvirt.VIR_DUMP_CRASH)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED])
        self.assertEqual(listed(), {})

    def test_where_there_is_no_room(self):
        small = world.SCRATCH + '/small'
        os.makedirs(small)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=16m', 'small', small], check=True)
        domain, word = self.saved('xen')
        with self.assertRaises(libvirt.libvirtError):
            domain.save(small + '/one.save')
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.is_same(word)
