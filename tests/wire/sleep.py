#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host is put to sleep: what a logind of ours says of that, and is asked for. DUOVIRT_TARGET=libvirtd runs what both have."""
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import logind, server, tap, world  # noqa: E402
from lib.server import libvirt, wait_until  # noqa: E402

MEM, DISK, HYBRID = range(3)
CLOCK = '/sys/class/rtc/rtc0/wakealarm'


class Sleep(unittest.TestCase):
    def setUp(self):
        self.logind = logind.Logind().__enter__() if self.with_logind else None
        if self.logind:
            self.addCleanup(self.logind.__exit__)
        if not server.on_oracle():
            with open(CLOCK, 'w') as f:
                f.write('99999999')
        self.server = server.target()
        self.server.start()
        self.addCleanup(self.server.close)
        self.conn = self.server.connect()
        self.addCleanup(lambda: self.conn.close())

    def power(self):
        element = re.search('<power_management/>|<power_management>.*</power_management>', self.conn.getCapabilities(), re.S)[0]
        return re.findall('<(suspend_[a-z]+)/>', element)

    def refused(self, code, text, *args):
        with self.assertRaises(libvirt.libvirtError) as caught:
            self.conn.suspendForDuration(*args)
        self.assertEqual((caught.exception.get_error_code(), caught.exception.get_error_message()), (code, text))


class Nobody(Sleep):
    with_logind = False

    def test_a_host_that_cannot(self):
        self.assertEqual(self.power(), [])
        for target, name in ((MEM, 'Suspend-to-RAM'), (DISK, 'Suspend-to-Disk'), (HYBRID, 'Hybrid-Suspend')):
            for seconds in (0, 100):
                self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, 'argument unsupported: ' + name, target, seconds)
        for target in (3, -1):
            self.refused(libvirt.VIR_ERR_INVALID_ARG, 'invalid argument: Invalid suspend target', target, 0)


class Somebody(Sleep):
    with_logind = True

    def test_what_it_can(self):
        self.assertEqual(self.power(), ['suspend_mem', 'suspend_hybrid'])
        self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, 'argument unsupported: Suspend-to-Disk', DISK, 100)
        for target in (MEM, HYBRID):
            self.refused(libvirt.VIR_ERR_INVALID_ARG, 'invalid argument: Suspend duration is too short, must be at least 60 seconds', target, 59)

    @unittest.skipIf(server.on_oracle(), 'it runs programs that would stop this host')
    def test_it_sleeps(self):
        self.conn.suspendForDuration(HYBRID, 61)
        with open(CLOCK) as f:
            self.assertTrue(f.read().startswith('+61'))
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, 'Requested operation is not valid: Suspend operation already in progress', MEM, 61)
        wait_until(lambda: self.logind.held() == 'HybridSleep', 30, self.logind.held)

        def again():
            try:
                self.conn.suspendForDuration(MEM, 70)
                return True
            except libvirt.libvirtError as error:
                self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_OPERATION_INVALID)
                return False
        wait_until(again, 20, 'the next is taken when that was done')
        wait_until(lambda: self.logind.held() == 'HybridSleep, Suspend', 30, self.logind.held)

    @unittest.skipIf(server.on_oracle(), 'it runs programs that would stop this host')
    def test_a_clock_that_wakes_nobody(self):
        os.unlink(CLOCK)
        with self.assertRaises(libvirt.libvirtError) as caught:
            self.conn.suspendForDuration(MEM, 60)
        self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_SYSTEM_ERROR)
        self.assertIn('wakealarm', str(caught.exception))
        self.assertEqual(self.logind.held(), '')


class Silent(Sleep):
    with_logind = True

    def test_a_logind_that_does_not_answer(self):
        """Nobody waits for it but who comes first, and he not long."""
        self.logind.service.send_signal(19)
        self.addCleanup(lambda: self.logind.service.send_signal(18))
        if not server.on_oracle():
            self.server.stop()
            self.server.start()
            self.conn = self.server.connect()
            self.assertEqual(self.power(), [])


if __name__ == '__main__':
    world.enter()
    if not server.on_oracle():
        subprocess.run(['mount', '-t', 'tmpfs', 'class', '/sys/class'], check=True)
        os.makedirs(os.path.dirname(CLOCK))
    sys.exit(tap.run().end())
