# SPDX-License-Identifier: LGPL-2.1-or-later
"""Secrets: what they are for, their values, who hears of them."""
import base64
import os
import uuid

from lib.case import Case, libvirt, proves, server

ONE, TWO = (str(uuid.uuid5(uuid.NAMESPACE_DNS, name)) for name in ('one.secret', 'two.secret'))
TEXT = "<secret ephemeral='%s' private='%s'><uuid>%s</uuid>%s</secret>"
CEPH = "<usage type='ceph'><name>%s</name></usage>"
VALUE = b'\0binary\xff value'
KINDS = {'volume': ('volume', libvirt.VIR_SECRET_USAGE_TYPE_VOLUME, '/a/volume'), 'ceph': ('name', libvirt.VIR_SECRET_USAGE_TYPE_CEPH, 'client'),
         'iscsi': ('target', libvirt.VIR_SECRET_USAGE_TYPE_ISCSI, 'iqn.example'), 'tls': ('name', libvirt.VIR_SECRET_USAGE_TYPE_TLS, 'pass'),
         'vtpm': ('name', libvirt.VIR_SECRET_USAGE_TYPE_VTPM, 'tpm')}


def text(of=ONE, usage=CEPH % 'client', ephemeral='no', private='no'):
    return TEXT % (ephemeral, private, of, usage)


