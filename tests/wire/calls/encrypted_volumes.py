# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes that are encrypted: made, copied, resized, used by a guest; the passphrase lies nowhere."""
import os
import subprocess
import xml.etree.ElementTree as ET

from lib.case import Case, guests, libvirt, server

PASSPHRASE = b'of all volumes'
UUID = guests.uuid_of('volumes')
POOL = "<pool type='dir'><name>vault</name><target><path>%s</path></target></pool>"
VOLUME = "<volume><name>%s</name><capacity unit='MiB'>8</capacity><target><format type='%s'/>%s</target></volume>"
ENCRYPTION = "<encryption format='%s'>%s</encryption>"
SECRET = "<secret type='passphrase' uuid='%s'/>" % UUID
LUKS = ENCRYPTION % ('luks', SECRET)
MIB = 1 << 20


class Volumes(Case):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(os.path.dirname(guests.image('plain')), 'vault')
        os.makedirs(self.folder, exist_ok=True)
        self.pool = self.conn.storagePoolDefineXML(POOL % self.folder)
        self.pool.create()
        self.key = os.path.join(os.path.dirname(self.folder), 'volume.key')
        with open(self.key, 'wb') as file:
            file.write(PASSPHRASE)
        self.secret = self.conn.secretDefineXML("<secret private='yes'><uuid>%s</uuid><usage type='volume'><volume>/v</volume></usage></secret>" % UUID)
        self.secret.setValue(PASSPHRASE)

    def tearDown(self):
        super().tearDown()
        with self.server.connect() as conn:
            pool = conn.storagePoolLookupByName('vault')
            for volume in pool.listAllVolumes():
                volume.delete()
            pool.destroy()
            pool.undefine()
            for secret in conn.listAllSecrets():
                secret.undefine()

    def make(self, name, form='raw', encryption=LUKS, of=None):
        """What chance brings on a busy machine is not held against the oracle: qemu-img's measuring of time."""
        text = VOLUME % (name, form, encryption)
        while True:
            try:
                return self.pool.createXMLFrom(text, of) if of else self.pool.createXML(text)
            except libvirt.libvirtError as error:
                if not server.on_oracle() or 'accurate CPU usage' not in str(error):
                    raise

    def touch(self, volume, *commands):
        """Reads or writes what is in it."""
        target = ET.fromstring(volume.XMLDesc()).find('target')
        form, encrypted = target.find('format').get('type'), target.find('encryption') is not None
        driver = 'luks,key-secret=s' if encrypted and form == 'raw' else form + (',encrypt.format=luks,encrypt.key-secret=s' if encrypted else '')
        out = subprocess.run(['qemu-io', '--object', 'secret,id=s,file=' + self.key, '--image-opts', 'driver=%s,file.filename=%s' % (driver, volume.path().replace(',', ',,')),
                              *(word for command in commands for word in ('-c', command))], capture_output=True, text=True, check=True)
        self.assertNotIn('failed', out.stdout + out.stderr)

    @staticmethod
    def encryption(volume):
        found = ET.fromstring(volume.XMLDesc()).find('target/encryption')
        return None if found is None else (found.get('format'), [secret.get('uuid') for secret in found.findall('secret')])


