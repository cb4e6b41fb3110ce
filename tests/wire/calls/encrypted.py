# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that are encrypted: what QEMU is told, that a guest reads them, and that nobody else does."""
import json
import os
import stat
import subprocess
import xml.etree.ElementTree as ET

from lib.case import Case, guests, libvirt, server

PASSPHRASE = b'open sesame, \xc3\xb6ffne dich'
UUID = guests.uuid_of('passphrase')
ENCRYPTION = "<encryption format='luks'><secret type='passphrase' %s/></encryption>"
BY_UUID = ENCRYPTION % ("uuid='%s'" % UUID)
DISK = """<disk type='file' device='%(device)s'><driver name='qemu' type='%(form)s'/><source file='%(path)s'>%(inner)s</source>%(chain)s%(outer)s
<target dev='%(dev)s' bus='%(bus)s'/></disk>"""
# prints K on the first serial port, and stops there
BOOT_SECTOR = b'\xba\xf8\x03\xb0K\xee\xf4\xeb\xfd'.ljust(510, b'\0') + b'\x55\xaa'
MIB = 1 << 20


def disk(path, form='raw', inner='', outer='', chain='', dev='sda', bus='sata', device='disk'):
    return DISK % {'path': path, 'form': form, 'inner': inner, 'outer': outer, 'chain': chain, 'dev': dev, 'bus': bus, 'device': device}


def scrubbed(value):
    """Without what is made anew each time."""
    return dict(value, data='DATA', iv='IV') if value.get('qom-type') == 'secret' and 'data' in value else value


