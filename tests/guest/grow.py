#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory that comes to a real Linux guest and goes from it, seen from inside.

    grow.py [PART OF A TEST'S NAME ...]

The guest is that of tools/make-guest.sh. DUOVIRT_TARGET=libvirtd runs the same on Debian's libvirtd.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boot import Guest  # noqa: E402
from lib import guests  # noqa: E402
from lib.case import libvirt, main  # noqa: E402

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
SECONDS = 60
HEAD = "<maxMemory slots='4' unit='MiB'>1024</maxMemory>"
CELLS = "<cpu><numa><cell id='0' cpus='0' memory='160' unit='MiB'/></numa></cpu><devices>"
DIMM = "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target><alias name='ua-dimm'/></memory>"


class Grow(Guest):
    def grown(self):
        """(domain, console) of a guest that takes each piece of memory that comes."""
        xml = guests.linux('linux', memory=160, head=HEAD).replace('<devices>', CELLS, 1)
        xml = xml.replace(' quiet', ' quiet memhp_default_state=online_movable')
        domain = self.conn.defineXML(xml)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        console = self.console()
        domain.resume()
        self.ready(console)
        self.told = []
        for event in ('DEVICE_ADDED', 'DEVICE_REMOVED', 'DEVICE_REMOVAL_FAILED'):
            self.conn.domainEventRegisterAny(domain, getattr(libvirt, 'VIR_DOMAIN_EVENT_ID_' + event),
                                             lambda conn, dom, alias, name: self.told.append((name, alias)), event)
        return domain, console

    @staticmethod
    def number(console, command, seconds=SECONDS):
        return int(console.ask('echo is=$(%s)=' % command, r'is=(\d*)=\r', seconds)[1])

    def memory(self, console):
        """MiB, as Linux sees them."""
        return self.number(console, "awk '/^MemTotal/{print $2}' /proc/meminfo") // 1024

    def reaches(self, look, value, slack=0):
        self.until(lambda: abs(look() - value) <= slack, SECONDS, lambda: '%s, wanted %s; told %s' % (look(), value, self.told))

    def test_module(self):
        domain, console = self.grown()
        first = self.memory(console)
        domain.attachDeviceFlags(DIMM, LIVE)
        self.reaches(lambda: self.memory(console), first + 128, 8)
        self.assertEqual(domain.maxMemory(), (160 + 128) << 10)
        domain.detachDeviceAlias('ua-dimm', LIVE)
        self.until(lambda: 'ua-dimm' not in domain.XMLDesc(), SECONDS, lambda: self.told)
        self.reaches(lambda: self.memory(console), first, 8)
        self.assertEqual(domain.maxMemory(), 160 << 10)
        self.until(lambda: ('DEVICE_REMOVED', 'ua-dimm') in self.told, 10, lambda: self.told)


if __name__ == '__main__':
    main('guest/grow')