class EncryptedVolumes(Volumes):
    def test_wiped(self):
        volume = self.make('wiped')
        volume.wipe()
        with open(volume.path(), 'rb') as file:
            self.assertEqual(set(file.read()), {0})

    def test_used(self):
        """By a guest, which names the volume."""
        self.make('disk')
        disk = """<disk type='volume'><driver name='qemu' type='raw'/><source pool='vault' volume='disk'>%s</source><target dev='sda' bus='sata'/></disk>""" % LUKS
        domain = self.conn.createXML(guests.tiny('one', devices=disk), libvirt.VIR_DOMAIN_START_PAUSED)
        self.assertEqual(domain.blockInfo('sda')[0], 8 * MIB)

    def test_refused(self):
        ceph = self.conn.secretDefineXML("<secret><usage type='ceph'><name>c</name></usage></secret>")
        single = "A single <secret type='passphrase'...> element is expected in encryption description"
        other = "<secret type='passphrase' uuid='%s'/>"
        nobody = guests.uuid_of('nobody')
        for form, encryption, code, words in (
                ('raw', ENCRYPTION % ('luks', ''), libvirt.VIR_ERR_INVALID_ARG, single),
                ('qcow2', ENCRYPTION % ('luks', SECRET + SECRET), libvirt.VIR_ERR_INVALID_ARG, single),
                ('raw', ENCRYPTION % ('default', SECRET), libvirt.VIR_ERR_INTERNAL_ERROR, 'Only luks encryption is supported for raw files'),
                ('qcow2', ENCRYPTION % ('qcow', SECRET), libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'creation of qcow2 encrypted image is not supported'),
                ('qcow2', ENCRYPTION % ('luks2', SECRET), libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'unsupported volume encryption format'),
                ('vmdk', LUKS, libvirt.VIR_ERR_CONFIG_UNSUPPORTED, 'volume encryption unsupported with format vmdk'),
                ('raw', ENCRYPTION % ('luks', SECRET + "<cipher size='256'/>"), libvirt.VIR_ERR_XML_ERROR, "cipher info missing 'name' attribute"),
                ('raw', ENCRYPTION % ('luks', SECRET + "<cipher name='nope' size='256'/>"), libvirt.VIR_ERR_INTERNAL_ERROR, 'nope-256'),
                ('raw', ENCRYPTION % ('luks', other % nobody), libvirt.VIR_ERR_NO_SECRET, "no secret with matching uuid '%s'" % nobody),
                ('raw', ENCRYPTION % ('luks', other % ceph.UUIDString()), libvirt.VIR_ERR_INVALID_ARG, "is of type 'ceph' not expected 'volume' type")):
            with self.subTest(form + encryption):
                error = self.refused(code, self.pool.createXML, VOLUME % ('no', form, encryption))
                self.assertIn(words, str(error))
                self.assertNotIn(PASSPHRASE.decode(), str(error))
        self.assertEqual(os.listdir(self.folder), [])


class EncryptedVolumeFormats(Volumes):
    """In every format, and from each to each: qemu-img makes a key for two seconds each time."""

    def test_made(self):
        for form in 'raw', 'qcow2':
            with self.subTest(form):
                volume = self.make('a.' + form, form)
                self.assertEqual(self.encryption(volume), ('luks', [UUID]))
                self.assertEqual(volume.info()[1], 8 * MIB)
                self.assertEqual(os.stat(volume.path()).st_mode & 0o777, 0o600)
                self.touch(volume, 'write -P 7 0 4096')
                volume.resize(16 * MIB)
                self.assertEqual(volume.info()[1], 16 * MIB)
                self.touch(volume, 'read -P 7 0 4096')
                volume.resize(4 * MIB, libvirt.VIR_STORAGE_VOL_RESIZE_SHRINK)
                self.assertEqual(volume.info()[1], 4 * MIB)
                self.refused(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, volume.resize, 8 * MIB, libvirt.VIR_STORAGE_VOL_RESIZE_ALLOCATE)
                self.pool.refresh()  # nobody remembers whose passphrase it is
                self.assertEqual(self.encryption(volume), ('luks', []))
        self.make('c', encryption=ENCRYPTION % ('luks', SECRET + "<cipher name='serpent' size='256' mode='xts' hash='sha256'/><ivgen name='plain64'/>"))
        info = subprocess.run(['qemu-img', 'info', os.path.join(self.folder, 'c')], capture_output=True, text=True, check=True).stdout
        self.assertIn('cipher alg: serpent-256', info)

    def test_copied(self):
        everything = (('raw', ''), ('raw', LUKS), ('qcow2', ''), ('qcow2', LUKS))
        for name, form, encryption, copies in (('luks', 'raw', LUKS, everything), ('inside', 'qcow2', LUKS, everything[:1]),
                                               ('plain', 'qcow2', '', everything[1:2])):
            of = self.make('of-' + name, form, encryption)
            self.touch(of, 'write -P 9 65536 65536')
            for number, (to_form, to_encryption) in enumerate(copies):
                with self.subTest(of=name, form=to_form, encrypted=bool(to_encryption)):
                    # libvirtd has commas of a path taken for its end
                    copy = self.make('copy%s%s%d' % ('-' if server.on_oracle() else ',', name, number), to_form, to_encryption, of)
                    self.assertEqual(self.encryption(copy), ('luks', [UUID]) if to_encryption else None)
                    self.touch(copy, 'read -P 9 65536 65536')
