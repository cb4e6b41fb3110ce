# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disks on servers that want to know who asks: what QEMU is told. Its drivers for them need not be installed: what it was started with is in
its log, whatever it says to that."""
import json
import os
import shlex

from lib.case import Case, guests, libvirt, server

VALUE = b'cGFzc3dvcmQ='
SECRETS = {'ceph': ('ceph', 'name', 'client.admin'), 'iscsi': ('iscsi', 'target', 'iqn.password')}
AUTH = "<auth username='me'><secret type='%s' usage='%s'/></auth>"
CEPH, ISCSI = AUTH % ('ceph', 'client.admin'), AUTH % ('iscsi', 'iqn.password')
DISK = """<disk type='network' device='disk'><driver name='qemu' type='raw'/>%s<source protocol='%s' name='%s'>%s</source><target dev='vda' bus='virtio'/></disk>"""
HOST = "<host name='127.0.0.1' port='%d'/>" % 7
COOKIES = "<cookies><cookie name='one'>first_value</cookie><cookie name='two'>second</cookie></cookies>"


def secret(name):
    return {'qom-type': 'secret', 'id': 'libvirt-1-storage-%s-secret0' % name, 'data': 'DATA', 'keyid': 'masterKey0', 'iv': 'IV', 'format': 'base64'}


class Credentials(Case):
    def setUp(self):
        super().setUp()
        for kind, element, name in SECRETS.values():
            self.conn.secretDefineXML("<secret private='yes'><usage type='%s'><%s>%s</%s></usage></secret>" % (kind, element, name, element)).setValue(VALUE)

    def tearDown(self):
        for one in self.conn.listAllSecrets():
            one.undefine()
        super().tearDown()

    def length_of_log(self):
        try:
            return os.path.getsize(self.server.guest_log('one'))
        except (AssertionError, OSError):  # there is none yet
            return 0

    def told(self, disk):
        """What QEMU was told of secrets and of the image."""
        domain = self.conn.defineXML(guests.tiny('one', devices=disk))
        before = self.length_of_log()
        try:
            domain.create()
        except libvirt.libvirtError as error:
            self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_INTERNAL_ERROR, error)
        with open(self.server.guest_log('one'), encoding='utf-8') as file:
            file.seek(before)
            text = file.read()
        self.assertNotIn('first_value', text)
        self.assertNotIn(VALUE.decode(), text)
        lines = text[:text.index('timestamp=on')].replace('\\\n', ' ')
        found = [json.loads(word) for word in shlex.split(lines[lines.index('LC_ALL='):]) if word.startswith('{') and 'libvirt-1-' in word]
        return [dict(one, data='DATA', iv='IV') if one.get('qom-type') == 'secret' else one for one in found if 'drive' not in one]

    def test_rbd(self):
        for before, inside in (('', CEPH), (CEPH, '')):
            words = self.told(DISK % (before, 'rbd', 'pool/image', HOST + inside))
            self.assertEqual(words[0], secret('auth'))
            self.assertEqual(words[1], {
                'driver': 'rbd', 'pool': 'pool', 'image': 'image', 'server': [{'host': '127.0.0.1', 'port': '7'}], 'user': 'me',
                'auth-client-required': ['cephx', 'none'], 'key-secret': 'libvirt-1-storage-auth-secret0', 'node-name': 'libvirt-1-storage',
                'auto-read-only': True, 'discard': 'unmap'})

    def test_encrypted_by_ceph(self):
        volume = self.conn.secretDefineXML("<secret><usage type='volume'><volume>/v</volume></usage></secret>")
        volume.setValue(VALUE)
        for form in 'luks', 'luks2':
            inside = "<encryption format='%s' engine='librbd'><secret type='passphrase' usage='/v'/></encryption>" % form
            words = self.told(DISK % ('', 'rbd', 'pool/image', HOST + CEPH + inside))
            self.assertEqual([word.get('id') for word in words[:2]], ['libvirt-1-storage-auth-secret0', 'libvirt-1-format-encryption-secret0'])
            self.assertEqual(words[2]['encrypt'], {'format': form, 'key-secret': 'libvirt-1-format-encryption-secret0'})
            self.assertEqual(words[3], {'node-name': 'libvirt-1-format', 'read-only': False, 'driver': 'raw', 'file': 'libvirt-1-storage'})

    def test_iscsi(self):
        words = self.told(DISK % ('', 'iscsi', 'iqn.2013-07.com.example:disk/2', HOST + ISCSI + "<initiator><iqn name='iqn.2013-07.com.example:me'/></initiator>"))
        self.assertEqual(words[0], secret('auth'))
        self.assertEqual(words[1], {
            'driver': 'iscsi', 'portal': '127.0.0.1:7', 'target': 'iqn.2013-07.com.example:disk', 'lun': 2, 'transport': 'tcp', 'user': 'me',
            'password-secret': 'libvirt-1-storage-auth-secret0', 'initiator-name': 'iqn.2013-07.com.example:me', 'node-name': 'libvirt-1-storage',
            'auto-read-only': True, 'discard': 'unmap'})

    def test_urls(self):
        for protocol, inside, more in (
                ('http', COOKIES, {'cookie-secret': 'libvirt-1-storage-httpcookie-secret0'}),
                ('https', COOKIES + ISCSI + "<ssl verify='no'/><readahead size='65536'/><timeout seconds='10'/>",
                 {'username': 'me', 'password-secret': 'libvirt-1-storage-auth-secret0', 'sslverify': False,
                  'cookie-secret': 'libvirt-1-storage-httpcookie-secret0', 'timeout': 10, 'readahead': 65536}),
                ('ftp', ISCSI + "<readahead size='8192'/>", {'username': 'me', 'password-secret': 'libvirt-1-storage-auth-secret0', 'readahead': 8192})):
            with self.subTest(protocol):
                words = self.told(DISK % ('', protocol, 'path/file.img', HOST + inside))
                wanted = [secret(name) for name, key in (('auth', 'username'), ('httpcookie', 'cookie-secret')) if key in more]
                self.assertEqual(words[:-2], wanted)
                self.assertEqual(words[-2], {'driver': protocol, 'url': '%s://127.0.0.1:7/path/file.img' % protocol, **more, 'node-name': 'libvirt-1-storage',
                                             'auto-read-only': True, 'discard': 'unmap'})

    def test_ssh(self):
        words = self.told(DISK % ('', 'ssh', 'file.img', HOST + ISCSI))
        self.assertEqual(words[-2], {'driver': 'ssh', 'path': 'file.img', 'server': {'host': '127.0.0.1', 'port': '7'}, 'user': 'me',
                                     'node-name': 'libvirt-1-storage', 'auto-read-only': True, 'discard': 'unmap'})

    def test_refused(self):
        nobody = AUTH % ('iscsi', 'nobody')
        for disk, code in ((DISK % ('', 'nbd', 'x', HOST + ISCSI), libvirt.VIR_ERR_CONFIG_UNSUPPORTED),
                           (DISK % ('', 'rbd', 'p/x', HOST + ISCSI), libvirt.VIR_ERR_CONFIG_UNSUPPORTED),
                           (DISK % ('', 'iscsi', 'iqn.x/1', HOST + CEPH), libvirt.VIR_ERR_CONFIG_UNSUPPORTED)):
            self.refused(code, self.conn.createXML, guests.tiny('one', devices=disk))
        for protocol, name in (('iscsi', 'iqn.x/1'), ('http', 'x'), ('ssh', 'x')):
            with self.subTest(protocol):
                self.refused(libvirt.VIR_ERR_NO_SECRET, self.conn.createXML, guests.tiny('one', devices=DISK % ('', protocol, name, HOST + nobody)))

    def test_cookies(self):
        text = DISK % ('', 'http', 'x', HOST + "<cookies><cookie name='%s'>%s</cookie></cookies>")
        for name, value in (('a', 'b'), ('a', '"b"'), ('a', '=b/c:d'), ('a', '"')):
            with self.subTest(name, value=value):
                self.conn.defineXML(guests.tiny('one', devices=text % (name, value))).undefine()
        for name, value in (('a', 'b c'), ('a', 'b,'), ('a', 'b;'), ('a', 'b\\'), ('a', 'b"c'), ('a', '"b"c'), ('a', '"b c"'), ('a=', 'b'), ('a', 'b&#9;'), ('a', '')):
            with self.subTest(name, value=value):
                self.refused(libvirt.VIR_ERR_XML_ERROR, self.conn.defineXML, guests.tiny('one', devices=text % (name, value)))

    def test_what_is_shown(self):
        """Values of cookies are not for everybody."""
        domain = self.conn.defineXML(guests.tiny('one', devices=DISK % ('', 'http', 'x', HOST + COOKIES)))
        self.assertNotIn('first_value', domain.XMLDesc())
        self.assertIn("<cookie name='one'>first_value</cookie>", domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE))
