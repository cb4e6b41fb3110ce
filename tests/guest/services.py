#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a guest has beside its QEMU: firmware and its variables, a TPM, folders of the host.

    services.py [PART OF A TEST'S NAME ...]

DUOVIRT_TARGET=libvirtd runs the same on Debian's libvirtd, but for what is killed there.
"""
import glob
import os
import re
import signal
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server  # noqa: E402
from lib.case import Case, libvirt, main  # noqa: E402
from lib.virsh import Console  # noqa: E402

BOOT = 240  # seconds; ten on an idle machine
PAUSED = libvirt.VIR_DOMAIN_START_PAUSED
SHUTOFF = libvirt.VIR_DOMAIN_SHUTOFF
KEEP, REMOVE = libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM, libvirt.VIR_DOMAIN_UNDEFINE_NVRAM

SHARED = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
TPM = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'%s/></tpm>"
VIRTIOFS = "<filesystem type='mount'><driver type='virtiofs'/><source dir='%s'/><target dir='live'/></filesystem>"
PORT = "<controller type='pci' model='pcie-root'/><controller type='pci' model='pcie-root-port'/>"
NINE = "<filesystem type='mount' accessmode='mapped'><driver type='path'/><source dir='%s'/><target dir='nine'/></filesystem>"


def uefi(name='uefi', loader='', firmware="firmware='efi'", machine='q35', more=''):
    return f"""<domain type='qemu'><name>{name}</name><uuid>{guests.uuid_of('uefi')}</uuid><memory unit='MiB'>64</memory>
      <os {firmware}><type arch='x86_64' machine='{machine}'>hvm</type>{loader}</os><features><acpi/>{more}</features></domain>"""


def nvram_of(domain):
    return re.search(r'<nvram.*>(.*)</nvram>', domain.XMLDesc(0))[1]


class Firmware(Case):
    def started(self, xml):
        domain = self.conn.defineXML(xml)
        domain.createWithFlags(PAUSED)
        return domain

    def test_the_live_definition_shows_what_was_chosen(self):
        for feature, code, variables in (('', 'OVMF_CODE_4M.ms.fd', 'OVMF_VARS_4M.ms.fd'),
                                         ("<feature enabled='no' name='enrolled-keys'/>", 'OVMF_CODE_4M.secboot.fd', 'OVMF_VARS_4M.fd'),
                                         ("<feature enabled='no' name='secure-boot'/>", 'OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd')):
            domain = self.started(uefi(loader='<firmware>%s</firmware>' % feature if feature else ''))
            live, kept = domain.XMLDesc(0), domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
            self.assertIn('/usr/share/OVMF/%s</loader>' % code, live)
            self.assertIn("template='/usr/share/OVMF/%s'" % variables, live)
            self.assertNotIn("firmware='efi'", live)
            self.assertEqual('secure' in live.split('<loader')[1].split('>')[0], code != 'OVMF_CODE_4M.fd')
            self.assertEqual("<smm state='on'/>" in live, code != 'OVMF_CODE_4M.fd')
            self.assertIn("firmware='efi'", kept)
            self.assertNotIn('<loader', kept)
            domain.destroy()
            domain.undefineFlags(REMOVE)

    def test_what_cannot_be_found_or_is_contradictory(self):
        domain = self.conn.defineXML(uefi(machine='pc', loader="<firmware><feature enabled='yes' name='secure-boot'/></firmware>"))
        error = self.refused(libvirt.VIR_ERR_OPERATION_FAILED, domain.create)
        self.assertIn("Unable to find any firmware to satisfy 'efi'", str(error))
        domain = self.conn.defineXML(uefi(more="<smm state='off'/>"))
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.create)

    def test_variables_are_made_once_and_kept(self):
        domain = self.started(uefi())
        path = nvram_of(domain)
        info = os.stat(path)
        self.assertEqual((info.st_mode & 0o777, info.st_size), (0o600, os.stat('/usr/share/OVMF/OVMF_VARS_4M.ms.fd').st_size))
        domain.destroy()
        with open(path, 'r+b') as f:
            f.write(b'MARK')
        domain = self.started(uefi(more='<apic/>'))
        with open(path, 'rb') as f:
            self.assertEqual(f.read(4), b'MARK')
        domain.destroy()
        domain.createWithFlags(PAUSED | libvirt.VIR_DOMAIN_START_RESET_NVRAM)
        with open(path, 'rb') as f:
            self.assertNotEqual(f.read(4), b'MARK')
        self.assertEqual(os.listdir(os.path.dirname(path)), [os.path.basename(path)])

    def test_undefine_asks_what_becomes_of_them(self):
        domain = self.started(uefi())
        path = nvram_of(domain)
        domain.destroy()
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.undefine)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.undefineFlags, KEEP | REMOVE)
        domain.undefineFlags(KEEP)
        self.assertTrue(os.path.exists(path))
        domain = self.conn.defineXML(uefi())
        domain.undefineFlags(REMOVE)
        self.assertFalse(os.path.exists(path))

    def test_named_firmware_has_its_template_looked_up(self):
        loader = "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE%s.fd</loader>"
        domain = self.started(uefi(loader=loader % '_4M', firmware=''))
        self.assertIn("template='/usr/share/OVMF/OVMF_VARS_4M.fd'", domain.XMLDesc(0))
        self.assertNotIn('template', domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        domain.destroy()
        domain.undefineFlags(REMOVE)
        domain = self.started(uefi(loader=loader % '', firmware=''))  # known without a descriptor
        self.assertEqual(os.stat(nvram_of(domain)).st_size, os.stat('/usr/share/OVMF/OVMF_VARS.fd').st_size)
        domain.destroy()
        domain.undefineFlags(REMOVE)


@unittest.skipIf(server.on_oracle(), 'about our own processes')
class Sides(Case):
    """swtpm and virtiofsd end with their guest, whoever is killed when."""

    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory(prefix='share-')
        self.addCleanup(self.folder.cleanup)

    def sides(self):
        """{pid: program} of what runs beside a QEMU."""
        found = {}
        for pid, argv in server.processes('').items():
            name = os.path.basename(argv[0])
            if name in ('swtpm', 'virtiofsd'):
                found[pid] = name
        return found

    def begin(self):
        self.defined = guests.tiny('one', head=SHARED, devices=TPM % '' + VIRTIOFS % self.folder.name)
        domain = self.conn.defineXML(self.defined)
        domain.createWithFlags(PAUSED)
        self.assertEqual(set(self.sides().values()), {'swtpm', 'virtiofsd'})
        return domain

    def again(self):
        self.server.start()
        self.conn = self.open()
        return self.conn.lookupByName('one')

    def gone(self):
        self.until(lambda: not self.sides(), 30, lambda: 'their end: %s' % self.sides())

    def test_they_outlive_the_daemon_and_end_with_the_guest(self):
        self.begin()
        before = self.sides()
        for end in (self.server.kill, self.server.stop):
            end()
            domain = self.again()
            self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)
            self.assertEqual(self.sides(), before)
        domain.destroy()
        self.gone()

    def test_the_death_of_one_is_told_and_the_guest_goes_on(self):
        domain = self.begin()
        for pid, name in self.sides().items():
            if name == 'swtpm':
                os.kill(pid, signal.SIGKILL)
        self.until(lambda: 'the process of its tpm0 was ended by signal 9' in self.server.tail())
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)
        domain.destroy()
        self.gone()

    def test_qemu_is_killed(self):
        domain = self.begin()
        os.kill(self.server.qemu(domain.UUIDString()), signal.SIGKILL)
        self.until(lambda: domain.state()[0] == SHUTOFF)
        self.gone()

    def test_daemon_and_qemu_are_killed(self):
        domain = self.begin()
        pid = self.server.qemu(domain.UUIDString())
        self.server.kill()
        os.kill(pid, signal.SIGKILL)
        domain = self.again()
        self.until(lambda: domain.state()[0] == SHUTOFF)
        self.gone()

    def test_daemon_is_killed_in_the_midst_of_a_start(self):
        domain = self.begin()
        for moment in (0.02, 0.1, 0.2, 0.4):
            try:
                domain.destroy()
            except libvirt.libvirtError:
                pass  # what was half begun is ended by the daemon itself
            self.until(lambda: domain.state()[0] == SHUTOFF)
            self.gone()
            timer = threading.Timer(moment, self.server.kill)
            timer.start()
            try:
                domain.createWithFlags(PAUSED)
            except libvirt.libvirtError:
                pass
            timer.join()
            domain = self.again()
        try:
            domain.destroy()
        except libvirt.libvirtError:
            pass
        self.gone()

    def test_stopped_ones_end_too(self):
        domain = self.begin()
        for pid in self.sides():
            os.kill(pid, signal.SIGSTOP)
        domain.destroy()
        self.gone()

    def test_one_that_came_later_goes_with_its_device(self):
        domain = self.conn.defineXML(guests.tiny('one', head=SHARED, devices=PORT))
        domain.createWithFlags(PAUSED)
        folder = VIRTIOFS % self.folder.name
        domain.attachDevice(folder)
        self.assertEqual(set(self.sides().values()), {'virtiofsd'})
        self.server.kill()
        domain = self.again()
        self.assertEqual(set(self.sides().values()), {'virtiofsd'})
        domain.detachDevice(folder)
        domain.reset()
        self.gone()
        self.until(lambda: '<filesystem' not in domain.XMLDesc())
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.attachDevice, VIRTIOFS % '/nowhere')
        self.assertEqual(self.sides(), {})
        domain.destroy()
        self.assertNotIn('the process of its', self.server.tail())

    def test_tpm_state_goes_with_the_definition(self):
        def state():
            return glob.glob(self.server.root + '/var/lib/duovirt/tpm/*/tpm2/tpm2-00.permall')
        domain = self.begin()
        self.assertEqual(os.stat(state()[0]).st_mode & 0o777, 0o600)
        domain.destroy()
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_TPM)
        self.assertTrue(state())
        self.conn.defineXML(self.defined).undefine()
        self.assertFalse(state())
        persistent = self.defined.replace("version='2.0'", "version='2.0' persistent_state='yes'")
        domain = self.conn.createXML(persistent, PAUSED)
        domain.destroy()
        self.assertTrue(state())
        self.conn.defineXML(persistent).undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_TPM)
        self.assertFalse(state())
        self.conn.createXML(self.defined, PAUSED).destroy()
        self.until(lambda: not state())


class Shares(Case):
    def test_a_guest_reads_what_the_host_wrote(self):
        with tempfile.TemporaryDirectory(prefix='share-') as folder:
            os.chmod(folder, 0o777)
            with open(folder + '/from-host', 'w') as f:
                f.write('host-wrote-this\n')
            # No TPM: with a kernel given to QEMU it lays the RAM disk where the firmware puts a TPM's log.
            domain = self.conn.defineXML(guests.linux('linux', head=SHARED, devices=VIRTIOFS % folder + NINE % folder))
            domain.createWithFlags(PAUSED)
            console = Console(self.server.uri, 'linux', seconds=BOOT)
            self.addCleanup(console.process.close, force=True)
            console.attached()
            domain.resume()
            console.expect('GUEST-READY')
            console.expect('guest# ')
            console.ask('modprobe -a virtiofs 9p 9pnet_virtio; mkdir /a /b; echo loaded=$?', r'loaded=0\r')
            console.ask('mount -t virtiofs live /a && cat /a/from-host', 'host-wrote-this\r')
            console.ask('mount -t 9p -o trans=virtio,version=9p2000.L nine /b && cat /b/from-host', 'host-wrote-this\r')
            console.ask('echo back > /a/from-guest; sync; cat /b/from-guest', 'back\r')
            with open(folder + '/from-guest') as f:
                self.assertEqual(f.read(), 'back\n')
            os.mkdir(folder + '/late')
            domain.attachDevice(late := (VIRTIOFS % (folder + '/late')).replace("dir='live'", "dir='late'"))
            console.ask('mkdir /c; until mount -t virtiofs late /c; do sleep 1; done; echo late > /c/word; umount /c; cat /a/late/word', 'late\r')
            domain.detachDevice(late)
            self.until(lambda: 'late' not in domain.XMLDesc(), BOOT)
            domain.destroy()
            domain.undefineFlags(0)


if __name__ == '__main__':
    main('guest/services')
