# SPDX-License-Identifier: LGPL-2.1-or-later
"""Documents that are started to be looked at: what a start decides, and what it is refused for. A function each: name -> document."""
import os

from . import guests

KERNEL_SIZE = 8192


def bare(name, head='', boot='', extra='', machine='q35', usb="<controller type='usb' model='none'/>", vcpu='<vcpu>1</vcpu>', devices=''):
    return f"""<domain type='qemu'>
  <name>{name}</name>
  <uuid>{guests.uuid_of(name)}</uuid>
  {head}
  <memory unit='MiB'>64</memory>
  {vcpu}
  <os><type arch='x86_64' machine='{machine}'>hvm</type>{boot}</os>
  {extra}
  <devices>
    <emulator>{guests.EMULATOR}</emulator>
    {usb}
    <memballoon model='none'/>
    {devices}
  </devices>
</domain>"""


def kernel_file():
    """What QEMU takes for a Linux kernel that can have an initial file system; its path, and that of one."""
    os.makedirs(guests.IMAGES, exist_ok=True)
    image = bytearray(KERNEL_SIZE)
    image[0x1f1] = 4
    image[0x202:0x208] = b'HdrS\x0c\x02'
    image[0x22c:0x230] = b'\xff\xff\xff\x37'
    paths = [os.path.join(guests.IMAGES, name) for name in ('kernel', 'initrd')]
    for path, content in zip(paths, (bytes(image), b'none')):
        with open(path, 'wb') as f:
            f.write(content)
    return paths


def disk(target, bus, options='', driver='', kind='disk'):
    return f"""<disk type='file' device='{kind}'><driver name='qemu' type='raw' {driver}/>
      <source file='{guests.image('start-%s.img' % target)}'/><target dev='{target}' bus='{bus}'/>{options}</disk>"""


def card(number, model='virtio', options=''):
    return f"<interface type='user'><mac address='52:54:00:11:33:{number:02x}'/><model type='{model}'/>{options}</interface>"


def kernel(name):
    path, initrd = kernel_file()
    return bare(name, boot=f'<kernel>{path}</kernel><initrd>{initrd}</initrd><cmdline>console=ttyS0 a,b=c "d" &amp; e</cmdline>'
                "<bootmenu enable='yes' timeout='3000'/><bios useserial='yes' rebootTimeout='0'/>",
                extra="<clock offset='variable' basis='localtime' adjustment='100'/>", devices="<serial type='pty'/>")


def order(name):
    return bare(name, extra="<clock offset='utc' adjustment='-500'/>", devices=disk('vda', 'virtio', "<boot order='3'/>") +
                disk('sda', 'sata', "<boot order='1'/>") + disk('sdb', 'sata', kind='cdrom') + card(1, options="<boot order='2'/>"))


def order_of_os(name):
    return bare(name, boot="<boot dev='network'/><boot dev='cdrom'/><boot dev='hd'/>",
                devices=disk('vda', 'virtio') + disk('sda', 'sata') + disk('sdb', 'sata', kind='cdrom') + card(1) + card(2))


def pcie(name):
    return bare(name, devices="<controller type='pci' index='1' model='dmi-to-pci-bridge'/><controller type='pci' index='2' model='pci-bridge'/>"
                "<controller type='pci' index='3' model='pcie-root-port'><model name='ioh3420'/><target chassis='25' port='0x20'/></controller>"
                "<controller type='pci' index='4' model='pcie-switch-upstream-port'/><controller type='pci' index='5' model='pcie-switch-downstream-port'/>"
                "<controller type='pci' index='6' model='pcie-root-port'><target hotplug='off'/></controller>"
                "<controller type='pci' index='7' model='pcie-to-pci-bridge'/>" +
                card(1, 'rtl8139', "<address type='pci' bus='0x02' slot='0x03'/>") + card(2) + card(3, 'e1000e') + card(4, 'e1000'))


def pci(name):
    return bare(name, machine='pc', usb="<controller type='usb' index='0' model='piix3-uhci'/><controller type='usb' index='1' model='nec-xhci' ports='6'/>",
                devices="<controller type='pci' model='pci-bridge' index='1'><target chassisNr='7'/></controller>" +
                card(1, 'rtl8139', "<address type='pci' bus='0x01' slot='0x03'/>") +
                "<input type='mouse' bus='usb'/><input type='tablet' bus='usb'><address type='usb' bus='1' port='2'/></input>")


def usb(name):
    companions = ''.join("<controller type='usb' index='0' model='ich9-uhci%d'><master startport='%d'/></controller>" % (n, 2 * n - 2) for n in (1, 2, 3))
    return bare(name, usb="<controller type='usb' index='0' model='ich9-ehci1'/>" + companions,
                devices="<hub type='usb'><address type='usb' bus='0' port='1'/></hub><hub type='usb'/>" + "<input type='mouse' bus='usb'/>" * 3)


