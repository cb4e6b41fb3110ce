# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another document for a saved guest: what the guest would notice is refused, in libvirtd's words and order."""
import os
import re

from lib.case import Case, guests, libvirt, world

DEVICES = """
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'/><target dev='vda' bus='virtio'/><serial>abc</serial></disk>
    <controller type='usb' index='0' model='qemu-xhci' ports='8'/>
    <controller type='scsi' index='0' model='virtio-scsi'/>
    <interface type='user'><mac address='52:54:00:11:22:01'/><model type='virtio'/></interface>
    <serial type='pty'/>
    <console type='pty'><target type='virtio'/></console>
    <channel type='pty'><target type='virtio' name='test.pty'/></channel>
    <input type='tablet' bus='usb'/>
    <sound model='ich9'/>
    <graphics type='vnc' autoport='yes'/>
    <video><model type='vga' vram='16384'/></video>
    <watchdog model='i6300esb' action='reset'/>
    <memballoon model='virtio'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"""

HEAD = """<features><acpi/><apic/></features>
  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model><topology sockets='2' dies='1' cores='1' threads='1'/></cpu>
  <clock offset='utc'><timer name='rtc' tickpolicy='catchup'/><timer name='hpet' present='no'/></clock>"""

# What is changed, to what, and what libvirtd 9.0.0 says then; None: it is taken.
CHANGES = (
    ("<name>one", "<name>other", "Target domain name 'other' does not match source 'one'"),
    ("<memory unit='KiB'>32768", "<memory unit='KiB'>65536", 'Target domain max memory 65536 does not match source 32768'),
    (" current='1'", '', "State of vCPU '1' differs between source and destination definitions"),
    ("machine='pc-q35-[^']*'", "machine='pc-q35-6.2'", 'Target domain machine type pc-q35-6.2 does not match source pc-q35-7.2'),
    ("hvm</type>", "hvm</type><smbios mode='host'/>", 'Target domain SMBIOS mode host does not match source none'),
    ("<acpi/>", "", "State of feature 'acpi' differs: source: 'on', destination: 'default'"),
    ("<apic/>", "", "State of feature 'apic' differs: source: 'on,eoi=default', destination: 'default,eoi=default'"),
    ("<acpi/>", "<acpi/><kvm><hidden state='on'/></kvm>", "State of feature 'kvm' differs: source: 'default', destination: 'on'"),
    ("<acpi/>", "<acpi/><ioapic driver='kvm'/>", "State of feature 'ioapic' differs: source: 'driver=none', destination: 'driver=kvm'"),
    ("<timer name='hpet' present='no'/>", "", 'Target domain timers do not match source'),
    ("present='no'", "present='yes'", "Target timer presence 'yes' does not match source 'no'"),
    ("tickpolicy='catchup'", "tickpolicy='delay'", None),
    ("qemu64", "qemu32", 'Target CPU model qemu32 does not match source qemu64'),
    ("match='exact'", "match='strict'", None),
    ("sockets='2' dies='1' cores='1'", "sockets='1' dies='1' cores='2'", 'Target CPU sockets 1 does not match source 2'),
    ("</model>", "</model><feature policy='disable' name='svm'/>", 'Target CPU feature count 1 does not match source 0'),
    ("<disk.*?</disk>", "", 'Target domain disk count 0 does not match source 1'),
    ("dev='vda'", "dev='vdb'", 'Target disk vdb does not match source vda'),
    ("<serial>abc", "<serial>abd", 'Target disk serial abd does not match source abc'),
    ("<serial>abc", "<readonly/><serial>abc", 'Target disk access mode does not match source'),
    ("type='raw'", "type='raw' cache='none'", None),
    ("model='qemu-xhci'", "model='nec-xhci'", 'Target controller model 9 does not match source 12'),
    ("ports='8'", "ports='4'", 'Target controller ports 4 does not match source 8'),
    ("11:22:01", "11:22:02", 'Target network card mac 52:54:00:11:22:02 does not match source 52:54:00:11:22:01'),
    ("<model type='virtio'/>", "<model type='virtio'/><driver queues='2'/>", "Target device virtio options don't match the source"),
    ("<interface type='user'>", "<interface type='ethernet'>", None),
    ("test.pty", "test.other", 'Target channel name test.other does not match source test.pty'),
    ("(test.pty.*?port=')1", r"\g<1>5", 'Target device virtio serial address 0:0:5 does not match source 0:0:1'),
    ("type='tablet'", "type='mouse'", 'Target input device type mouse does not match source tablet'),
    ("model='ich9'", "model='ich6'", 'Target sound card model ich6 does not match source ich9'),
    ("<graphics.*?</graphics>", "", None),
    ("vram='16384'", "vram='32768'", 'Target video card vram 32768 does not match source 16384'),
    ("<watchdog.*?</watchdog>", "", 'Target domain watchdog count 0 does not match source 1'),
    ("action='reset'", "action='poweroff'", None),
    ("<memballoon model='virtio'>", "<memballoon model='virtio' autodeflate='on'>",
     "Target balloon autodeflate attribute value 'on' does not match source 'default'"),
    ("<rng.*?</rng>", "", 'Target domain RNG device count 0 does not match source 1'),
    ("<memballoon", "<hub type='usb'/><memballoon", 'Target domain hub device count 1 does not match source 0'),
    ("<memballoon", "<vsock model='virtio'><cid auto='no' address='5'/></vsock><memballoon",
     'Target domain vsock device count does not match source'),
    # of several differences the first in libvirt's order
    ("<name>one(.*)<memory unit='KiB'>32768(.*)dev='vda'", r"<name>other\1<memory unit='KiB'>65536\2dev='vdb'",
     "Target domain name 'other' does not match source 'one'"),
)


