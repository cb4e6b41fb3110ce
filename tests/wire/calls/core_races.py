# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two at the same domain, and kills in the middle: what is left is one thing or the other."""
import os
import pwd
import subprocess
import sys
import threading
import unittest

from lib.case import Case, guests, libvirt, server, time

# As many callbacks for events as a user gets, one connection after the other; and again when these are closed.
REGISTER_ALL = """
def fill():
    many, n, told = [], 0, ''
    while len(many) < 8:
        c = Connection(path)
        many.append(c)
        assert c.open(flags=1).status == OK
        message = c.call(REGISTER_ANY, struct.pack('>II', 0, 0))
        while message.status == OK:
            n += 1
            message = c.call(REGISTER_ANY, struct.pack('>II', 0, 0))
        told = message.error.message
    for c in many:
        c.close()
    return n, told

print(*fill(), sep=chr(10))
time.sleep(1)
print(fill()[0])
"""

ROUNDS = 40
KILLS = 20
DOCUMENT_MAX = 4 << 20


def quietly(call):
    try:
        call()
    except libvirt.libvirtError:
        pass


class TwoAtOnce(Case):
    def test_destroy_and_undefine(self):
        """Nothing is left, whoever comes first."""
        with self.server.connect() as other:
            for _ in range(ROUNDS):
                domain = self.start('one')
                twin = other.lookupByName('one')
                thread = threading.Thread(target=quietly, args=[twin.undefine])
                thread.start()
                domain.destroy()
                thread.join()
                self.assertEqual(self.names(), [])

    def test_redefine_and_end_of_a_transient_guest(self):
        """It is there with its new definition, or it was made anew by it; never hidden."""
        with self.server.connect() as other:
            for _ in range(ROUNDS):
                domain = self.conn.createXML(guests.tiny('one'), libvirt.VIR_DOMAIN_START_PAUSED)
                thread = threading.Thread(target=quietly, args=[lambda: other.defineXML(guests.tiny('one'))])
                thread.start()
                domain.destroy()
                thread.join()
                self.assertEqual(self.names(), ['one'])
                self.conn.lookupByName('one').undefine()


