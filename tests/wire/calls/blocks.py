# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images of a guest: a look into them, their sizes, what was written, what is in error."""
import os
import subprocess

import libvirt_qemu

from lib.case import Case, guests, libvirt, proves, server

DISK = "<disk type='file'><driver name='qemu' type='%s' error_policy='report' rerror_policy='report'/><source file='%s'/><target dev='%s' bus='virtio'/></disk>"
DRIVE = "<disk type='file' device='cdrom'><target dev='sda' bus='scsi'/></disk>"
MIB = 1 << 20
NO_SUCH = {'nope', '/nope', ''}


class Blocks(Case):
    def setUp(self):
        super().setUp()
        self.raw, base = guests.image('a'), guests.image('b')
        with open(self.raw, 'r+b') as image:
            image.seek(510)
            image.write(b'\x55\xaa')
        self.overlay = base + '.qcow2'
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', self.overlay], check=True)
        os.chmod(self.overlay, 0o666)
        self.domain = self.conn.defineXML(guests.tiny('one', devices=DISK % ('raw', self.raw, 'vda')
                                                      + DISK % ('qcow2', self.overlay, 'vdb') + DRIVE))

    def start(self):
        self.domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)

    def write(self, disk, where):
        answer = libvirt_qemu.qemuMonitorCommand(
            self.domain, f'qemu-io -d /machine/peripheral/{disk}/virtio-backend "write {where}"',
            libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)
        self.assertNotIn('rror', answer)

    @proves('domain_block_peek')
    def test_peek(self):
        for name in 'vda', self.raw:
            self.assertEqual(self.domain.blockPeek(name, 508, 4, 0), b'\0\0\x55\xaa')
        self.start()
        self.assertEqual(self.domain.blockPeek('vda', 510, 2, 0), b'\x55\xaa')
        self.refused(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, self.domain.blockPeek, 'vdb', 0, 4, 0)
        self.refused(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, self.domain.blockPeek, 'sda', 0, 4, 0)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.domain.blockPeek, 'vda', 1 << 40, 4, 0)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.domain.blockPeek, 'nope', 0, 4, 0)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.domain.blockPeek, 'vda', 0, 4, 1)

    @proves('domain_block_resize')
    def test_resize(self):
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.domain.blockResize, 'vda', 16, 0)
        self.start()
        self.domain.blockResize('vda', 16 << 10, 0)
        self.assertEqual(os.stat(self.raw).st_size, 16 * MIB)
        self.domain.blockResize(self.overlay, 24 * MIB + 1, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
        self.assertEqual(self.domain.blockInfo('vdb')[0], 24 * MIB + 512)
        self.refused(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, self.domain.blockResize, 'sda', 16, 0)
        self.refused(libvirt.VIR_ERR_OVERFLOW, self.domain.blockResize, 'vda', 1 << 54, 0)
        for name in NO_SUCH - {''}:
            self.refused(libvirt.VIR_ERR_INVALID_ARG, self.domain.blockResize, name, 16, 0)

    @proves('domain_get_disk_errors')
    def test_errors(self):
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.domain.diskErrors)
        self.start()
        self.assertEqual(self.domain.diskErrors(), {})

    @proves('domain_set_block_threshold')
    def test_threshold(self):
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.domain.setBlockThreshold, 'vda', 1)
        told = []
        self.conn.domainEventRegisterAny(self.domain, libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD,
                                         lambda conn, domain, *what: told.append(what[:4]), None)
        self.start()
        number = self.domain.XMLDesc().split(self.overlay)[1].split("index='")[1].split("'")[0]
        self.domain.setBlockThreshold('vdb', 65536)
        self.write('virtio-disk1', '0 64k')
        self.until(lambda: len(told) == 2, 10, lambda: told)
        self.assertEqual([(dev, path, offset) for dev, path, offset, excess in told],
                         [('vdb', self.overlay, 65536), (f'vdb[{number}]', self.overlay, 65536)])
        self.assertGreater(told[0][3], 0)
        told.clear()
        self.domain.setBlockThreshold(f'vdb[{number}]', 10 * MIB)
        if not server.on_oracle():  # libvirtd forgets that the number was named
            self.server.kill()
            self.server.start()
        conn = self.server.connect()
        conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD,
                                    lambda conn, domain, *what: told.append(what[:3]), None)
        self.domain = conn.lookupByName('one')
        self.domain.blockResize('vdb', 32 << 10)
        self.write('virtio-disk1', '2M 16M')
        self.until(lambda: told, 10, lambda: told)
        self.assertEqual({one[:3] for one in told}, {(f'vdb[{number}]', self.overlay, 10 * MIB)})
        self.domain.setBlockThreshold('vdb', 0)
        for name in 'nope', 'vdb[99]', 'vdb[', 'vdb[1', 'vdb[x]', 'vdb[1]x', self.raw:
            self.refused(libvirt.VIR_ERR_INVALID_ARG, self.domain.setBlockThreshold, name, 1)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.domain.setBlockThreshold, 'vdb', 1, 4)
        conn.close()