class Encrypted(Case):
    def setUp(self):
        super().setUp()
        self.folder = os.path.dirname(guests.image('plain'))
        self.key = os.path.join(self.folder, 'passphrase')
        with open(self.key, 'wb') as file:
            file.write(PASSPHRASE)
        self.secret = self.conn.secretDefineXML("<secret private='yes' ephemeral='no'><uuid>%s</uuid><usage type='volume'><volume>/some/disk</volume></usage></secret>" % UUID)
        self.secret.setValue(PASSPHRASE)

    def tearDown(self):
        for secret in self.conn.listAllSecrets():
            secret.undefine()
        super().tearDown()

    def image(self, name, form='luks', size='8M', backing=None, boots=True):
        """An encrypted image that BIOS boots from."""
        path = os.path.join(self.folder, name)
        options = 'key-secret=s' if form == 'luks' else 'encrypt.format=luks,encrypt.key-secret=s'
        key = ['--object', 'secret,id=s,file=' + self.key]
        argv = ['qemu-img', 'create', '-q', *key, '-f', form, '-o', options + ',%siter-time=100' % ('' if form == 'luks' else 'encrypt.'),
                *(['-b', backing, '-F', 'raw'] if backing else []), path, *([] if backing else [size])]
        # a machine that is busy may give it too little time to measure how long a turn takes
        self.until(lambda: subprocess.run(argv).returncode == 0, 30)
        if boots:
            sector = os.path.join(self.folder, 'sector')
            with open(sector, 'wb') as file:
                file.write(BOOT_SECTOR)
            image = 'driver=%s,%s,file.filename=%s' % (form, 'key-secret=s' if form == 'luks' else 'encrypt.format=luks,encrypt.key-secret=s', path)
            subprocess.run(['qemu-io', *key, '--image-opts', image, '-c', 'write -s %s 0 512' % sector], check=True, stdout=subprocess.DEVNULL)
        os.chmod(path, 0o666)
        return path

    def start(self, *disks, devices='', flags=libvirt.VIR_DOMAIN_START_PAUSED):
        return self.conn.createXML(guests.tiny('one', devices=''.join(disks) + devices), flags)

    def told(self, domain):
        """What QEMU was told of secrets and images, without what is made anew each time."""
        with open('/proc/%d/cmdline' % self.server.qemu(domain.UUIDString()), encoding='utf-8') as file:
            words = file.read().split('\0')
        return [scrubbed(json.loads(value)) for option, value in zip(words, words[1:]) if option in ('-object', '-blockdev') and value.startswith('{')
                and ('libvirt-' in value)]

    def objects(self, domain):
        answer = json.loads(self.monitor(domain, 'qom-list', path='/objects'))
        return sorted(child['name'] for child in answer['return'] if 'secret' in child['name'])

    @staticmethod
    def monitor(domain, command, **arguments):
        import libvirt_qemu
        return libvirt_qemu.qemuMonitorCommand(domain, json.dumps({'execute': command, 'arguments': arguments}), 0)

    def boots(self, *disks):
        """The guest boots from the first of DISKS."""
        out = os.path.join(self.folder, 'serial.log')
        with open(out, 'wb'):
            os.chmod(out, 0o666)
        domain = self.start(*disks, devices="<serial type='file'><source path='%s'/></serial>" % out, flags=0)
        self.until(lambda: b'K' in open(out, 'rb').read()[-1:], 60, 'the guest has not read its disk')
        return domain

    def test_command_line(self):
        base = guests.image('base.img')
        for form, format_node in (('raw', {'driver': 'luks', 'key-secret': 'libvirt-1-format-encryption-secret0'}),
                                  ('qcow2', {'driver': 'qcow2', 'encrypt': {'format': 'luks', 'key-secret': 'libvirt-1-format-encryption-secret0'}})):
            path = self.image('one.' + form, 'luks' if form == 'raw' else form)
            for place in 'inner', 'outer':
                with self.subTest(form, place=place):
                    domain = self.start(disk(path, form, **{place: BY_UUID}))
                    told = self.told(domain)
                    secret, storage, node = told
                    self.assertEqual(secret, {'qom-type': 'secret', 'id': 'libvirt-1-format-encryption-secret0', 'data': 'DATA', 'keyid': 'masterKey0',
                                              'iv': 'IV', 'format': 'base64'})
                    self.assertEqual(storage['filename'], path)
                    if form == 'qcow2':
                        node.pop('backing', None)
                    self.assertEqual(node, {'node-name': 'libvirt-1-format', 'read-only': False, 'file': 'libvirt-1-storage', **format_node})
                    shown = ET.fromstring(domain.XMLDesc()).find('devices/disk')
                    self.assertEqual(shown.find('encryption' if place == 'outer' else 'source/encryption').get('format'), 'luks')
                    domain.destroy()
        over = self.image('over.qcow2', 'qcow2', backing=base, boots=False)
        domain = self.start(disk(over, 'qcow2', BY_UUID))
        self.assertEqual([value.get('id') or value['node-name'] for value in self.told(domain)],
                         ['libvirt-2-storage', 'libvirt-2-format', 'libvirt-1-format-encryption-secret0', 'libvirt-1-storage', 'libvirt-1-format'])

    def test_guests_read_them(self):
        raw, qcow2 = self.image('raw.luks'), self.image('image.qcow2', 'qcow2')
        for path, form in ((raw, 'raw'), (qcow2, 'qcow2')):
            with self.subTest(form):
                domain = self.boots(disk(path, form, BY_UUID))
                self.assertEqual(self.conn.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_BLOCK)[0][1]['block.0.capacity'], 8 * MIB)
                self.assertEqual(domain.blockInfo('sda')[0], 8 * MIB)
                domain.blockResize('sda', 16 * MIB, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
                self.assertEqual(domain.blockInfo('sda')[0], 16 * MIB)
                domain.destroy()
                domain = self.conn.defineXML(guests.tiny('one', devices=disk(path, form, BY_UUID)))
                self.assertEqual(domain.blockInfo('sda')[0], 16 * MIB)
                domain.undefine()

    def test_chains(self):
        """Each image with its own secret."""
        other = self.conn.secretDefineXML("<secret><usage type='volume'><volume>/other</volume></usage></secret>")
        base = self.image('chain.luks')
        other.setValue(PASSPHRASE)
        over = self.image('chain.qcow2', 'qcow2', backing=base, boots=False)
        chain = """<backingStore type='file'><format type='raw'/><source file='%s'>%s</source><backingStore/></backingStore>""" % (
            base, ENCRYPTION % "usage='/other'")
        domain = self.boots(disk(over, 'qcow2', BY_UUID, chain=chain))
        self.assertEqual([value.get('id') or value['node-name'] for value in self.told(domain)],
                         ['libvirt-2-format-encryption-secret0', 'libvirt-2-storage', 'libvirt-2-format',
                          'libvirt-1-format-encryption-secret0', 'libvirt-1-storage', 'libvirt-1-format'])

    def test_secrets(self):
        """Which one is meant, and what is wrong with it."""
        path = self.image('any.luks')
        ceph = self.conn.secretDefineXML("<secret><usage type='ceph'><name>client</name></usage></secret>")
        empty = self.conn.secretDefineXML("<secret><usage type='volume'><volume>/empty</volume></usage></secret>")
        plain = self.conn.secretDefineXML('<secret/>')
        plain.setValue(PASSPHRASE)
        for which in "usage='/some/disk'", "uuid='%s'" % plain.UUIDString():
            self.start(disk(path, inner=ENCRYPTION % which)).destroy()
        nobody = guests.uuid_of('nobody')
        for which, code, words in (
                ("uuid='%s'" % nobody, libvirt.VIR_ERR_NO_SECRET, "Secret not found: no secret with matching uuid '%s'" % nobody),
                ("usage='/no'", libvirt.VIR_ERR_NO_SECRET, "Secret not found: no secret with matching usage '/no'"),
                ("usage='client'", libvirt.VIR_ERR_NO_SECRET, "Secret not found: no secret with matching usage 'client'"),
                ("uuid='%s'" % ceph.UUIDString(), libvirt.VIR_ERR_INVALID_ARG,
                 "invalid argument: secret with uuid %s is of type 'ceph' not expected 'volume' type" % ceph.UUIDString()),
                ("uuid='%s'" % empty.UUIDString(), libvirt.VIR_ERR_NO_SECRET, "Secret not found: secret '%s' does not have a value" % empty.UUIDString())):
            with self.subTest(which):
                self.assertEqual(self.refused(code, self.start, disk(path, inner=ENCRYPTION % which)).get_error_message(), words)
        self.secret.setValue(b'wrong')
        self.assertIn('Invalid password', self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.start, disk(path, inner=BY_UUID)).get_error_message())

    def test_refused(self):
        path = self.image('no.luks')
        for inner, form, words in (
                ("<encryption format='qcow'><secret type='passphrase' uuid='%s'/></encryption>" % UUID, 'qcow2', 'old qcow/qcow2 encryption is not supported'),
                ("<encryption format='default'/>", 'qcow2', 'old qcow/qcow2 encryption is not supported'),
                ("<encryption format='luks2'><secret type='passphrase' uuid='%s'/></encryption>" % UUID, 'raw',
                 'luks2 is currently not supported by the qemu encryption engine'),
                (BY_UUID.replace("'luks'", "'luks' engine='librbd'"), 'raw', 'librbd encryption is supported only with RBD backed disks'),
                (BY_UUID, 'vmdk', "encryption is supported only with 'raw' and 'qcow2' image format")):
            with self.subTest(inner):
                self.assertIn(words, self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, self.start, disk(path, form, inner)).get_error_message())
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.start, disk(path, 'raw', "<encryption format='luks'/>"))

    def test_live(self):
        path = self.image('plug.luks')
        bus = "<controller type='scsi' model='virtio-scsi'/>"
        domain = self.start(devices=bus)
        comes = disk(path, inner=BY_UUID, dev='sdb', bus='scsi')
        for _ in 1, 2:
            domain.attachDevice(comes)
            self.assertEqual(len(self.objects(domain)), 1)
            self.assertEqual(domain.blockInfo('sdb')[0], 8 * MIB)
            domain.detachDevice(comes)
            self.until(lambda: not self.objects(domain), 10, lambda: self.objects(domain))
        self.secret.setValue(b'wrong')
        self.assertIn('Invalid password', self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.attachDevice, comes).get_error_message())
        self.assertEqual(self.objects(domain), [])
        self.secret.undefine()
        self.refused(libvirt.VIR_ERR_NO_SECRET, domain.attachDevice, comes)

    def test_restart(self):
        """The next daemon can give secrets to the guest too; nothing of that lies open."""
        if server.on_oracle():
            self.skipTest('of ours')
        path = self.image('again.luks')
        domain = self.start(disk(path, inner=BY_UUID), devices="<controller type='scsi' model='virtio-scsi'/>")
        run = os.path.join(self.server.trees()[0], 'duovirt/domains', domain.UUIDString())
        keys = [os.path.join(place, name) for place, _, names in os.walk(run) for name in names if name.startswith('master-key')]
        self.assertEqual(len(keys), 1)
        info = os.stat(keys[0])
        process = os.stat('/proc/%d' % self.server.qemu(domain.UUIDString()))
        self.assertEqual((stat.S_IMODE(info.st_mode), info.st_uid, info.st_size), (0o600, process.st_uid, 32))
        self.conn.close()
        self.server.kill()
        self.server.start()
        self.conn = self.server.connect()
        domain = self.conn.lookupByName('one')
        comes = disk(self.image('late.luks'), inner=BY_UUID, dev='sdb', bus='scsi')
        domain.attachDevice(comes)
        self.assertEqual(len(self.objects(domain)), 2)
        for tree in self.server.trees():
            for place, _, names in os.walk(tree):
                for name in names:
                    path = os.path.join(place, name)
                    if os.path.isfile(path):
                        with open(path, 'rb') as file:
                            self.assertNotIn(PASSPHRASE, file.read())
        with open(self.server.guest_log('one'), 'rb') as file:
            self.assertNotIn(PASSPHRASE, file.read())
        os.unlink(keys[0])
        os.mkfifo(keys[0])
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.attachDevice, comes.replace('sdb', 'sdc').replace('late', 'again'))
        domain.destroy()
        self.until(lambda: not os.path.exists(run), 10, run)

    def test_saved(self):
        path = self.image('saved.luks')
        domain = self.conn.defineXML(guests.tiny('one', devices=disk(path, inner=BY_UUID)))
        domain.create()
        domain.managedSave()
        domain.create()
        self.assertEqual(self.objects(domain), ['libvirt-1-format-encryption-secret0'])
        domain.managedSave()
        self.secret.undefine()
        self.refused(libvirt.VIR_ERR_NO_SECRET, domain.create)
        self.assertTrue(domain.hasManagedSaveImage())

    def test_media(self):
        """Of a drive: from an image to another, and out."""
        first, second = self.image('first.luks'), self.image('second.luks', size='16M')
        drive = disk(first, inner=BY_UUID, device='cdrom').replace('<target', '<readonly/><target')
        domain = self.start(drive)
        self.assertEqual(self.objects(domain), ['libvirt-1-format-encryption-secret0'])
        domain.updateDeviceFlags(drive.replace(first, second))
        self.assertEqual(self.objects(domain), ['libvirt-2-format-encryption-secret0'])
        self.assertEqual(domain.blockInfo('sda')[0], 16 * MIB)
        self.secret.setValue(b'wrong')
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.updateDeviceFlags, drive)
        if not server.on_oracle():  # it has taken the old one out by then
            self.assertEqual(self.objects(domain), ['libvirt-2-format-encryption-secret0'])
        self.secret.setValue(PASSPHRASE)
        for wrong, code in ((BY_UUID.replace('luks', 'luks2'), libvirt.VIR_ERR_CONFIG_UNSUPPORTED), (ENCRYPTION % '', libvirt.VIR_ERR_XML_ERROR)):
            self.refused(code, domain.updateDeviceFlags, disk(first, inner=wrong, device='cdrom').replace('<target', '<readonly/><target'))
        domain.updateDeviceFlags(disk(first, outer=BY_UUID, device='cdrom').replace('<target', '<readonly/><target'))
        self.assertEqual(domain.blockInfo('sda')[0], 8 * MIB)
        self.assertEqual(len(self.objects(domain)), 1)
        plain = guests.image('plain.iso')
        domain.updateDeviceFlags(disk(plain, device='cdrom').replace('<target', '<readonly/><target'))
        self.assertEqual(self.objects(domain), [])
        self.assertNotIn('encryption', domain.XMLDesc())
