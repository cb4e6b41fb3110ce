# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where guests may run, and how they are confined."""
import os

from lib.case import Case, guests, libvirt, proves


class Places(Case):
    def pinned(self):
        xml = guests.tiny('one').replace('<vcpu>1</vcpu>', "<vcpu cpuset='0-1'>2</vcpu><cputune><vcpupin vcpu='1' cpuset='0'/>"
                                         "<emulatorpin cpuset='0'/></cputune>")
        return self.conn.defineXML(xml)

    @proves('domain_get_vcpu_pin_info', 'domain_get_emulator_pin_info')
    def test_pins_of_a_definition(self):
        domain = self.pinned()
        host = os.cpu_count()
        own = [cpu < 2 for cpu in range(host)]
        first = [cpu < 1 for cpu in range(host)]
        self.assertEqual([list(pin) for pin in domain.vcpuPinInfo(libvirt.VIR_DOMAIN_AFFECT_CONFIG)], [own, first])
        self.assertEqual(list(domain.emulatorPinInfo()), first)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.vcpuPinInfo, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def test_without_pins_all_are_allowed(self):
        domain = self.define('one')
        self.assertEqual([list(pin) for pin in domain.vcpuPinInfo()], [[True] * os.cpu_count()])
        self.assertEqual(list(domain.emulatorPinInfo()), [True] * os.cpu_count())

    @proves('domain_get_security_label', 'domain_get_security_label_list')
    def test_labels(self):
        domain = self.define('one')
        self.assertEqual(domain.securityLabel(), ['', False])
        self.assertEqual(domain.securityLabelList(), [])
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.assertEqual(domain.securityLabel(), ['', False])
        owner = self.server.qemu(domain.UUIDString())
        with open('/proc/%d/status' % owner) as status:
            ids = dict(line.split(':', 1) for line in status if line[1:3] == 'id')
        label = '+%s:+%s' % (ids['Uid'].split()[1], ids['Gid'].split()[1])
        self.assertEqual(domain.securityLabelList(), [['', False], [label, False]])

    @proves('node_set_memory_parameters')
    def test_page_sharing_is_set(self):
        before = self.conn.getMemoryParameters()
        try:
            self.conn.setMemoryParameters({'shm_pages_to_scan': before['shm_pages_to_scan'] + 1, 'shm_sleep_millisecs': 77})
            after = self.conn.getMemoryParameters()
            self.assertEqual(after['shm_pages_to_scan'], before['shm_pages_to_scan'] + 1)
            self.assertEqual(after['shm_sleep_millisecs'], 77)
        finally:
            self.conn.setMemoryParameters({name: before[name] for name in ('shm_pages_to_scan', 'shm_sleep_millisecs')})
        with self.assertRaises(libvirt.libvirtError) as caught:
            self.conn.setMemoryParameters({'shm_pages_shared': 3})
        self.assertEqual((caught.exception.get_error_code(), str(caught.exception)),
                         (libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, "argument unsupported: parameter 'shm_pages_shared' not supported"))

    @proves('node_get_memory_parameters')
    def test_sharing_of_memory(self):
        parameters = self.conn.getMemoryParameters()
        for name in ('pages_to_scan', 'sleep_millisecs', 'pages_shared', 'full_scans'):
            with open('/sys/kernel/mm/ksm/' + name) as f:
                self.assertEqual(parameters['shm_' + name], int(f.read()))
