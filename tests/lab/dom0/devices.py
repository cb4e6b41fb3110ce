# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks and interfaces: there from the start, coming and going, counted."""
import os
import subprocess

from dom0.case import Case, document, run
from lib import server, world
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

    def loop(self):
        done = subprocess.run(['losetup', '-f', '--show', image('block')], check=True, stdout=subprocess.PIPE, text=True)
        self.addCleanup(subprocess.run, ['losetup', '-d', done.stdout.strip()], check=True)
        return done.stdout.strip()

    def disks_are_there(self, domain):
        said = self.asked(domain, 'for d in a b c; do printf on-xvd$d | dd of=/dev/xvd$d conv=fsync; done; cat /proc/partitions')
        for target in ('xvda', 'xvdb', 'xvdc'):
            self.assertIn(target, said)
        self.assertEqual(domain.blockInfo('xvda')[0], 4 << 20)
        if not server.on_oracle():  # it has figures of drives named phy only
            self.assertGreaterEqual(domain.blockStats('xvda')[2], 1)

    def interface_is_there(self, domain):
        name = 'vif%d.0' % domain.ID()
        self.assertIn("<target dev='%s'/>" % name, domain.XMLDesc())
        self.assertIn('master ' + BRIDGE, run('ip', 'link', 'show', name).stdout)
        said = self.asked(domain, 'ip addr add 10.9.9.2/24 dev eth0; ip link set eth0 up; ping -c 3 10.9.9.1')
        self.assertIn('bytes from 10.9.9.1', said)
        self.assertGreaterEqual(domain.interfaceStats(name)[1], 3)

    def refused(self, code, ask, *arguments):
        with self.assertRaises(libvirt.libvirtError) as caught:
            ask(*arguments)
        self.assertEqual(caught.exception.get_error_code(), code, caught.exception)

    def disk_comes_and_goes(self, domain):
        path = image('late')
        domain.attachDeviceFlags(raw(path, 'xvdf'), LIVE)
        self.assertIn("<target dev='xvdf' bus='xen'/>", domain.XMLDesc())
        self.asked(domain, 'until [ -b /dev/xvdf ]; do sleep 1; done; printf on-late | dd of=/dev/xvdf conv=fsync')
        self.refused(libvirt.VIR_ERR_OPERATION_FAILED, domain.attachDeviceFlags, raw(path, 'xvdf'), LIVE)
        domain.detachDeviceFlags(raw(path, 'xvdf'), LIVE)
        self.assertNotIn('xvdf', domain.XMLDesc())
        self.assertEqual(content(path)[:7], b'on-late')

    def interface_comes_and_goes(self, domain):
        domain.attachDeviceFlags(NIC % 2, LIVE)
        name = 'vif%d.1' % domain.ID()
        self.assertIn("<target dev='%s'/>" % name, domain.XMLDesc())
        self.asked(domain, 'until [ -d /sys/class/net/eth1 ]; do sleep 1; done')
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.attachDeviceFlags, NIC % 2, LIVE)
        domain.detachDeviceFlags(NIC % 2, LIVE)
        self.assertNotIn(name, domain.XMLDesc())
        self.assertNotEqual(run('ip', 'link', 'show', name).returncode, 0)

    def devices(self, kind):
        """One guest for all of it: it takes long to start here."""
        self.bridge()
        plain, grown, block = image('plain'), image('grown', 'qcow2'), self.loop()
        domain = self.boot(kind, raw(plain, 'xvda') + raw(grown, 'xvdb', "<driver name='qemu' type='qcow2'/>") +
                           "<disk type='block' device='disk'><driver name='phy'/><source dev='%s'/><target dev='xvdc' bus='xen'/></disk>" % block +
                           NIC % 1)
        self.disks_are_there(domain)
        self.interface_is_there(domain)
        self.disk_comes_and_goes(domain)
        self.interface_comes_and_goes(domain)
        name = 'vif%d.0' % domain.ID()
        domain.destroy()
        self.assertEqual((content(plain)[:7], content(grown, 'qcow2')[:7]), (b'on-xvda', b'on-xvdb'))
        with open(block, 'rb') as f:
            self.assertEqual(f.read(7), b'on-xvdc')
        self.assertEqual(run('losetup', '-j', plain).stdout, '')
        self.assertNotEqual(run('ip', 'link', 'show', name).returncode, 0)

    def test_pv(self):
        self.devices('xen')

    def test_pvh(self):
        self.devices('xenpvh')
