# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast an interface may be."""
from lib.case import Case, libvirt, proves

MAC = '52:54:00:aa:22:0'
LIMITS = "<bandwidth><inbound average='1000' peak='2000' burst='300'/><outbound average='500'/></bandwidth>"
NOTHING = {f'{way}.{what}': 0 for way in ('inbound', 'outbound') for what in ('average', 'peak', 'burst')} | {'inbound.floor': 0}
LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
INVALID, NOT_NOW = libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_OPERATION_INVALID


class Bandwidth(Case):
    @proves('domain_get_interface_parameters')
    def test_limits_of_a_definition(self):
        domain = self.define('one', devices=f"<interface type='ethernet'><mac address='{MAC}1'/><target dev='fast0'/>{LIMITS}</interface>"
                             f"<interface type='user'><mac address='{MAC}2'/></interface>")
        limits = NOTHING | {'inbound.average': 1000, 'inbound.peak': 2000, 'inbound.burst': 300, 'outbound.average': 500}
        for name in (MAC + '1', MAC.upper() + '1', 'fast0'):
            self.assertEqual(domain.interfaceParameters(name), limits)
            self.assertEqual(domain.interfaceParameters(name, CONFIG), limits)
        self.assertEqual(domain.interfaceParameters(MAC + '2'), NOTHING)
        for name in (MAC + '9', 'fast1', ''):
            self.assertIn("'%s' is not a known interface" % name, str(self.refused(INVALID, domain.interfaceParameters, name)))
        self.refused(NOT_NOW, domain.interfaceParameters, MAC + '1', LIVE)
        error = self.refused(INVALID, domain.interfaceParameters, MAC + '1', LIVE | CONFIG)
        self.assertEqual(error.get_error_domain(), libvirt.VIR_FROM_DOMAIN)

    def test_of_a_guest_that_runs(self):
        domain = self.start('one', devices=f"<interface type='user'><mac address='{MAC}2'/></interface>")
        for flags in (0, LIVE, CONFIG):
            self.assertEqual(domain.interfaceParameters(MAC + '2', flags), NOTHING)
            self.refused(INVALID, domain.interfaceParameters, MAC + '1', flags)
