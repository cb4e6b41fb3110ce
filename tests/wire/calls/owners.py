# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whose the files of devices are that come and go: QEMU's user's while they are there, and whose they were after."""
import os

from lib.case import Case, guests, libvirt, server

DISK = "<disk type='file'><driver name='qemu' type='raw'/><source file='%s'/><target dev='%s' bus='usb'/>%s</disk>"
DRIVE = "<disk type='file' device='cdrom'>%s<target dev='sda' bus='sata'/></disk>"
SHARED = '<shareable/>'


class Owners(Case):
    def private(self, name):
        path = guests.image(name)
        os.chmod(path, 0o600)
        os.chown(path, 0, 0)
        return path

    def taken(self, path):
        return os.stat(path).st_uid != 0

    def is_back(self, path):
        self.until(lambda: not self.taken(path), 10, lambda: os.stat(path))

    def start(self, *devices):
        text = guests.tiny('one', devices=''.join(devices)).replace("type='usb' model='none'", "type='usb' model='qemu-xhci'")
        domain = self.conn.createXML(text, libvirt.VIR_DOMAIN_START_PAUSED)
        if not any(self.taken(self.paths[key]) for key in self.at_start):
            self.skipTest('QEMU runs as root here')
        return domain

    def setUp(self):
        super().setUp()
        self.paths = {name: self.private(name) for name in ('a', 'b', 'c')}
        self.at_start = ['a']

    def test_disk(self):
        a, b = self.paths['a'], self.paths['b']
        domain = self.start(DISK % (a, 'sda', ''))
        domain.attachDevice(DISK % (b, 'sdb', ''))
        self.assertTrue(self.taken(b))
        domain.detachDevice(DISK % (b, 'sdb', ''))
        self.is_back(b)
        self.assertTrue(self.taken(a))
        domain.destroy()
        self.is_back(a)

    def test_file_of_two_disks(self):
        a = self.paths['a']
        domain = self.start(DISK % (a, 'sda', SHARED), DISK % (a, 'sdb', SHARED))
        domain.detachDevice(DISK % (a, 'sdb', SHARED))
        self.until(lambda: "dev='sdb'" not in domain.XMLDesc(), 10)
        self.assertTrue(self.taken(a))

    def test_disk_that_does_not_come(self):
        a, b = self.paths['a'], self.paths['b']
        domain = self.start(DISK % (a, 'sda', ''))
        words = (DISK % (b, 'sdb', '')).replace("type='raw'", "type='qcow2'")
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.attachDevice, words)
        self.is_back(b)

    def test_media(self):
        if server.on_oracle():
            self.skipTest("libvirtd leaves what guests only read with QEMU's user")
        a, b, c = (self.paths[name] for name in 'abc')
        domain = self.start(DISK % (a, 'sdb', ''), DRIVE % f"<source file='{b}'/>")
        self.assertTrue(self.taken(b))
        domain.updateDeviceFlags(DRIVE % f"<source file='{c}'/>")
        self.assertTrue(self.taken(c))
        self.is_back(b)
        domain.updateDeviceFlags(DRIVE % '')
        self.is_back(c)
        self.assertTrue(self.taken(a))
