# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domain documents for the tests, and the images they need. Everything lies in IMAGES, which is private to a world."""
import os
import subprocess
import uuid as uuids

from .world import SCRATCH

EMULATOR = '/usr/bin/qemu-system-x86_64'
IMAGES = SCRATCH + '/images'
GUEST = os.environ.get('DUOVIRT_GUEST', '/var/cache/duovirt-guest')
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def uuid_of(name):
    """The same name has the same UUID in every run."""
    return str(uuids.uuid5(uuids.NAMESPACE_DNS, name + '.duovirt.test'))


def tiny(name, uuid=None, head='', devices=''):
    """The QEMU that starts fastest: for tests that never boot."""
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid or uuid_of(name)}</uuid>
  {head}
  <memory unit='MiB'>32</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <emulator>{EMULATOR}</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    {devices}
  </devices>
</domain>"""


def minimal(name):
    """What a person would type: everything else is for the daemon to fill in."""
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid_of(name)}</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <serial type='pty'/>
    <graphics type='vnc' autoport='yes'/>
  </devices>
</domain>"""


def image(name, size='8M', form='raw', backing=None):
    """An empty image; its path."""
    os.makedirs(IMAGES, exist_ok=True)
    path = '%s/%s' % (IMAGES, name)
    argv = ['qemu-img', 'create', '-q', '-f', form]
    if backing:
        argv += ['-b', backing, '-F', 'qcow2' if backing.endswith('qcow2') else 'raw']
    subprocess.run(argv + [path] + ([] if backing else [size]), check=True)
    os.chmod(path, 0o666)
    return path


def bridge(name='testbr0'):
    """An existing bridge, as an administrator would have made it."""
    if not os.path.exists('/sys/class/net/' + name):
        subprocess.run(['ip', 'link', 'add', name, 'type', 'bridge'], check=True)
        subprocess.run(['ip', 'link', 'set', name, 'up'], check=True)
    return name


def q35(name):
    """Every device kind of the KVM driver on a PCI Express machine."""
    raw = image('q35-raw.img')
    base = image('q35-base.qcow2', form='qcow2')
    middle = image('q35-middle.qcow2', form='qcow2', backing=base)
    top = image('q35-top.qcow2', form='qcow2', backing=middle)
    scsi = image('q35-scsi.img')
    media = image('q35-media.iso')
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid_of(name)}</uuid>
  <title>Everything on q35</title>
  <description>Each device kind that the driver knows</description>
  <metadata>
    <app:note xmlns:app='urn:duovirt:test'>kept as it came</app:note>
  </metadata>
  <memory unit='MiB'>128</memory>
  <currentMemory unit='MiB'>96</currentMemory>
  <vcpu current='2'>4</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <bootmenu enable='yes' timeout='100'/>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='custom' match='exact' check='none'>
    <model fallback='forbid'>qemu64</model>
    <topology sockets='2' dies='1' cores='2' threads='1'/>
  </cpu>
  <clock offset='utc'>
    <timer name='rtc' tickpolicy='catchup'/>
    <timer name='pit' tickpolicy='delay'/>
    <timer name='hpet' present='no'/>
  </clock>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>{EMULATOR}</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none' discard='unmap'/>
      <source file='{raw}'/>
      <target dev='vda' bus='virtio'/>
      <boot order='2'/>
      <serial>raw-disk</serial>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='{top}'/>
      <target dev='sda' bus='sata'/>
      <boot order='1'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{scsi}'/>
      <target dev='sdb' bus='scsi'/>
      <readonly/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <source file='{media}'/>
      <target dev='sdc' bus='sata'/>
      <readonly/>
    </disk>
    <disk type='file' device='cdrom'>
      <target dev='sdd' bus='sata'/>
      <readonly/>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'/>
    <controller type='usb' index='0' model='qemu-xhci' ports='8'/>
    <controller type='virtio-serial' index='0'/>
    <interface type='user'>
      <mac address='52:54:00:11:22:01'/>
      <model type='virtio'/>
      <boot order='3'/>
    </interface>
    <interface type='bridge'>
      <mac address='52:54:00:11:22:02'/>
      <source bridge='{bridge()}'/>
      <model type='e1000e'/>
    </interface>
    <interface type='ethernet'>
      <mac address='52:54:00:11:22:03'/>
      <target dev='testtap0'/>
      <model type='virtio'/>
      <link state='down'/>
    </interface>
    <serial type='pty'/>
    <serial type='unix'>
      <source mode='bind' path='{IMAGES}/serial.sock'/>
    </serial>
    <serial type='file'>
      <source path='{IMAGES}/serial.log'/>
    </serial>
    <console type='pty'>
      <target type='serial'/>
    </console>
    <console type='pty'>
      <target type='virtio'/>
    </console>
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
    <channel type='pty'>
      <target type='virtio' name='test.pty'/>
    </channel>
    <input type='tablet' bus='usb'/>
    <input type='keyboard' bus='ps2'/>
    <graphics type='vnc' port='-1' autoport='yes' passwd='secret'>
      <listen type='address' address='127.0.0.1'/>
    </graphics>
    <video>
      <model type='virtio' heads='1'/>
    </video>
    <memballoon model='virtio' autodeflate='on'>
      <stats period='5'/>
    </memballoon>
    <rng model='virtio'>
      <rate bytes='1024' period='1000'/>
      <backend model='random'>/dev/urandom</backend>
    </rng>
  </devices>
</domain>"""


def ports(name):
    """Character devices: what gets which port, and which terminal is shown where."""
    os.makedirs(IMAGES, exist_ok=True)
    channels = ''.join("<channel type='pty'><target type='virtio' name='test.%s'/></channel>" % each for each in 'abc')
    return tiny(name, devices=f"""<serial type='pty'/>
    <serial type='file'><source path='{IMAGES}/{name}.log'/></serial>
    <console type='pty'><target type='virtio'/></console>
    <console type='pty'><target type='virtio'/></console>
    {channels}""")


def pc(name):
    """The older machine: PCI, IDE-free but with its USB and PS/2."""
    disk = image('pc.qcow2', form='qcow2')
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid_of(name)}</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <boot dev='hd'/>
    <boot dev='cdrom'/>
  </os>
  <features><acpi/><apic/><pae/></features>
  <cpu mode='maximum'/>
  <clock offset='localtime'/>
  <devices>
    <emulator>{EMULATOR}</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='{disk}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='cdrom'>
      <target dev='hdc' bus='sata'/>
    </disk>
    <controller type='usb' index='0' model='piix3-uhci'/>
    <interface type='user'>
      <mac address='52:54:00:11:22:04'/>
      <model type='virtio'/>
    </interface>
    <serial type='pty'/>
    <input type='mouse' bus='usb'/>
    <graphics type='vnc' autoport='yes'/>
    <video><model type='vga' vram='16384'/></video>
  </devices>
</domain>"""


def linux(name, memory=128, head='', devices='', emulator=EMULATOR, kind='qemu', console='pty', initrd='initrd', vcpus=1):
    """Boots tools/make-guest.sh's Linux and listens on its serial console."""
    return f"""<domain type='{kind}'>
  <name>{name}</name>
  <uuid>{uuid_of(name)}</uuid>
  {head}
  <memory unit='MiB'>{memory}</memory>
  <vcpu>{vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{GUEST}/vmlinux</kernel>
    <initrd>{GUEST}/{initrd}</initrd>
    <cmdline>console=ttyS0 quiet mitigations=off panic=-1</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices>
    <emulator>{emulator}</emulator>
    <controller type='usb' model='none'/>
    <serial type='{console}'/>
    {devices}
  </devices>
</domain>"""