def options(name):
    virtio = "iommu='on' ats='on' packed='on'"
    return bare(name, vcpu='<vcpu>4</vcpu><iothreads>1</iothreads>', devices=disk(
        'vda', 'virtio', driver=virtio + " queues='4' queue_size='256' event_idx='off' ioeventfd='on' iothread='1'") +
        card(1, options="<driver %s queues='1' rx_queue_size='512' tx_queue_size='256' event_idx='off' txmode='iothread'/>" % virtio) +
        "<controller type='scsi' model='virtio-scsi'><driver %s queues='4' cmd_per_lun='8' max_sectors='512' ioeventfd='on' iothread='1'/>"
        "</controller><controller type='virtio-serial'><driver %s/></controller><input type='tablet' bus='virtio'><driver %s/></input>"
        "<rng model='virtio'><driver %s/><backend model='random'>/dev/urandom</backend></rng>" % ((virtio,) * 4))


def processors(name):
    return bare(name, vcpu="<vcpu current='2'>4</vcpu><vcpus><vcpu id='0' enabled='yes' hotpluggable='no'/><vcpu id='1' enabled='yes' "
                "hotpluggable='no'/><vcpu id='2' enabled='no' hotpluggable='yes'/><vcpu id='3' enabled='no' hotpluggable='yes'/></vcpus>",
                extra="<cpu><model fallback='allow'>Nehalem</model><topology sockets='2' dies='1' cores='2' threads='1'/></cpu>")


def sockets(name):
    return bare(name, devices="<serial type='tcp'><source mode='bind' host='127.0.0.1' service='4577'/><protocol type='telnet'/></serial>"
                "<graphics type='vnc' websocket='-1' autoport='yes'><listen type='none'/></graphics>")


def vnc_socket(name):
    return bare(name, devices="<graphics type='vnc' websocket='5700'><listen type='socket'/></graphics>")


def optional(name):
    return bare(name, devices=f"""<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>
      <source file='{guests.IMAGES}/none.iso' startupPolicy='optional'/><target dev='sda' bus='sata'/></disk>""")


STARTED = [kernel, order, order_of_os, pcie, pci, usb, options, processors, sockets, vnc_socket, optional]


def file_disk(path, form='raw', kind='file', source='file'):
    return f"<disk type='{kind}'><driver name='qemu' type='{form}'/><source {source}='{path}'/><target dev='sda' bus='sata'/></disk>"


def broken_chain():
    base = guests.image('lost-base.qcow2', form='qcow2')
    middle = guests.image('lost-middle.qcow2', form='qcow2', backing=base)
    top = guests.image('lost-top.qcow2', form='qcow2', backing=middle)
    os.unlink(base)
    return top


def refused():
    """(name, document): each is refused at the start."""
    none = guests.IMAGES + '/none'
    port = "<serial type='%s'><source %s path='%s'/></serial>"
    yield from ((name, bare(name, **how)) for name, how in {
        'no-file': dict(devices=file_disk(none)), 'no-folder': dict(devices=file_disk(none + '/x')),
        'no-qcow2': dict(devices=file_disk(none, 'qcow2')), 'no-qcow2-folder': dict(devices=file_disk(none + '/x', 'qcow2')),
        'no-backing': dict(devices=file_disk(broken_chain(), 'qcow2')), 'folder-qcow2': dict(devices=file_disk(guests.IMAGES, 'qcow2')),
        'no-block': dict(devices=file_disk('/dev/nonesuch', kind='block', source='dev')),
        'no-kernel': dict(boot=f'<kernel>{none}</kernel>'),
        'no-socket': dict(devices=port % ('unix', "mode='connect'", none)), 'no-pipe': dict(devices=port % ('pipe', '', none)),
        'no-device': dict(devices=port % ('dev', '', none)), 'no-log-folder': dict(devices=port % ('file', '', none + '/x')),
        'no-socket-folder': dict(devices=port % ('unix', "mode='bind'", none + '/x')),
        'queues': dict(devices=card(1, options="<driver queues='2'/>")),
        'usb-model': dict(usb="<controller type='usb' model='vt82c686b-uhci'/>"),
        'usb-ports': dict(usb="<controller type='usb' model='ehci' ports='4'/>"),
        'cpu-model': dict(extra="<cpu><model>nonesuch</model></cpu>"), 'cpu-host': dict(extra="<cpu mode='host-passthrough'/>"),
        'spinlocks': dict(extra="<features><pvspinlock state='on'/></features>")}.items())
