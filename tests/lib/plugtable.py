# SPDX-License-Identifier: LGPL-2.1-or-later
"""What plugs.py does with devices: ROWS is {name: (what its guest has beside the base, [(verb, text, which), ...])}."""
import os

from . import guests

PORTS = ''.join("<controller type='pci' model='pcie-root-port'/>" for _ in range(8))
BASE = """<controller type='pci' model='pcie-root'/>%s<controller type='pci' model='pcie-to-pci-bridge'/>
<controller type='usb' model='qemu-xhci' ports='8'/><controller type='scsi' model='virtio-scsi'/><controller type='virtio-serial'/>
<memballoon model='virtio'/>""" % PORTS


def document(extra=''):
    head, _, devices = extra.rpartition('|')
    return f"""<domain type='qemu'>
  <name>one</name>
  <uuid>{guests.uuid_of('one')}</uuid>
  {'' if 'no slots' in head else "<maxMemory slots='4' unit='MiB'>1024</maxMemory>"}
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  {"<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>" if 'shared' in head.split() else ''}
  <os><type arch='x86_64' machine='{'pc' if 'pc' in head.split() else 'q35'}'>hvm</type></os>
  <features><acpi/></features>
  {'' if 'no slots' in head else "<cpu><numa><cell id='0' cpus='0' memory='64' unit='MiB'/></numa></cpu>"}
  <devices>
    <emulator>{guests.EMULATOR}</emulator>
    {"<controller type='usb' model='none'/><memballoon model='none'/>" if 'bare' in head.split() else '' if 'pc' in head.split() else BASE}
    {devices}
  </devices>
</domain>"""


def image(name):
    return '%s/plug-%s' % (guests.IMAGES, name)


def disk(target, bus, more='', file='a.img', device='disk', form='raw'):
    return (f"<disk type='file' device='{device}'><driver name='qemu' type='{form}'/><source file='{image(file)}'/>"
            f"<target dev='{target}' bus='{bus}'/>{more}</disk>")


def nic(model, more='', mac='52:54:00:aa:00:01', kind='user'):
    return f"<interface type='{kind}'><mac address='{mac}'/><model type='{model}'/>{more}</interface>"


def dimm(size=128, more='', model='dimm', node='<node>0</node>', source=''):
    return (f"<memory model='{model}'>{source}<target><size unit='MiB'>{size}</size>{node}{more}</target></memory>")


def virtio_mem(requested=64, size=256, address=''):
    return (f"<memory model='virtio-mem'><target><size unit='MiB'>{size}</size><node>0</node><block unit='MiB'>2</block>"
            f"<requested unit='MiB'>{requested}</requested></target>{address}</memory>")


def there_and_back(xml, which='both', reset=True, off=None):
    """It comes, cannot come twice, goes, and cannot go twice."""
    steps = [('attach', xml, which), ('attach', xml, which), ('detach', off or xml, which)]
    return steps + [('reset', '', 'now')] * reset + [('detach', off or xml, which)]


def quick(xml, which='both', off=None):
    return there_and_back(xml, which, False, off)


def folder(tag='share', path='/tmp', more=''):
    return f"<filesystem type='mount'><driver type='virtiofs'/><source dir='{path}'/><target dir='{tag}'/>{more}</filesystem>"


VNC = "<graphics type='vnc' port='5950' autoport='no' listen='127.0.0.1' %s><listen type='address' address='127.0.0.1'/></graphics>"
CDROM = disk('sdc', 'sata', '<readonly/>', 'cd.iso', 'cdrom')

