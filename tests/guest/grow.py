#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Memory and processors that come to a real Linux guest and go from it, seen from inside.

    grow.py [PART OF A TEST'S NAME ...]

The guest is that of tools/make-guest.sh. Room for modules lies above 4 GiB, for which Linux sets 64 MiB aside to bounce what devices
read and write (swiotlb); a guest this small then dies of it. DUOVIRT_TARGET=libvirtd runs the same on Debian's libvirtd.
"""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boot import Guest  # noqa: E402
from lib import guests  # noqa: E402
from lib.case import libvirt, main  # noqa: E402

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
SECONDS = 90
MEMORY = 192
HEAD = "<maxMemory slots='4' unit='MiB'>1024</maxMemory>"
CELLS = f"<cpu><numa><cell id='0' cpus='0-3' memory='{MEMORY}' unit='MiB'/></numa></cpu><devices>"
DIMM = "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target><alias name='ua-dimm'/></memory>"
BLOCKS = ("<memory model='virtio-mem'><target><size unit='MiB'>256</size><node>0</node><block unit='MiB'>2</block>"
          "<requested unit='MiB'>%d</requested></target><alias name='ua-mem'/></memory>")


class Grow(Guest):
    def grown(self, policy='online_movable'):
        """(domain, console) of a guest that takes each piece of memory that comes."""
        xml = guests.linux('linux', memory=MEMORY, head=HEAD).replace('<devices>', CELLS, 1)
        xml = xml.replace('<vcpu>1</vcpu>', "<vcpu current='1'>4</vcpu>")
        xml = xml.replace(' quiet', ' quiet swiotlb=noforce memhp_default_state=' + policy)
        domain = self.conn.defineXML(xml)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        console = self.console()
        domain.resume()
        self.ready(console)
        self.told = []
        for event in ('DEVICE_ADDED', 'DEVICE_REMOVED', 'DEVICE_REMOVAL_FAILED', 'MEMORY_DEVICE_SIZE_CHANGE'):
            self.conn.domainEventRegisterAny(domain, getattr(libvirt, 'VIR_DOMAIN_EVENT_ID_' + event), self.tell, event)
        return domain, console

    def tell(self, conn, domain, alias, *rest):
        self.told.append((rest[-1], alias, *rest[:-1]))

    @staticmethod
    def number(console, command):
        return int(console.ask('echo is=$(%s)=' % command, r'is=(\d*)=\r', SECONDS)[1])

    def memory(self, console):
        """MiB, as Linux sees them."""
        return self.number(console, "awk '/^MemTotal/{print $2}' /proc/meminfo") // 1024

    def reaches(self, look, value, slack=0):
        self.until(lambda: abs(look() - value) <= slack, SECONDS, lambda: '%s, wanted %s; told %s' % (look(), value, self.told))

    def hears(self, *event):
        self.until(lambda: event in self.told, SECONDS, lambda: '%s is not in %s' % (event, self.told))

    def test_module(self):
        domain, console = self.grown()
        first = self.memory(console)
        domain.attachDeviceFlags(DIMM, LIVE)
        self.reaches(lambda: self.memory(console), first + 128, 8)
        self.assertEqual(domain.maxMemory(), (MEMORY + 128) << 10)
        domain.detachDeviceAlias('ua-dimm', LIVE)
        self.hears('DEVICE_REMOVED', 'ua-dimm')
        self.assertNotIn('ua-dimm', domain.XMLDesc())
        self.reaches(lambda: self.memory(console), first, 8)
        self.assertEqual(domain.maxMemory(), MEMORY << 10)

    def test_module_that_the_guest_keeps(self):
        domain, console = self.grown('online_kernel')
        first = self.memory(console)
        domain.attachDeviceFlags(DIMM, LIVE)
        self.reaches(lambda: self.memory(console), first + 128, 8)
        # Folders are the kernel's own memory, which cannot be moved, and are made of the highest zone first.
        console.ask('i=0; while [ $i -lt 40 ]; do mkdir -p /run/$i/a/b/c/d/e/f; i=$((i+1)); done; echo made', 'made\r', SECONDS)
        try:
            domain.detachDeviceAlias('ua-dimm', LIVE)
        except libvirt.libvirtError as error:  # the guest was quick
            self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_OPERATION_FAILED, error)
        self.hears('DEVICE_REMOVAL_FAILED', 'ua-dimm')
        self.assertIn('ua-dimm', domain.XMLDesc())
        self.assertEqual(self.memory(console), first + 128)
        self.assertEqual(domain.maxMemory(), (MEMORY + 128) << 10)

    @staticmethod
    def request(domain, size):
        """Of the guest, to have SIZE MiB of its blocks."""
        live = re.search("<memory model='virtio-mem'>.*?</memory>", domain.XMLDesc(), re.S)[0]
        domain.updateDeviceFlags(re.sub("<requested unit='KiB'>.*?<", "<requested unit='KiB'>%d<" % (size << 10), live), LIVE)

    def test_blocks(self):
        domain, console = self.grown()
        first = self.memory(console)
        console.ask('modprobe virtio_mem; echo loaded', 'loaded\r', SECONDS)

        def current():
            return int(re.search(r"<current unit='KiB'>(\d+)<", domain.XMLDesc())[1]) // 1024

        domain.attachDeviceFlags(BLOCKS % 128, LIVE)
        self.hears('MEMORY_DEVICE_SIZE_CHANGE', 'ua-mem', 128 << 10)
        self.reaches(current, 128)
        self.reaches(lambda: self.memory(console), first + 128, 8)
        self.request(domain, 256)
        self.reaches(current, 256)
        self.reaches(lambda: self.memory(console), first + 256, 8)
        self.request(domain, 0)
        self.hears('MEMORY_DEVICE_SIZE_CHANGE', 'ua-mem', 0)
        self.reaches(current, 0)
        self.reaches(lambda: self.memory(console), first, 8)

    def test_processors(self):
        domain, console = self.grown()

        def online():
            console.ask('for c in /sys/devices/system/cpu/cpu*/online; do [ "$(cat $c)" = 1 ] || echo 1 >$c; done 2>/dev/null; echo all',
                        'all\r', SECONDS)
            return self.number(console, 'grep -c ^processor /proc/cpuinfo')

        self.assertEqual(online(), 1)
        domain.setVcpusFlags(3, LIVE)
        self.reaches(online, 3)
        domain.setVcpu('3', 1, LIVE)
        self.reaches(online, 4)
        # QEMU 7.2 holds on to what its emulated processor was and never tells of its end; the guest has let go of it.
        self.refused(libvirt.VIR_ERR_OPERATION_TIMEOUT, domain.setVcpu, '3', 0, LIVE)
        self.reaches(lambda: self.number(console, 'grep -c ^processor /proc/cpuinfo'), 3)
        console.ask('ls -d /sys/devices/system/cpu/cpu3', 'No such file', SECONDS)
        self.sum(console)


if __name__ == '__main__':
    main('guest/grow')
