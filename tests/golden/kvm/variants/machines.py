# SPDX-License-Identifier: LGPL-2.1-or-later
"""Machines of other architectures: what they have unasked, what becomes of devices on them, and what they refuse."""

MACHINES = {'virt': ('aarch64', 'virt-7.2'), 'mps': ('armv7l', 'mps2-an385'), 'vexpress': ('armv7l', 'vexpress-a15'), 'versatile': ('armv6l', 'versatilepb'),
            'pseries': ('ppc64', 'pseries-7.2'), 'powernv': ('ppc64', 'powernv9'), 'beige': ('ppc', 'g3beige'), 'ccw': ('s390x', 's390-ccw-virtio-7.2'),
            'riscv': ('riscv64', 'virt'), 'spike': ('riscv64', 'spike')}

VNC = "<graphics type='vnc'/>"


def nic(model='', rest=''):
    return "<interface type='user'><mac address='52:54:00:00:00:01'/>%s%s</interface>" % ("<model type='%s'/>" % model if model else '', rest)


def disk(target, bus='', rest=''):
    return "<disk type='block' device='disk'><source dev='/dev/x/%s'/><target dev='%s'%s/>%s</disk>" % (target, target, " bus='%s'" % bus if bus else '', rest)


def serial(kind='', model='', rest='', element='serial'):
    inner = "<target%s>%s</target>" % (" type='%s'" % kind if kind else '', "<model name='%s'/>" % model if model else '')
    return "<%s type='pty'>%s%s</%s>" % (element, inner, rest, element)


def place(what):
    return "<address %s/>" % what


