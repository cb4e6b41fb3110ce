# SPDX-License-Identifier: LGPL-2.1-or-later
"""Threads of guests on the host: where they run is looked up in /proc, what was changed is told, and a restart forgets nothing."""
import os

from lib import starts
from lib.case import Case, Loop, libvirt, proves, server

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
TUNE = """<iothreads>2</iothreads><cputune><vcpupin vcpu='0' cpuset='0'/><vcpupin vcpu='1' cpuset='1'/><emulatorpin cpuset='0'/>
<iothreadpin iothread='2' cpuset='1'/><vcpusched vcpus='1' scheduler='batch'/><iothreadsched iothreads='1' scheduler='idle'/></cputune>"""
SCHEDULERS = {'batch': 3, 'idle': 5}


class Tuning(Case):
    def guest(self, head=TUNE, vcpu='<vcpu>2</vcpu>'):
        domain = self.conn.defineXML(starts.bare('tuned', head=head, vcpu=vcpu))
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        return domain

    def threads(self, domain):
        """{name: (host CPUs, scheduling class)} of the threads of DOMAIN's process; its first is called 'main'."""
        pid = server.qemu(domain.UUIDString())
        found = {}
        for tid in os.listdir('/proc/%d/task' % pid):
            with open('/proc/%d/task/%s/comm' % (pid, tid)) as f:
                name = 'main' if int(tid) == pid else f.read().strip()
            found[name] = (os.sched_getaffinity(int(tid)), os.sched_getscheduler(int(tid)))
        return found

    def setUp(self):
        super().setUp()
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest('one processor')

    def cpus(self, domain, name):
        return self.threads(domain)[name][0]

    def test_threads_are_where_the_document_says(self):
        threads = self.threads(self.guest())
        self.assertEqual(threads['main'][0], {0})
        self.assertEqual(threads['IO iothread2'][0], {1})
        self.assertEqual(threads['IO iothread1'], (os.sched_getaffinity(0), SCHEDULERS['idle']))
        # where the guest is emulated on one thread, both processors are there
        processors = [name for name in threads if name.startswith('CPU ')]
        self.assertTrue(processors, threads)
        for name in processors:
            wanted = {'CPU 0/TCG': {0}, 'CPU 1/TCG': {1}}.get(name)
            self.assertIn(threads[name][0], [wanted] if wanted else [{0}, {1}], name)
        self.assertIn(SCHEDULERS['batch'], [threads[name][1] for name in processors])

    @proves('domain_pin_vcpu', 'domain_pin_vcpu_flags', 'domain_pin_emulator', 'domain_pin_iothread', 'domain_get_vcpu_pin_info',
            'domain_get_emulator_pin_info', 'domain_get_iothread_info', 'domain_get_vcpus')
    def test_pinning_moves_threads_and_is_told(self):
        events = []
        Loop.start()
        domain = self.guest(head='<iothreads>2</iothreads>')
        number = self.conn.domainEventRegisterAny(domain, libvirt.VIR_DOMAIN_EVENT_ID_TUNABLE,
                                                  lambda conn, dom, params, data: events.append(params), None)
        domain.pinVcpu(0, (False, True))
        domain.pinVcpuFlags(1, (True, False), LIVE | CONFIG)
        domain.pinEmulator((True, False), LIVE)
        domain.pinIOThread(1, (False, True), LIVE | CONFIG)
        threads = self.threads(domain)
        processors = sorted(name for name in threads if name.startswith('CPU '))
        self.assertEqual([threads[name][0] for name in processors], [{1}, {0}])
        self.assertEqual(threads['main'][0], {0})
        self.assertEqual(threads['IO iothread1'][0], {1})
        self.assertEqual(domain.vcpus()[1][:2], [(False, True), (True, False)])
        self.assertEqual(domain.vcpuPinInfo(LIVE), [(False, True), (True, False)])
        self.assertEqual(domain.vcpuPinInfo(CONFIG), [(True, True), (True, False)])
        self.assertEqual(domain.emulatorPinInfo(LIVE), (True, False))
        self.assertEqual(domain.emulatorPinInfo(CONFIG), (True, True))
        self.assertEqual({one[0]: one[1][:2] for one in domain.ioThreadInfo(LIVE)}[1], [False, True])
        wanted = [{'cputune.vcpupin0': '1'}, {'cputune.vcpupin1': '0'}, {'cputune.emulatorpin': '0'}, {'cputune.iothreadpin1': '1'}]
        self.until(lambda: events == wanted, what=lambda: 'the events, not %s' % events)
        self.conn.domainEventDeregisterAny(number)

    @proves('domain_add_iothread', 'domain_del_iothread', 'domain_set_iothread_params')
    def test_io_threads_come_and_go(self):
        domain = self.guest(head="<vcpu cpuset='1'>1</vcpu>", vcpu='')
        domain.addIOThread(4, LIVE | CONFIG)
        self.assertEqual(self.cpus(domain, 'IO iothread4'), {1})
        domain.setIOThreadParams(4, {'poll_max_ns': 4000, 'poll_grow': 2}, LIVE)
        domain.setIOThreadParams(4, {'thread_pool_min': 1, 'thread_pool_max': 5}, LIVE | CONFIG)
        self.assertIn("<iothread id='4' thread_pool_min='1' thread_pool_max='5'/>", domain.XMLDesc())
        self.assertIn("<iothread id='4' thread_pool_min='1' thread_pool_max='5'/>", domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        domain.delIOThread(4, LIVE | CONFIG)
        self.assertNotIn('IO iothread4', self.threads(domain))
        self.assertNotIn('iothread', domain.XMLDesc())

    @proves('domain_set_perf_events', 'domain_get_perf_events')
    def test_events_are_counted(self):
        domain = self.guest()
        domain.setPerfEvents({'page_faults': True}, LIVE)
        domain.setPerfEvents({'page_faults': True}, CONFIG)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.perfEvents, LIVE | CONFIG)
        self.assertTrue(domain.perfEvents(LIVE)['page_faults'])
        self.assertFalse(domain.perfEvents(LIVE)['cpu_clock'])
        error = self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, domain.setPerfEvents, {'cmt': True}, LIVE)
        self.assertIn('unable to enable host cpu perf event for cmt', error.get_error_message())
        self.assertTrue(domain.perfEvents(CONFIG)['page_faults'])

    def test_wrong_parameters(self):
        domain = self.conn.defineXML(starts.bare('tuned'))
        code = libvirt.VIR_ERR_INVALID_ARG
        self.refused(code, domain.pinVcpuFlags, 0, (False, False), CONFIG)
        self.refused(code, domain.pinVcpuFlags, 7, (True, False), CONFIG)
        self.refused(code, domain.pinEmulator, (False, False), CONFIG)
        self.refused(code, domain.pinIOThread, 3, (True, False), CONFIG)
        self.refused(code, domain.delIOThread, 3, CONFIG)
        self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, domain.setIOThreadParams, 3, {'thread_pool_max': 0}, CONFIG)

    @proves('domain_set_scheduler_parameters_flags', 'domain_get_scheduler_parameters_flags', 'domain_set_memory_parameters',
            'domain_get_memory_parameters', 'domain_set_blkio_parameters', 'domain_get_blkio_parameters', 'domain_set_numa_parameters',
            'domain_get_numa_parameters')
    def test_values_for_the_next_start(self):
        domain = self.conn.defineXML(starts.bare('tuned'))
        domain.setSchedulerParametersFlags({'cpu_shares': 300, 'vcpu_quota': -1}, CONFIG)
        domain.setMemoryParameters({'soft_limit': 90000}, CONFIG)
        domain.setBlkioParameters({'weight': 300, 'device_read_iops_sec': '/dev/null,7,/dev/zero,8'}, CONFIG)
        domain.setNumaParameters({'numa_nodeset': '0', 'numa_mode': 1}, CONFIG)
        self.assertEqual({key: value for key, value in domain.schedulerParametersFlags(CONFIG).items() if value},
                         {'cpu_shares': 300, 'vcpu_quota': -1})
        self.assertEqual(domain.memoryParameters(CONFIG)['soft_limit'], 90000)
        self.assertEqual(domain.blkioParameters(CONFIG)['device_read_iops_sec'], '/dev/null,7,/dev/zero,8')
        self.assertEqual(domain.numaParameters(CONFIG), {'numa_nodeset': '0', 'numa_mode': 1})
