# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people attach to a domain: a name, a title, words, foreign XML, autostart."""
import xml.etree.ElementTree as ElementTree

from lib.case import Case, guests, libvirt, proves

CONFIG, LIVE, CURRENT = libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CURRENT
TITLE, WORDS, ELEMENT = (getattr(libvirt, 'VIR_DOMAIN_METADATA_' + kind) for kind in ('TITLE', 'DESCRIPTION', 'ELEMENT'))
URI = 'urn:duovirt:test'


class Description(Case):
    @proves('domain_rename')
    def test_rename(self):
        domain = self.define('one')
        domain.rename('two')
        self.assertEqual(self.names(), ['two'])
        self.assertEqual(self.conn.lookupByUUIDString(guests.uuid_of('one')).name(), 'two')
        self.define('one', uuid=guests.uuid_of('new'))
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.conn.lookupByName('two').rename, 'one')
        self.conn.lookupByName('two').create()
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.conn.lookupByName('two').rename, 'three')
        self.assertEqual(self.names(), ['one', 'two'])

    @proves('domain_get_autostart', 'domain_set_autostart')
    def test_autostart(self):
        domain = self.define('one')
        self.assertEqual(domain.autostart(), 0)
        domain.setAutostart(1)
        self.assertEqual(domain.autostart(), 1)
        domain.setAutostart(0)
        self.assertEqual(domain.autostart(), 0)
        passing = self.conn.createXML(guests.tiny('passing'), libvirt.VIR_DOMAIN_START_PAUSED)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, passing.setAutostart, 1)

    @proves('domain_set_metadata', 'domain_get_metadata')
    def test_title_and_description(self):
        domain = self.start('one')
        domain.setMetadata(TITLE, 'live title', None, None, LIVE)
        domain.setMetadata(TITLE, 'next title', None, None, CONFIG)
        domain.setMetadata(WORDS, 'words <&> more', None, None, LIVE | CONFIG)
        self.assertEqual(domain.metadata(TITLE, None, LIVE), 'live title')
        self.assertEqual(domain.metadata(TITLE, None, CONFIG), 'next title')
        self.assertEqual(domain.metadata(TITLE, None, CURRENT), 'live title')
        self.assertEqual(domain.metadata(WORDS, None, CONFIG), 'words <&> more')
        self.assertEqual(ElementTree.fromstring(domain.XMLDesc(0)).findtext('description'), 'words <&> more')
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.setMetadata, TITLE, 'two\nlines', None, None, CONFIG)
        domain.setMetadata(WORDS, None, None, None, CONFIG)
        self.refused(libvirt.VIR_ERR_NO_DOMAIN_METADATA, domain.metadata, WORDS, None, CONFIG)

    @proves('domain_set_metadata', 'domain_get_metadata')
    def test_foreign_xml(self):
        domain = self.define('one')
        self.refused(libvirt.VIR_ERR_NO_DOMAIN_METADATA, domain.metadata, ELEMENT, URI, CONFIG)
        domain.setMetadata(ELEMENT, "<app name='x'><deep>é</deep></app>", 'test', URI, CONFIG)
        found = ElementTree.fromstring(domain.metadata(ELEMENT, URI, CONFIG))
        self.assertEqual((found.tag, found.get('name'), found.findtext('deep')), ('app', 'x', 'é'))
        self.assertEqual(ElementTree.fromstring(domain.XMLDesc(0)).find('metadata/{%s}app/{%s}deep' % (URI, URI)).text, 'é')
        domain.setMetadata(ELEMENT, '<other/>', 'test', URI, CONFIG)
        self.assertEqual(len(ElementTree.fromstring(domain.XMLDesc(0)).find('metadata')), 1)
        domain.setMetadata(ELEMENT, None, 'test', URI, CONFIG)
        self.refused(libvirt.VIR_ERR_NO_DOMAIN_METADATA, domain.metadata, ELEMENT, URI, CONFIG)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.setMetadata, ELEMENT, '<a/>', 'test', URI, LIVE)
        with self.assertRaises(libvirt.libvirtError):
            domain.setMetadata(ELEMENT, '<broken', 'test', URI, CONFIG)
