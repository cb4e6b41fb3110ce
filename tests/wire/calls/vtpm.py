# SPDX-License-Identifier: LGPL-2.1-or-later
"""TPMs whose state is encrypted: it needs its passphrase, which nobody else is told."""
import os

from lib.case import Case, guests, libvirt

PASSPHRASE = b'the passphrase of a state'
UUID = guests.uuid_of('vtpm')
TPM = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'><encryption secret='%s'/></backend></tpm>"
SECRET = "<secret private='yes'><uuid>%s</uuid><usage type='vtpm'><name>of-one</name></usage></secret>" % UUID
PLAIN = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"


class Vtpm(Case):
    def setUp(self):
        super().setUp()
        self.secret = self.conn.secretDefineXML(SECRET)
        self.secret.setValue(PASSPHRASE)
        self.domain = self.conn.defineXML(guests.tiny('one', devices=TPM % UUID))

    def tearDown(self):
        for secret in self.conn.listAllSecrets():
            secret.undefine()
        super().tearDown()

    def swtpm(self):
        """The command lines of those that run."""
        lines = []
        for entry in os.listdir('/proc'):
            try:
                with open('/proc/%s/cmdline' % entry, encoding='utf-8', errors='replace') as file:
                    words = file.read().split('\0')
            except OSError:
                continue
            if os.path.basename(words[0]) == 'swtpm':
                lines.append(words)
        return lines

    def state(self):
        for tree in self.server.trees():
            for place, _, names in os.walk(tree):
                for name in names:
                    if name == 'tpm2-00.permall':
                        with open(os.path.join(place, name), 'rb') as file:
                            return file.read()
        return None

    def test_life(self):
        self.domain.create()
        line, = self.swtpm()
        keys = [line[line.index(option) + 1] for option in ('--key', '--migration-key')]
        self.assertTrue(all(key.startswith('pwdfd=') and key.endswith(',mode=aes-256-cbc') for key in keys), keys)
        self.assertNotIn(PASSPHRASE.decode(), ' '.join(line))
        self.assertIn("<encryption secret='%s'/>" % UUID, self.domain.XMLDesc())
        made = self.state()
        self.domain.destroy()
        self.until(lambda: not self.swtpm(), 10)
        self.domain.create()
        self.assertEqual(self.state()[:8], made[:8])
        self.domain.managedSave()
        self.domain.create()
        self.assertEqual(self.domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)

    def test_nothing_without_it(self):
        self.domain.create()
        self.domain.destroy()
        self.secret.setValue(b'another')
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.domain.create)
        self.conn.defineXML(guests.tiny('one', devices=PLAIN))
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.domain.create)
        self.secret.setValue(PASSPHRASE)
        self.conn.defineXML(guests.tiny('one', devices=TPM % UUID))
        self.domain.create()
        self.assertEqual(len(self.swtpm()), 1)

    def test_secrets(self):
        ceph = self.conn.secretDefineXML("<secret><usage type='ceph'><name>client</name></usage></secret>")
        empty = self.conn.secretDefineXML("<secret><usage type='vtpm'><name>empty</name></usage></secret>")
        nobody = guests.uuid_of('nobody')
        for uuid, code, words in ((nobody, libvirt.VIR_ERR_NO_SECRET, "Secret not found: no secret with matching uuid '%s'" % nobody),
                                  (ceph.UUIDString(), libvirt.VIR_ERR_INVALID_ARG,
                                   "invalid argument: secret with uuid %s is of type 'ceph' not expected 'vtpm' type" % ceph.UUIDString()),
                                  (empty.UUIDString(), libvirt.VIR_ERR_NO_SECRET, "Secret not found: secret '%s' does not have a value" % empty.UUIDString())):
            with self.subTest(uuid):
                self.conn.defineXML(guests.tiny('one', devices=TPM % uuid))
                self.assertEqual(self.refused(code, self.domain.create).get_error_message(), words)
        self.assertEqual(self.swtpm(), [])
