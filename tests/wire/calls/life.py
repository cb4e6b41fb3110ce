# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests that run: started, paused, reset, ended. QEMU itself is looked at, not only what the daemon says of it."""
import json
import os

import libvirt_qemu

from lib.case import Case, guests, libvirt, proves

PAUSED, DESTROYED, AUTODESTROY = libvirt.VIR_DOMAIN_START_PAUSED, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED, libvirt.VIR_DOMAIN_START_AUTODESTROY


class Alive(Case):
    def pid(self, name='one'):
        return self.server.qemu(guests.uuid_of(name))

    def ask(self, domain, command):
        """What QEMU answers through the monitor."""
        return json.loads(libvirt_qemu.qemuMonitorCommand(domain, json.dumps({'execute': command}), 0))['return']

    def status(self, domain):
        return self.ask(domain, 'query-status')['status']


class Life(Alive):
    @proves('domain_create', 'domain_destroy', 'domain_get_state', 'domain_get_info', 'qemu.domain_monitor_command')
    def test_start_and_destroy(self):
        domain = self.define('one')
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_UNKNOWN])
        domain.create()
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED])
        self.assertEqual(domain.info()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.assertGreater(domain.ID(), 0)
        self.assertEqual(self.status(domain), 'running')
        pid = self.pid()
        self.assertIsNotNone(pid)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.create)
        domain.destroy()
        self.assertFalse(os.path.exists('/proc/%d' % pid))
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, DESTROYED])
        self.assertEqual(domain.ID(), -1)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.destroy)

    @proves('domain_create_with_flags', 'domain_resume', 'domain_suspend')
    def test_start_paused_resume_suspend(self):
        domain = self.define('one')
        domain.createWithFlags(PAUSED)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER])
        self.assertIn(self.status(domain), ('prelaunch', 'paused'))
        domain.resume()
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED])
        self.assertEqual(self.status(domain), 'running')
        domain.suspend()
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER])
        self.assertEqual(self.status(domain), 'paused')
        domain.resume()
        domain.destroy()
        for call in (domain.suspend, domain.resume, domain.reset, domain.shutdown, domain.reboot):
            self.refused(libvirt.VIR_ERR_OPERATION_INVALID, call)

    def test_limits_of_disks(self):
        """On each kind of device the limits are those of its image."""
        buses = {'virtio': 'vda', 'sata': 'sdb', 'scsi': 'sdc', 'usb': 'sdd'}
        disks = ''.join("<disk type='file'><driver name='qemu' type='raw'/><source file='%s'/><target dev='%s' bus='%s'/>"
                        "<iotune><total_bytes_sec>%d</total_bytes_sec></iotune></disk>"
                        % (guests.image(bus + '.img'), target, bus, 1000000 + number)
                        for number, (bus, target) in enumerate(buses.items()))
        xml = guests.tiny('one', devices=disks + "<controller type='scsi' model='virtio-scsi'/>").replace(
            "<controller type='usb' model='none'/>", "<controller type='usb' model='qemu-xhci'/>")
        domain = self.conn.defineXML(xml)
        domain.createWithFlags(PAUSED)
        found = {block['inserted']['bps'] for block in self.ask(domain, 'query-block') if block.get('inserted')}
        self.assertEqual(found, {1000000 + number for number in range(len(buses))})

    def test_a_tray_is_closed_at_the_start(self):
        disk = "<disk type='file' device='cdrom'><source file='%s'/><target dev='sda' bus='sata' tray='open'/></disk>" % guests.image('tray.img')
        domain = self.define('one', devices=disk)
        self.assertIn("tray='open'", domain.XMLDesc())
        domain.createWithFlags(PAUSED)
        self.assertNotIn('tray=', domain.XMLDesc())
        self.assertIn("tray='open'", domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))

    def test_an_emulated_guest_needs_no_vhost(self):
        self.start('one', devices="<interface type='bridge'><source bridge='%s'/><model type='virtio'/>"
                                  "<driver name='vhost'/></interface>" % guests.bridge())

    def test_no_nvram_to_reset(self):
        """Without a file of its own for the firmware's settings there is nothing to do, and the guest starts."""
        domain = self.define('one')
        domain.createWithFlags(PAUSED | libvirt.VIR_DOMAIN_START_RESET_NVRAM)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.createWithFlags, libvirt.VIR_DOMAIN_START_RESET_NVRAM)
        domain.destroy()
        self.conn.createXML(guests.tiny('two'), PAUSED | libvirt.VIR_DOMAIN_START_RESET_NVRAM).destroy()

    @proves('domain_destroy_flags')
    def test_graceful_destroy(self):
        domain = self.start('one', flags=0)
        pid = self.pid()
        domain.destroyFlags(libvirt.VIR_DOMAIN_DESTROY_GRACEFUL)
        self.assertFalse(os.path.exists('/proc/%d' % pid))
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, DESTROYED])

    @proves('domain_reset', 'domain_reboot', 'domain_shutdown', 'domain_shutdown_flags')
    def test_buttons(self):
        """Their effect on a guest that listens is shown by tests/guest/boot.py; here: the guest that does not listen stays."""
        domain = self.start('one', flags=0)
        pid = self.pid()
        domain.reset()
        domain.reboot(libvirt.VIR_DOMAIN_REBOOT_ACPI_POWER_BTN)
        domain.shutdown()
        domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)
        self.assertEqual(self.pid(), pid)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.shutdownFlags, 1 << 20)

    def test_force_boot_drops_the_saved_state(self):
        domain = self.start('one')
        domain.managedSave()
        domain.createWithFlags(PAUSED | libvirt.VIR_DOMAIN_START_FORCE_BOOT)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER])
        self.assertEqual(domain.hasManagedSaveImage(), 0)

    def test_ids_grow(self):
        ids = []
        domain = self.define('one')
        for _ in range(3):
            domain.createWithFlags(PAUSED)
            ids.append(self.conn.lookupByName('one').ID())
            domain.destroy()
        self.assertEqual(ids, sorted(set(ids)))

    def test_guest_that_dies_by_itself(self):
        domain = self.start('one')
        os.kill(self.pid(), 9)
        self.until(lambda: not domain.isActive(), what='the death to be noticed')
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)
        domain.createWithFlags(PAUSED)
        self.assertTrue(domain.isActive())

    def test_start_that_cannot_work(self):
        disk = "<disk type='file'><driver name='qemu' type='raw'/><source file='/nonexistent'/><target dev='vda' bus='virtio'/></disk>"
        domain = self.define('one', devices=disk)
        with self.assertRaises(libvirt.libvirtError) as caught:
            domain.create()
        self.assertIn('/nonexistent', caught.exception.get_error_message())
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_SHUTOFF)
        self.assertIsNone(self.pid())
        with self.assertRaises(libvirt.libvirtError):
            self.conn.createXML(guests.tiny('passing', devices=disk), 0)
        self.assertEqual(self.names(), ['one'])


