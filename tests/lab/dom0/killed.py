# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon is killed, its guests are not."""
import threading
import unittest

from dom0.case import Case, document, listed, run, xen
from lib import server
from lib.server import libvirt


@unittest.skipIf(server.on_oracle(), 'about our own daemon')
class Killed(Case):
    def again(self):
        xen.daemon.kill()
        xen.daemon.start()
        self.conn = xen.daemon.connect()
        return self.conn.lookupByName('one')

    def test_a_guest_does_not_notice(self):
        domain = self.conn.defineXML(document('one'))
        domain.create()
        number = domain.ID()
        domain = self.again()
        self.assertEqual((domain.ID(), domain.state()[0]), (number, libvirt.VIR_DOMAIN_RUNNING))
        self.assertEqual(listed(), {'one': number})
        domain.suspend()
        domain = self.again()
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)
        domain.destroy()
        self.assertEqual(listed(), {})

    def test_it_ends_meanwhile(self):
        self.conn.createXML(document('one'))
        xen.daemon.kill()
        self.assertEqual(run('xl', 'destroy', 'one').returncode, 0)
        xen.daemon.start()
        self.conn = xen.daemon.connect()
        self.until(lambda: [domain.name() for domain in self.conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)] == ['Domain-0'])

    def test_amidst_a_start(self):
        self.conn.defineXML(document('one'))
        for moment in (0.3, 1, 2, 3):
            timer = threading.Timer(moment, xen.daemon.kill)
            timer.start()
            try:
                self.conn.lookupByName('one').create()
            except libvirt.libvirtError:
                pass
            timer.join()
            xen.daemon.start()
            self.conn = xen.daemon.connect()
            domain = self.conn.lookupByName('one')
            self.until(lambda: list(listed()) == (['one'] if domain.isActive() else []), lambda: (domain.state(), listed()))
            if domain.isActive():
                domain.destroy()
            self.assertEqual(listed(), {})
