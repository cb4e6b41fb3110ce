#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""QEMUs that die, hang, talk nonsense or are not there, and disks that are full: a clear error, nobody else delayed, nothing
left behind.

    faults.py [PART OF A TEST'S NAME ...]

The QEMUs are tests/fake/qemu.py under the names of its behaviours.
"""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, world  # noqa: E402
from lib.case import Case, libvirt, main  # noqa: E402

FAKE = os.path.join(server.SOURCE, 'tests/fake/qemu.py')
PROGRAMS = world.SCRATCH + '/bin'
TAP = "<interface type='ethernet'><target dev='t-fault'/><model type='virtio'/></interface>"
SMALL = world.SCRATCH + '/small'
PATIENCE = 60  # seconds for a start to fail


def emulator(behaviour):
    """A program that passes for a QEMU; a copy, because the user of guests may not see the source."""
    os.makedirs(PROGRAMS, exist_ok=True)
    path = '%s/qemu-fake-%s' % (PROGRAMS, behaviour)
    if not os.path.exists(path):
        subprocess.run(['install', '-m', '755', FAKE, path], check=True)
    return path


class Pulse(threading.Thread):
    """Calls on another connection all the while; slowest is the longest that one of them took."""

    def __init__(self, uri):
        super().__init__()
        self.uri, self.slowest, self.ended = uri, 0.0, threading.Event()

    def run(self):
        conn = libvirt.open(self.uri)
        while not self.ended.wait(0.02):
            began = time.monotonic()
            conn.listAllDomains()
            self.slowest = max(self.slowest, time.monotonic() - began)
        conn.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.ended.set()
        self.join()


def leftovers(target, uuid):
    """What a guest that does not run should not have."""
    files = [os.path.join(folder, name) for folder, folders, names in os.walk(target.root + '/run')
             for name in folders + names if uuid in os.path.join(folder, name)]
    processes = [' '.join(argv)[:120] for argv in target.helpers().values() if uuid in ' '.join(argv)]
    taps = [name for name in os.listdir('/sys/class/net') if name.startswith('t-')]
    return files + processes + taps


class Faults(Case):
    def with_emulator(self, path, name='fault'):
        xml = guests.tiny(name, devices=TAP).replace(guests.EMULATOR, path)
        return self.conn.defineXML(xml)

    def fails(self, domain, call, words, seconds=PATIENCE):
        """CALL fails in time with an error that says WORDS; nobody else waits, and nothing is left."""
        began = time.monotonic()
        with Pulse(self.server.uri) as pulse:
            with self.assertRaises(libvirt.libvirtError) as caught:
                call()
        took = time.monotonic() - began
        self.assertRegex(str(caught.exception), words)
        self.assertLess(took, seconds)
        self.assertLess(pulse.slowest, 1.0)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)
        self.until(lambda: not leftovers(self.server, domain.UUIDString()), 10, lambda: leftovers(self.server, domain.UUIDString()))

    def start_fails(self, behaviour, words):
        domain = self.with_emulator(emulator(behaviour))
        self.fails(domain, domain.create, words)

    def test_dies_at_once(self):
        """Its last words are in the error."""
        self.start_fails('early', 'no, not today')

    def test_dies_in_the_middle_of_an_answer(self):
        self.start_fails('death', '(?i)qemu|monitor')

    def test_talks_nonsense(self):
        self.start_fails('nonsense', '(?i)monitor')

    def test_floods(self):
        self.start_fails('flood', '(?i)monitor')

    def test_refuses(self):
        self.start_fails('refuse', 'not with you')

    def test_never_greets(self):
        self.start_fails('silent', '(?i)monitor')

    def test_greets_and_never_answers(self):
        self.start_fails('deaf', '(?i)monitor')

    def test_destroy_during_a_start_that_hangs(self):
        """Nobody has to wait for the deadline."""
        domain = self.with_emulator(emulator('deaf'))
        starter = threading.Thread(target=lambda: self.assertRaises(libvirt.libvirtError, domain.create))
        starter.start()
        self.until(lambda: self.server.helpers() and domain.isActive() or not starter.is_alive(), 20)
        began = time.monotonic()
        with self.server.connect() as other:
            other.lookupByName('fault').destroy()
        self.assertLess(time.monotonic() - began, 2)
        starter.join(10)
        self.assertFalse(starter.is_alive(), 'the start goes on')
        self.until(lambda: not leftovers(self.server, domain.UUIDString()), 10, lambda: leftovers(self.server, domain.UUIDString()))

    def test_emulator_is_not_there(self):
        path = emulator('gone')
        domain = self.with_emulator(path)
        os.unlink(path)
        self.fails(domain, domain.create, 'qemu-fake-gone')

    def test_emulator_is_no_qemu(self):
        """It is asked what it can before anything is started."""
        self.assertRaises(libvirt.libvirtError, self.with_emulator, '/bin/true')
        self.assertRaises(libvirt.libvirtError, self.with_emulator, '/etc/hostname')

    def test_dies_while_it_runs(self):
        domain = self.define('victim', devices=TAP)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        os.kill(self.server.qemu(domain.UUIDString()), 9)
        self.until(lambda: not domain.isActive(), 5)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)
        self.until(lambda: not leftovers(self.server, domain.UUIDString()), 10, lambda: leftovers(self.server, domain.UUIDString()))

    def test_hangs_while_it_runs(self):
        """Its calls fail at once after the first deadline; destroy works, and what only reads."""
        domain = self.start('victim')
        pid = self.server.qemu(domain.UUIDString())
        os.kill(pid, 19)
        self.assertRaises(libvirt.libvirtError, domain.resume)
        began = time.monotonic()
        error = self.refused(libvirt.VIR_ERR_OPERATION_TIMEOUT, domain.resume)
        self.assertRegex(str(error), 'victim')
        self.assertLess(time.monotonic() - began, 1)
        self.assertTrue(domain.XMLDesc())
        began = time.monotonic()
        domain.destroy()
        self.assertLess(time.monotonic() - began, 1)


class FullDisk(Case):
    """A daemon whose root lies on a file system of its own, with nothing left."""

    def setUp(self):
        os.makedirs(SMALL, exist_ok=True)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=24M,mode=755', 'tmpfs', SMALL], check=True)
        self.addCleanup(subprocess.run, ['umount', '--lazy', SMALL], check=True)
        self.small = server.Duovirtd(folder=SMALL)
        self.addCleanup(self.small.close)
        self.small.start()
        self.conn = libvirt.open(self.small.uri)

    def tearDown(self):
        self.conn.close()

    def fill(self):
        try:
            with open(SMALL + '/ballast', 'wb', buffering=0) as f:
                for size in (1 << 20, 4096):
                    try:
                        while f.write(bytes(size)) == size:
                            pass
                    except OSError:
                        pass
        finally:
            self.assertEqual(os.statvfs(SMALL).f_bavail, 0)

    def release(self):
        os.unlink(SMALL + '/ballast')

    def titled(self, name, title):
        return self.conn.defineXML(guests.tiny(name, head='<title>%s</title>' % title))

    def test_definitions(self):
        old = self.titled('old', 'first')
        self.fill()
        for call in (lambda: self.titled('new', 'first'), lambda: self.titled('old', 'second'),
                     lambda: old.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 'third', None, None)):
            self.assertIn('No space left on device', self.last(call))
        self.assertEqual([domain.name() for domain in self.conn.listAllDomains()], ['old'])
        self.assertIn('first', old.XMLDesc())
        self.release()
        self.titled('new', 'first')
        self.conn.close()
        self.small.kill()
        self.small.start()
        self.conn = libvirt.open(self.small.uri)
        self.assertEqual(sorted(domain.name() for domain in self.conn.listAllDomains()), ['new', 'old'])
        self.assertIn('first', self.conn.lookupByName('old').XMLDesc())

    def last(self, call):
        """What CALL failed with."""
        try:
            call()
        except libvirt.libvirtError as error:
            return str(error)
        return 'accepted'

    def test_start(self):
        """A run that cannot be written down does not begin."""
        domain = self.titled('old', 'first')
        domain.create()  # what is asked of QEMU is kept
        domain.destroy()
        self.fill()
        self.assertIn('No space left on device', self.last(domain.create))
        self.assertFalse(domain.isActive())
        self.until(lambda: not self.small.helpers(), 10, lambda: self.small.helpers())
        self.release()
        domain.create()
        domain.destroy()

    def test_save(self):
        """A guest that could not be saved goes on."""
        domain = self.titled('old', 'first')
        domain.create()
        self.fill()
        self.assertIn('space', self.last(domain.managedSave))
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.assertFalse(domain.hasManagedSaveImage())
        self.release()
        domain.managedSave()
        self.assertTrue(domain.hasManagedSaveImage())
        domain.create()
        domain.destroy()

    def test_a_running_guest(self):
        """What happens to a guest is told also when it cannot be written down."""
        domain = self.titled('old', 'first')
        domain.create()
        self.fill()
        os.kill(self.small.qemu(domain.UUIDString()), 9)
        self.until(lambda: not domain.isActive(), 5)
        self.release()
        domain.create()
        self.fill()
        domain.destroy()
        self.assertFalse(domain.isActive())


if __name__ == '__main__':
    main('guest/faults')
