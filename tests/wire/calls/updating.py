# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices that change under a guest: the medium of a drive, the link of a card."""
import json
import xml.etree.ElementTree as ElementTree

import libvirt_qemu

from lib import guests
from lib.case import Case, libvirt, proves

LIVE, CONFIG, FORCE = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE
MAC = '52:54:00:77:00:01'


def drive(file, device='cdrom', target='sda', bus='sata'):
    source = f"<source file='{file}'/>" if file else ''
    return f"<disk type='file' device='{device}'><driver name='qemu' type='raw'/>{source}<target dev='{target}' bus='{bus}'/></disk>"


def card(state=None):
    link = f"<link state='{state}'/>" if state else ''
    return f"<interface type='user'><mac address='{MAC}'/><model type='e1000'/>{link}</interface>"


class Updating(Case):
    def guest(self):
        self.first, self.second = guests.image('first.iso'), guests.image('second.iso')
        return self.start('drive', devices=drive(self.first) + drive(None, 'floppy', 'fda', 'fdc') + card() +
                          drive(guests.image('fixed.img'), 'disk', 'sdb'))

    def element(self, domain, path, flags=0):
        return ElementTree.fromstring(domain.XMLDesc(flags)).find('devices/' + path)

    def file(self, domain, flags=0, target='sda'):
        disk = self.element(domain, f"disk/target[@dev='{target}']/..", flags)
        source = disk.find('source')
        return None if source is None else source.get('file')

    def in_qemu(self, domain, target='sda'):
        """The file that QEMU has in the drive."""
        alias = self.element(domain, f"disk/target[@dev='{target}']/../alias").get('name')
        answer = json.loads(libvirt_qemu.qemuMonitorCommand(domain, json.dumps({'execute': 'query-block'}), 0))
        block, = [entry for entry in answer['return'] if alias in entry.get('qdev', '').split('/')]
        return block['inserted']['image']['filename'] if 'inserted' in block else None

    @proves('domain_update_device_flags')
    def test_another_medium(self):
        domain = self.guest()
        self.assertEqual(self.in_qemu(domain), self.first)
        domain.updateDeviceFlags(drive(self.second), LIVE)
        self.assertEqual((self.in_qemu(domain), self.file(domain)), (self.second, self.second))
        self.assertEqual(self.file(domain, libvirt.VIR_DOMAIN_XML_INACTIVE), self.first)

    def test_out_and_in(self):
        domain = self.guest()
        for medium in (None, self.second, None, self.first):
            domain.updateDeviceFlags(drive(medium), LIVE | CONFIG | FORCE)
            self.assertEqual((self.in_qemu(domain), self.file(domain), self.file(domain, libvirt.VIR_DOMAIN_XML_INACTIVE)), (medium,) * 3)

    def test_floppy(self):
        domain = self.guest()
        domain.updateDeviceFlags(drive(self.second, 'floppy', 'fda', 'fdc'), LIVE)
        self.assertEqual(self.in_qemu(domain, 'fda'), self.second)
        domain.updateDeviceFlags(drive(None, 'floppy', 'fda', 'fdc'), LIVE)
        self.assertIsNone(self.in_qemu(domain, 'fda'))

    def test_a_medium_that_is_not_there_costs_nothing(self):
        domain = self.guest()
        with self.assertRaises(libvirt.libvirtError):
            domain.updateDeviceFlags(drive('/nowhere/cd.iso'), LIVE)
        self.assertEqual((self.in_qemu(domain), self.file(domain)), (self.first, self.first))

    def test_only_drives(self):
        domain = self.guest()
        with self.assertRaises(libvirt.libvirtError):
            domain.updateDeviceFlags(drive(self.second, 'disk', 'sdb'), LIVE)
        with self.assertRaises(libvirt.libvirtError):
            domain.updateDeviceFlags(drive(self.second, 'cdrom', 'sdz'), LIVE)

    def test_definition_only(self):
        domain = self.define('drive-off', devices=drive(None))
        domain.updateDeviceFlags(drive(guests.image('first.iso')), CONFIG)
        self.assertEqual(self.file(domain), guests.image('first.iso'))

    def test_link(self):
        domain = self.guest()
        for state in ('down', 'up', 'down'):
            live = self.element(domain, 'interface')
            link = live.find('link')
            if link is None:
                link = ElementTree.SubElement(live, 'link')
            link.set('state', state)
            domain.updateDeviceFlags(ElementTree.tostring(live, 'unicode'), LIVE)
            self.assertEqual(self.element(domain, 'interface/link').get('state'), state)
            answer = libvirt_qemu.qemuMonitorCommand(domain, 'info network', libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)
            self.assertIn('net0', answer)
        self.assertIsNone(self.element(domain, 'interface/link', libvirt.VIR_DOMAIN_XML_INACTIVE))

    def test_nothing_else_of_a_card(self):
        domain = self.guest()
        with self.assertRaises(libvirt.libvirtError):
            domain.updateDeviceFlags(card('down').replace('e1000', 'rtl8139'), LIVE)
        self.assertIsNone(self.element(domain, 'interface/link'))
