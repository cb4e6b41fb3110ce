# SPDX-License-Identifier: LGPL-2.1-or-later
"""Definitions: made, replaced, read back, removed."""
import re
import uuid
import xml.etree.ElementTree as ElementTree

from lib.case import Case, guests, libvirt, proves, server

INACTIVE = libvirt.VIR_DOMAIN_XML_INACTIVE


class Definition(Case):
    @proves('domain_define_xml', 'domain_undefine', 'domain_is_persistent', 'domain_is_active')
    def test_define_and_undefine(self):
        domain = self.define('one')
        self.assertEqual((domain.isPersistent(), domain.isActive(), domain.ID()), (1, 0, -1))
        self.assertEqual(self.names(), ['one'])
        domain.undefine()
        self.assertEqual(self.names(), [])
        self.refused(libvirt.VIR_ERR_NO_DOMAIN, domain.info)

    def test_document_of_what_was_undefined_while_it_runs(self):
        domain = self.start('one', devices="<serial type='pty'/>")
        domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 'later', None, None, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        before = domain.XMLDesc(INACTIVE)
        domain.undefine()
        self.assertEqual(domain.isPersistent(), 0)
        self.assertEqual(domain.XMLDesc(INACTIVE), before)
        self.assertNotIn('<title>', domain.XMLDesc())
        self.define('one')
        self.assertNotIn('<title>', domain.XMLDesc(INACTIVE))

    @proves('domain_define_xml_flags')
    def test_define_with_validation(self):
        domain = self.conn.defineXMLFlags(guests.tiny('one'), libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        self.assertEqual(domain.name(), 'one')
        self.refused(libvirt.VIR_ERR_XML_INVALID_SCHEMA, self.conn.defineXMLFlags, guests.tiny('two', head='<nonsense/>'),
                     libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
        self.conn.defineXML(guests.tiny('two', head='<nonsense/>'))
        self.assertEqual(self.names(), ['one', 'two'])
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.conn.defineXMLFlags, guests.tiny('three'), 1 << 20)

    def test_what_is_said_in_vain_is_told(self):
        """It is not forgotten by the next daemon, nor by a run."""
        if server.on_oracle():
            self.skipTest('libvirtd loses it in silence')
        domain = self.conn.defineXML(guests.tiny('one', head="<nonsense/><on_powerof>destroy</on_powerof>",
                                                 devices="<rng model='virtio' modle='x'><backend model='random'>/dev/urandom</backend></rng>"))
        told = ['ignored configuration: domain/nonsense: unknown element, ignored',
                "ignored configuration: domain/on_powerof: unknown element, ignored; did you mean 'on_poweroff'?",
                "ignored configuration: domain/devices/rng[1]/@modle: unknown attribute, ignored; did you mean 'model'?"]
        self.assertEqual(domain.messages(), told)
        self.assertEqual(domain.messages(libvirt.VIR_DOMAIN_MESSAGE_TAINTING), [])
        self.assertNotIn('gnored', domain.XMLDesc(INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
        domain.create()
        self.assertEqual(domain.messages(), told)
        self.assertNotIn('gnored', domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE))
        self.server.kill()
        self.server.start()
        conn = self.server.connect()
        domain = conn.lookupByName('one')
        self.assertEqual(domain.messages(), told)
        domain.destroy()
        self.assertEqual(domain.messages(), told)
        self.assertEqual(conn.defineXML(guests.tiny('one')).messages(), [])
        conn.close()

    def test_a_name_is_free_as_soon_as_its_domain_is_gone(self):
        for _ in range(12):
            domain = self.start('one')
            domain.destroy()
            domain.undefine()
            other = self.conn.defineXML(re.sub('<uuid>.*</uuid>', '', guests.tiny('one')))
            other.create()
            other.destroy()
            other.undefine()

    @proves('domain_undefine_flags')
    def test_undefine_takes_the_managed_save_only_when_told(self):
        domain = self.start('one')
        domain.managedSave()
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.undefine)
        self.assertEqual(self.names(), ['one'])
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)
        self.assertEqual(self.names(), [])
        again = self.define('one')
        self.assertEqual(again.hasManagedSaveImage(), 0)

    def test_same_name_or_uuid_of_another(self):
        self.define('one')
        self.refused(libvirt.VIR_ERR_OPERATION_FAILED, self.define, 'one', uuid=guests.uuid_of('other'))
        self.refused(libvirt.VIR_ERR_OPERATION_FAILED, self.define, 'two', uuid=guests.uuid_of('one'))
        self.assertEqual(self.names(), ['one'])

    def test_redefinition_replaces(self):
        self.define('one', head='<title>old</title>')
        self.define('one', head='<title>new</title>')
        self.assertEqual(len(self.names()), 1)
        self.assertEqual(ElementTree.fromstring(self.conn.lookupByName('one').XMLDesc()).findtext('title'), 'new')

    def test_uuid_is_made_up_when_missing(self):
        xml = guests.tiny('one').replace('<uuid>%s</uuid>' % guests.uuid_of('one'), '')
        domain = self.conn.defineXML(xml)
        self.assertEqual(uuid.UUID(domain.UUIDString()).version, 4)

    @proves('domain_is_updated', 'domain_get_xml_desc')
    def test_redefinition_while_running_waits_for_the_next_start(self):
        domain = self.start('one', head='<title>old</title>')
        self.assertEqual(domain.isUpdated(), 0)
        self.define('one', head='<title>new</title>')
        title = lambda flags: ElementTree.fromstring(domain.XMLDesc(flags)).findtext('title')
        self.assertEqual((title(0), title(INACTIVE)), ('old', 'new'))
        domain.destroy()
        self.assertEqual((title(0), title(INACTIVE)), ('new', 'new'))
        domain.create()
        self.assertEqual(title(0), 'new')

    def test_inactive_document_of_a_transient_guest(self):
        """There is but one document; terminals and ports of the run are left out."""
        domain = self.conn.createXML(guests.minimal('one'), libvirt.VIR_DOMAIN_START_PAUSED)
        live, inactive = (ElementTree.fromstring(domain.XMLDesc(flags)).find('devices') for flags in (0, INACTIVE))
        self.assertRegex(live.find('serial/source').get('path'), '/dev/pts/')
        self.assertIsNone(inactive.find('serial/source'))
        self.assertIsNone(inactive.find('console').get('tty'))
        self.assertGreater(int(live.find('graphics').get('port')), 0)
        self.assertEqual(inactive.find('graphics').get('port'), '-1')

    def test_definition_is_a_fixed_point(self):
        first = self.conn.defineXML(guests.q35('one')).XMLDesc(INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
        second = self.conn.defineXML(first).XMLDesc(INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
        self.assertEqual(first, second)

    def test_secrets_are_shown_only_when_asked_for(self):
        domain = self.conn.defineXML(guests.q35('one'))
        self.assertNotIn('secret', domain.XMLDesc(0))
        self.assertIn("passwd='secret'", domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE))
        reader = self.open_read_only()
        self.refused(libvirt.VIR_ERR_OPERATION_DENIED, reader.lookupByName('one').XMLDesc, libvirt.VIR_DOMAIN_XML_SECURE)
        reader.close()

    def test_only_a_running_guest_has_live_facts(self):
        domain = self.start('one', devices="<serial type='pty'/>")
        live, config = (ElementTree.fromstring(domain.XMLDesc(flags)) for flags in (0, INACTIVE))
        self.assertEqual(live.get('id'), str(domain.ID()))
        self.assertIsNone(config.get('id'))
        self.assertIsNotNone(live.find('devices/serial/alias'))
        self.assertIsNone(config.find('devices/serial/alias'))
        self.assertTrue(live.find('devices/serial/source').get('path').startswith('/dev/pts/'))
        migratable = ElementTree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE))
        self.assertIsNone(migratable.find('devices/serial/alias'))
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.XMLDesc, 1 << 20)

    @proves('domain_get_os_type', 'domain_get_max_memory', 'domain_get_info')
    def test_figures_of_a_definition(self):
        domain = self.define('one')
        self.assertEqual(domain.OSType(), 'hvm')
        self.assertEqual(domain.maxMemory(), 32 * 1024)
        self.assertEqual(domain.info()[:4], [libvirt.VIR_DOMAIN_SHUTOFF, 32 * 1024, 32 * 1024, 1])

    @proves('domain_get_vcpus_flags')
    def test_vcpu_counts(self):
        domain = self.conn.defineXML(guests.tiny('one').replace("<vcpu>1</vcpu>", "<vcpu current='2'>4</vcpu>"))
        config = libvirt.VIR_DOMAIN_VCPU_CONFIG
        self.assertEqual(domain.vcpusFlags(config | libvirt.VIR_DOMAIN_VCPU_MAXIMUM), 4)
        self.assertEqual(domain.vcpusFlags(config), 2)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.vcpusFlags, libvirt.VIR_DOMAIN_VCPU_LIVE)
