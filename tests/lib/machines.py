# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests of other architectures than the host's, all emulated. Each is looked at before its first instruction."""
import os

from . import guests

FLASH = 64 << 20  # octets: what "virt" takes
EMULATORS = {'aarch64': 'aarch64', 'armv7l': 'arm', 'ppc64': 'ppc64', 's390x': 's390x', 'riscv64': 'riscv64'}


def emulator(arch):
    return '/usr/bin/qemu-system-' + EMULATORS[arch]


def guest(name, arch, machine, devices='', head='', boot='', extra=''):
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <uuid>{guests.uuid_of(name)}</uuid>
  {head or "<memory unit='MiB'>256</memory>"}
  <vcpu>1</vcpu>
  <os><type arch='{arch}' machine='{machine}'>hvm</type>{boot}</os>
  {extra}
  <devices>
    {devices}
  </devices>
</domain>"""


def disk(target, bus, options=''):
    return f"""<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{guests.image('machine-%s.img' % target)}'/>
      <target dev='{target}' bus='{bus}'/>{options}</disk>"""


def card(number, model='', options=''):
    model = model and f"<model type='{model}'/>"
    return f"<interface type='user'><mac address='52:54:00:11:44:{number:02x}'/>{model}{options}</interface>"


def blob(name, size):
    """A file of zeros; its path."""
    os.makedirs(guests.IMAGES, exist_ok=True)
    path = os.path.join(guests.IMAGES, name)
    with open(path, 'wb') as f:
        f.truncate(size)
    os.chmod(path, 0o644)
    return path


VNC = "<graphics type='vnc' autoport='yes'/>"
RNG = "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
BALLOON = "<memballoon model='virtio'/>"
PORT = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
MMIO = "<address type='virtio-mmio'/>"


def bare(arch, machine):
    return lambda name: guest(name, arch, machine)


def aarch64_devices(name):
    return guest(name, 'aarch64', 'virt', disk('vda', 'virtio') + disk('sda', 'scsi') + card(1) + card(2, 'e1000') + VNC + RNG + BALLOON + PORT +
                 "<controller type='usb' model='qemu-xhci'/><input type='tablet' bus='usb'/><input type='keyboard' bus='usb'/>"
                 "<serial type='pty'/><console type='pty'><target type='virtio'/></console>", extra="<cpu mode='maximum'/>")


def aarch64_kernel(name):
    return guest(name, 'aarch64', 'virt', disk('vda', 'virtio') + "<console type='pty'/>",
                 boot=f"<kernel>{blob('kernel-arm', 1 << 20)}</kernel><cmdline>console=ttyAMA0</cmdline>",
                 extra="<features><gic version='3'/></features><cpu mode='custom' match='exact'><model>cortex-a57</model></cpu>")


def aarch64_flash(name):
    return guest(name, 'aarch64', 'virt', "<controller type='usb' index='0' model='qemu-xhci'/><iommu model='smmuv3'/><serial type='pty'/>",
                 boot=f"<loader readonly='yes' type='pflash'>{blob('flash-code', FLASH)}</loader><nvram template='{blob('flash-vars', FLASH)}'/>",
                 extra="<features><acpi/></features>")


def aarch64_mmio(name):
    return guest(name, 'aarch64', 'virt', disk('vda', 'virtio', MMIO) + card(1) + BALLOON + RNG)


def arm_board(name):
    return guest(name, 'armv7l', 'vexpress-a9', disk('sda', 'sd') + card(1) + "<console type='pty'/>",
                 boot=f"<kernel>{blob('kernel-arm', 1 << 20)}</kernel>")


def arm_virt(name):
    return guest(name, 'armv7l', 'virt', disk('vda', 'virtio') + card(1) + "<console type='pty'/>" + PORT)


def ppc64_devices(name):
    return guest(name, 'ppc64', 'pseries', disk('sda', 'scsi') + disk('vda', 'virtio') + card(1) + card(2, 'spapr-vlan') + VNC + RNG + PORT +
                 "<serial type='pty'/><serial type='pty'/><nvram/><sound model='ac97'/>",
                 extra="<features><cfpc value='broken'/><sbbc value='broken'/><ibs value='broken'/></features>")


def ppc64_bridges(name):
    return guest(name, 'ppc64', 'pseries', "<controller type='pci' index='1' model='pci-root'/><controller type='pci' index='3' model='pci-root'>"
                 "<target index='5'/></controller>" + card(1, 'virtio', "<address type='pci' bus='0x03' slot='0x01'/>") +
                 card(2, 'virtio', "<address type='pci' bus='0x02' slot='0x01'/>"), head="<memory unit='MiB'>300</memory>")


def s390x_devices(name):
    return guest(name, 's390x', 's390-ccw-virtio', disk('vda', 'virtio', "<boot order='1' loadparm='pr0mpt'/>") +
                 disk('sda', 'scsi') + card(1, options="<boot order='2'/>") + VNC + RNG + PORT +
                 "<watchdog model='diag288' action='reset'/><input type='tablet'/><input type='keyboard' bus='virtio'/>"
                 "<console type='pty'><target type='sclp'/></console><console type='pty'><target type='virtio'/></console>",
                 extra="<keywrap><cipher name='aes' state='off'/></keywrap>")


def s390x_pci(name):
    return guest(name, 's390x', 's390-ccw-virtio', card(1, options="<address type='pci'><zpci uid='0x0007'/></address>") +
                 card(2, options="<address type='pci'/>") + card(3, options="<address type='ccw' cssid='0xfe' ssid='0x1' devno='0x0003'/>") +
                 "<serial type='pty'/>")


def riscv64_devices(name):
    return guest(name, 'riscv64', 'virt', disk('vda', 'virtio') + card(1) + VNC + RNG + BALLOON + PORT + "<serial type='pty'/>")


def riscv64_mmio(name):
    return guest(name, 'riscv64', 'virt', disk('vda', 'virtio', MMIO) + card(1, options=MMIO) + "<console type='pty'/>")


GUESTS = {
    'aarch64 virt': bare('aarch64', 'virt'), 'aarch64 devices': aarch64_devices, 'aarch64 kernel': aarch64_kernel,
    'aarch64 flash': aarch64_flash, 'aarch64 mmio': aarch64_mmio, 'arm board': arm_board, 'arm virt': arm_virt,
    'ppc64 pseries': bare('ppc64', 'pseries'), 'ppc64 old pseries': bare('ppc64', 'pseries-2.7'), 'ppc64 devices': ppc64_devices,
    'ppc64 bridges': ppc64_bridges, 's390x ccw': bare('s390x', 's390-ccw-virtio'), 's390x devices': s390x_devices, 's390x pci': s390x_pci,
    'riscv64 virt': bare('riscv64', 'virt'), 'riscv64 devices': riscv64_devices, 'riscv64 mmio': riscv64_mmio,
}
