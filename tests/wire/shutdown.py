#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host goes down: what a logind of ours tells the daemon, and what becomes of guests."""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, logind, server, tap, world  # noqa: E402
from lib.server import libvirt, wait_until  # noqa: E402

HOST = "<host><start order='%s'>%s</start><stop action='%s' timeout='%s'/></host>"
URI = 'urn:duovirt:host'
CONFIG = '[daemon]\nhost_shutdown_timeout = %d\nhost_shutdown = off\n'
HOLDS = 'shutdown duovirtd delay'


class Host(unittest.TestCase):
    maxDiff = None
    logind = None
    budget = 20

    def setUp(self):
        self.server = server.Duovirtd(config=CONFIG % self.budget)
        self.server.start()
        self.addCleanup(self.server.close)
        self.conn = self.server.connect()
        self.addCleanup(self.stay)

    def stay(self):
        self.logind.say('staying')

    def guest(self, name, order=5, action='off', timeout=0, after='', start=True, xml=None, autostart=False):
        domain = self.conn.defineXML(xml or guests.tiny(name))
        after = ''.join("<after domain='%s'/>" % other for other in after.split())
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, HOST % (order, after, action, timeout), 'duovirt', URI,
                           libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        domain.setAutostart(autostart)
        if start:
            domain.create()
        return domain

    def log(self):
        with open(self.server.log_path) as f:
            return f.read()

    def journal(self):
        return os.path.join(self.server.root, 'var/lib/duovirt/host-shutdown')

    def wait_held(self, held):
        wait_until(lambda: (self.logind.held() == HOLDS) == held, 20, lambda: 'inhibitors: ' + self.logind.held())

    def go_down(self, seconds=60):
        """Until the host need not wait for us."""
        self.wait_held(True)
        began = time.monotonic()
        self.logind.say('going')
        wait_until(lambda: self.logind.held() == '', seconds, lambda: 'let go; log:\n' + self.log())
        return time.monotonic() - began

    def boot(self, clean=True):
        """The daemon ends with the host, and the next one finds what a boot leaves."""
        self.conn.close()
        self.server.stop() if clean else self.server.kill()
        for file in ('autostarted',):
            path = os.path.join(self.server.root, 'run/duovirt', file)
            if os.path.exists(path):
                os.unlink(path)
        self.logind.say('staying')
        self.server.start()
        self.conn = self.server.connect()

    def active(self):
        return sorted(domain.name() for domain in self.conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE))

    def wait_running(self, *names):
        """These, and no others."""
        flag = libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING
        wait_until(lambda: sorted(domain.name() for domain in self.conn.listAllDomains(flag)) == list(names), 60, self.log)
        self.assertEqual(self.active(), list(names))

    def order(self):
        """Names in the order in which they ended."""
        wanted = ('switched off with the host', 'shut down with the host', 'saved with the host')
        return [line.split('[')[1].split(']')[0] for line in self.log().splitlines() if any(word in line for word in wanted)]


class Inhibitor(Host):
    def test_is_held_while_guests_run(self):
        self.assertEqual(self.logind.held(), '')
        domain = self.guest('held')
        self.wait_held(True)
        domain.destroy()
        self.wait_held(False)
        domain.create()
        self.wait_held(True)
        self.conn.close()
        self.server.stop()
        self.wait_held(False)
        self.server.start()  # the guest is found again
        self.wait_held(True)
        self.conn = self.server.connect()

    def test_bus_is_lost_and_comes_back(self):
        domain = self.guest('again')
        self.wait_held(True)
        self.logind.__exit__()
        self.logind.__enter__()
        self.wait_held(True)
        self.assertTrue(domain.isActive())


