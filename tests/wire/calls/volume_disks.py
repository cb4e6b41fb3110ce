# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks that name a volume of a storage pool."""
import os
import stat
import xml.etree.ElementTree as ET

from lib.case import Case, guests, libvirt, server

POOL = "<pool type='dir'><name>place</name><target><path>%s</path></target></pool>"
VOLUME = "<volume><name>%s</name><capacity unit='MiB'>8</capacity><target><format type='%s'/></target></volume>"
DISK = """<disk type='volume' device='%(device)s'>%(driver)s<source pool='%(pool)s' volume='%(volume)s'%(more)s/><target dev='%(dev)s' bus='%(bus)s'/>%(end)s</disk>"""
SCSI = "<controller type='scsi' model='virtio-scsi'/>"
MIB = 1 << 20


def disk(volume='data', pool='place', driver="<driver name='qemu' type='raw'/>", more='', dev='sda', bus='sata', device='disk', end=''):
    return DISK % {'device': device, 'driver': driver, 'pool': pool, 'volume': volume, 'more': more, 'dev': dev, 'bus': bus, 'end': end}


class VolumeDisks(Case):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(os.path.dirname(guests.image('plain')), 'place')
        os.makedirs(self.folder, exist_ok=True)
        self.pool = self.conn.storagePoolDefineXML(POOL % self.folder)
        self.pool.create()
        for name, form in (('data', 'raw'), ('other', 'qcow2')):
            os.chmod(self.pool.createXML(VOLUME % (name, form)).path(), 0o600)

    def tearDown(self):
        super().tearDown()
        with self.server.connect() as conn:
            pool = conn.storagePoolLookupByName('place')
            if not pool.isActive():
                pool.create()
            for volume in pool.listAllVolumes():
                volume.delete()
            pool.destroy()
            pool.undefine()

    def start(self, *disks, devices=''):
        return self.conn.createXML(guests.tiny('one', devices=''.join(disks) + devices), libvirt.VIR_DOMAIN_START_PAUSED)

    def owner(self, name='data'):
        info = os.stat(os.path.join(self.folder, name))
        return info.st_uid, stat.S_IMODE(info.st_mode)

    def source(self, domain, flags=0):
        found = ET.fromstring(domain.XMLDesc(flags)).find('devices/disk')
        return found.get('type'), found.find('source').attrib, found.find('driver').get('type')

    def test_life(self):
        domain = self.conn.defineXML(guests.tiny('one', devices=disk(driver='')))
        before = self.owner()
        self.assertEqual(self.source(domain)[:2], ('volume', {'pool': 'place', 'volume': 'data'}))
        domain.create()
        user = os.stat('/proc/%d' % self.server.qemu(domain.UUIDString())).st_uid
        self.assertEqual(self.source(domain), ('volume', {'pool': 'place', 'volume': 'data', 'index': '1'}, 'raw'))
        self.assertEqual(self.source(domain, libvirt.VIR_DOMAIN_XML_INACTIVE)[:2], ('volume', {'pool': 'place', 'volume': 'data'}))
        self.assertEqual(self.owner()[0], user)
        self.assertEqual(domain.blockInfo('sda')[0], 8 * MIB)
        stats = self.conn.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_BLOCK)[0][1]
        self.assertEqual((stats['block.0.path'], stats['block.0.capacity']), (os.path.join(self.folder, 'data'), 8 * MIB))
        domain.blockResize('sda', 16 * MIB, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
        self.assertEqual(domain.blockInfo('sda')[0], 16 * MIB)
        self.assertEqual(len(domain.blockPeek('sda', 0, 512)), 512)
        if not server.on_oracle():
            self.pool.destroy()
            self.conn.close()
            self.server.kill()
            self.server.start()
            self.conn = self.server.connect()
            domain = self.conn.lookupByName('one')
            self.assertEqual(self.source(domain)[1], {'pool': 'place', 'volume': 'data', 'index': '1'})
            self.assertEqual(domain.blockInfo('sda')[0], 16 * MIB)
            self.conn.storagePoolLookupByName('place').create()
        domain.managedSave()
        domain.create()
        domain.destroy()
        if not server.on_oracle():  # it forgets the owner with the save
            self.until(lambda: self.owner() == before, 10, self.owner)

    def test_formats(self):
        domain = self.start(disk('other', driver="<driver name='qemu' type='qcow2'/>"))
        self.assertEqual(domain.blockInfo('sda')[0], 8 * MIB)
        self.assertEqual(self.source(domain)[2], 'qcow2')

    def test_what_is_not_there(self):
        for what, code, words in ((disk('nothing'), libvirt.VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching name 'nothing'"),
                                  (disk(pool='nowhere'), libvirt.VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name 'nowhere'"),
                                  (disk(more=" mode='host'"), libvirt.VIR_ERR_XML_ERROR, 'disk source mode is only valid when storage pool is of iscsi type')):
            with self.subTest(words):
                self.assertIn(words, self.refused(code, self.start, what).get_error_message())
        self.pool.destroy()
        self.assertIn("storage pool 'place' containing volume 'data' is not active",
                      self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, self.start, disk()).get_error_message())
        domain = self.conn.defineXML(guests.tiny('one', devices=disk()))
        self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, domain.create)

    def test_startup_policy(self):
        """A drive whose volume is missing starts empty where that may be; a disk goes."""
        drive = disk('gone', more=" startupPolicy='optional'", device='cdrom', end='<readonly/>')
        domain = self.start(drive)
        self.assertIsNone(ET.fromstring(domain.XMLDesc()).find('devices/disk/source'))
        domain.destroy()
        self.refused(libvirt.VIR_ERR_NO_STORAGE_VOL, self.start, drive.replace('optional', 'mandatory'))

    def test_live(self):
        domain = self.start(devices=SCSI)
        comes = disk(dev='sdb', bus='scsi')
        before = self.owner()
        domain.attachDevice(comes)
        self.assertEqual(self.source(domain), ('volume', {'pool': 'place', 'volume': 'data', 'index': '1'}, 'raw'))
        self.assertEqual(domain.blockInfo('sdb')[0], 8 * MIB)
        domain.detachDevice(comes)
        self.until(lambda: ET.fromstring(domain.XMLDesc()).find('devices/disk') is None, 10)
        self.assertEqual(self.owner(), before)
        self.refused(libvirt.VIR_ERR_NO_STORAGE_VOL, domain.attachDevice, disk('nothing', dev='sdb', bus='scsi'))

    def test_media(self):
        domain = self.start(disk(device='cdrom', end='<readonly/>'))
        domain.updateDeviceFlags(disk('other', device='cdrom', driver="<driver name='qemu' type='qcow2'/>", end='<readonly/>'))
        self.assertEqual(self.source(domain)[1]['volume'], 'other')
        self.refused(libvirt.VIR_ERR_NO_STORAGE_VOL, domain.updateDeviceFlags, disk('nothing', device='cdrom', end='<readonly/>'))
        self.assertEqual(self.source(domain)[1]['volume'], 'other')
