# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast disks may read and write."""
import json

import libvirt_qemu

from lib.case import Case, guests, libvirt, proves, server

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
DISK = "<disk type='file'><driver name='qemu' type='raw'/><source file='%s'/><target dev='%s' bus='virtio'/>%s</disk>"
ALONE = '/machine/peripheral/virtio-disk0/virtio-backend'
GROUP = '<iotune><total_bytes_sec>5000</total_bytes_sec><group_name>g</group_name></iotune>'
DRIVE = "<disk type='file' device='cdrom'><target dev='sda' bus='scsi'/><iotune><total_bytes_sec>7</total_bytes_sec></iotune></disk>"


class Limits(Case):
    def setUp(self):
        super().setUp()
        self.image = guests.image('b')
        self.domain = self.conn.defineXML(guests.tiny('one', devices=DISK % (guests.image('a'), 'vda', '')
                                                      + DISK % (self.image, 'vdb', GROUP) + DRIVE))

    @staticmethod
    def drives(domain):
        return json.loads(libvirt_qemu.qemuMonitorCommand(domain, '{"execute": "query-block"}', 0))['return']

    def told(self, name, flags):
        return {key: value for key, value in self.domain.blockIoTune(name, flags).items() if value and value != ALONE}

    def set(self, flags, name='vda', **limits):
        self.domain.setBlockIoTune(name, limits, flags)
        return self.told(name, flags)

    @proves('domain_set_block_io_tune', 'domain_get_block_io_tune')
    def test_of_a_definition(self):
        self.assertEqual(len(self.domain.blockIoTune('vda', CONFIG)), 20)
        self.assertEqual(self.told('vdb', 0), {'total_bytes_sec': 5000, 'group_name': 'g'})
        self.assertEqual(self.told(self.image, 0), self.told('vdb', 0))
        self.assertEqual(self.set(CONFIG, total_bytes_sec=100), {'total_bytes_sec': 100})
        self.assertEqual(self.set(CONFIG, read_bytes_sec=5), {'read_bytes_sec': 5})
        self.assertEqual(self.set(CONFIG, size_iops_sec=4), {'read_bytes_sec': 5, 'size_iops_sec': 4})
        self.assertEqual(self.set(CONFIG, group_name='g'), {'total_bytes_sec': 5000, 'group_name': 'g'})
        self.set(CONFIG, total_bytes_sec=50, total_bytes_sec_max=60, total_bytes_sec_max_length=3)
        self.assertEqual(self.told('vdb', CONFIG), {'total_bytes_sec': 50, 'total_bytes_sec_max': 60, 'total_bytes_sec_max_length': 3,
                                                    'group_name': 'g'})
        self.assertEqual(self.set(CONFIG, total_bytes_sec_max_length=0)['total_bytes_sec_max_length'], 1)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.set, CONFIG, total_bytes_sec=1, read_bytes_sec=2)
        self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, self.set, CONFIG, total_iops_sec=10 ** 15 + 1)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.told, 'nope', 0)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.set, LIVE, total_bytes_sec=1)

    def test_of_a_guest(self):
        self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        told = []
        self.conn.domainEventRegisterAny(self.domain, libvirt.VIR_DOMAIN_EVENT_ID_TUNABLE, lambda conn, domain, params, data: told.append(params), None)
        self.assertEqual(self.set(LIVE, total_bytes_sec=100), {'total_bytes_sec': 100})
        self.assertEqual(self.domain.blockIoTune('vda', LIVE)['group_name'], ALONE)
        self.until(lambda: told == [{'blkdeviotune.disk': 'vda', 'blkdeviotune.total_bytes_sec': 100}], 5, lambda: told)
        self.assertEqual(self.told('vda', CONFIG), {})
        self.assertEqual(self.set(LIVE, total_bytes_sec_max=200), {'total_bytes_sec': 100, 'total_bytes_sec_max': 200,
                                                                   'total_bytes_sec_max_length': 1})
        self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, self.set, LIVE, total_bytes_sec=0)
        self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, self.set, LIVE, total_bytes_sec=300)
        self.set(LIVE, group_name='g')
        self.set(LIVE, total_bytes_sec=77)
        self.assertEqual(self.told('vdb', LIVE), {'total_bytes_sec': 77, 'group_name': 'g'})
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.set, LIVE, size_iops_sec=4)
        self.assertEqual(self.told('vdb', LIVE), {'total_bytes_sec': 77, 'group_name': 'g'})
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.told, 'nope', LIVE)
        self.assertEqual(self.set(LIVE, total_bytes_sec=0), {})

    def test_of_a_group_that_has_none_any_more(self):
        if server.on_oracle():
            self.skipTest('libvirtd tells QEMU of the one disk only')
        self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.set(LIVE, group_name='g', total_bytes_sec=50, total_bytes_sec_max=60, total_bytes_sec_max_length=1)
        self.set(LIVE, total_bytes_sec=0, total_bytes_sec_max=0)
        self.assertEqual((self.told('vda', LIVE), self.told('vdb', LIVE)), ({}, {}))
        for drive in self.drives(self.domain):
            if 'inserted' in drive:
                self.assertEqual(drive['inserted']['bps'], 0)

    def test_of_an_empty_drive(self):
        """They come with a medium."""
        self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        if not server.on_oracle():
            self.assertEqual(self.told('sda', LIVE)['total_bytes_sec'], 7)
            self.assertEqual(self.set(LIVE, 'sda', total_bytes_sec=8)['total_bytes_sec'], 8)
        self.domain.updateDeviceFlags("<disk type='file' device='cdrom'><source file='%s'/><target dev='sda' bus='scsi'/></disk>"
                                      % guests.image('c'))
        drive = next(drive for drive in self.drives(self.domain) if 'scsi' in drive['qdev'])
        self.assertEqual(drive['inserted']['bps'], self.told('sda', LIVE)['total_bytes_sec'])

    def test_of_a_guest_whose_daemon_was_killed(self):
        self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.set(LIVE, total_bytes_sec=100)
        self.server.kill()
        self.server.start()
        conn = self.server.connect()
        self.assertEqual(conn.lookupByName('one').blockIoTune('vda', LIVE)['total_bytes_sec'], 100)
        conn.close()
