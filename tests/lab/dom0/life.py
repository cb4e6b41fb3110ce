# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every guest can do."""
from dom0.case import KINDS, Case, document, listed, run
from lib.server import libvirt


class Life(Case):
    def test_the_host_itself(self):
        host = self.conn.lookupByID(0)
        self.assertEqual((host.name(), host.UUIDString(), host.isActive(), host.isPersistent()),
                         ('Domain-0', '00000000-0000-0000-0000-000000000000', 1, 1))
        self.assertEqual(host.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.assertIn('Domain-0', [domain.name() for domain in self.conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)])
        info = self.patiently(host.info)
        self.assertEqual((info[1], info[3]), (1280 << 10, 1))
        self.assertGreater(info[4], 10 ** 9)
        for change in (host.suspend, host.destroy, host.shutdown, lambda: host.managedSave(), lambda: host.setAutostart(1),
                       lambda: host.coreDump('/tmp/host.core')):
            with self.assertRaises(libvirt.libvirtError) as caught:
                change()
            self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_OPERATION_INVALID)
            self.assertIn('Domain-0 does not support requested operation', str(caught.exception))
        self.assertEqual(host.schedulerParameters()['weight'], 256)
        host.setMemory(1200 << 10)
        self.until(lambda: int(run('xl', 'list', 'Domain-0').stdout.splitlines()[1].split()[2]) == 1200, lambda: run('xl', 'list').stdout)
        host.setMemory(1280 << 10)

    def test_domain_capabilities(self):
        for machine, most in ((None, '512'), ('xenpv', '512'), ('xenpvh', '512'), ('xenfv', '128')):
            text = self.conn.getDomainCapabilities(None, None, machine, None)
            self.assertIn('<machine>%s</machine>' % (machine or 'xenpv'), text)
            self.assertIn("<vcpu max='%s'/>" % most, text)
        for arguments in ((None, None, 'pc', None), (None, None, None, 'kvm'), (None, 'wrong', None, None)):
            with self.assertRaises(libvirt.libvirtError) as caught:
                self.conn.getDomainCapabilities(*arguments)
            self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_INVALID_ARG)

    def test_versions(self):
        self.assertEqual(self.conn.getType(), 'Xen')
        self.assertEqual(self.conn.getVersion(), 4017000)

    def test_life(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.forget_console('one')
                domain = self.conn.defineXML(document('one', kind))
                domain.create()
                self.assertEqual(listed(), {'one': domain.ID()})
                self.said('one', 'GUEST-READY')
                self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED])
                domain.suspend()
                self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER])
                self.assertIn('p', run('xl', 'list', 'one').stdout.splitlines()[1].split()[4])
                domain.resume()
                self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
                domain.destroy()
                self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED])
                self.assertEqual(listed(), {})
                domain.undefine()