class Transient(Alive):
    @proves('domain_create_xml')
    def test_transient_guest_is_gone_with_its_end(self):
        domain = self.conn.createXML(guests.tiny('one'), PAUSED)
        self.assertEqual((domain.isPersistent(), domain.isActive()), (0, 1))
        self.assertGreater(domain.ID(), 0)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.undefine)
        domain.destroy()
        self.assertEqual(self.names(), [])
        self.refused(libvirt.VIR_ERR_NO_DOMAIN, domain.info)

    def test_name_of_one_that_ended_is_free(self):
        for number in range(20):
            self.conn.createXML(guests.tiny('one', uuid=guests.uuid_of(f'one {number}')), PAUSED).destroy()

    def test_transient_becomes_persistent_and_back(self):
        domain = self.conn.createXML(guests.tiny('one'), PAUSED)
        pid = self.pid()
        self.define('one')
        self.assertEqual(domain.isPersistent(), 1)
        domain.undefine()
        self.assertEqual((domain.isPersistent(), domain.isActive()), (0, 1))
        self.assertEqual(self.pid(), pid)
        self.define('one')
        domain.destroy()
        self.assertEqual(self.names(), ['one'])

    def test_running_definition_removed(self):
        domain = self.start('one')
        domain.undefine()
        self.assertEqual((domain.isPersistent(), domain.isActive()), (0, 1))
        domain.destroy()
        self.assertEqual(self.names(), [])

    def test_one_of_a_name(self):
        self.conn.createXML(guests.tiny('one'), PAUSED)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.conn.createXML, guests.tiny('one'), PAUSED)
        self.refused(libvirt.VIR_ERR_OPERATION_FAILED, self.conn.createXML, guests.tiny('one', uuid=guests.uuid_of('two')), PAUSED)
        self.refused(libvirt.VIR_ERR_OPERATION_FAILED, self.conn.createXML, guests.tiny('two', uuid=guests.uuid_of('one')), PAUSED)
        self.assertEqual(self.names(), ['one'])

    def test_create_over_a_definition_keeps_it(self):
        self.define('one')
        domain = self.conn.createXML(guests.tiny('one'), PAUSED)
        self.assertEqual(domain.isPersistent(), 1)
        domain.destroy()
        self.assertEqual(self.names(), ['one'])

    def test_autodestroy_ends_with_its_connection(self):
        other = self.open()
        other.createXML(guests.tiny('one'), PAUSED | AUTODESTROY)
        other.defineXML(guests.tiny('two'))
        other.lookupByName('two').createWithFlags(PAUSED | AUTODESTROY)
        self.start('three')
        self.assertEqual(self.names(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE), ['one', 'three', 'two'])
        other.close()
        self.until(lambda: self.names(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE) == ['three'], what='the end of the autodestroyed')
        self.assertEqual(self.names(), ['three', 'two'])
        self.until(lambda: not self.pid('one') and not self.pid('two'))
