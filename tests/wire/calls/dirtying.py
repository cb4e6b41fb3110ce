# SPDX-License-Identifier: LGPL-2.1-or-later
"""How fast a guest writes its memory, and what KVM counts."""
import os
import unittest

from lib import guests
from lib.case import Case, libvirt, proves

UNSUPPORTED, INVALID, NOT_NOW = libvirt.VIR_ERR_CONFIG_UNSUPPORTED, libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_OPERATION_INVALID
BITMAP, RING = libvirt.VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP, libvirt.VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING
MEASURED = libvirt.VIR_DOMAIN_DIRTYRATE_MEASURED
RING_FEATURE = "<features><kvm><dirty-ring state='on' size='4096'/></kvm></features>"


class Dirtying(Case):
    def rate(self, domain):
        return self.conn.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_DIRTYRATE)[0][1]

    def measured(self, domain, flags, mode):
        domain.startDirtyRateCalc(1, flags)
        self.until(lambda: self.rate(domain)['dirtyrate.calc_status'] == MEASURED, 30, 'the rate')
        found = self.rate(domain)
        self.assertEqual((found['dirtyrate.calc_mode'], found['dirtyrate.calc_period']), (mode, 1))
        self.assertGreater(found['dirtyrate.calc_start_time'], 0)
        self.assertGreaterEqual(found['dirtyrate.megabytes_per_second'], 0)
        return found

    @proves('domain_start_dirty_rate_calc')
    def test_pages_are_sampled(self):
        domain = self.define('one')
        self.refused(NOT_NOW, domain.startDirtyRateCalc, 1, 0)
        self.assertEqual(self.rate(domain), {})
        domain.create()
        self.assertEqual(self.rate(domain)['dirtyrate.calc_status'], libvirt.VIR_DOMAIN_DIRTYRATE_UNSTARTED)
        for seconds in (0, -1, 61):
            self.assertIn('seconds=%d is invalid' % seconds, str(self.refused(UNSUPPORTED, domain.startDirtyRateCalc, seconds, 0)))
        self.assertIn('mutually exclusive', str(self.refused(INVALID, domain.startDirtyRateCalc, 1, BITMAP | RING)))
        self.assertIn('requires dirty-ring feature', str(self.refused(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, domain.startDirtyRateCalc, 1, RING)))
        self.measured(domain, 0, 'page-sampling')

    @unittest.skipUnless(os.path.exists('/dev/kvm'), 'this host has no KVM')
    def test_kvm_tells_which_pages_were_written(self):
        domain = self.conn.defineXML(guests.minimal('one').replace("type='qemu'", "type='kvm'").replace('<devices>', RING_FEATURE + '<devices>'))
        domain.create()
        self.assertIn('dirtyrate.vcpu.0.megabytes_per_second', self.measured(domain, RING, 'dirty-ring'))
        counted = self.conn.domainListGetStats([domain], libvirt.VIR_DOMAIN_STATS_VM)[0][1]
        self.assertGreater(counted['vm.mmu_cache_miss.sum'], 0)
        self.assertIn('vm.pages_4k.cur', counted)
