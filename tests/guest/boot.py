#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real Linux guests, emulated (TCG): booted, typed to, and looked at from both sides.

    boot.py [PART OF A TEST'S NAME ...]

The guest is that of tools/make-guest.sh. DUOVIRT_TARGET=libvirtd runs the same on Debian's libvirtd.
"""
import os
import random
import re
import signal
import subprocess
import sys
import time

import pexpect

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, world  # noqa: E402
from lib.case import Case, libvirt, main, proves  # noqa: E402
from lib.virsh import Console, virsh  # noqa: E402

BOOT = 180  # seconds; six on an idle machine
SHUTOFF, RUNNING = libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_RUNNING


class Guest(Case):
    def boot(self, name='linux', **named):
        """(domain, console of the guest whose shell is ready)."""
        domain = self.conn.defineXML(guests.linux(name, **named))
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        console = self.console(name)
        domain.resume()
        self.ready(console)
        return domain, console

    def console(self, name='linux', *flags):
        console = Console(self.server.uri, name, *flags, seconds=BOOT)
        self.addCleanup(console.process.close, force=True)
        return console.attached()

    def ready(self, console):
        console.expect('GUEST-READY')
        console.expect('guest# ')

    def sum(self, console):
        """Proof that somebody at the other end computes."""
        a, b = random.randint(1000, 9999), random.randint(1000, 9999)
        console.ask('echo sum=$((%d+%d))' % (a, b), 'sum=%d\r' % (a + b))

    def counter(self, console):
        """What a loop in the guest has counted to, ten a second."""
        text = ''
        while not text:  # the guest may be between emptying the file and writing it
            text = console.ask('echo at=$(cat /run/counter)=', r'at=(\d*)=\r')[1]
        return int(text)

    def pid(self, name='linux'):
        return self.server.qemu(guests.uuid_of(name))

    def off(self, domain, seconds=60):
        self.until(lambda: domain.state()[0] == SHUTOFF, seconds, 'the guest to be off')


class Life(Guest):
    @proves('domain_shutdown')
    def test_console_and_acpi_shutdown(self):
        domain, console = self.boot()
        self.sum(console)
        stopped = []
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lambda *args: stopped.append(args[2:4]), None)
        pid = self.pid()
        domain.shutdown()
        console.expect('GUEST-POWEROFF')
        self.off(domain)
        self.assertEqual(domain.state(), [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN])
        self.assertFalse(os.path.exists('/proc/%d' % pid))
        self.until(lambda: (libvirt.VIR_DOMAIN_EVENT_STOPPED, libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN) in stopped)
        console.expect(pexpect.EOF)  # virsh leaves by itself: its stream has ended

    def test_start_with_console(self):
        self.conn.defineXML(guests.linux('linux'))
        console = Console(self.server.uri, 'linux', seconds=BOOT)
        console.process.close(force=True)
        text, code = virsh(self.server.uri, 'start', 'linux')
        self.assertEqual(code, 0, text)
        console = self.console()
        console.type('')
        console.expect('guest# ')
        self.sum(console)

    @proves('domain_reboot', 'domain_reset')
    def test_reboot_and_reset(self):
        domain, console = self.boot()
        pid, number = self.pid(), domain.ID()
        console.ask('touch /run/here; echo made', 'made\r')
        domain.reboot(libvirt.VIR_DOMAIN_REBOOT_ACPI_POWER_BTN)
        console.expect('GUEST-POWEROFF')
        self.ready(console)
        console.ask('ls /run/here', 'No such file')
        console.ask('touch /run/here; echo made', 'made\r')
        domain.reset()
        self.ready(console)
        console.ask('ls /run/here', 'No such file')
        self.assertEqual((self.pid(), self.conn.lookupByName('linux').ID(), domain.state()[0]), (pid, number, RUNNING))

    @proves('domain_suspend', 'domain_resume')
    def test_suspended_guest_stands_still(self):
        domain, console = self.boot()
        first = self.counter(console)
        domain.suspend()
        console.type('echo awake')
        with self.assertRaises(pexpect.TIMEOUT):
            console.expect('awake\r\n', 2)
        domain.resume()
        console.expect('awake\r\n')
        self.assertLess(self.counter(console) - first, 40)
        server.wait_until(lambda: self.counter(console) > first + 10)

    def test_guest_that_powers_itself_off(self):
        domain, console = self.boot()
        console.type('poweroff -f')
        self.off(domain)
        self.assertEqual(domain.state(), [SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN])

    def test_guest_that_reboots_where_reboot_means_the_end(self):
        domain, console = self.boot(head='<on_reboot>destroy</on_reboot>')
        console.type('reboot -f')
        self.off(domain)


class Devices(Guest):
    def test_disks(self):
        virtio = guests.image('boot-virtio.img')
        base = guests.image('boot-base.qcow2', form='qcow2')
        sata = guests.image('boot-sata.qcow2', form='qcow2', backing=base)
        scsi = guests.image('boot-scsi.img')
        media = guests.image('boot-media.iso', '4M')
        with open(media, 'r+b') as f:
            f.write(b'on the disc\n')
        disk = "<disk type='file' device='%s'><driver name='qemu' type='%s'/><source file='%s'/><target dev='%s' bus='%s'/>%s</disk>"
        domain, console = self.boot(devices=disk % ('disk', 'raw', virtio, 'vda', 'virtio', '') + disk % ('disk', 'qcow2', sata, 'sda', 'sata', '')
                                    + disk % ('disk', 'raw', scsi, 'sdb', 'scsi', '') + disk % ('cdrom', 'raw', media, 'sdc', 'sata', '<readonly/>')
                                    + "<controller type='scsi' model='virtio-scsi'/>")
        console.ask('ls /sys/block | tr "\\n" " "; echo', r'sda .*sdb .*sr0 .*vda .*\r')
        for device in ('vda', 'sda', 'sdb'):
            console.ask('echo written to %s | dd of=/dev/%s conv=fsync 2>&1 | grep -c records' % (device, device), '2\r')
        console.ask('head -c 11 /dev/sr0; echo', 'on the disc')
        domain.shutdown()
        self.off(domain)
        for path in (virtio, scsi):
            with open(path, 'rb') as f:
                self.assertRegex(f.read(20), rb'^written to (vda|sdb|sda)\n')
        dump = subprocess.run(['qemu-io', '-r', '-c', 'read -v 0 16', sata], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertIn('written.to.sd', dump)

    def test_network(self):
        bridge = guests.bridge()
        subprocess.run(['ip', 'addr', 'replace', '10.98.0.1/24', 'dev', bridge], check=True)
        domain, console = self.boot(devices="""
            <interface type='bridge'><mac address='52:54:00:aa:00:01'/><source bridge='%s'/><model type='virtio'/></interface>
            <interface type='user'><mac address='52:54:00:aa:00:02'/><model type='e1000e'/></interface>""" % bridge)
        for mac in ('52:54:00:aa:00:01', '52:54:00:aa:00:02'):
            console.ask('grep -l %s /sys/class/net/*/address' % mac, r'/sys/class/net/(\w+)/address')
        name = console.ask('grep -l 52:54:00:aa:00:01 /sys/class/net/*/address', r'net/(\w+)/address')[1]
        console.ask('ip addr add 10.98.0.2/24 dev %s; ping -c 3 -W 5 10.98.0.1 | grep received' % name, r'[1-3] packets received')
        figures = domain.interfaceStats('52:54:00:aa:00:01')
        self.assertGreater(figures[1], 0, 'packets received from the guest')

    def test_small_devices(self):
        domain, console = self.boot(devices="""
            <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
            <memballoon model='virtio'/>
            <channel type='unix'><target type='virtio' name='test.0'/></channel>""")
        console.ask('head -c 4 /dev/hwrng | wc -c', '4\r')
        console.ask('cat /sys/class/virtio-ports/*/name', 'test.0')
        domain.setMemory(100 * 1024)
        self.until(lambda: domain.memoryStats()['actual'] == 100 * 1024, 20, 'the balloon to inflate')
        self.until(lambda: 'unused' in domain.memoryStats(), 20, 'figures from inside the guest')
        self.assertGreater(domain.memoryStats()['unused'], 1024)

    def test_guest_output_is_logged(self):
        domain, console = self.boot(devices="")
        console.close()
        domain.destroy()
        log = self.server.guest_log('linux')
        with open(log, errors='replace') as f:
            self.assertIn('qemu-system', f.read())


class Saved(Guest):
    @proves('domain_save', 'domain_restore')
    def test_restored_guest_goes_on_counting(self):
        domain, console = self.boot()
        before = self.counter(console)
        path = world.SCRATCH + '/linux.save'
        domain.save(path)
        self.assertEqual(domain.state()[0], SHUTOFF)
        self.conn.restore(path)
        console = self.console()
        console.type('')
        after = self.counter(console)
        self.assertGreaterEqual(after, before)
        self.assertLess(after, before + 600)
        self.until(lambda: self.counter(console) > after, what='the counter to move')

    @proves('domain_managed_save')
    def test_managed_save_survives_the_daemon(self):
        domain, console = self.boot()
        before = self.counter(console)
        domain.managedSave()
        self.conn.close()
        self.server.kill()
        self.server.start()
        self.conn = self.open()
        domain = self.conn.lookupByName('linux')
        self.assertEqual(domain.hasManagedSaveImage(), 1)
        domain.create()
        self.assertEqual(domain.hasManagedSaveImage(), 0)
        console = self.console()
        console.type('')
        self.assertGreaterEqual(self.counter(console), before)

    @proves('domain_core_dump_with_format')
    def test_dump_is_an_elf_file_of_the_guest(self):
        domain, console = self.boot()
        console.ask('echo needle-$((77*13)) >/run/needle; echo kept', 'kept\r')
        path = world.SCRATCH + '/linux.core'
        domain.coreDumpWithFormat(path, libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_RAW, libvirt.VIR_DUMP_MEMORY_ONLY)
        with open(path, 'rb') as f:
            content = f.read()
        os.unlink(path)
        self.assertEqual(content[:4], b'\x7fELF')
        self.assertIn(b'needle-1001', content)
        self.sum(console)


class Survival(Guest):
    def restart_daemon(self, meanwhile=lambda: None):
        self.conn.close()
        self.server.kill()
        meanwhile()
        self.server.start()
        self.conn = self.open()
        return self.conn.lookupByName('linux')

    def test_killed_daemon_finds_its_guest_again(self):
        domain, console = self.boot()
        console.close()
        pid, number, xml = self.pid(), domain.ID(), domain.XMLDesc(0)
        domain = self.restart_daemon()
        self.assertEqual((self.pid(), domain.ID(), domain.state()[0]), (pid, number, RUNNING))
        if not server.on_oracle():  # which forgets the alias of a USB controller that is not there
            self.assertEqual(domain.XMLDesc(0), xml)
        console = self.console()
        console.type('')
        self.sum(console)
        domain.suspend()
        domain.resume()
        domain.shutdown()
        console.expect('GUEST-POWEROFF')
        self.off(domain)

    def fresh_figures(self, domain):
        """The guest's balloon tells what a guest alone knows, and again a period later."""
        def updated(after):
            stats = domain.memoryStats()
            return stats.get('last_update', 0) > after and 'available' in stats and stats
        first = self.until(lambda: updated(0), BOOT, domain.memoryStats)
        return self.until(lambda: updated(first['last_update']), BOOT, domain.memoryStats)

    def test_balloon_answers_the_next_daemon(self):
        domain, console = self.boot(devices="<memballoon model='virtio'><stats period='1'/></memballoon>")
        console.close()
        before = self.fresh_figures(domain)
        domain = self.restart_daemon()
        after = self.fresh_figures(domain)
        self.assertGreater(after['last_update'], before['last_update'])
        self.assertEqual((after['actual'], after['available']), (before['actual'], before['available']))
        figures = self.conn.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_BALLOON)[0][1]
        self.assertEqual((figures['balloon.current'], figures['balloon.maximum'], figures['balloon.available']),
                         (after['actual'], 128 * 1024, after['available']))
        domain.setMemory(96 * 1024)
        self.until(lambda: domain.memoryStats()['actual'] == 96 * 1024, BOOT, domain.memoryStats)

    def test_stopped_daemon_leaves_its_guest_alone(self):
        domain, console = self.boot()
        console.close()
        pid = self.pid()
        self.conn.close()
        self.assertEqual(self.server.stop(), 0)
        self.assertTrue(os.path.exists('/proc/%d' % pid))
        self.server.start()
        self.conn = self.open()
        self.assertEqual(self.pid(), pid)
        console = self.console()
        console.type('')
        self.sum(console)

    def test_guest_that_died_while_nobody_looked(self):
        _, console = self.boot()
        console.close()
        pid = self.pid()

        def die():
            os.kill(pid, signal.SIGKILL)
            self.until(lambda: not os.path.exists('/proc/%d' % pid))
        domain = self.restart_daemon(die)
        self.assertEqual(domain.state()[0], SHUTOFF)
        self.assertEqual(domain.ID(), -1)
        domain.create()
        self.assertEqual(domain.state()[0], RUNNING)

    def test_guest_that_shut_down_while_nobody_looked(self):
        _, console = self.boot()
        console.type('sleep 2; poweroff -f')
        console.expect('poweroff')
        console.close()
        pid = self.pid()

        def wait():
            self.until(lambda: not os.path.exists('/proc/%d' % pid) or self.quiet(pid), 20)
        domain = self.restart_daemon(wait)
        self.off(domain, 20)
        self.assertIsNone(self.pid())

    def quiet(self, pid):
        """True once the guest of a QEMU that stays for its daemon has stopped: no CPU time in half a second."""
        def ticks():
            with open('/proc/%d/stat' % pid) as f:
                return re.sub(r'^.*\) ', '', f.read()).split()[11]
        before = ticks()
        time.sleep(3)
        return ticks() == before

    def test_paused_guest_stays_paused(self):
        domain, console = self.boot()
        console.close()
        domain.suspend()
        domain = self.restart_daemon()
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER])
        domain.resume()
        console = self.console()
        console.type('')
        self.sum(console)


if __name__ == '__main__':
    main('guest/boot')
