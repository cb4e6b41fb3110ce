# SPDX-License-Identifier: LGPL-2.1-or-later
"""Labels that documents ask for: as whom a guest runs, and which of its files are given to it."""
import os
import re

from lib import guests, server
from lib.case import Case, libvirt

DISK = "<disk type='file'><driver name='qemu' type='raw'/><source file='%s'>%s</source><target dev='vda' bus='virtio'/></disk>"
LABEL = "<seclabel type='%s' model='dac'%s>%s</seclabel>"
KEEP = "<seclabel model='dac' relabel='no'/>"


class Labels(Case):
    def setUp(self):
        super().setUp()
        self.image = guests.image('labels.img', '1M')
        os.chown(self.image, 1, 1)
        os.chmod(self.image, 0o600)

    def document(self, label, file=''):
        return guests.tiny('one', devices=DISK % (self.image, file)).replace('</domain>', label + '</domain>')

    def run_with(self, label, file=''):
        """(label in the live document, user of QEMU, owner of the image) while it runs; after it the image is as it was."""
        domain = self.conn.defineXML(self.document(label, file))
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        with open('/proc/%d/status' % self.server.qemu(domain.UUIDString())) as f:
            user = int(re.search(r'^Uid:\s+\d+\s+(\d+)', f.read(), re.M)[1])
        live = re.findall(r'\n  <seclabel.*?(?:/>|</seclabel>)', domain.XMLDesc(), re.S)
        found = live[0].strip() if live else '', user, os.stat(self.image).st_uid
        domain.destroy()
        self.until(lambda: os.stat(self.image).st_uid == 1, what='the owner to be as before')
        domain.undefine()
        return found

    def test_whose_files_are(self):
        _, user, owner = self.run_with('')
        self.assertEqual(owner, user)
        own = '+%d:+%d' % (user, user)
        made = "<seclabel type='%s' model='dac' relabel='yes'>\n    <label>" + own + "</label>\n    <imagelabel>" + own + '</imagelabel>\n  </seclabel>'
        self.assertEqual(self.run_with("<seclabel type='none'/>"), ("<seclabel type='none' model='none'/>", user, user))
        self.assertEqual(self.run_with(LABEL % ('dynamic', '', '')), (made % 'dynamic', user, user))
        self.assertEqual(self.run_with(LABEL % ('static', " relabel='yes'", '<label>%s</label>' % own)), (made % 'static', user, user))
        os.chmod(self.image, 0o666)
        left = "<seclabel type='static' model='dac' relabel='no'>\n    <label>" + own + '</label>\n  </seclabel>'
        self.assertEqual(self.run_with(LABEL % ('static', '', '<label>%s</label>' % own)), (left, user, 1))
        self.assertEqual(self.run_with(LABEL % ('none', '', '')), ("<seclabel type='none' model='dac'/>", user, 1))
        self.assertEqual(self.run_with('', KEEP)[1:], (user, 1))

    def test_files_that_are_kept_from_the_guest(self):
        for label, file in ((LABEL % ('none', '', ''), ''), ('', KEEP)):
            domain = self.conn.defineXML(self.document(label, file))
            error = self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.createWithFlags, libvirt.VIR_DOMAIN_START_PAUSED)
            self.assertIn('Permission denied', str(error))
            self.assertEqual(os.stat(self.image).st_uid, 1)
            domain.undefine()

    def test_what_this_host_has_not(self):
        cases = {'selinux': ("<seclabel type='dynamic' model='selinux'/>", ''), 'apparmor': ("<seclabel type='none' model='apparmor'/>", ''),
                 '(null)': ('', "<seclabel relabel='no'/>")}
        for model, (label, file) in cases.items():
            domain = self.conn.defineXML(self.document(label, file))
            error = self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, domain.create)
            self.assertEqual((str(error), error.get_error_domain()),
                             ("unsupported configuration: Security driver model '%s' is not available" % model, libvirt.VIR_FROM_SECURITY))
            domain.undefine()
        domain = self.conn.defineXML(self.document(LABEL % ('static', '', '<label>nosuchuser:nogroup</label>')))
        self.assertIn("Failed to parse user 'nosuchuser'", str(self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.create)))
        if not server.on_oracle():  # a user for each guest is not there yet
            domain = self.conn.defineXML(self.document(LABEL % ('static', '', '<label>nobody:nogroup</label>')))
            self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, domain.create)