ROWS = {
    # memory
    'dimm': ('', there_and_back(dimm())),
    'dimm live': ('', [('attach', dimm(), 'live'), ('attach', dimm(64), 'live'), ('alias', 'dimm0', 'live'), ('reset', '', 'now'), ('attach', dimm(32), 'live')]),
    'dimm by old calls': ('', [('attach1', dimm(), 'now'), ('detach1', dimm(), 'now')]),
    'dimm config': ('', [('attach', dimm(), 'config'), ('attach', dimm(), 'config'), ('detach', dimm(), 'config'), ('detach', dimm(), 'config'), ('detach', dimm(), 'config')]),
    'dimm without a node': ('', [('attach', dimm(node=''), 'live'), ('attach', dimm(node=''), 'config')]),
    'dimm on a wrong node': ('', [('attach', dimm(node='<node>3</node>'), 'live'), ('attach', dimm(node='<node>3</node>'), 'config')]),
    'dimm too large': ('', [('attach', dimm(2048), 'live'), ('attach', dimm(2048), 'config')]),
    'dimm of odd size': ('', [('attach', dimm(129), 'both')]),
    'dimm in a slot': ('', [('attach', dimm().replace('</memory>', "<address type='dimm' slot='2'/></memory>"), 'both'),
                            ('attach', dimm().replace('</memory>', "<address type='dimm' slot='2'/></memory>"), 'both'),
                            ('attach', dimm().replace('</memory>', "<address type='dimm' slot='9'/></memory>"), 'both')]),
    'dimm at a base': ('', [('attach', dimm().replace('</memory>', "<address type='dimm' slot='1' base='0x140000000'/></memory>"), 'both')]),
    'dimm without slots': ('no slots|', [('attach', dimm(), 'live'), ('attach', dimm(), 'config')]),
    'dimms until slots end': ('', [('attach', dimm(32), 'both')] * 5),
    'dimm with a name': ('', [('attach', dimm().replace('</memory>', "<alias name='ua-more'/></memory>"), 'both'), ('alias', 'ua-more', 'both'), ('reset', '', 'now'),
                              ('alias', 'ua-more', 'both')]),
    'dimm with pages': ('', [('attach', dimm(source="<source><pagesize unit='KiB'>4</pagesize></source>"), 'live')]),
    'dimm shared': ('', [('attach', dimm().replace("model='dimm'", "model='dimm' access='shared'"), 'both')]),
    'dimm discarded': ('', [('attach', dimm().replace("model='dimm'", "model='dimm' discard='yes'"), 'both')]),
    'nvdimm': ('', there_and_back(dimm(128, model='nvdimm', source=f"<source><path>{image('nv.img')}</path></source>"))),
    'nvdimm without a path': ('', [('attach', dimm(model='nvdimm'), 'both')]),
    'virtio-mem': ('', [('attach', virtio_mem(), 'both'), ('detach', virtio_mem(), 'both'), ('reset', '', 'now')]),
    'virtio-mem empty': ('', [('attach', virtio_mem(0), 'both'), ('detach', virtio_mem(0), 'both'), ('reset', '', 'now')]),
    'virtio-mem on the root': ('', [('attach', virtio_mem(64, 256, "<address type='pci' bus='0' slot='0x10'/>"), 'both')]),
    'virtio-mem in a port': ('', [('attach', virtio_mem(64, 256, "<address type='pci' bus='1' slot='0'/>"), 'live'),
                                  ('update', virtio_mem(128, 256, "<address type='pci' bus='1' slot='0'/>"), 'live')]),
    'virtio-pmem': ('', [('attach', dimm(128, model='virtio-pmem', node='', source=f"<source><path>{image('nv.img')}</path></source>"), 'config')]),
    'memory of a domain with modules': ('', [('attach', dimm(), 'both'), ('memory', '65536', 'live'), ('memory', '131072', 'live'), ('memory', '131072', 'config'),
                                             ('memory', '300000', 'live'), ('memory', '300000', 'config')]),
    # disks
    'disk virtio': ('', there_and_back(disk('vdb', 'virtio'))),
    'disk virtio live': ('', [('attach', disk('vdb', 'virtio'), 'live'), ('alias', 'virtio-disk1', 'live'), ('reset', '', 'now')]),
    'disk virtio of another target': ('', [('attach', disk('vdb', 'virtio'), 'both'), ('attach', disk('vdc', 'virtio', file='b.img'), 'both'),
                                           ('detach', disk('vdd', 'virtio'), 'both')]),
    'disk virtio qcow2 with a serial': ('', there_and_back(disk('vdb', 'virtio', '<serial>abc</serial>', 'c.qcow2', form='qcow2'))),
    'disk virtio with limits': ('', quick(disk('vdb', 'virtio', '<iotune><total_bytes_sec>100000</total_bytes_sec></iotune>'))),
    'disk scsi': ('', quick(disk('sdb', 'scsi'))),
    'disk scsi on another controller': ('', quick(disk('sdb', 'scsi', "<address type='drive' controller='1' bus='0' target='0' unit='3'/>"))),
    'disk scsi without a controller': ('bare|', [('attach', disk('sdb', 'scsi'), 'live')]),
    'disk usb': ('', quick(disk('sdb', 'usb'))),
    'disk sata': ('', [('attach', disk('sdb', 'sata'), 'live'), ('attach', disk('sdb', 'sata'), 'config'), ('detach', disk('sdb', 'sata'), 'config')]),
    'disk ide': ('pc|', [('attach', disk('hdb', 'ide'), 'live'), ('attach', disk('hdb', 'ide'), 'config')]),
    'disk fdc': ('pc|', [('attach', disk('fda', 'fdc', device='floppy'), 'live'), ('attach', disk('fda', 'fdc', device='floppy'), 'config')]),
    'disk without a file': ('', [('attach', disk('vdb', 'virtio', file='nothing.img'), 'live'), ('attach', disk('vdb', 'virtio', file='nothing.img'), 'config')]),
    'disk read only': ('', quick(disk('vdb', 'virtio', '<readonly/>'))),
    'cdrom usb': ('', [('attach', disk('sdb', 'usb', '<readonly/>', 'cd.iso', 'cdrom'), 'live')]),
    'cdrom scsi': ('', [('attach', disk('sdb', 'scsi', '<readonly/>', 'cd.iso', 'cdrom'), 'live')]),
    'cdrom change': ('|' + CDROM, [('update', CDROM.replace('cd.iso', 'cd2.iso'), 'both'), ('attach', CDROM, 'live'),
                                   ('update', "<disk type='file' device='cdrom'><target dev='sdc' bus='sata'/><readonly/></disk>", 'both'),
                                   ('update', CDROM, 'both'), ('detach', CDROM, 'live'), ('detach', CDROM, 'config')]),
    'disk update': ('|' + disk('vda', 'virtio'), [('update', disk('vda', 'virtio', file='b.img'), 'live'), ('update', disk('vda', 'virtio', file='b.img'), 'config'),
                                                  ('update', disk('vda', 'virtio', '<serial>x</serial>'), 'live'), ('update', disk('vdx', 'virtio'), 'both'),
                                                  ('detach', disk('vda', 'virtio'), 'config')]),
    'disk alias twice': ('', [('attach', disk('vdb', 'virtio', "<alias name='ua-d'/>"), 'both'), ('attach', disk('vdc', 'virtio', "<alias name='ua-d'/>", 'b.img'), 'both')]),
    'disk at a place': ('', [('attach', disk('vdb', 'virtio', "<address type='pci' bus='3' slot='0'/>"), 'both'),
                             ('attach', disk('vdc', 'virtio', "<address type='pci' bus='3' slot='0'/>", 'b.img'), 'live'),
                             ('attach', disk('vdd', 'virtio', "<address type='pci' bus='0' slot='0x1f'/>", 'b.img'), 'live'),
                             ('attach', disk('vdd', 'virtio', "<address type='pci' bus='77' slot='0'/>", 'b.img'), 'live')]),
    'disk with boot order': ('', [('attach', disk('vdb', 'virtio', "<boot order='1'/>"), 'both'), ('attach', disk('vdc', 'virtio', "<boot order='1'/>", 'b.img'), 'both')]),
    'disk pc': ('pc|', there_and_back(disk('vdb', 'virtio'))),
    'disk no port': ('bare|', [('attach', disk('vdb', 'virtio'), 'live'), ('attach', disk('vdc', 'virtio', file='b.img'), 'live'), ('attach', disk('vdc', 'virtio', file='b.img'), 'config')]),
    'disk no such': ('', [('detach', disk('vdb', 'virtio'), 'live'), ('alias', 'virtio-disk7', 'live'), ('alias', 'virtio-disk7', 'config')]),
}
for model in ('virtio', 'e1000', 'e1000e', 'rtl8139', 'pcnet', 'ne2k_pci', 'vmxnet3', 'usb-net', 'i82551'):
    ROWS['nic ' + model] = ('', there_and_back(nic(model)))
    ROWS['nic ' + model + ' pc'] = ('pc|', [('attach', nic(model), 'live')])
