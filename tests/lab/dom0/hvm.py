# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests with hardware of a device model's."""
import os
import socket

from dom0.case import Case, document, listed
from lib import world
from lib.server import libvirt

CONSOLE = world.SCRATCH + '/serial'
DEVICES = """<serial type='file'><source path='%s'/></serial><graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>
  <input type='tablet' bus='usb'/>""" % CONSOLE


def hvm(name, devices=DEVICES):
    return document(name, 'hvm', "<features><acpi/><apic/><pae/></features>", devices).replace('console=hvc0', 'console=ttyS0').replace('vmlinux', 'vmlinuz')


class Hvm(Case):
    def test_life(self):
        domain = self.conn.defineXML(hvm('one'))
        domain.create()
        self.assertEqual(listed(), {'one': domain.ID()})
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.assertIn("<graphics type='vnc' port='5900' autoport='yes' listen='127.0.0.1'>", domain.XMLDesc())
        with socket.create_connection(('127.0.0.1', 5900), 10) as screen:
            self.assertEqual(screen.recv(4), b'RFB ')
        self.until(lambda: os.path.exists(CONSOLE) and 'GUEST-READY' in open(CONSOLE, errors='replace').read(), 'the guest')
        domain.suspend()
        domain.resume()
        domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
        self.until(lambda: not domain.isActive(), lambda: domain.state())
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN])
        self.until(lambda: not listed(), listed)
