# SPDX-License-Identifier: LGPL-2.1-or-later
"""The read-only socket: what it answers and what it refuses. And what nobody offers yet."""
from lib.case import Case, guests, libvirt, proves, server


class Rights(Case):
    def setUp(self):
        super().setUp()
        self.reader = self.open_read_only()
        self.start('one', devices="<serial type='pty'/>")
        self.define('off')
        self.domain = self.reader.lookupByName('one')

    def tearDown(self):
        self.reader.close()
        super().tearDown()

    def test_reading_is_allowed(self):
        self.assertEqual(len(self.reader.listAllDomains()), 2)
        self.assertIn('<name>one</name>', self.domain.XMLDesc(0))
        self.assertEqual(self.domain.info()[1], 32768)
        self.assertEqual(len(self.reader.getAllDomainStats()), 2)
        self.assertTrue(self.reader.getCapabilities())

    def test_changing_is_refused(self):
        """By the client library where it knows, by the daemon on the wire in tests/wire/raw.py."""
        stream = self.reader.newStream(0)
        for call, args in ((self.domain.destroy, ()), (self.domain.suspend, ()), (self.domain.undefine, ()), (self.domain.reboot, ()),
                           (self.domain.reset, ()), (self.domain.shutdown, ()), (self.domain.managedSave, ()), (self.domain.setAutostart, (1,)),
                           (self.domain.save, ('/tmp/x',)), (self.domain.coreDump, ('/tmp/x',)), (self.domain.rename, ('x',)),
                           (self.domain.setMetadata, (libvirt.VIR_DOMAIN_METADATA_TITLE, 'x', None, None, 0)),
                           (self.reader.defineXML, (guests.tiny('new'),)), (self.reader.createXML, (guests.tiny('new'), 0)),
                           (self.reader.lookupByName('off').create, ()), (self.domain.openConsole, (None, stream, 0))):
            self.refused(libvirt.VIR_ERR_OPERATION_DENIED, call, *args)
        self.assertEqual(self.conn.lookupByName('one').state()[0], libvirt.VIR_DOMAIN_PAUSED)
        self.assertEqual(self.names(), ['off', 'one'])

    def test_events_reach_readers(self):
        heard = []
        self.reader.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lambda *args: heard.append(args[2]), None)
        self.conn.lookupByName('one').destroy()
        self.until(lambda: libvirt.VIR_DOMAIN_EVENT_STOPPED in heard)


class OnBehalf(Case):
    """Whom a daemon in between works for: taken, and nothing is gained by it."""
    KNOWN = {'user-name': 'x', 'unix-user-id': 5, 'group-name': 'g', 'unix-group-id': 6, 'process-id': -7, 'process-time': 8,
             'sasl-user-name': 's', 'x509-distinguished-name': 'd', 'selinux-context': 'c'}

    @proves('connect_set_identity')
    def test_it_is_taken(self):
        for identity in (self.KNOWN, {}, {'user-name': 'y'}):
            self.assertEqual(self.conn.setIdentity(identity), 0)
        self.assertEqual(self.conn.setIdentity(self.KNOWN, 1), 0)
        self.define('one').undefine()
        if not server.on_oracle():
            self.assertIn("works for user-name 'x', unix-user-id 5, group-name 'g', unix-group-id 6, process-id -7", self.server.tail(100))

    def test_what_nobody_knows_is_refused(self):
        for value in ('a', 5):
            error = self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, self.conn.setIdentity, {'user-name': 'x', 'nonsense': value})
            self.assertIn("parameter 'nonsense' not supported", str(error))