class Policy(Host):
    def test_saved_goes_on_after_the_boot(self):
        self.guest('kept', action='save')
        self.guest('ended', action='off')
        left = self.guest('left', action='leave')
        self.go_down()
        self.assertEqual(self.active(), ['left'])
        self.assertTrue(self.conn.lookupByName('kept').hasManagedSaveImage())
        self.assertEqual(sorted(self.order()), ['ended', 'kept'])
        with open(self.journal()) as f:
            self.assertEqual(sorted(line.split()[1] for line in f), ['off', 'save'])
        left.destroy()
        self.boot()
        self.wait_running('kept')
        wait_until(lambda: not os.path.exists(self.journal()), 10, 'the journal is gone')

    def test_reverse_order_and_dependencies(self):
        self.guest('one', order=1)
        self.guest('two', order=2)
        self.guest('web', order=2, after='two')
        self.guest('front', order=2, after='web')
        self.guest('last', order=9)
        self.go_down()
        self.assertEqual(self.order(), ['last', 'front', 'web', 'two', 'one'])

    def test_the_time_is_shared(self):
        """Who uses up its time takes nothing from those whose turn comes later."""
        self.guest('slow', order=9, action='shutdown')
        self.guest('other', order=1, action='save')
        self.assertLess(self.go_down(), 19)
        self.assertTrue(self.conn.lookupByName('other').hasManagedSaveImage())
        self.assertEqual(self.order(), ['slow', 'other'])

    def test_what_cannot_be_saved_or_heard(self):
        """A transient guest has no managed save, a paused one hears nothing."""
        self.conn.createXML(guests.tiny('transient', head="<metadata><d:host xmlns:d='%s'><d:stop action='save' timeout='2'/>"
                                        '</d:host></metadata>' % URI))
        self.guest('paused', action='shutdown').suspend()
        self.go_down()
        self.assertEqual(self.active(), [])
        self.assertTrue(self.conn.lookupByName('paused').hasManagedSaveImage())

    def test_stuck_guest_delays_nobody(self):
        stuck = self.guest('stuck', order=9, action='save')
        self.guest('fine', order=1, action='save')
        pid = server.qemu(stuck.UUIDString())
        os.kill(pid, 19)
        try:
            self.assertLess(self.go_down(), 35)
            self.assertTrue(self.conn.lookupByName('fine').hasManagedSaveImage())
        finally:
            if server.qemu(stuck.UUIDString()):
                os.kill(pid, 18)


class Listening(Host):
    budget = 120

    def test_shut_down_and_who_does_not_listen(self):
        """A tiny guest hears no button; a Linux does."""
        deaf = self.guest('deaf', action='shutdown', timeout=3)
        linux = self.guest('linux', action='shutdown', timeout=90, start=False, xml=guests.linux('linux'))
        linux.create()
        log = []
        stream = self.conn.newStream()
        linux.openConsole(None, stream, 0)
        while b'GUEST-READY' not in b''.join(log):
            log.append(stream.recv(4096))
        stream.abort()
        seconds = self.go_down(150)
        self.assertFalse(deaf.isActive() or linux.isActive())
        self.assertLess(seconds, 100)
        self.assertRegex(self.log(), r'\[deaf\] it did not shut down within [23] seconds')
        wait_until(lambda: '[linux] shut down with the host' in self.log(), 10, self.log)


class Changes(Host):
    def test_called_off(self):
        self.guest('kept', action='save')
        self.guest('ended', action='off')
        self.go_down()
        self.assertEqual(self.active(), [])
        self.logind.say('staying')
        self.wait_running('kept')
        self.wait_held(True)

    def test_killed_in_the_middle(self):
        """The next daemon hears from logind that the host goes down, and goes on with it."""
        names = ['k%d' % number for number in range(6)]
        for number, name in enumerate(names):
            self.guest(name, order=number, action='save')
        self.wait_held(True)
        self.logind.say('going')
        wait_until(lambda: self.order(), 30, self.log)
        self.conn.close()
        self.server.kill()
        self.assertLess(len(self.order()), 6)
        self.server.start()
        self.conn = self.server.connect()
        wait_until(lambda: self.active() == [], 60, self.log)
        wait_until(lambda: self.logind.held() == '', 20, self.logind.held)
        self.boot()
        self.wait_running(*names)

    def test_killed_and_the_host_stayed(self):
        self.guest('kept', action='save')
        self.go_down()
        self.conn.close()
        self.server.kill()
        self.logind.say('staying')
        self.server.start()
        self.conn = self.server.connect()
        self.wait_running('kept')

    def test_autostart_again_after_the_boot(self):
        self.guest('auto', action='off', autostart=True)
        self.go_down()
        self.boot()
        self.wait_running('auto')


if __name__ == '__main__':
    world.enter()
    with logind.Logind() as Host.logind:
        outcome = tap.run()
    sys.exit(outcome.end())
