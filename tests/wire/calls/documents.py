# SPDX-License-Identifier: LGPL-2.1-or-later
"""The documents in saved files, and saves by parameters."""
import os

from lib import server
from lib.case import Case, libvirt, proves, world

SECURE = libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE


class Documents(Case):
    def setUp(self):
        super().setUp()
        self.folder = world.SCRATCH + '/documents'
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o777)
        self.path = self.folder + '/one.save'
        if os.path.exists(self.path):
            os.unlink(self.path)

    @proves('domain_save_params', 'domain_restore_params')
    def test_parameters(self):
        domain = self.start('one')
        domain.saveParams({libvirt.VIR_DOMAIN_SAVE_PARAM_FILE: self.path}, libvirt.VIR_DOMAIN_SAVE_RUNNING)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SAVED])
        self.conn.restoreParams({libvirt.VIR_DOMAIN_SAVE_PARAM_FILE: self.path})
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_RESTORED])

    @proves('domain_save_image_define_xml')
    def test_another_document(self):
        domain = self.start('one')
        domain.save(self.path)
        xml = self.conn.saveImageGetXMLDesc(self.path, SECURE)
        changed = xml.replace('</uuid>', '</uuid>\n  <title>Saved</title>', 1)
        self.conn.saveImageDefineXML(self.path, changed, libvirt.VIR_DOMAIN_SAVE_RUNNING)
        self.assertIn('<title>Saved</title>', self.conn.saveImageGetXMLDesc(self.path))
        self.conn.restore(self.path)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.assertIn('<title>Saved</title>', domain.XMLDesc())

    def test_a_document_the_guest_would_notice(self):
        domain = self.start('one')
        domain.save(self.path)
        before = self.conn.saveImageGetXMLDesc(self.path)
        changed = before.replace('>32768<', '>65536<')
        self.assertNotEqual(changed, before)
        self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, self.conn.saveImageDefineXML, self.path, changed)
        self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, self.conn.restoreFlags, self.path, changed)
        self.assertEqual(self.conn.saveImageGetXMLDesc(self.path), before)
        self.assertFalse(domain.isActive())

    @proves('domain_managed_save_get_xml_desc', 'domain_managed_save_define_xml')
    def test_managed(self):
        domain = self.start('one')
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.managedSaveGetXMLDesc)
        domain.managedSave()
        xml = domain.managedSaveGetXMLDesc(SECURE)
        domain.managedSaveDefineXML(xml.replace('</uuid>', '</uuid>\n  <title>Saved</title>', 1))
        self.assertIn('<title>Saved</title>', domain.managedSaveGetXMLDesc())
        domain.create()
        self.assertIn('<title>Saved</title>', domain.XMLDesc())
        self.assertEqual(domain.hasManagedSaveImage(), 0)

    def test_what_is_replaced_stays_until_it_is_replaced(self):
        if server.on_oracle():
            self.skipTest('libvirtd writes over the old file')
        domain = self.start('one')
        domain.save(self.path)
        self.conn.restore(self.path)
        before = os.stat(self.path).st_ino
        domain.save(self.path)
        self.assertNotEqual(os.stat(self.path).st_ino, before)
        self.assertEqual(os.listdir(self.folder), ['one.save'])

    def test_where_no_file_can_be(self):
        domain = self.start('one', flags=0)
        for path in ('/nonexistent/one.save', self.folder):
            self.refused(libvirt.VIR_ERR_SYSTEM_ERROR, domain.save, path)
            self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