@unittest.skipIf(server.on_oracle(), 'ours')
class KilledSave(Case):
    def save_and_kill(self, domain):
        """Kills the daemon as soon as the save has its name; whether the guest is still there."""
        path = '%s/var/lib/duovirt/save/kvm/%s.save' % (self.server.root, domain.UUIDString())
        thread = threading.Thread(target=quietly, args=[domain.managedSave])
        thread.start()
        while thread.is_alive() and not os.path.exists(path):
            pass
        self.server.kill()
        thread.join()
        time.sleep(0.1)
        return os.path.exists(path), self.server.qemu(guests.uuid_of('one'))

    def test_guest_or_file(self):
        seen = set()
        for _ in range(KILLS):
            self.start('one', flags=0)
            saved, pid = self.save_and_kill(self.conn.lookupByName('one'))
            seen.add((saved, pid is not None))
            self.server.start()
            self.conn = self.open()
            domain = self.conn.lookupByName('one')
            self.until(lambda: not (domain.isActive() and domain.hasManagedSaveImage()), what='one of the two to go')
            if pid:
                self.until(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING, what='the guest to go on')
                self.assertEqual((self.server.qemu(guests.uuid_of('one')), domain.hasManagedSaveImage()), (pid, 0))
                domain.destroy()
            else:
                self.until(lambda: not domain.isActive(), what='the end to be seen')
                self.assertEqual(domain.hasManagedSaveImage(), 1)
                domain.create()
                self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_RESTORED])
                domain.destroy()
            domain.undefine()
            if {(True, True), (True, False)} <= seen:
                break
        if (True, True) not in seen:
            self.skipTest('no kill came in between: %s' % seen)


    def test_while_it_is_restored(self):
        """Whenever the kill comes, there is the guest or its file, and a guest that ran goes on."""
        for delay in (0.01, 0.03, 0.05, 0.07, 0.09, 0.12, 0.2):
            domain = self.start('one', flags=0)
            domain.managedSave()
            with self.server.connect() as other:
                thread = threading.Thread(target=quietly, args=[other.lookupByName('one').create])
                thread.start()
                time.sleep(delay)
                told = domain.state()
                self.server.kill()
                thread.join()
            self.server.start()
            self.conn = self.open()
            domain = self.conn.lookupByName('one')
            self.until(lambda: domain.isActive() != domain.hasManagedSaveImage(), what='one of the two to be left')
            if told[0] == libvirt.VIR_DOMAIN_RUNNING:
                self.assertEqual((domain.isActive(), domain.state()[0]), (1, libvirt.VIR_DOMAIN_RUNNING))
            if not domain.isActive():
                domain.create()
                self.assertEqual(domain.state()[1], libvirt.VIR_DOMAIN_RUNNING_RESTORED)
            domain.destroy()
            domain.undefine()

    def test_in_the_middle(self):
        """QEMU writes on for nobody: the guest goes on, and can be saved again."""
        large = guests.tiny('one').replace("<memory unit='MiB'>32<", "<memory unit='MiB'>1024<")
        for delay in (0, 0.02, 0.05):
            self.conn.defineXML(large).create()
            domain = self.conn.lookupByName('one')
            with self.server.connect() as other:
                thread = threading.Thread(target=quietly, args=[other.lookupByName('one').managedSave])
                thread.start()
                self.until(lambda: domain.state()[0] != libvirt.VIR_DOMAIN_RUNNING, what='the save to begin')
                time.sleep(delay)
                self.server.kill()
                thread.join()
            pid = self.server.qemu(guests.uuid_of('one'))
            self.server.start()
            self.conn = self.open()
            domain = self.conn.lookupByName('one')
            if pid:
                self.until(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_RUNNING, what='the guest to go on')
                domain.managedSave()
            self.until(lambda: not domain.isActive(), what='the end to be seen')
            self.assertEqual(domain.hasManagedSaveImage(), 1)
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)


@unittest.skipIf(server.on_oracle(), 'ours')
class TooLarge(Case):
    def test_what_could_not_be_read_again(self):
        """Refused, and what was there is still there for the next daemon."""
        domain = self.define('one', head='<description>small</description>')
        large = '>' * (DOCUMENT_MAX // 4 + 200)
        self.refused(libvirt.VIR_ERR_XML_DETAIL, self.define, 'one', head='<description>%s</description>' % large)
        for flags in (libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE):
            if flags == libvirt.VIR_DOMAIN_AFFECT_LIVE:
                domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
            self.refused(libvirt.VIR_ERR_XML_DETAIL, domain.setMetadata, libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, large,
                         None, None, flags)
        self.server.kill()
        self.server.start()
        self.conn = self.open()
        domain = self.conn.lookupByName('one')
        self.assertTrue(domain.isActive())
        for flags in (libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE):
            self.assertEqual(domain.metadata(libvirt.VIR_DOMAIN_METADATA_DESCRIPTION, None, flags), 'small')


@unittest.skipIf(server.on_oracle(), 'ours')
class Callbacks(Case):
    def test_maximum_of_a_user(self):
        nobody = pwd.getpwnam('nobody')
        wire = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        head = 'import sys; sys.path[:0] = %r; from raw import *; REGISTER_ANY = 316; path = %r\n' % (
            [wire], self.server.socket + '-ro')
        done = subprocess.run([sys.executable, '-c', head + REGISTER_ALL], capture_output=True, text=True, timeout=60,
                              user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
        first, told, again = done.stdout.splitlines() or [done.stderr] * 3
        self.assertEqual((first, again), ('4096', '4096'), told)
        self.assertIn('at most 4096 event callbacks', told)
