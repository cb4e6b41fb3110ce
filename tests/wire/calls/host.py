# SPDX-License-Identifier: LGPL-2.1-or-later
"""The connection and the host."""
import glob
import os
import xml.etree.ElementTree as ElementTree

from lib.case import Case, guests, libvirt, proves, server, world


def meminfo():
    """/proc/meminfo in KiB."""
    with open('/proc/meminfo') as f:
        return {line.split(':')[0]: int(line.split()[1]) for line in f}


def nodes():
    """The same, summed over the host's cells: libvirt counts there, and hot-plugged memory may be in no cell."""
    total = {}
    for path in glob.glob('/sys/devices/system/node/node*/meminfo'):
        with open(path) as f:
            for line in f:
                words = line.split()
                total[words[2].rstrip(':')] = total.get(words[2].rstrip(':'), 0) + int(words[3])
    return total or meminfo()


SLACK = 256 * 1024  # KiB that other processes may take or give between two looks


class Host(Case):
    @proves('connect_open', 'connect_close', 'connect_supports_feature', 'auth_list')
    def test_open_and_close(self):
        conn = self.open()
        self.assertTrue(conn.isAlive())
        self.assertEqual(conn.close(), 0)

    @proves('connect_get_uri')
    def test_uri_that_the_server_chooses(self):
        if server.on_oracle():
            self.skipTest('its socket is where the relay would have to be')
        conn = libvirt.open(None)
        self.assertEqual(conn.getURI(), 'qemu:///system')
        conn.close()

    def test_unknown_driver(self):
        self.refused(libvirt.VIR_ERR_NO_CONNECT, libvirt.open, 'xyz+unix:///system?socket=' + world.SCRATCH + '/relay')

    @proves('connect_get_type', 'connect_get_version', 'connect_get_lib_version', 'connect_get_hostname')
    def test_who_is_there(self):
        self.assertEqual(self.conn.getType(), 'QEMU')
        self.assertGreaterEqual(self.conn.getVersion(), 7000000)
        self.assertEqual(self.conn.getLibVersion(), 9000000)
        self.assertEqual(self.conn.getHostname(), world.HOSTNAME)

    @proves('connect_is_secure')
    def test_unix_socket_is_secure(self):
        self.assertEqual(self.conn.isSecure(), 1)
        self.assertEqual(self.conn.isEncrypted(), 0)

    @proves('connect_get_capabilities')
    def test_capabilities(self):
        root = ElementTree.fromstring(self.conn.getCapabilities())
        self.assertEqual(root.tag, 'capabilities')
        self.assertEqual(root.findtext('host/cpu/arch'), os.uname().machine)
        guest = next(guest for guest in root.findall('guest') if guest.find('arch').get('name') == 'x86_64')
        self.assertEqual(guest.findtext('arch/emulator'), guests.EMULATOR)
        self.assertIn('q35', [machine.text for machine in guest.findall('arch/machine')])
        self.assertIn('qemu', [domain.get('type') for domain in guest.findall('arch/domain')])

    @proves('connect_get_domain_capabilities')
    def test_domain_capabilities(self):
        root = ElementTree.fromstring(self.conn.getDomainCapabilities(guests.EMULATOR, 'x86_64', 'q35', 'qemu'))
        self.assertEqual(root.findtext('path'), guests.EMULATOR)
        self.assertEqual(root.findtext('domain'), 'qemu')
        self.assertTrue(root.findtext('machine').startswith('pc-q35-'))
        buses = {value.text for value in root.findall("devices/disk/enum[@name='bus']/value")}
        self.assertLessEqual({'virtio', 'scsi', 'sata'}, buses)
        error = self.refused(libvirt.VIR_ERR_INVALID_ARG, self.conn.getDomainCapabilities, guests.EMULATOR, 'x86_64', 'q35', 'tram')
        self.assertEqual(error.get_error_message(), 'invalid argument: unknown virttype: tram')

    @proves('connect_get_max_vcpus')
    def test_max_vcpus(self):
        self.assertEqual(self.conn.getMaxVcpus('qemu'), 16)  # libvirtd's constant for emulated guests

    @proves('node_get_info')
    def test_node_info(self):
        model, memory, cpus, mhz, cells, sockets, cores, threads = self.conn.getInfo()
        self.assertEqual(model, os.uname().machine)
        self.assertAlmostEqual(memory, nodes()['MemTotal'] // 1024, delta=1)
        self.assertEqual(cpus, os.cpu_count())
        self.assertGreaterEqual(cells * sockets * cores * threads, cpus)

    @proves('node_get_cpu_map')
    def test_cpu_map(self):
        count, present, online = self.conn.getCPUMap()
        self.assertEqual(online, os.cpu_count())
        self.assertEqual(sum(present), online)
        self.assertGreaterEqual(count, online)

    @proves('node_get_cpu_stats')
    def test_cpu_figures(self):
        def jiffies():
            with open('/proc/stat') as f:
                return [int(word) * 10000000 for word in f.readline().split()[1:]]
        before = jiffies()
        figures = self.conn.getCPUStats(libvirt.VIR_NODE_CPU_STATS_ALL_CPUS)
        after = jiffies()
        self.assertEqual(sorted(figures), ['idle', 'iowait', 'kernel', 'user'])
        self.assertLessEqual(before[3], figures['idle'])
        self.assertLessEqual(figures['idle'], after[3])
        self.assertLessEqual(self.conn.getCPUStats(0)['idle'], after[3])
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.conn.getCPUStats, 4096)

    @proves('node_get_memory_stats', 'node_get_free_memory', 'node_get_cells_free_memory')
    def test_memory_figures(self):
        known = meminfo()
        figures = self.conn.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
        self.assertEqual(figures['total'], known['MemTotal'])
        self.assertAlmostEqual(figures['free'], known['MemFree'], delta=SLACK)
        self.assertAlmostEqual(self.conn.getFreeMemory() // 1024, nodes()['MemFree'], delta=SLACK)
        self.assertAlmostEqual(sum(self.conn.getCellsFreeMemory(0, 64)) // 1024, nodes()['MemFree'], delta=SLACK)

    @proves('node_get_free_pages')
    def test_free_pages(self):
        pages = self.conn.getFreePages([4], 0, 1)
        self.assertAlmostEqual(pages[0][4] * 4, nodes()['MemFree'], delta=SLACK)

    @proves('node_alloc_pages')
    def test_pools_of_pages(self):
        """What changes nothing, and what is refused; a changed pool would be other tests' memory."""
        free = self.conn.getFreePages([2048], 0, 1)
        self.assertEqual(self.conn.allocPages({2048: 0}, -1, 1, 0), 1)
        self.assertEqual(self.conn.allocPages({2048: 0}, 0, 5, 0), 1)
        self.assertEqual(self.conn.getFreePages([2048], 0, 1), free)
        ordinary = self.refused(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, self.conn.allocPages, {4: 0}, 0, 1, 0)
        self.assertIn("system pages pool can't be modified", str(ordinary))
        for pages, cell, text in (({3: 0}, 0, 'page size 3 is not available on node 0'), ({2048: 0, 3: 0}, 0, 'page size 3'),
                                  ({2048: 1}, -3, 'NUMA node -3 is not available')):
            self.assertIn(text, str(self.refused(libvirt.VIR_ERR_OPERATION_FAILED, self.conn.allocPages, pages, cell, 1, 0)))
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.conn.allocPages, {2048: 1}, 4096, 1, 0)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.conn.allocPages, {2048: 0}, 0, 1, 2)

    @proves('domain_get_launch_security_info')
    def test_encrypted_guests(self):
        """There are none on a host without SEV."""
        no_sev = self.refused(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, self.conn.getSEVInfo)
        self.assertEqual(str(no_sev), 'Operation not supported: QEMU does not support SEV guest')
        domain = self.conn.defineXML(guests.tiny('open'))
        self.assertEqual(domain.launchSecurityInfo(), {})
        secret = {'sev-secret': 'a', 'sev-secret-header': 'b'}
        self.assertIn('only supported in SEV-enabled domains',
                      str(self.refused(libvirt.VIR_ERR_OPERATION_UNSUPPORTED, domain.setLaunchSecurityState, secret)))
        self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, domain.setLaunchSecurityState, {'secret': 'a'})
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.setLaunchSecurityState, secret, 1)

    @proves('node_get_security_model')
    def test_security_model(self):
        self.assertEqual(self.conn.getSecurityModel(), ['none', '0'])

    def test_sysinfo(self):
        """No claim: a host without SMBIOS has nothing to tell."""
        if os.path.exists('/sys/firmware/dmi/tables/DMI') and not server.on_oracle():
            root = ElementTree.fromstring(self.conn.getSysinfo())
            self.assertEqual((root.tag, root.get('type')), ('sysinfo', 'smbios'))
        else:
            self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, self.conn.getSysinfo)