NICS = nic('virtio')
ROWS.update({
    'nic of no model': ('', [('attach', "<interface type='user'><mac address='52:54:00:aa:00:01'/></interface>", 'both')]),
    'nic ne2k_isa': ('', [('attach', nic('ne2k_isa'), 'live')]),
    'nic by mac alone': ('', [('attach', nic('virtio'), 'both'), ('detach', "<interface type='user'><mac address='52:54:00:aa:00:01'/></interface>", 'both'), ('reset', '', 'now')]),
    'nic without mac': ('', [('attach', nic('virtio'), 'live'), ('attach', nic('virtio', mac='52:54:00:aa:00:02'), 'live'), ('detach', "<interface type='user'/>", 'live'),
                             ('detach', "<interface type='user'><mac address='52:54:00:aa:00:09'/></interface>", 'live')]),
    'nic bridge': ('', there_and_back(nic('virtio', "<source bridge='plugbr0'/>", kind='bridge'))),
    'nic ethernet': ('', there_and_back(nic('virtio', "<target dev='plugtap0'/>", kind='ethernet'))),
    'nic network': ('', [('attach', nic('virtio', "<source network='nonesuch'/>", kind='network'), 'live'), ('attach', nic('virtio', "<source network='nonesuch'/>", kind='network'), 'config')]),
    'nic no bridge': ('', [('attach', nic('virtio', "<source bridge='nonesuch'/>", kind='bridge'), 'live')]),
    'nic link down': ('', [('attach', nic('virtio', "<link state='down'/>"), 'both'), ('update', nic('virtio', "<link state='up'/>"), 'both')]),
    'nic update': ('|' + NICS, [('update', nic('virtio', "<link state='down'/>"), 'both'), ('update', nic('e1000'), 'live'), ('update', nic('e1000'), 'config'),
                                ('update', nic('virtio', mac='52:54:00:aa:00:07'), 'live'), ('update', nic('virtio', "<mtu size='1400'/>"), 'live')]),
    'nic alias': ('|' + NICS, [('alias', 'net0', 'live'), ('reset', '', 'now'), ('alias', 'net0', 'config')]),
    # controllers
    'controller scsi': ('', there_and_back("<controller type='scsi' index='5' model='virtio-scsi'/>")),
    'controller scsi lsi': ('', [('attach', "<controller type='scsi' index='5' model='lsilogic'/>", 'both')]),
    'controller scsi of no index': ('', [('attach', "<controller type='scsi' model='virtio-scsi'/>", 'live'), ('attach', "<controller type='scsi' model='virtio-scsi'/>", 'config')]),
    'controller usb': ('', [('attach', "<controller type='usb' index='3' model='qemu-xhci'/>", 'live'), ('attach', "<controller type='usb' index='3' model='qemu-xhci'/>", 'config')]),
    'controller serial': ('', there_and_back("<controller type='virtio-serial' index='4'/>")),
    'controller pci': ('', [('attach', "<controller type='pci' model='pcie-root-port'/>", 'live'), ('attach', "<controller type='pci' index='30' model='pcie-root-port'/>", 'config'),
                            ('detach', "<controller type='pci' index='1' model='pcie-root-port'/>", 'live')]),
    'controller sata': ('', [('attach', "<controller type='sata' index='3'/>", 'live'), ('attach', "<controller type='sata' index='3'/>", 'config')]),
    'controller in use': ('|' + disk('sdb', 'scsi'), [('detach', "<controller type='scsi' index='0' model='virtio-scsi'/>", 'live'),
                                                      ('detach', "<controller type='virtio-serial' index='0'/>", 'live'), ('reset', '', 'now'),
                                                      ('detach', "<controller type='usb' index='0' model='qemu-xhci'/>", 'live'),
                                                      ('detach', "<controller type='scsi' index='9'/>", 'live'), ('detach', "<controller type='scsi' index='9'/>", 'config')]),
    # host devices without hardware
    'hostdev pci': ('', [('attach', "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='0x55' slot='0' function='0'/></source></hostdev>", 'live'),
                         ('attach', "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='0x55' slot='0' function='0'/></source></hostdev>", 'config'),
                         ('detach', "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='0x55' slot='0' function='0'/></source></hostdev>", 'live'),
                         ('detach', "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='0x55' slot='0' function='0'/></source></hostdev>", 'config')]),
    'hostdev usb': ('', [('attach', "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0x4321'/></source></hostdev>", 'live'),
                         ('attach', "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0x4321'/></source></hostdev>", 'config'),
                         ('detach', "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0x4321'/></source></hostdev>", 'live'),
                         ('detach', "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0x4321'/></source></hostdev>", 'config')]),
    # character devices
    'channel unix': ('', quick(f"<channel type='unix'><source mode='bind' path='{image('chan.sock')}'/><target type='virtio' name='org.x.y'/></channel>")),
    'channel of no path': ('', quick("<channel type='unix'><target type='virtio' name='org.x.y'/></channel>")),
    'channel agent': ('', quick("<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>")),
    'channel pty': ('', quick("<channel type='pty'><target type='virtio' name='org.x.y'/></channel>")),
    'channel spicevmc': ('', [('attach', "<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>", 'live'),
                              ('attach', "<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>", 'config')]),
    'channel spicevmc beside spice': ("|<graphics type='spice' autoport='yes'/>", quick("<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>")),
    'channel without a controller': ('bare|', [('attach', "<channel type='pty'><target type='virtio' name='org.x.y'/></channel>", 'live'),
                                               ('attach', "<channel type='pty'><target type='virtio' name='org.x.y'/></channel>", 'config')]),
    'channel by alias': ('', [('attach', "<channel type='pty'><target type='virtio' name='org.x.y'/></channel>", 'live'), ('alias', 'channel0', 'live')]),
    'console virtio': ('', quick("<console type='pty'><target type='virtio'/></console>")),
    'console serial': ('', [('attach', "<console type='pty'><target type='serial'/></console>", 'live'), ('attach', "<console type='pty'><target type='serial'/></console>", 'config')]),
    'serial usb': ('', quick("<serial type='pty'><target type='usb-serial'/></serial>")),
    'serial pci': ('', there_and_back("<serial type='pty'><target type='pci-serial'/></serial>")),
    'serial isa': ('', [('attach', "<serial type='pty'><target type='isa-serial'/></serial>", 'live'), ('attach', "<serial type='pty'><target type='isa-serial'/></serial>", 'config'),
                        ('detach', "<serial type='pty'><target type='isa-serial'/></serial>", 'config')]),
    'serial of no target': ('', [('attach', "<serial type='pty'/>", 'live'), ('attach', "<serial type='pty'/>", 'config')]),
    'serial usb to a file': ('', quick(f"<serial type='file'><source path='{image('serial.log')}'/><target type='usb-serial'/></serial>")),
    'serial usb tcp': ('', quick("<serial type='tcp'><source mode='bind' host='127.0.0.1' service='4555'/><protocol type='raw'/><target type='usb-serial'/></serial>")),
    'serial usb null': ('', quick("<serial type='null'><target type='usb-serial'/></serial>")),
    'parallel': ('', [('attach', "<parallel type='pty'/>", 'live'), ('attach', "<parallel type='pty'/>", 'config')]),
    # the rest
    'redirdev': ("|<graphics type='spice' autoport='yes'/>", quick("<redirdev bus='usb' type='spicevmc'/>")),
    'redirdev tcp': ('', quick("<redirdev bus='usb' type='tcp'><source mode='bind' host='127.0.0.1' service='4556'/></redirdev>")),
    'smartcard': ('', [(verb, "<smartcard mode='host'/>", which) for verb in ('attach', 'detach', 'update') for which in ('live', 'config')]),
    'rng': ('', there_and_back("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>")),
    'rng builtin': ('', there_and_back("<rng model='virtio'><rate bytes='1000' period='100'/><backend model='builtin'/></rng>")),
    'rng egd': ('', [('attach', "<rng model='virtio'><backend model='egd' type='tcp'><source mode='bind' host='127.0.0.1' service='4557'/></backend></rng>", 'both')]),
    'input usb mouse': ('', quick("<input type='mouse' bus='usb'/>")),
    'input usb tablet': ('', quick("<input type='tablet' bus='usb'/>")),
    'input usb keyboard': ('', quick("<input type='keyboard' bus='usb'/>")),
    'input virtio tablet': ('', there_and_back("<input type='tablet' bus='virtio'/>")),
    'input virtio keyboard': ('', there_and_back("<input type='keyboard' bus='virtio'/>")),
    'input ps2': ('', [('attach', "<input type='mouse' bus='ps2'/>", 'live'), ('attach', "<input type='mouse' bus='ps2'/>", 'config'),
                       ('detach', "<input type='mouse' bus='ps2'/>", 'live'), ('detach', "<input type='mouse' bus='ps2'/>", 'config')]),
    'input passthrough': ('', [('attach', "<input type='passthrough' bus='virtio'><source evdev='/dev/input/nonesuch'/></input>", 'live')]),
    'shmem': ('', there_and_back("<shmem name='plug0'><model type='ivshmem-plain'/><size unit='M'>4</size></shmem>")),
    'shmem of no model': ('', [('attach', "<shmem name='plug0'/>", 'live'), ('attach', "<shmem name='plug0'/>", 'config')]),
    'shmem doorbell': ('', [('attach', f"<shmem name='plug0'><model type='ivshmem-doorbell'/><server path='{image('bell.sock')}'/></shmem>", 'live')]),
    'watchdog': ('', there_and_back("<watchdog model='i6300esb' action='pause'/>")),
    'watchdog action': ("|<watchdog model='i6300esb' action='reset'/>", [('attach', "<watchdog model='i6300esb' action='pause'/>", 'live'),
                                                                        ('attach', "<watchdog model='i6300esb' action='pause'/>", 'config'),
                                                                        ('update', "<watchdog model='i6300esb' action='pause'/>", 'live'),
                                                                        ('update', "<watchdog model='i6300esb' action='pause'/>", 'config'),
                                                                        ('detach', "<watchdog model='i6300esb' action='pause'/>", 'live'),
                                                                        ('detach', "<watchdog model='i6300esb' action='reset'/>", 'both'), ('reset', '', 'now')]),
    'watchdog ib700': ('', [('attach', "<watchdog model='ib700' action='reset'/>", 'live'), ('attach', "<watchdog model='ib700' action='reset'/>", 'config')]),
    'watchdog itco': ('', [('attach', "<watchdog model='itco' action='reset'/>", 'live'), ('attach', "<watchdog model='itco' action='reset'/>", 'config')]),
    'vsock': ('', [('attach', "<vsock model='virtio'><cid auto='no' address='77'/></vsock>", 'config'), ('attach', "<vsock model='virtio'><cid auto='no' address='78'/></vsock>", 'config'),
                   ('detach', "<vsock model='virtio'><cid auto='no' address='77'/></vsock>", 'config'), ('detach', "<vsock model='virtio'><cid auto='no' address='77'/></vsock>", 'config'),
                   ('detach', "<vsock model='virtio'><cid auto='no' address='77'/></vsock>", 'live')]),
    'sound': ('', [('attach', "<sound model='ich9'/>", 'live'), ('attach', "<sound model='ich9'/>", 'config'), ('detach', "<sound model='ich9'/>", 'live'),
                   ('detach', "<sound model='ich9'/>", 'config'), ('detach', "<sound model='ich9'/>", 'config')]),
    'filesystem': ('', [('attach', "<filesystem type='mount'><source dir='/tmp'/><target dir='share'/></filesystem>", 'live'),
                        ('attach', "<filesystem type='mount'><source dir='/tmp'/><target dir='share'/></filesystem>", 'config'),
                        ('attach', "<filesystem type='mount'><source dir='/tmp'/><target dir='share'/></filesystem>", 'config'),
                        ('detach', "<filesystem type='mount'><source dir='/tmp'/><target dir='share'/></filesystem>", 'live'),
                        ('detach', "<filesystem type='mount'><source dir='/tmp'/><target dir='share'/></filesystem>", 'config'),
                        ('detach', "<filesystem type='mount'><source dir='/tmp'/><target dir='share'/></filesystem>", 'config')]),
    'filesystem virtiofs': ('shared|', there_and_back(folder())),
    'filesystem virtiofs by alias': ('shared|', [('attach', folder(), 'live'), ('attach', folder('other'), 'live'),
                                                 ('alias', 'fs0', 'live'), ('reset', '', 'now'), ('detach', folder('nothing'), 'live'),
                                                 ('detach', folder('other', '/nowhere'), 'live'), ('reset', '', 'now')]),
    'filesystem virtiofs twice': ('shared|', [('attach', folder(), 'live'), ('attach', folder(path='/var'), 'live')]),
    'filesystem virtiofs config': ('shared|', [('attach', folder(), 'config'), ('attach', folder(path='/var'), 'config'), ('detach', folder(), 'config'), ('detach', folder(), 'config')]),
    'filesystem virtiofs of no folder': ('shared|', [('attach', folder(path='/nowhere'), 'live'), ('attach', folder(more='<readonly/>'), 'live'),
                                                     ('attach', "<filesystem type='mount'><driver type='virtiofs' queue='1024'/><source socket='/nowhere'/><target dir='x'/></filesystem>", 'live')]),
    'filesystem virtiofs without shared memory': ('', [('attach', "<filesystem type='mount'><driver type='virtiofs'/><source dir='/tmp'/><target dir='share'/></filesystem>", 'live')]),
    'graphics': ('|' + VNC % "passwd='old'", [('update', VNC % "passwd='new'", 'live'), ('update', VNC % "passwd='new'", 'config'), ('update', VNC % "passwd='new' passwdValidTo='2030-01-01T00:00:00'", 'both'),
                                              ('update', VNC % "passwd='new' connected='disconnect'", 'live'), ('update', VNC % '', 'live'),
                                              ('update', (VNC % '').replace('127.0.0.1', '127.0.0.2'), 'live'), ('update', (VNC % '').replace('127.0.0.1', '127.0.0.2'), 'config'),
                                              ('update', (VNC % '').replace('5950', '5951'), 'live'), ('update', (VNC % '').replace('5950', '5951'), 'config'),
                                              ('update', "<graphics type='spice' autoport='yes'/>", 'live'), ('update', "<graphics type='spice' autoport='yes'/>", 'config'),
                                              ('attach', VNC % '', 'live'), ('attach', VNC % '', 'config'), ('detach', VNC % '', 'live'), ('detach', VNC % '', 'config')]),
    'graphics autoport': ("|<graphics type='vnc' autoport='yes' passwd='old'/>", [('update', "<graphics type='vnc' autoport='yes' passwd='new'/>", 'both'),
                                                                                 ('update', "<graphics type='vnc' port='-1' autoport='yes' passwd='new2' keymap='de'/>", 'live'),
                                                                                 ('update', "<graphics type='vnc' port='5990' passwd='new2'/>", 'live')]),
    'graphics spice': ("|<graphics type='spice' port='5960' autoport='no' passwd='old'/>", [('update', "<graphics type='spice' port='5960' autoport='no' passwd='new'/>", 'both'),
                                                                                          ('update', "<graphics type='spice' port='5961' autoport='no' passwd='new'/>", 'live'),
                                                                                          ('update', "<graphics type='spice' port='5960' autoport='no' passwd='new' keymap='de'/>", 'live')]),
    'no such device': ('', [(verb, '<foo/>', which) for verb in ('attach', 'detach', 'update') for which in ('live', 'config')]),
    'no document': ('', [(verb, '<disk', 'live') for verb in ('attach', 'detach', 'update')]),
    'no names': ('', [('alias', '', 'live'), ('alias', 'nonesuch', 'both'), ('alias', 'pci.1', 'live')]),
})
REFUSED = {
    'panic': "<panic model='isa'/>", 'hub': "<hub type='usb'/>", 'video': "<video><model type='virtio'/></video>", 'tpm': "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>",
    'memballoon': "<memballoon model='virtio'/>", 'iommu': "<iommu model='virtio'/>", 'audio': "<audio id='1' type='none'/>", 'nvram': "<nvram><address type='spapr-vio' reg='0x4000'/></nvram>",
    'lease': "<lease><lockspace>a</lockspace><key>b</key><target path='/x'/></lease>",
}
for name, xml in REFUSED.items():
    ROWS[name] = ('', [(verb, xml, which) for verb in ('attach', 'detach', 'update') for which in ('live', 'config')])


def make_images():
    """What the rows name."""
    for name in ('a.img', 'b.img', 'cd.iso', 'cd2.iso'):
        guests.image('plug-' + name, '1M')
    guests.image('plug-nv.img', '128M')
    guests.image('plug-c.qcow2', form='qcow2')
    os.chmod(guests.IMAGES, 0o777)
    guests.bridge('plugbr0')
