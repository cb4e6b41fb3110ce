# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks and interfaces: there from the start, coming and going, counted."""
import os
import subprocess

from dom0.case import KINDS, Case, document, run
from lib import world
from lib.server import libvirt

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE
BRIDGE = 'xbr0'
NIC = """<interface type='bridge'><mac address='00:16:3e:11:22:%02x'/><source bridge='xbr0'/></interface>"""


def raw(path, target, driver='', more=''):
    return "<disk type='file' device='disk'>%s<source file='%s'/><target dev='%s' bus='xen'/>%s</disk>" % (driver, path, target, more)


def folder():
    path = os.path.join(world.SCRATCH, 'disks')
    os.makedirs(path, exist_ok=True)
    return path


def image(name, form='raw', size='4M'):
    path = os.path.join(folder(), name)
    subprocess.run(['qemu-img', 'create', '-q', '-f', form, path, size], check=True)
    return path


def content(path, form='raw'):
    """What is at the beginning of an image."""
    plain = path + '.plain'
    subprocess.run(['qemu-img', 'convert', '-U', '-f', form, '-O', 'raw', path, plain], check=True)
    with open(plain, 'rb') as f:
        return f.read(16)


class Devices(Case):
    def boot(self, kind, devices):
        self.forget_console('one')
        domain = self.conn.defineXML(document('one', kind, devices=devices))
        domain.create()
        self.said('one', 'guest# ')
        return domain

    def asked(self, domain, command):
        """What the guest's shell says to COMMAND."""
        self.forget_console('one')
        self.typed(domain, command + '; echo do""ne')
        self.said('one', 'done\r')
        return self.console('one')

    def bridge(self):
        subprocess.run(['ip', 'link', 'add', BRIDGE, 'type', 'bridge'], check=True)
        self.addCleanup(subprocess.run, ['ip', 'link', 'del', BRIDGE], check=True)
        subprocess.run(['ip', 'link', 'set', BRIDGE, 'up'], check=True)
        subprocess.run(['ip', 'addr', 'add', '10.9.9.1/24', 'dev', BRIDGE], check=True)

    def test_disks(self):
        for kind in KINDS:
            with self.subTest(kind):
                plain, grown = image('plain'), image('grown', 'qcow2')
                block = subprocess.run(['losetup', '-f', '--show', image('block')], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
                self.addCleanup(subprocess.run, ['losetup', '-d', block], check=True)
                domain = self.boot(kind, raw(plain, 'xvda') + raw(grown, 'xvdb', "<driver name='qemu' type='qcow2'/>") +
                                   "<disk type='block' device='disk'><driver name='phy'/><source dev='%s'/><target dev='xvdc' bus='xen'/></disk>" % block)
                said = self.asked(domain, 'for d in a b c; do printf on-xvd$d | dd of=/dev/xvd$d conv=fsync; done; cat /proc/partitions')
                for target in ('xvda', 'xvdb', 'xvdc'):
                    self.assertIn(target, said)
                capacity = domain.blockInfo('xvda')[0]
                self.assertEqual(capacity, 4 << 20)
                self.assertGreaterEqual(domain.blockStats('xvda')[2], 1)
                domain.destroy()
                self.assertEqual((content(plain)[:7], content(grown, 'qcow2')[:7]), (b'on-xvda', b'on-xvdb'))
                with open(block, 'rb') as f:
                    self.assertEqual(f.read(7), b'on-xvdc')
                self.assertEqual(run('losetup', '-j', plain).stdout, '')

    def test_interface(self):
        self.bridge()
        for kind in KINDS:
            with self.subTest(kind):
                domain = self.boot(kind, NIC % 1)
                name = 'vif%d.0' % domain.ID()
                self.assertIn("<target dev='%s'/>" % name, domain.XMLDesc())
                self.assertIn('master ' + BRIDGE, run('ip', 'link', 'show', name).stdout)
                said = self.asked(domain, 'ip addr add 10.9.9.2/24 dev eth0; ip link set eth0 up; ping -c 3 10.9.9.1')
                self.assertIn('bytes from 10.9.9.1', said)
                self.assertGreaterEqual(domain.interfaceStats(name)[1], 3)
                domain.destroy()
                self.assertNotEqual(run('ip', 'link', 'show', name).returncode, 0)

    def test_disk_comes_and_goes(self):
        for kind in KINDS:
            with self.subTest(kind):
                path = image('late')
                domain = self.boot(kind, '')
                domain.attachDeviceFlags(raw(path, 'xvdf'), LIVE)
                self.assertIn("<target dev='xvdf' bus='xen'/>", domain.XMLDesc())
                self.asked(domain, 'until [ -b /dev/xvdf ]; do sleep 1; done; printf on-late | dd of=/dev/xvdf conv=fsync')
                with self.assertRaises(libvirt.libvirtError) as caught:
                    domain.attachDeviceFlags(raw(path, 'xvdf'), LIVE)
                self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_OPERATION_FAILED)
                domain.detachDeviceFlags(raw(path, 'xvdf'), LIVE)
                self.assertNotIn('xvdf', domain.XMLDesc())
                self.assertEqual(content(path)[:7], b'on-late')
                domain.destroy()

    def test_interface_comes_and_goes(self):
        self.bridge()
        for kind in KINDS:
            with self.subTest(kind):
                domain = self.boot(kind, '')
                domain.attachDeviceFlags(NIC % 2, LIVE)
                self.assertIn("<target dev='vif%d.0'/>" % domain.ID(), domain.XMLDesc())
                self.asked(domain, 'until [ -d /sys/class/net/eth0 ]; do sleep 1; done')
                domain.detachDeviceFlags(NIC % 2, LIVE)
                self.assertNotIn('vif', domain.XMLDesc())
                self.assertNotEqual(run('ip', 'link', 'show', 'vif%d.0' % domain.ID()).returncode, 0)
                domain.destroy()