class Secrets(Case):
    def tearDown(self):
        for secret in self.conn.listAllSecrets():
            secret.undefine()
        super().tearDown()

    def again(self):
        """A connection to the daemon after a kill -9."""
        self.conn.close()
        self.server.kill()
        self.server.start()
        self.conn = self.server.connect()

    @proves('secret_define_xml', 'secret_undefine', 'secret_get_xml_desc', 'secret_lookup_by_uuid', 'secret_lookup_by_usage', 'connect_num_of_secrets',
            'connect_list_secrets')
    def test_definitions(self):
        secrets = {}
        for kind, (element, number, name) in KINDS.items():
            secret = self.conn.secretDefineXML(f"<secret><usage type='{kind}'><{element}>{name}</{element}></usage><description>d</description></secret>")
            self.assertEqual((secret.usageType(), secret.usageID()), (number, name))
            self.assertEqual(self.conn.secretLookupByUsage(number, name).UUIDString(), secret.UUIDString())
            self.assertEqual(self.conn.secretLookupByUUIDString(secret.UUIDString()).usageID(), name)
            secrets[secret.UUIDString()] = secret.XMLDesc()
            self.assertEqual(secret.XMLDesc(), f"""<secret ephemeral='no' private='no'>
  <uuid>{secret.UUIDString()}</uuid>
  <description>d</description>
  <usage type='{kind}'>
    <{element}>{name}</{element}>
  </usage>
</secret>
""")
        self.assertEqual(self.conn.numOfSecrets(), len(KINDS))
        self.assertEqual(sorted(self.conn.listSecrets()), sorted(secrets))
        self.conn.secretDefineXML(text(TWO, '')).undefine()
        if not server.on_oracle():
            self.again()
            self.assertEqual({secret.UUIDString(): secret.XMLDesc() for secret in self.conn.listAllSecrets()}, secrets)
        self.conn.secretLookupByUUIDString(min(secrets)).undefine()
        self.assertEqual(self.conn.numOfSecrets(), len(KINDS) - 1)
        self.refused(libvirt.VIR_ERR_NO_SECRET, self.conn.secretLookupByUUIDString, min(secrets))
        self.refused(libvirt.VIR_ERR_NO_SECRET, self.conn.secretLookupByUsage, libvirt.VIR_SECRET_USAGE_TYPE_CEPH, 'nobody')
        self.refused(libvirt.VIR_ERR_NO_SECRET, self.conn.secretLookupByUsage, 99, 'client')

    def test_what_may_not_change(self):
        self.conn.secretDefineXML(text(private='yes'))
        self.conn.secretDefineXML(text(private='yes').replace('<usage', '<description>new</description><usage'))
        for wrong in text(), text(usage=CEPH % 'another', private='yes'), text(usage='', private='yes'), text(TWO):
            with self.subTest(wrong):
                self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.conn.secretDefineXML, wrong)
        self.refused(libvirt.VIR_ERR_XML_ERROR, self.conn.secretDefineXML, '<domain/>')
        self.refused(libvirt.VIR_ERR_XML_INVALID_SCHEMA, self.conn.secretDefineXML, text(TWO, '<nonsense/>'), libvirt.VIR_SECRET_DEFINE_VALIDATE)

    @proves('secret_set_value', 'secret_get_value')
    def test_values(self):
        secret = self.conn.secretDefineXML(text())
        self.refused(libvirt.VIR_ERR_NO_SECRET, secret.value)
        for value in (VALUE, b'x', os.urandom(65536), VALUE):
            secret.setValue(value)
            self.assertEqual(secret.value(), value)
        self.again() if not server.on_oracle() else None
        self.assertEqual(self.conn.secretLookupByUUIDString(ONE).value(), VALUE)
        self.conn.secretDefineXML(text())
        self.assertEqual(self.conn.secretLookupByUUIDString(ONE).value(), VALUE)
        self.conn.secretLookupByUUIDString(ONE).undefine()
        self.refused(libvirt.VIR_ERR_NO_SECRET, self.conn.secretDefineXML(text()).value)

    def test_private(self):
        secret = self.conn.secretDefineXML(text(private='yes'))
        secret.setValue(VALUE)
        self.refused(libvirt.VIR_ERR_INVALID_SECRET, secret.value)

    def test_ephemeral(self):
        secret = self.conn.secretDefineXML(text(ephemeral='yes'))
        secret.setValue(VALUE)
        self.assertEqual(secret.value(), VALUE)
        self.conn.secretDefineXML(text())
        self.assertEqual(secret.value(), VALUE)
        self.conn.secretDefineXML(text(ephemeral='yes'))
        self.assertEqual(secret.value(), VALUE)
        if not server.on_oracle():
            self.again()
            self.assertEqual(self.conn.listAllSecrets(), [])

    @proves('connect_list_all_secrets')
    def test_lists(self):
        for name, ephemeral, private in (('a', 'no', 'no'), ('b', 'yes', 'no'), ('c', 'no', 'yes'), ('d', 'yes', 'yes')):
            self.conn.secretDefineXML(text(str(uuid.uuid4()), CEPH % name, ephemeral, private))
        for flags, wanted in ((0, 'abcd'), (1, 'bd'), (2, 'ac'), (3, 'abcd'), (4, 'cd'), (8, 'ab'), (5, 'd'), (10, 'a'), (15, 'abcd')):
            self.assertEqual(''.join(sorted(secret.usageID() for secret in self.conn.listAllSecrets(flags))), wanted)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.conn.listAllSecrets, 16)

    @proves('connect_secret_event_register_any', 'connect_secret_event_deregister_any')
    def test_events(self):
        told = []
        secret = self.conn.secretDefineXML(text())
        ids = [self.conn.secretEventRegisterAny(which, event, lambda conn, secret, *what, name=name: told.append((name, secret.usageID(), *what[:-1])), None)
               for name, which, event in (('all', None, libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE), ('one', secret, libvirt.VIR_SECRET_EVENT_ID_LIFECYCLE),
                                          ('value', None, libvirt.VIR_SECRET_EVENT_ID_VALUE_CHANGED))]
        other = self.conn.secretDefineXML(text(TWO, CEPH % 'other'))
        other.setValue(b'v')
        other.undefine()
        secret.undefine()
        wanted = [('all', 'other', 0, 0), ('value', 'other'), ('all', 'other', 1, 0), ('all', 'client', 1, 0), ('one', 'client', 1, 0)]
        self.until(lambda: len(told) == len(wanted), 10, lambda: told)
        self.assertEqual(sorted(told), sorted(wanted))
        for number in ids:
            self.conn.secretEventDeregisterAny(number)

    def test_nothing_lies_open(self):
        if server.on_oracle():
            self.skipTest('libvirtd keeps values as they are, in base64')
        mark = b'a value that nobody must find'
        self.conn.secretDefineXML(text()).setValue(mark)
        found = []
        for place, _, files in os.walk(self.server.trees()[1]):
            for name in files:
                path = os.path.join(place, name)
                if 'secret' not in path:
                    continue
                found.append(name)
                with open(path, 'rb') as file:
                    octets = file.read()
                self.assertNotIn(mark, octets)
                self.assertNotIn(base64.b64encode(mark)[:-2], octets)
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        self.assertIn(ONE + '.value', found)
        self.assertIn('secrets.key', found)

    def is_sanitized(self):
        """What a sanitizer lays aside for itself is larger than any memory."""
        with open('/proc/%d/maps' % self.server.process.pid, encoding='utf-8') as maps:
            places = [line.split()[0].split('-') for line in maps]
        return any(int(last, 16) - int(first, 16) >= 1 << 40 for first, last in places)

    def remembered(self, mark):
        """How often the daemon has MARK in its memory."""
        count = 0
        with open('/proc/%d/maps' % self.server.process.pid, encoding='utf-8') as maps, open('/proc/%d/mem' % self.server.process.pid, 'rb', 0) as memory:
            for line in maps:
                place, rights = line.split()[:2]
                first, last = (int(end, 16) for end in place.split('-'))
                if not rights.startswith('rw'):
                    continue
                try:
                    memory.seek(first)
                    count += memory.read(last - first).count(mark)
                except OSError:  # what cannot be read cannot be found
                    continue
        return count

    def test_nothing_is_remembered(self):
        """A value that was told is in no memory after that, neither as it came nor as it went."""
        if server.on_oracle():
            self.skipTest('libvirtd keeps values in memory')
        if self.is_sanitized():
            self.skipTest('a sanitizer has a memory of its own')
        secret = self.conn.secretDefineXML(text())
        for length in 64, 5000, 65536:
            with self.subTest(length):
                mark = os.urandom(32)
                value = (mark * (length // 32 + 1))[:length]
                secret.setValue(value)
                self.assertEqual(secret.value(), value)
                self.until(lambda: self.remembered(mark) == 0, 5, lambda: self.remembered(mark))
