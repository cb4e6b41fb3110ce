# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a client is told without asking."""

from lib.case import Case, guests, libvirt, proves

LIFECYCLE = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
KINDS = {getattr(libvirt, 'VIR_DOMAIN_EVENT_' + kind): kind for kind in
         ('DEFINED', 'UNDEFINED', 'STARTED', 'SUSPENDED', 'RESUMED', 'STOPPED', 'SHUTDOWN', 'PMSUSPENDED', 'CRASHED')}


class Events(Case):
    def setUp(self):
        super().setUp()
        self.heard = []

    def on_lifecycle(self, conn, domain, event, detail, opaque):
        self.heard.append((domain.name(), KINDS[event], detail))

    def kinds(self):
        return [kind for _, kind, _ in self.heard if kind != 'SHUTDOWN']

    def expect(self, *kinds):
        self.until(lambda: len(self.kinds()) >= len(kinds), 5, 'events %s, heard %s' % (kinds, self.heard))
        self.assertEqual(tuple(self.kinds()), kinds)

    def walk(self):
        domain = self.define('one')
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        domain.resume()
        domain.suspend()
        domain.destroy()
        domain.undefine()
        return ('DEFINED', 'STARTED', 'SUSPENDED', 'RESUMED', 'SUSPENDED', 'STOPPED', 'UNDEFINED')

    @proves('connect_domain_event_callback_register_any', 'connect_domain_event_callback_deregister_any', 'domain_event_callback_lifecycle')
    def test_lifecycle_of_all(self):
        number = self.conn.domainEventRegisterAny(None, LIFECYCLE, self.on_lifecycle, None)
        self.expect(*self.walk())
        self.assertEqual(self.heard[0], ('one', 'DEFINED', libvirt.VIR_DOMAIN_EVENT_DEFINED_ADDED))
        self.assertIn(('one', 'STOPPED', libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED), self.heard)
        self.conn.domainEventDeregisterAny(number)
        self.heard.clear()
        self.define('one')
        self.conn.getLibVersion()
        self.assertEqual(self.heard, [])

    def test_lifecycle_the_old_way(self):
        self.conn.domainEventRegister(self.on_lifecycle, None)
        self.expect(*self.walk())
        self.conn.domainEventDeregister(self.on_lifecycle)

    def test_lifecycle_of_one(self):
        one, _ = self.define('one'), self.define('two')
        number = self.conn.domainEventRegisterAny(one, LIFECYCLE, self.on_lifecycle, None)
        self.conn.lookupByName('two').createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        one.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.expect('STARTED', 'SUSPENDED')
        self.assertEqual({name for name, _, _ in self.heard}, {'one'})
        self.conn.domainEventDeregisterAny(number)

    def test_two_callbacks_and_two_clients(self):
        other, others = self.open(), []
        self.conn.domainEventRegisterAny(None, LIFECYCLE, self.on_lifecycle, None)
        self.conn.domainEventRegisterAny(self.define('one'), LIFECYCLE, self.on_lifecycle, None)
        self.until(lambda: self.heard)
        self.heard.clear()
        other.domainEventRegisterAny(None, LIFECYCLE, lambda *args: others.append(args[2]), None)
        self.conn.lookupByName('one').undefine()
        self.until(lambda: len(self.heard) == 2 and len(others) == 1, what='each callback once')
        other.close()

    @proves('domain_event_callback_metadata_change')
    def test_metadata_change(self):
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                                         lambda conn, domain, kind, uri, opaque: self.heard.append((kind, uri)), None)
        domain = self.define('one')
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 'new', None, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, '<a/>', 'k', 'urn:x', libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        self.until(lambda: len(self.heard) == 2)
        self.assertEqual(self.heard, [(libvirt.VIR_DOMAIN_METADATA_TITLE, None), (libvirt.VIR_DOMAIN_METADATA_ELEMENT, 'urn:x')])

    @proves('domain_event_callback_reboot')
    def test_reboot(self):
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, lambda conn, domain, opaque: self.heard.append(domain.name()), None)
        self.start('one', flags=0).reset()
        self.until(lambda: 'one' in self.heard)

    @proves('domain_event_callback_agent_lifecycle')
    def test_agent(self):
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                                         lambda conn, domain, state, reason, opaque: self.heard.append((state, reason)), None)
        self.start('one', devices="<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>")
        self.until(lambda: self.heard)
        self.assertEqual(self.heard[0], (libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED,
                                         libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED))

    def test_every_kind_can_be_registered(self):
        for kind in range(libvirt.VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE + 1):
            number = self.conn.domainEventRegisterAny(None, kind, lambda *args: None, None)
            self.conn.domainEventDeregisterAny(number)

    def test_a_slow_reader_loses_nothing(self):
        self.conn.domainEventRegisterAny(None, LIFECYCLE, self.on_lifecycle, None)
        names = ['many%d' % i for i in range(100)]
        with self.server.connect() as other:
            for name in names:
                other.defineXML(guests.tiny(name))
        self.until(lambda: len(self.heard) == 100)
        self.assertEqual([name for name, _, _ in self.heard], names)
