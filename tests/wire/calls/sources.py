# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the data of disks lies: formats of images, folders, servers."""
import os
import subprocess

from lib.case import Case, guests, libvirt, server

MIB = 1 << 20
FILE = "<disk type='file'><driver name='qemu' type='%s'/><source file='%s'/><target dev='vda' bus='virtio'/></disk>"
FOLDER = "<disk type='dir' device='%s'><driver name='qemu' type='fat'/><source dir='%s'/><target dev='%s' bus='%s'/><readonly/></disk>"
NBD = "<disk type='network'><driver name='qemu' type='raw'/><source protocol='nbd' %s>%s</source><target dev='%s' bus='virtio'/></disk>"
NETWORK = "<disk type='network'><driver name='qemu' type='raw'/><source protocol='%s' name='%s'>%s</source><target dev='vda' bus='virtio'/></disk>"
HERE = "<host name='127.0.0.1' port='%d'/>"
PORT = 10809
# QEMU's name of a format, libvirt's
FORMATS = [('qcow2', 'qcow2'), ('qcow', 'qcow'), ('qed', 'qed'), ('vmdk', 'vmdk'), ('vdi', 'vdi'), ('vpc', 'vpc'), ('vhdx', 'vhd'), ('parallels', 'ploop')]


class Sources(Case):
    def setUp(self):
        super().setUp()
        self.children = []
        self.folder = os.path.dirname(guests.image('plain'))

    def tearDown(self):
        super().tearDown()
        for child in self.children:
            child.kill()
            child.wait()

    def serve(self, image, *options):
        """QEMU's own server of IMAGE."""
        self.children.append(subprocess.Popen(['qemu-nbd', '--persistent', '--format', 'raw', '--shared', '9', *options, image]))

    def run_with(self, *disks):
        domain = self.conn.createXML(guests.tiny('one', devices=''.join(disks)), libvirt.VIR_DOMAIN_START_PAUSED)
        xml = domain.XMLDesc()
        stats = self.conn.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_BLOCK)[0][1]
        return domain, xml, stats

    def test_formats(self):
        for name, kind in FORMATS:
            with self.subTest(name):
                image = guests.image('i.' + name, form=name)
                domain, xml, stats = self.run_with(FILE % (kind, image))
                self.assertIn("<driver name='qemu' type='%s'/>" % kind, xml)
                self.assertGreaterEqual(stats['block.0.capacity'], 8 * MIB)
                if kind != 'vhd':  # nobody reads its header
                    self.assertEqual(domain.blockInfo('vda')[0], stats['block.0.capacity'])
                domain.destroy()

    def test_what_they_build_on(self):
        for name in 'qcow', 'qed', 'qcow2':
            with self.subTest(name):
                base = guests.image('base')
                image = guests.image('over.' + name, form=name, backing=base)
                domain, xml, stats = self.run_with(FILE % (name, image))
                self.assertIn("<source file='%s'/>" % base, xml.split('<backingStore')[1])
                domain.destroy()

    def test_folder(self):
        shown = os.path.join(self.folder, 'shown')
        os.makedirs(shown, exist_ok=True)
        with open(os.path.join(shown, 'hello.txt'), 'w', encoding='ascii') as file:
            file.write('hello')
        domain, xml, stats = self.run_with(FOLDER % ('disk', shown, 'vda', 'virtio'), FOLDER % ('floppy', shown, 'fda', 'fdc'))
        self.assertIn("<source dir='%s'" % shown, xml)
        self.assertEqual((stats['block.0.path'], stats['block.1.capacity']), (shown, 2949120))
        domain.destroy()
        self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, self.run_with, (FOLDER % ('disk', shown, 'vda', 'virtio')).replace('<readonly/>', ''))

    def test_server(self):
        socket = os.path.join(self.folder, 'nbd.sock')
        self.serve(guests.image('served'), '--export-name', 'it', '--port', str(PORT), '--bind', '127.0.0.1')
        self.serve(guests.image('local'), '--socket', socket)
        self.until(lambda: os.path.exists(socket), 10)
        os.chmod(socket, 0o777)
        domain, xml, stats = self.run_with(NBD % ("name='it'", HERE % PORT, 'vda'),
                                           NBD % ("name=''", "<host transport='unix' socket='%s'/>" % socket, 'vdb'))
        self.assertIn("<source protocol='nbd' name='it' tls='no' index='2'>", xml)
        self.assertIn("<source protocol='nbd' tls='no' index='1'>", xml)
        self.assertEqual({key: stats[key] for key in stats if key.split('.')[-1] in ('name', 'path', 'backingIndex', 'capacity', 'physical')},
                         {'block.0.name': 'vda', 'block.0.backingIndex': 2, 'block.0.capacity': 8 * MIB, 'block.0.physical': 8 * MIB,
                          'block.1.name': 'vdb', 'block.1.backingIndex': 1, 'block.1.capacity': 8 * MIB, 'block.1.physical': 8 * MIB})
        self.assertEqual(domain.blockInfo('vda'), [8 * MIB] * 3)
        self.assertEqual(domain.blockStats('vdb')[4], -1)
        self.assertIn('example.com', self.plug(domain, 'vdc', "name='it'", "<host name='nobody.example.com'/>"))
        domain.attachDevice(NBD % ("name='it'", HERE % PORT, 'vdc'))
        self.assertIn("<target dev='vdc'", domain.XMLDesc())
        domain.destroy()

    def plug(self, domain, *source):
        """The words that such a disk is refused in."""
        try:
            domain.attachDevice(NBD % (source[1], source[2], source[0]))
        except libvirt.libvirtError as error:
            return str(error)
        return ''

    def test_server_that_is_not_there(self):
        domain = self.conn.defineXML(guests.tiny('one', devices=NBD % ("name='it'", HERE % 1, 'vda')))
        with self.assertRaisesRegex(libvirt.libvirtError, 'Connection refused'):
            domain.create()
        with self.assertRaisesRegex(libvirt.libvirtError, 'missing storage backend for network files using nbd protocol'):
            domain.blockInfo('vda')

    def test_refused(self):
        for protocol, name, hosts, words in (
                ('rbd', 'pool', HERE % 1, "can't split path 'pool'"), ('nbd', 'x', HERE % 1 + HERE % 2, 'accepts only one host'),
                ('iscsi', 'iqn.2001-01.com.example:x/1', HERE % 1 + "<auth username='u'><secret type='iscsi' usage='nobodys'/></auth>",
                 "no secret with matching usage 'nobodys'")):
            with self.subTest(protocol), self.assertRaisesRegex(libvirt.libvirtError, words):
                self.run_with(NETWORK % (protocol, name, hosts))
