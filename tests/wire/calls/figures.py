# SPDX-License-Identifier: LGPL-2.1-or-later
"""Figures of guests: what they use and what passes through their devices."""
import os

from lib.case import Case, guests, libvirt, proves

RUNNING = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING
ACTIVE = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE
INACTIVE = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE


class Figures(Case):
    def guest(self, flags=0):
        disk = guests.image('figures.img', '4M')
        devices = ("<disk type='file'><driver name='qemu' type='raw'/><source file='%s'/><target dev='vda' bus='virtio'/></disk>"
                   "<interface type='bridge'><source bridge='%s'/><mac address='52:54:00:11:22:33'/><target dev='figtap0'/>"
                   "<model type='virtio'/></interface>" % (disk, guests.bridge()))
        xml = guests.tiny('one', devices=devices).replace("<memballoon model='none'/>", '')
        domain = self.conn.defineXML(xml)
        domain.createWithFlags(flags)
        return domain

    @proves('connect_get_all_domain_stats')
    def test_all_domains(self):
        self.guest()
        self.define('off')
        stats = {domain.name(): values for domain, values in self.conn.getAllDomainStats()}
        self.assertEqual(sorted(stats), ['off', 'one'])
        one = stats['one']
        self.assertEqual((one['state.state'], one['state.reason']), (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED))
        self.assertGreater(one['cpu.time'], 0)
        self.assertEqual((one['balloon.current'], one['balloon.maximum']), (32768, 32768))
        self.assertEqual((one['vcpu.current'], one['vcpu.maximum'], one['vcpu.0.state']), (1, 1, libvirt.VIR_VCPU_RUNNING))
        self.assertEqual((one['net.count'], one['net.0.name']), (1, 'figtap0'))
        self.assertEqual((one['block.count'], one['block.0.name'], one['block.0.capacity']), (1, 'vda', 4 << 20))
        self.assertGreaterEqual(one['block.0.rd.reqs'], 0)
        self.assertEqual(stats['off']['state.state'], libvirt.VIR_DOMAIN_SHUTOFF)

    def test_groups_and_filters(self):
        self.guest()
        self.define('off')
        names = lambda **kw: sorted(domain.name() for domain, _ in self.conn.getAllDomainStats(**kw))
        self.assertEqual(names(flags=ACTIVE), ['one'])
        self.assertEqual(names(flags=RUNNING), ['one'])
        self.assertEqual(names(flags=INACTIVE), ['off'])
        for group, prefix in ((libvirt.VIR_DOMAIN_STATS_STATE, 'state.'), (libvirt.VIR_DOMAIN_STATS_BALLOON, 'balloon.'),
                              (libvirt.VIR_DOMAIN_STATS_VCPU, 'vcpu.'), (libvirt.VIR_DOMAIN_STATS_INTERFACE, 'net.'),
                              (libvirt.VIR_DOMAIN_STATS_BLOCK, 'block.'), (libvirt.VIR_DOMAIN_STATS_CPU_TOTAL, 'cpu.')):
            for _, values in self.conn.getAllDomainStats(group, ACTIVE):
                self.assertTrue(values, prefix)
                self.assertTrue(all(key.startswith(prefix) for key in values), (prefix, values))
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.conn.getAllDomainStats, 0, 1 << 25)

    def test_some_domains(self):
        one = self.guest()
        self.define('off')
        found = self.conn.domainListGetStats([one], libvirt.VIR_DOMAIN_STATS_STATE)
        self.assertEqual([domain.name() for domain, _ in found], ['one'])

    @proves('domain_block_stats', 'domain_block_stats_flags', 'domain_get_block_info')
    def test_block(self):
        domain = self.guest()
        reads = self.until(lambda: domain.blockStats('vda')[0], what='the firmware to read the disk')
        self.assertGreater(reads, 0)
        self.assertGreater(domain.blockStatsFlags('vda')['rd_bytes'], 0)
        capacity, _, physical = domain.blockInfo('vda')
        self.assertEqual((capacity, physical), (4 << 20, 4 << 20))
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.blockStats, 'vdz')

    def test_what_disks_build_on(self):
        base = guests.image('figures-base.img', '4M')
        middle = guests.image('figures-middle.qcow2', form='qcow2', backing=base)
        top = guests.image('figures-top.qcow2', form='qcow2', backing=middle)
        disk = "<disk type='file'><driver name='qemu' type='%s'%s/><source file='%s'/><target dev='%s' bus='virtio'/></disk>"
        self.start(devices=disk % ('qcow2', " copy_on_read='on'", top, 'vda') + disk % ('raw', '', guests.image('figures.img', '2M'), 'vdb'))
        (_, few), = self.conn.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_BLOCK)
        (_, all), = self.conn.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_BLOCK, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING)
        self.assertEqual((few['block.count'], all['block.count']), (2, 4))
        record = lambda figures, i: {key.split('.', 2)[2]: value for key, value in figures.items() if key.startswith('block.%d.' % i)}
        self.assertEqual((record(all, 0), record(all, 3)), (record(few, 0), record(few, 1)))
        self.assertEqual(record(all, 1), {'name': 'vda', 'path': middle, 'backingIndex': 3, 'allocation': 0, 'capacity': 4 << 20,
                                          'physical': os.stat(middle).st_blocks * 512})
        self.assertEqual(record(all, 2), {'name': 'vda', 'path': base, 'backingIndex': 4, 'allocation': 0, 'capacity': 4 << 20,
                                          'physical': os.stat(base).st_blocks * 512})

    @proves('domain_interface_stats')
    def test_interface(self):
        domain = self.guest(libvirt.VIR_DOMAIN_START_PAUSED)
        with open('/sys/class/net/figtap0/statistics/tx_bytes') as f:
            sent = int(f.read())
        figures = domain.interfaceStats('figtap0')
        self.assertEqual(len(figures), 8)
        self.assertGreaterEqual(figures[0], sent)
        self.assertEqual(figures, domain.interfaceStats('52:54:00:11:22:33'))
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.interfaceStats, 'nosuchtap')

    def test_a_tap_goes_with_its_guest(self):
        domain = self.guest(libvirt.VIR_DOMAIN_START_PAUSED)
        self.assertTrue(os.path.exists('/sys/class/net/testbr0/brif/figtap0'))
        domain.destroy()
        self.assertFalse(os.path.exists('/sys/class/net/figtap0'))

    @proves('domain_memory_stats')
    def test_memory(self):
        domain = self.guest()
        figures = domain.memoryStats()
        self.assertEqual(figures['actual'], 32768)
        self.assertGreater(figures['rss'], 1000)

    @proves('domain_get_vcpus', 'domain_get_vcpus_flags', 'domain_get_max_vcpus')
    def test_vcpus(self):
        domain = self.guest()
        self.assertIn('cannot retrieve vcpu information for inactive domain',
                      str(self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.define('other').vcpus)))
        info, maps = domain.vcpus()
        self.assertEqual([(number, state) for number, state, _, _ in info], [(0, libvirt.VIR_VCPU_RUNNING)])
        self.assertGreaterEqual(sum(maps[0]), os.cpu_count())
        self.assertEqual(domain.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_LIVE), 1)
        self.assertEqual(domain.maxVcpus(), 1)

    @proves('domain_get_cpu_stats')
    def test_cpu_total(self):
        domain = self.guest()
        self.assertGreater(domain.getCPUStats(True)[0]['cpu_time'], 0)

    @proves('domain_get_control_info')
    def test_control_info(self):
        domain = self.guest(libvirt.VIR_DOMAIN_START_PAUSED)
        self.assertEqual(domain.controlInfo()[0], libvirt.VIR_DOMAIN_CONTROL_OK)

    @proves('domain_set_memory_stats_period')
    def test_balloon_period(self):
        domain = self.guest(libvirt.VIR_DOMAIN_START_PAUSED)
        domain.setMemoryStatsPeriod(3, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        self.assertIn("<stats period='3'/>", domain.XMLDesc(0))

    @proves('domain_set_memory', 'domain_set_memory_flags')
    def test_balloon_target(self):
        domain = self.guest()
        domain.setMemory(16384)
        domain.setMemoryFlags(16384, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
        self.assertIn("<currentMemory unit='KiB'>16384<", domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
