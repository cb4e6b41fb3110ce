#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hooks: which programs are run when, with what. With DUOVIRT_TARGET=libvirtd on the stock daemon, but for what it cannot."""
import os
import signal
import sys
import time
import unittest
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402
from lib.server import libvirt, wait_until  # noqa: E402

LOG = world.SCRATCH + '/hooks'
SCRIPT = '''#!/bin/sh
cat >%(log)s/$(basename $0).$2.xml
echo "$(basename $0) $*" >>%(log)s/log
%(body)s
'''


class Hooks(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        os.makedirs(LOG, exist_ok=True)
        for file in os.listdir(LOG):
            os.unlink(os.path.join(LOG, file))
        self.server = server.Libvirtd() if server.on_oracle() else server.Duovirtd(config='[daemon]\nhook_timeout = 3\n')
        self.folder = '/etc/libvirt/hooks' if server.on_oracle() else self.server.root + '/etc/duovirt/hooks'
        os.makedirs(self.folder + '/qemu.d', exist_ok=True)
        for name in ('qemu', 'qemu.d/b', 'qemu.d/a', 'daemon'):
            self.hook(name)
        self.hook('qemu.d/c', mode=0o644)
        self.server.start()
        self.addCleanup(self.server.close)
        self.conn = self.server.connect()
        self.domain = self.conn.defineXML(guests.tiny('hooked'))

    def tearDown(self):
        if self.domain.isActive():
            self.domain.destroy()
        if self.domain.hasManagedSaveImage():
            self.domain.managedSaveRemove()
        self.domain.undefine()
        self.conn.close()

    def hook(self, name, body='', mode=0o755):
        path = os.path.join(self.folder, name)
        with open(path + '.new', 'w') as f:
            f.write(SCRIPT % {'log': LOG, 'body': body})
        os.chmod(path + '.new', mode)
        os.rename(path + '.new', path)

    def said(self):
        """What ran since the last call."""
        if not os.path.exists(LOG + '/log'):
            return []
        with open(LOG + '/log') as f:
            lines = f.read().splitlines()
        os.unlink(LOG + '/log')
        return lines

    def expect(self, *operations):
        """Each of the three programs in its order, for each operation."""
        wanted = ['%s hooked %s -' % (name, operation) for operation in operations for name in ('qemu', 'a', 'b')]
        found = []
        wait_until(lambda: found.extend(self.said()) or len(found) >= len(wanted), 20, lambda: found)
        self.assertEqual(found, wanted)

    def document(self, operation):
        return ET.parse(LOG + '/qemu.%s.xml' % operation).getroot()

    def test_life(self):
        self.assertEqual(self.said(), ['daemon - start - start'])
        self.domain.create()
        self.expect('prepare begin', 'start begin', 'started begin')
        number = str(self.domain.ID())
        for operation in ('prepare', 'start', 'started'):
            self.assertEqual(self.document(operation).get('id'), number)
        with open(LOG + '/qemu.started.xml') as f:
            self.assertEqual(f.read(), self.domain.XMLDesc())
        self.domain.suspend()
        self.domain.resume()
        self.assertEqual(self.said(), [])
        self.domain.destroy()
        self.expect('stopped end', 'release end')
        self.assertIsNone(self.document('stopped').get('id'))
        self.assertEqual(self.document('release').findtext('name'), 'hooked')

    def test_save_and_restore(self):
        self.said()
        self.domain.create()
        self.expect('prepare begin', 'start begin', 'started begin')
        self.domain.managedSave()
        self.expect('stopped end', 'release end')
        self.domain.create()
        self.expect('restore begin', 'prepare begin', 'start begin', 'started begin')

    def test_restored_as_the_hook_says(self):
        self.domain.create()
        self.domain.managedSave()
        self.hook('qemu', '[ $2 != restore ] || sed "s/<vcpu/<title>changed<\\/title><vcpu/" %s/qemu.restore.xml' % LOG)
        self.domain.create()
        self.assertEqual(ET.fromstring(self.domain.XMLDesc()).findtext('title'), 'changed')

    @unittest.skipIf(server.on_oracle(), 'libvirtd waits for ever')
    def test_one_that_never_stops_talking(self):
        """It holds nobody up for longer than one that says nothing, whether it ends or only what it began goes on."""
        many = 'for i in 1 2 3 4 5 6 7 8; do cat /dev/zero & done; '
        for body in ('exec cat /dev/zero', 'sleep 10'):
            self.hook('qemu', '[ $2 != prepare ] || { %s%s; }' % (many, body))
            begin = time.monotonic()
            with self.assertRaisesRegex(libvirt.libvirtError, 'did not end within 3 seconds'):
                self.domain.create()
            self.assertLess(time.monotonic() - begin, 5)
        self.hook('qemu', '[ $2 != prepare ] || { %s:; }' % many)
        begin = time.monotonic()
        self.domain.create()
        self.assertLess(time.monotonic() - begin, 5)

    def test_daemon(self):
        self.domain.create()
        self.said()
        os.kill(self.server.process.pid, signal.SIGHUP)
        wait_until(lambda: self.said() == ['daemon - reload begin SIGHUP'], 10)
        self.conn.close()
        self.server.stop()
        self.assertEqual(self.said(), ['daemon - shutdown - shutdown'])
        self.server.start()
        self.conn = self.server.connect()
        self.domain = self.conn.lookupByName('hooked')
        found = []
        wait_until(lambda: found.extend(self.said()) or len(found) == 4, 10, lambda: found)
        self.assertEqual(found, ['daemon - start - start'] + ['%s hooked reconnect begin -' % name for name in ('qemu', 'a', 'b')])

    def test_failure(self):
        """The start ends where a hook fails, and what it has begun is told of; all programs have run."""
        self.said()
        for name, path in (('qemu', 'qemu'), ('qemu.d/a', 'qemu.d/a')):
            for at, operation in enumerate(('prepare', 'start', 'started')):
                self.hook(name, '[ $2 != %s ] || { echo words >&2; exit 7; }' % operation)
                with self.assertRaises(libvirt.libvirtError) as caught:
                    self.domain.create()
                self.assertEqual((caught.exception.get_error_code(), caught.exception.get_error_domain()),
                                 (libvirt.VIR_ERR_HOOK_SCRIPT_FAILED, libvirt.VIR_FROM_HOOK))
                text = str(caught.exception)
                self.assertTrue(text.startswith('Hook script execution failed: internal error: Child process (LC_ALL=C PATH='), text)
                self.assertTrue(text.endswith(' %s/%s hooked %s begin -) unexpected exit status 7: words\n'
                                              % (self.folder, path, operation)), text)
                self.assertFalse(self.domain.isActive())
                begun = ['prepare begin', 'start begin', 'started begin'][:at + 1]
                self.expect(*begun, 'stopped end', 'release end')
            self.hook(name)
        self.hook('qemu', '[ $2 != prepare ] || kill -9 $$')
        with self.assertRaisesRegex(libvirt.libvirtError, 'unexpected fatal signal 9'):
            self.domain.create()

    def test_failure_at_the_end_is_nobodys(self):
        self.hook('qemu', '[ $2 != stopped ] || exit 1')
        self.domain.create()
        self.said()
        self.domain.destroy()
        self.expect('stopped end', 'release end')

    def test_may_call_the_daemon(self):
        """libvirtd would wait for itself."""
        if server.on_oracle():
            self.skipTest('libvirtd locks up')
        self.hook('qemu', 'virsh -c "%s" domstate hooked >%s/state.$2 2>&1' % (self.server.uri, LOG))
        self.hook('qemu.d/a', '[ $2 != started ] || virsh -c "%s" dumpxml hooked >%s/doc' % (self.server.uri, LOG))
        self.domain.create()
        with open(LOG + '/state.started') as f:
            self.assertIn(f.read().strip(), ('running', 'paused'))
        with open(LOG + '/doc') as f:
            self.assertEqual(ET.fromstring(f.read()).findtext('name'), 'hooked')
        self.domain.destroy()
        wait_until(lambda: os.path.exists(LOG + '/state.release') and os.path.getsize(LOG + '/state.release'), 20)
        with open(LOG + '/state.release') as f:
            self.assertEqual(f.read().strip(), 'shut off')

    def test_does_not_hold_up_others(self):
        if server.on_oracle():
            self.skipTest('libvirtd has no deadline')
        self.hook('qemu', '[ $2 != prepare ] || sleep 100')
        began = time.monotonic()
        with self.assertRaisesRegex(libvirt.libvirtError, 'did not end within 3 seconds and was killed'):
            self.domain.create()
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual([argv for argv in server.processes('sleep').values() if argv == ['sleep', '100']], [])
        # one that leaves something behind that holds its output open
        self.hook('qemu', '[ $2 != prepare ] || sleep 30 &')
        began = time.monotonic()
        self.domain.create()
        self.assertLess(time.monotonic() - began, 3)


if __name__ == '__main__':
    world.enter()
    sys.exit(tap.run().end())