VARIANTS = {
    # what is there unasked
    'vnc': VNC, 'spice': "<graphics type='spice'/>", 'video': VNC + '<video/>', 'nic': nic(), 'serial': "<serial type='pty'/>",
    'console': "<console type='pty'/>", 'both': "<serial type='pty'/><serial type='pty'/><console type='pty'><target type='virtio'/></console>",
    'usb': "<controller type='usb' index='0'/>", 'usbnone': "<controller type='usb' model='none'/>", 'usb2': "<controller type='usb' index='1'/>",
    'usbat': "<controller type='usb' index='0'>%s</controller>" % place("type='pci' slot='0x09'"),
    'scsi': "<controller type='scsi'/>", 'scsiauto': "<controller type='scsi' model='auto'/>", 'scsivirtio': "<controller type='scsi' model='virtio-scsi'/>",
    'scsiibm': "<controller type='scsi' model='ibmvscsi'/>", 'scsilsi': "<controller type='scsi' model='lsilogic'/>",
    'sata': "<controller type='sata'/>", 'ide': "<controller type='ide'/>", 'fdc': "<controller type='fdc'/>", 'vserial': "<controller type='virtio-serial'/>",
    'panic': '<panic/>', 'panicisa': "<panic model='isa'/>", 'panics390': "<panic model='s390'/>", 'panicpseries': "<panic model='pseries'/>",
    'panichyperv': "<panic model='hyperv'/>", 'panicat': "<panic>%s</panic>" % place("type='isa' iobase='0x505'"),
    'balloon': "<memballoon model='virtio'/>", 'noballoon': "<memballoon model='none'/>", 'rng': "<rng model='virtio'><backend model='random'/></rng>",
    # inputs
    'mouse': "<input type='mouse'/>", 'keyboard': "<input type='keyboard'/>", 'tablet': "<input type='tablet'/>" + VNC,
    'usbtablet': "<input type='tablet' bus='usb'/>", 'usbkeyboard': VNC + "<input type='keyboard' bus='usb'/>", 'ps2': "<input type='mouse' bus='ps2'/>",
    'virtiomouse': "<input type='mouse' bus='virtio'/>",
    # disks and NICs
    'vda': disk('vda'), 'sda': disk('sda'), 'hda': disk('hda'), 'sdabus': disk('sda', 'sata'), 'card': disk('sda', 'sd'), 'usbdisk': disk('sda', 'usb'),
    'fda': "<disk type='block' device='floppy'><target dev='fda'/></disk>", 'cdrom': "<disk type='block' device='cdrom'><target dev='hdc'/></disk>",
    'five': ''.join(disk('vd' + letter) for letter in 'abcde'), 'nicvirtio': nic('virtio'), 'nicspapr': nic('spapr-vlan'), 'nice1000': nic('e1000'),
    'nicsmc': nic('smc91c111'), 'nicusb': nic('usb-net'), 'transitional': nic('virtio-transitional'),
    # places
    'mmio': nic('virtio', place("type='virtio-mmio'")) + disk('vda'), 'ccw': nic('virtio', place("type='ccw'")),
    'ccwat': nic('virtio', place("type='ccw' cssid='0xfe' ssid='0x1' devno='0x0001'")) + disk('vda'), 'ccwbad': nic('virtio', place("type='ccw' cssid='0xff'")),
    'ccwhalf': nic('virtio', place("type='ccw' cssid='0xfe'")), 'pci': nic('virtio', place("type='pci'")), 'pciat': nic('virtio', place("type='pci' slot='0x05'")),
    'pcibus': nic('virtio', place("type='pci' bus='0x02' slot='0x01'")), 'pcibus0': nic('e1000', place("type='pci' bus='0x01' slot='0x00'")),
    'zpci': nic('virtio', "<address type='pci'><zpci uid='0x0003' fid='0x00000007'/></address>") + nic('virtio', place("type='pci'")),
    'zpcizero': nic('virtio', "<address type='pci'><zpci uid='0x0000'/></address>"),
    'zpcitwice': nic('virtio', "<address type='pci'><zpci uid='0x0003'/></address>") * 2,
    'spapr': nic('spapr-vlan', place("type='spapr-vio' reg='0x4000'")) + nic('spapr-vlan'), 'spaprbig': nic('spapr-vlan', place("type='spapr-vio' reg='0x100000000'")),
    's390': nic('virtio', place("type='virtio-s390'")),
    # controllers of PCI
    'root': "<controller type='pci' index='0' model='pci-root'/>", 'pcieroot': "<controller type='pci' index='0' model='pcie-root'/>",
    'root1': "<controller type='pci' index='1' model='pci-root'/>", 'root5': "<controller type='pci' index='2' model='pci-root'><target index='5'/></controller>",
    'root31': "<controller type='pci' index='1' model='pci-root'><target index='31'/></controller>",
    'bridge': "<controller type='pci' index='1' model='pci-bridge'/>", 'port': "<controller type='pci' index='1' model='pcie-root-port'/>",
    'pxb': "<controller type='pci' index='1' model='pci-expander-bus'/>", 'pxbe': "<controller type='pci' index='1' model='pcie-expander-bus'/>",
    'hole': "<controller type='pci' index='0' model='pci-root'><pcihole64 unit='KiB'>1</pcihole64></controller>",
    # character devices
    **{'s-' + kind: serial(kind) for kind in ('isa-serial', 'usb-serial', 'pci-serial', 'spapr-vio-serial', 'system-serial', 'sclp-serial', 'isa-debug')},
    **{'m-' + model: serial('', model) for model in ('pl011', '16550a', 'sclplmconsole', 'isa-serial')},
    'pl011': serial('system-serial', 'pl011'), 'sclplm': serial('sclp-serial', 'sclplmconsole'), 'serialat': serial('', '', place("type='isa' iobase='0x3f8'")),
    'vtyat': serial('spapr-vio-serial', '', place("type='spapr-vio' reg='0x30001000'")), 'systemat': serial('system-serial', '', place("type='pci' slot='0x03'")),
    'c-sclp': serial('sclp', element='console'), 'c-sclplm': serial('sclplm', element='console'), 'c-xen': serial('xen', element='console'),
    'parallel': "<parallel type='pty'/>",
    # the rest
    'tpm': "<tpm><backend type='emulator'/></tpm>", 'tpm12': "<tpm><backend type='emulator' version='1.2'/></tpm>",
    'tpmcrb': "<tpm model='tpm-crb'><backend type='emulator'/></tpm>", 'tpmspapr': "<tpm model='tpm-spapr'><backend type='emulator'/></tpm>",
    'tpmproxy': "<tpm model='spapr-tpm-proxy'><backend type='passthrough'/></tpm>", 'tpmproxyno': "<tpm model='spapr-tpm-proxy'><backend type='emulator'/></tpm>",
    'nvram': '<nvram/>', 'nvramat': '<nvram>%s</nvram>' % place("type='spapr-vio' reg='0x5000'"), 'diag288': "<watchdog model='diag288'/>",
    'i6300esb': "<watchdog model='i6300esb'/>", 'smmuv3': "<iommu model='smmuv3'/>", 'iommu': {'after': '<features><acpi/></features>', 'devices': "<iommu model='virtio'/>"},
    'intel': "<iommu model='intel'/>", 'vsock': "<vsock><cid auto='yes'/></vsock>", 'fs': "<filesystem><source dir='/x'/><target dir='y'/></filesystem>",
    'shmem': "<shmem name='a'><model type='ivshmem-plain'/></shmem>", 'sound': "<sound model='ich6'/>", 'hub': "<hub type='usb'/>", 'redir': "<redirdev bus='usb' type='pty'/>",
    'agent': "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
    # features, processors, boot
    **{'f-' + name: {'after': '<features>%s</features>' % text} for name, text in {
        'gic': '<gic/>', 'gic3': "<gic version='3'/>", 'hpt': "<hpt resizing='enabled'/>", 'hptsize': "<hpt><maxpagesize unit='KiB'>64</maxpagesize></hpt>",
        'htm': "<htm state='off'/>", 'nested': "<nested-hv state='on'/>", 'ccf': "<ccf-assist state='on'/>", 'cfpc': "<cfpc value='fixed'/>",
        'sbbc': "<sbbc value='workaround'/>", 'ibs': "<ibs value='fixed-na'/>", 'ioapic': "<ioapic driver='kvm'/>", 'vmport': "<vmport state='off'/>",
        'eoi': "<apic eoi='on'/>", 'spin': "<pvspinlock state='on'/>", 'hyperv': "<hyperv><relaxed state='on'/></hyperv>", 'pmu': "<pmu state='off'/>",
        'acpi': '<acpi/>', 'core': '<vmcoreinfo/>', 'tcg': "<tcg><tb-cache unit='MiB'>1</tb-cache></tcg>"}.items()},
    'p-max': {'after': "<cpu mode='maximum'/>"}, 'p-host': {'after': "<cpu mode='host-passthrough'/>"}, 'p-model': {'after': "<cpu mode='host-model'/>"},
    'p-named': {'after': "<cpu><model>cortex-a57</model></cpu>"}, 'p-cache': {'after': "<cpu mode='maximum'><cache mode='disable'/></cpu>"},
    'p-bits': {'after': "<cpu mode='maximum'><maxphysaddr mode='emulate' bits='40'/></cpu>"}, 'p-sve': {'after': "<cpu mode='maximum'><feature name='sve256'/></cpu>"},
    'p-nosve': {'after': "<cpu><model>max</model><feature name='sve' policy='disable'/><feature name='sve256'/></cpu>"},
    'p-topology': {'after': "<cpu><topology sockets='1' cores='1' threads='1'/></cpu>"},
    'serialbios': {'os': "<bios useserial='yes'/>", 'devices': "<serial type='pty'/>"}, 'kvm': {'type': 'kvm'},
    'load': disk('vda', '', "<boot order='1' loadparm='ab.1 x'/>"), 'loadlong': disk('vda', '', "<boot order='1' loadparm='abcdefghi'/>"),
    'loadempty': disk('vda', '', "<boot order='1' loadparm=''/>"), 'keywrap': {'before': "<keywrap><cipher name='dea' state='on'/></keywrap>"},
    'rom': {'os': "<loader>/rom</loader>"}, 'flash': {'os': "<loader readonly='yes' type='pflash'>/code</loader><nvram>/vars</nvram>"},
    'flashacpi': {'os': "<loader readonly='yes' type='pflash'>/code</loader><nvram>/vars</nvram>", 'after': '<features><acpi/></features>'},
    'dimm': {'before': "<maxMemory slots='2' unit='KiB'>2097152</maxMemory>", 'after': "<cpu><numa><cell id='0' cpus='0' memory='65536'/></numa></cpu>",
             'devices': "<memory model='dimm'><target><size unit='KiB'>100000</size><node>0</node></target></memory>"},
    'nvdimm': {'before': "<maxMemory slots='2' unit='KiB'>2097152</maxMemory>", 'after': "<cpu><numa><cell id='0' cpus='0' memory='65536'/></numa></cpu>",
               'devices': "<memory model='nvdimm'><uuid>1e1b9a1c-2f4b-4a7e-9d53-0f6c8a3b7d12</uuid><source><path>/x</path></source><target>"
                          "<size unit='KiB'>600000</size><node>0</node><label><size unit='KiB'>128</size></label></target></memory>"},
    'nvdimmsmall': {'before': "<maxMemory slots='2' unit='KiB'>2097152</maxMemory>", 'after': "<cpu><numa><cell id='0' cpus='0' memory='65536'/></numa></cpu>",
                    'devices': "<memory model='nvdimm'><source><path>/x</path></source><target><size unit='KiB'>100000</size><node>0</node>"
                               "<label><size unit='KiB'>128</size></label></target></memory>"},
}

DIFFERENT = {
    **dict.fromkeys(('nicusb-' + machine for machine in ('virt', 'versatile', 'pseries', 'powernv', 'beige', 'ccw', 'riscv')),
                    'libvirtd looks for a PCI slot for a USB device'),
    **dict.fromkeys(('ccwbad-' + machine for machine in MACHINES), 'a number beyond its limit is called that'),
    **dict.fromkeys(('pci-' + machine for machine in ('mps', 'vexpress', 'spike')), 'no place on a bus that is not there is written with its zeros'),
    **dict.fromkeys(('pcibus0-virt', 'pcibus0-riscv'), 'libvirtd moves what the document puts on a bus; both refuse it'),
}
