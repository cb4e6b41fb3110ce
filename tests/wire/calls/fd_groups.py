# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that are open files, left with a domain by a client."""
import gc
import json
import os
import unittest

import libvirt_qemu

from lib import guests, server, world
from lib.case import Case, libvirt, proves

INVALID, NO_SOURCE, UNSUPPORTED = libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_NO_SOURCE, libvirt.VIR_ERR_OPERATION_UNSUPPORTED
MISSING = "file descriptor group 'g' was not associated with the domain"


def disk(path, form='raw', more='', group='g'):
    return (f"<disk type='file'><driver name='qemu' type='{form}'/><source file='{path}' fdgroup='{group}'/>"
            f"<target dev='vda' bus='virtio'/>{more}</disk>")


class FdGroups(Case):
    def image(self, name, **named):
        path = guests.image(name, **named)
        os.chmod(path, 0o600)
        return path

    def leave(self, domain, path, flags=os.O_RDWR, more=(), group='g'):
        fds = [os.open(path, one) for one in (flags, *more)]
        domain.FDAssociate(group, fds, 0)
        for fd in fds:
            os.close(fd)

    def ask(self, domain, command):
        return json.loads(libvirt_qemu.qemuMonitorCommand(domain, '{"execute":"%s"}' % command, 0))['return']

    @proves('domain_fd_associate')
    def test_a_disk_that_is_an_open_file(self):
        path = self.image('fd-one.img')
        domain = self.define('one', devices=disk('/nowhere/fd-one.img'))
        self.leave(domain, path)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.assertIn("<source file='/nowhere/fd-one.img' fdgroup='g' index='1'/>", domain.XMLDesc())
        self.assertEqual([[fd['opaque'] for fd in one['fds']] for one in self.ask(domain, 'query-fdsets')], [['libvirt-1-storage0']])
        self.assertEqual({node['image']['virtual-size'] for node in self.ask(domain, 'query-named-block-nodes')}, {8 << 20})
        pid = self.server.qemu(domain.UUIDString())
        self.assertIn(path, list(server.open_files(str(pid))))
        self.assertEqual(os.stat(path).st_uid, 0)
        error = self.refused(UNSUPPORTED, domain.blockInfo, 'vda')
        self.assertIn('block info is not supported for FD passed disk image', str(error))

    def test_it_serves_several_starts_and_a_saved_guest(self):
        domain = self.define('one', devices=disk(self.image('fd-two.img')))
        more = () if server.on_oracle() else (os.O_RDONLY,)  # whose lock libvirtd's next QEMU would run into
        self.leave(domain, '/tmp/.world/images/fd-two.img', more=more)
        for _ in range(2):
            domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
            domain.destroy()
        domain.create()
        domain.save(world.SCRATCH + '/fd-save')
        self.conn.restore(world.SCRATCH + '/fd-save')
        self.assertEqual(len(self.ask(domain, 'query-fdsets')[0]['fds']), 1 + len(more))

    def test_what_it_builds_on_is_found(self):
        back = self.image('fd-back.qcow2', form='qcow2')
        top = self.image('fd-top.qcow2', form='qcow2', backing=back)
        domain = self.define('one', devices=disk(top, 'qcow2'))
        self.leave(domain, top)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.assertIn("<source file='%s'/>" % back, domain.XMLDesc())

    def test_without_the_file_there_is_no_start(self):
        path = self.image('fd-three.img')
        domain = self.define('one', devices=disk(path))
        self.assertIn(MISSING, str(self.refused(INVALID, domain.create)))
        self.assertIn(MISSING, str(self.refused(INVALID, self.conn.createXML, guests.tiny('two', devices=disk(path)), 0)))
        self.assertIn(MISSING, str(self.refused(INVALID, self.conn.domainXMLToNative, 'qemu-argv', domain.XMLDesc(), 0)))
        self.leave(domain, path, group='other')
        self.assertIn(MISSING, str(self.refused(INVALID, domain.create)))
        other = self.open()
        self.leave(other.lookupByName('one'), path)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        domain.destroy()
        gc.collect()
        other.close()
        self.until(lambda: MISSING in str(self.failure(domain)), 10, 'the file of a closed connection to be forgotten')

    def failure(self, domain):
        try:
            domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
            domain.destroy()
        except libvirt.libvirtError as error:
            return error

    def test_what_is_refused(self):
        path = self.image('fd-four.img')
        domain = self.define('one')
        fd = os.open(path, os.O_RDWR)
        for flags in (1, 2, 3):
            domain.FDAssociate('g', [fd], flags)
        self.refused(INVALID, domain.FDAssociate, 'g', [fd], 4)
        self.refused(libvirt.VIR_ERR_OPERATION_DENIED, self.open_read_only().lookupByName('one').FDAssociate, 'g', [fd], 0)
        os.close(fd)
        self.refused(NO_SOURCE, self.conn.defineXML, guests.tiny('two', devices="<disk type='file'><source fdgroup='g'/><target dev='vda'/></disk>"))
        self.leave(self.define('two', devices=disk(path)), path, os.O_RDONLY)
        self.assertIn('Permission denied', str(self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.conn.lookupByName('two').create)))

    @unittest.skipIf(server.on_oracle(), 'libvirtd takes as many as it can')
    def test_there_is_a_bound(self):
        domain = self.define('one')
        fds = [os.open('/dev/null', os.O_RDWR)] * 32
        for number in range(7):
            domain.FDAssociate('g%d' % number, fds, 0)
        self.refused(libvirt.VIR_ERR_OPERATION_FAILED, self.leave_many, domain, fds)
        self.refused(INVALID, domain.FDAssociate, 'g' * 1025, fds[:1], 0)
        os.close(fds[0])

    def leave_many(self, domain, fds):
        """What earlier connections left may still be on its way out."""
        for number in range(7, 9):
            domain.FDAssociate('g%d' % number, fds, 0)