def document():
    text = guests.tiny('one', devices=DEVICES % guests.image('replacing.img'))
    text = text.replace("<controller type='usb' model='none'/>", '').replace("<memballoon model='none'/>", '')
    return text.replace('<vcpu>1</vcpu>', "<vcpu current='1'>2</vcpu>").replace('</os>', '</os>' + HEAD)


class Replacing(Case):
    def test_in_a_saved_file(self):
        path = world.SCRATCH + '/replacing.save'
        self.conn.defineXML(document())
        domain = self.conn.lookupByName('one')
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        domain.save(path)
        with open(path, 'rb') as f:
            content = f.read()
        old = self.conn.saveImageGetXMLDesc(path)
        for pattern, text, words in CHANGES:
            new = re.sub(pattern, text, old, count=1, flags=re.DOTALL)
            self.assertNotEqual(new, old, pattern)
            with open(path, 'r+b') as f:
                f.write(content)
            with self.subTest(pattern + ' -> ' + text):
                if words is None:
                    self.conn.saveImageDefineXML(path, new)
                    continue
                error = self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, self.conn.saveImageDefineXML, path, new)
                self.assertEqual(error.get_error_message(), 'unsupported configuration: ' + words)
                self.assertEqual(error.get_error_domain(),
                                 libvirt.VIR_FROM_CPU if words.startswith('Target CPU') else libvirt.VIR_FROM_DOMAIN)
                self.assertEqual(self.conn.saveImageGetXMLDesc(path), old)
        os.unlink(path)

    def test_when_it_is_saved_and_restored(self):
        path = world.SCRATCH + '/replacing.save'
        domain = self.start('one', flags=0)
        other = guests.tiny('one', head='<title>new</title>')
        wrong = other.replace('<vcpu>1<', '<vcpu>2<')
        words = 'unsupported configuration: Target domain vCPU max 2 does not match source 1'
        for call in (lambda xml: domain.saveFlags(path, xml), lambda xml: self.conn.restoreFlags(path, xml)):
            self.assertEqual(self.refused(libvirt.VIR_ERR_CONFIG_UNSUPPORTED, call, wrong).get_error_message(), words)
            call(other)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.assertIn('<title>new</title>', domain.XMLDesc())
        os.unlink(path)
