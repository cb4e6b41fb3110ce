#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices that come and go while the daemon is killed: what the next one says of them is true, and nothing of them is left over.

    plug.py [PART OF A TEST'S NAME ...]

The guest is paused and never boots: this is about what a daemon leaves behind.
"""
import json
import os
import random
import re
import signal
import sys
import threading
import time

import libvirt_qemu

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, world  # noqa: E402
from lib.case import Case, libvirt, main  # noqa: E402
from lib.plugtable import document  # noqa: E402

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE


def devices():
    """{its own name: document}"""
    image = guests.image('plug.img', '1M')
    return {
        'ua-nic': "<interface type='ethernet'><target dev='t-plug'/><model type='virtio'/><alias name='ua-nic'/></interface>",
        'ua-disk': (f"<disk type='file'><driver name='qemu' type='raw'/><source file='{image}'/><target dev='sdb' bus='scsi'/>"
                    "<iotune><total_bytes_sec>100000</total_bytes_sec></iotune><alias name='ua-disk'/></disk>"),
        'ua-rng': "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='ua-rng'/></rng>",
        'ua-channel': "<channel type='pty'><target type='virtio' name='org.plug.x'/><alias name='ua-channel'/></channel>",
        'ua-tablet': "<input type='tablet' bus='usb'><alias name='ua-tablet'/></input>",
    }


def qmp(domain, command, **arguments):
    text = libvirt_qemu.qemuMonitorCommand(domain, json.dumps({'execute': command, 'arguments': arguments}), 0)
    return json.loads(text)['return']


def behind(domain):
    """What stands behind devices, as QEMU says."""
    return {'nodes': {node['node-name'] for node in qmp(domain, 'query-named-block-nodes')},
            'chardevs': {one['label'] for one in qmp(domain, 'query-chardev')},
            'objects': {one['name'] for one in qmp(domain, 'qom-list', path='/objects')},
            'network': libvirt_qemu.qemuMonitorCommand(domain, 'info network', libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP).split(),
            'sets': len(qmp(domain, 'query-fdsets'))}


class Killed(Case):
    def setUp(self):
        super().setUp()
        self.devices = devices()
        self.domain = self.conn.defineXML(document())
        self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.pid = self.server.qemu(self.domain.UUIDString())
        self.first = behind(self.domain)

    def die_within(self, call, stopped, delay):
        """CALL is under way, with QEMU STOPPED or not, when the daemon is killed. Then there is another."""
        done = []
        thread = threading.Thread(target=lambda: done.append(self.outcome(call)))
        if stopped:
            os.kill(self.pid, signal.SIGSTOP)
        try:
            thread.start()
            time.sleep(delay)
            self.server.kill()
        finally:
            os.kill(self.pid, signal.SIGCONT)
        thread.join(30)
        self.assertFalse(thread.is_alive())
        self.server.start()
        self.conn = self.open()
        self.domain = self.conn.lookupByName('one')
        return done[0]

    @staticmethod
    def outcome(call):
        try:
            call()
            return 'done'
        except libvirt.libvirtError:
            return 'lost'

    def true(self):
        """Those of ours that are there, when the live document and QEMU say the same; None otherwise."""
        known = {one['name'] for one in qmp(self.domain, 'qom-list', path='/machine/peripheral')} & set(self.devices)
        text = self.domain.XMLDesc()
        self.why = (known, text)
        if known != {name for name in self.devices if name in text} or ('t-plug' in os.listdir('/sys/class/net')) != ('ua-nic' in known):
            return None
        if 'ua-channel' in known and "<source path='/dev/pts/" not in text[text.index("<channel type='pty'"):]:
            return None
        limits = [one['inserted']['bps'] for one in qmp(self.domain, 'query-block') if 'ua-disk' in one.get('qdev', '')]
        if 'ua-disk' in known and limits != [100000]:
            return None
        return known or {'none'}

    def settle(self):
        return self.until(self.true, 20, lambda: '%s %s' % self.why) - {'none'}

    def clear(self):
        """All of ours go, and nothing stays behind them."""
        self.domain.reset()
        time.sleep(0.2)  # those that were asked to go before do now
        for name in self.settle():
            self.domain.detachDeviceAlias(name, LIVE)
        self.domain.reset()
        self.until(lambda: self.true() == {'none'}, 20, lambda: '%s %s' % self.why)
        self.until(lambda: behind(self.domain) == self.first, 10, lambda: '%s\n%s' % (self.first, behind(self.domain)))

    def each(self, stopped, delays):
        for name, xml in self.devices.items():
            for delay in delays:
                with self.subTest(device=name, delay=delay):
                    self.die_within(lambda: self.domain.attachDeviceFlags(xml, LIVE), stopped, delay)
                    if name not in self.settle():
                        self.domain.attachDeviceFlags(xml, LIVE)
                    self.assertEqual(self.settle(), {name})
                    self.die_within(lambda: self.domain.detachDeviceAlias(name, LIVE), stopped, delay)
                    self.assertLessEqual(self.settle(), {name})
                    self.clear()

    def test_while_qemu_stands_still(self):
        """The daemon waits for QEMU's first answer when it is killed."""
        self.each(True, [0.3])

    def test_at_any_moment(self):
        self.each(False, [random.uniform(0.002, 0.06) for _ in range(3)])

    def test_device_that_goes_while_nobody_listens(self):
        xml = self.devices['ua-nic']
        self.domain.attachDeviceFlags(xml, LIVE)
        self.assertEqual(self.settle(), {'ua-nic'})
        self.domain.detachDeviceFlags(xml, LIVE)  # asked for; a guest that does not run keeps it
        self.assertEqual(self.settle(), {'ua-nic'})
        self.die_within(self.domain.reset, True, 0.3)
        self.settle()
        self.clear()

    def test_card_without_an_address(self):
        """The guest's and the definition's have one and the same."""
        self.domain.attachDeviceFlags("<interface type='user'><model type='virtio'/></interface>", LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        first, second = (re.search("<mac address='(.*)'/>", self.domain.XMLDesc(flags))[1] for flags in (0, libvirt.VIR_DOMAIN_XML_INACTIVE))
        self.assertEqual(first, second)


if __name__ == '__main__':
    main('guest/plug')
