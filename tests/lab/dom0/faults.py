# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a dom0 may do to a daemon: a xenstored that does not answer, a device model that dies."""
import os
import signal
import threading
import time
import unittest

from dom0.case import Case, document, listed, xen
from dom0.hvm import hvm
from lib import server
from lib.server import libvirt


class Faults(Case):
    @unittest.skipIf(server.on_oracle(), 'libvirtd waits for it in all calls')
    def test_xenstored_stops(self):
        """For ten seconds: what is known is told, what is asked for fails by then, and all goes on afterwards."""
        domain = self.conn.createXML(document('one'))
        store = int(open('/run/xenstored.pid').read())
        os.kill(store, signal.SIGSTOP)
        self.assertIn('xenstored', open('/proc/%d/comm' % store).read())
        self.assertIn('T (stopped)', open('/proc/%d/status' % store).read())
        timer = threading.Timer(10, os.kill, (store, signal.SIGCONT))
        timer.start()
        other = xen.daemon.connect()
        try:
            began = time.monotonic()
            self.assertEqual([one.name() for one in other.listAllDomains()], ['Domain-0', 'one'])
            self.assertEqual(other.lookupByName('one').state()[0], libvirt.VIR_DOMAIN_RUNNING)
            self.assertIn('<name>one</name>', other.lookupByName('one').XMLDesc())
            self.assertLess(time.monotonic() - began, 2)
            for ask in (lambda: domain.suspend(), lambda: self.conn.getInfo()):
                with self.assertRaises(libvirt.libvirtError) as caught:
                    ask()
                self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_OPERATION_TIMEOUT, caught.exception)
                self.assertIn('xenstored does not answer', str(caught.exception))
        finally:
            timer.join()
        other.close()
        domain.suspend()
        domain.resume()
        self.assertEqual(listed(), {'one': domain.ID()})
        domain.destroy()
        self.assertEqual(listed(), {})

    @unittest.skipIf(server.on_oracle(), 'libvirtd does not see it')
    def test_the_device_model_dies(self):
        domain = self.conn.createXML(hvm('one'))
        os.kill(self.device_model(domain.ID()), signal.SIGKILL)
        ends = lambda: [event for event in self.events if event[1] == libvirt.VIR_DOMAIN_EVENT_STOPPED]  # noqa: E731
        self.until(lambda: not listed() and ends(), lambda: (listed(), self.events))
        self.assertEqual(ends(), [('one', libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_FAILED)])

    def device_model(self, number):
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                words = open('/proc/%s/cmdline' % pid, 'rb').read().split(b'\0')
            except OSError:
                continue
            if b'-xen-domid' in words and words[words.index(b'-xen-domid') + 1] == b'%d' % number:
                return int(pid)
        self.fail('no device model of domain %d' % number)
