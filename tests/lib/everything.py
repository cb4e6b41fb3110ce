# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every device and option of everyday guests, and where QEMU shows each.

A document is a head and rows (what the document says, what QEMU must say). A device has an alias of the user's, by which it is
found. What QEMU must say is a dictionary of "place": value, where a place is one of
    qom ALIAS PROPERTY        of the device; a path that begins with / is any object's
    block ALIAS KEY.KEY       of its entry in query-block
    chardev ALIAS             the file name in query-chardev of the character device that it uses
    QUERY KEY.KEY             of the answer of a query, where NAME=VALUE chooses an entry of a list
    thread NAME               the host CPUs that a thread may run on; fd, environ: what the process has
A value may be a regular expression (re.compile)."""
import re

from . import guests

GENID = '43dc0cf8-809b-4adb-9bea-a9abb5f3d90e'
TESTING = 'http://libvirt.org/schemas/domain/qemu/1.0'
MiB = 1 << 20


def image(name, size='8M'):
    return guests.image('every-%s.img' % name, size)


def alias(name):
    return "<alias name='ua-%s'/>" % name


def disk(target, bus, driver='', more='', kind='disk', options='', media=True):
    source = f"<source file='{image(target)}'/>" if media else ''
    return f"""<disk type='file' device='{kind}' {options}><driver name='qemu' type='raw' {driver}/>{source}
      <target dev='{target}' bus='{bus}'/>{more}{alias(target)}</disk>"""


def card(number, model, more='', kind='user', source=''):
    return f"""<interface type='{kind}'>{source}<mac address='52:54:00:77:00:{number:02x}'/><model type='{model}'/>{more}
      {alias('net%d' % number)}</interface>"""


def mac(number):
    return {'qom net%d mac' % number: '52:54:00:77:00:%02x' % number}


def channel(name, kind, source='', more=''):
    return f"<channel type='{kind}'>{source}<target type='virtio' name='test.{name}'/>{more}{alias(name)}</channel>"


THROTTLE = {'total_bytes_sec': 1 << 20, 'read_iops_sec': 100, 'write_iops_sec': 200, 'total_bytes_sec_max': 2 << 20,
            'total_bytes_sec_max_length': 3, 'read_iops_sec_max': 400, 'size_iops_sec': 4096}
THROTTLED = {'bps': 1 << 20, 'iops_rd': 100, 'iops_wr': 200, 'bps_max': 2 << 20, 'bps_max_length': 3, 'iops_rd_max': 400, 'iops_size': 4096}


def disks():
    yield disk('sda', 'sata', "cache='none' io='native' discard='unmap'", '<serial>SATA-1</serial>'), {
        'qom sda type': 'ide-hd', 'qom sda serial': 'SATA-1', 'qom sda write-cache': 'on',
        'block sda inserted.cache.direct': True, 'block sda inserted.cache.writeback': True, 'discard sda': True, 'aio': True}
    yield disk('sdb', 'scsi', "cache='writethrough' discard='ignore'", '<serial>SCSI-1</serial><wwn>5000c50015ea71ab</wwn>'
               '<vendor>ACME</vendor><product>Disk</product>'), {
        'qom sdb type': 'scsi-hd', 'qom sdb serial': 'SCSI-1', 'qom sdb wwn': 0x5000c50015ea71ab, 'qom sdb vendor': 'ACME',
        'qom sdb product': 'Disk', 'qom sdb write-cache': 'off', 'block sdb inserted.cache.writeback': False, 'discard sdb': False}
    yield disk('sdc', 'usb', "cache='unsafe' io='threads'", "<serial>USB-1</serial>").replace("bus='usb'", "bus='usb' removable='on'"), {
        'qom sdc type': 'usb-storage', 'qom sdc serial': 'USB-1', 'qom sdc removable': True, 'block sdc inserted.cache.no-flush': True}
    yield disk('vda', 'virtio', "queues='2' queue_size='128' event_idx='off' ioeventfd='on' iothread='1' io='io_uring' error_policy='report' "
               "rerror_policy='ignore' copy_on_read='on' packed='on'", "<blockio logical_block_size='512' "
               "physical_block_size='4096'/><serial>VIRTIO-1</serial>"), {
        'qom vda type': 'virtio-blk-pci', 'qom vda num-queues': 2, 'qom vda queue-size': 128, 'qom vda event_idx': False,
        'qom vda ioeventfd': True, 'qom vda iothread': '/objects/iothread1', 'qom vda werror': 'report', 'qom vda rerror': 'ignore',
        'qom vda logical_block_size': 512, 'qom vda physical_block_size': 4096, 'qom vda serial': 'VIRTIO-1', 'qom vda packed': True,
        'fd': re.compile(r'anon_inode:\[io_uring\]')}
    yield disk('vdb', 'virtio', "detect_zeroes='on'", more='<iotune>%s<group_name>slow</group_name></iotune>' % ''.join(
        '<%s>%d</%s>' % (name, value, name) for name, value in THROTTLE.items())), {
            **{'block vdb inserted.' + name: value for name, value in THROTTLED.items()}, 'block vdb inserted.group': 'slow', 'block vdb inserted.detect_zeroes': 'on'}
    yield disk('vdc', 'virtio', more='<readonly/>'), {'block vdc inserted.ro': True}
    yield disk('vdd', 'virtio', more='<shareable/>'), {'qom vdd share-rw': True}
    yield disk('sde', 'sata', kind='cdrom', more='<readonly/>', media=False), {'qom sde type': 'ide-cd', 'block sde removable': True,
                                                                              'block sde inserted': None}
    yield disk('fda', 'fdc', kind='floppy'), {'qom fda type': 'floppy', 'block fda inserted.ro': False}
    yield f"<controller type='scsi' model='virtio-scsi'><driver queues='3' cmd_per_lun='8' max_sectors='512' iothread='2'/>{alias('scsi')}</controller>", {
        'qom scsi type': 'virtio-scsi-pci', 'qom scsi num_queues': 3, 'qom scsi cmd_per_lun': 8, 'qom scsi max_sectors': 512,
        'qom scsi iothread': '/objects/iothread2'}


def cards():
    yield card(1, 'e1000'), {'qom net1 type': 'e1000', **mac(1)}
    yield card(2, 'rtl8139', "<rom bar='off'/>"), {'qom net2 type': 'rtl8139', 'qom net2 rombar': 0, **mac(2)}
    yield card(3, 'virtio', "<driver name='qemu' queues='2' rx_queue_size='512' tx_queue_size='256' event_idx='off' txmode='timer'>"
               "<host csum='off' gso='off'/><guest tso4='off' ufo='off'/></driver><mtu size='1400'/><target dev='everytap'/>", 'ethernet'), {
        'qom net3 type': 'virtio-net-pci', 'qom net3 mq': True, 'qom net3 vectors': 6, 'qom net3 rx_queue_size': 512, 'qom net3 tx_queue_size': 256,
        'qom net3 event_idx': False, 'qom net3 tx': 'timer', 'qom net3 csum': False, 'qom net3 gso': False, 'qom net3 guest_tso4': False,
        'qom net3 guest_ufo': False, 'qom net3 host_mtu': 1400, 'fds /dev/net/tun': 2, **mac(3)}
    yield card(4, 'e1000e', "<link state='down'/><boot order='3'/>"), {'qom net4 type': 'e1000e', 'qom net4 bootindex': 3, **mac(4)}


def spice():
    yield f"""<graphics type='spice' port='5999' autoport='no' passwd='secret'><listen type='address' address='127.0.0.1'/>
        <channel name='main' mode='insecure'/><channel name='display' mode='insecure'/><mouse mode='server'/><image compression='off'/>
        <streaming mode='off'/></graphics>""", {
            'query-spice enabled': True, 'query-spice port': 5999, 'query-spice host': '127.0.0.1', 'query-spice auth': 'spice',
            'query-spice mouse-mode': 'server'}
    yield f"<video><model type='qxl' ram='65536' vram='32768' vgamem='16384' heads='2'/>{alias('qxl')}</video>", {
        'qom qxl type': 'qxl-vga', 'qom qxl ram_size': 64 * MiB, 'qom qxl vram_size': 32 * MiB, 'qom qxl vgamem_mb': 16, 'qom qxl max_outputs': 2}
    yield f"<channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/>{alias('vdagent')}</channel>", {
        'qom vdagent type': 'virtserialport', 'qom vdagent name': 'com.redhat.spice.0', 'chardev vdagent': 'spicevmc'}
    yield f"""<channel type='spiceport'><source channel='org.spice-space.webdav.0'/><target type='virtio' name='org.spice-space.webdav.0'/>
        {alias('webdav')}</channel>""", {'qom webdav name': 'org.spice-space.webdav.0', 'chardev webdav': 'spiceport'}
    yield f"<redirdev bus='usb' type='spicevmc'>{alias('redir')}</redirdev><redirfilter><usbdev class='0x08' allow='yes'/><usbdev allow='no'/></redirfilter>", {
        'qom redir type': 'usb-redir', 'qom redir filter': '0x08:-1:-1:-1:1|-1:-1:-1:-1:0', 'chardev redir': 'spicevmc'}
    yield f"<smartcard mode='passthrough' type='spicevmc'>{alias('card')}</smartcard>", {'qom card type': 'ccid-card-passthru', 'chardev card': 'spicevmc'}
    yield f"<sound model='ich6'><audio id='2'/>{alias('ich6')}</sound>", {'qom ich6 type': 'intel-hda'}
    yield f"<sound model='ich9'><audio id='1'/>{alias('ich9')}</sound>", {'qom ich9 type': 'ich9-intel-hda', '/machine/peripheral/ua-ich9-codec0 audiodev': 'audio1'}
    yield f"<sound model='ac97'><audio id='3'/>{alias('ac97')}</sound>", {'qom ac97 type': 'AC97', 'qom ac97 audiodev': 'audio3'}
    yield f"<audio id='1' type='spice'/><audio id='2' type='none'/><audio id='3' type='file' path='{guests.IMAGES}/every.wav'/>", {
        'fd': re.compile('every.wav$', re.M)}


def channels():
    folder = guests.IMAGES
    yield f"<controller type='virtio-serial' ports='20' vectors='4'>{alias('ports')}</controller>", {
        'qom ports type': 'virtio-serial-pci', 'qom ports max_ports': 20, 'qom ports vectors': 4}
    yield f"<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/>{alias('agent')}</channel>", {
        'qom agent name': 'org.qemu.guest_agent.0', 'chardev agent': re.compile('^(disconnected:)?unix:')}
    yield channel('unix', 'unix', f"<source mode='bind' path='{folder}/every.sock'/>"), {'chardev unix': f'disconnected:unix:{folder}/every.sock,server=on'}
    yield channel('tcp', 'tcp', "<source mode='bind' host='127.0.0.1' service='4577' tls='no'/><protocol type='raw'/>"), {
        'chardev tcp': 'disconnected:tcp:127.0.0.1:4577,server=on'}
    yield channel('telnet', 'tcp', "<source mode='bind' host='127.0.0.1' service='4578'/><protocol type='telnet'/>"), {
        'chardev telnet': 'disconnected:telnet:127.0.0.1:4578,server=on'}
    yield channel('udp', 'udp', "<source mode='connect' host='127.0.0.1' service='4579'/><source mode='bind' host='127.0.0.1' service='4580'/>"), {
        'chardev udp': 'udp'}
    yield channel('null', 'null'), {'chardev null': 'null'}
    yield channel('file', 'file', f"<source path='{folder}/every.log' append='on'/>"), {'chardev file': 'file', 'exists ' + folder + '/every.log': True}
    yield channel('pty', 'pty', more="<address type='virtio-serial' controller='0' bus='0' port='9'/>"), {
        'qom pty nr': 9, 'chardev pty': re.compile('^pty:/dev/pts/')}
    yield channel('pipe', 'pipe', f"<source path='{folder}/every.pipe'/>"), {'chardev pipe': 'pipe', 'fd': re.compile('every.pipe$', re.M)}
    yield f"<serial type='pty'><log file='{folder}/every-serial.log' append='off'/><target type='isa-serial' port='0'/>{alias('serial')}</serial>", {
        'qom serial type': 'isa-serial', 'qom serial index': 0, 'chardev serial': re.compile('^pty:')}
    yield f"<serial type='null'><target type='pci-serial'/>{alias('pciserial')}</serial>", {'qom pciserial type': 'pci-serial', 'chardev pciserial': 'null'}
    yield f"<serial type='null'><target type='usb-serial'/>{alias('usbserial')}</serial>", {'qom usbserial type': 'usb-serial'}
    yield f"<parallel type='file'><source path='{folder}/every.lpt'/><target port='0'/>{alias('lpt')}</parallel>", {
        'qom lpt type': 'isa-parallel', 'chardev lpt': 'file'}
    yield f"<console type='null'><target type='virtio'/>{alias('console')}</console>", {'qom console type': 'virtconsole', 'chardev console': 'null'}


def others(folder):
    yield f"<watchdog model='i6300esb' action='pause'>{alias('dog')}</watchdog>", {'qom dog type': 'i6300esb'}
    yield f"<panic model='isa'><address type='isa' iobase='0x606'/>{alias('panic')}</panic>", {'nameless pvpanic ioport': 0x606}
    yield f"<tpm model='tpm-crb'><backend type='emulator' version='2.0'/>{alias('tpm')}</tpm>", {
        'qom tpm type': 'tpm-crb', 'query-tpm 0.model': 'tpm-crb', 'query-tpm 0.options.type': 'emulator'}
    yield f"<shmem name='every' role='master'><model type='ivshmem-plain'/><size unit='M'>4</size>{alias('shmem')}</shmem>", {
        'qom shmem type': 'ivshmem-plain', 'qom shmem master': 'on', 'query-memdev id=shmmem-ua-shmem.size': 4 * MiB,
        'query-memdev id=shmmem-ua-shmem.share': True, 'fd': re.compile('/dev/shm/every')}
    yield f"""<shmem name='bell'><model type='ivshmem-doorbell'/><server path='{guests.IMAGES}/every.bell'/><msi vectors='4' ioeventfd='on'/>
        {alias('bell')}</shmem>""", {'qom bell type': 'ivshmem-doorbell', 'qom bell vectors': 4, 'qom bell ioeventfd': True,
                                    'chardev bell': re.compile('^unix:')}
    yield f"""<filesystem type='mount'><driver type='virtiofs' queue='512'/><source dir='{folder}'/><target dir='live'/>{alias('live')}</filesystem>""", {
        'qom live type': 'vhost-user-fs-pci', 'qom live tag': 'live', 'qom live queue-size': 512}
    yield f"<filesystem type='mount' accessmode='mapped'><source dir='{folder}'/><target dir='nine'/><readonly/>{alias('nine')}</filesystem>", {
        'qom nine type': 'virtio-9p-pci', 'qom nine mount_tag': 'nine'}
    yield f"<hub type='usb'>{alias('hub')}</hub>", {'qom hub type': 'usb-hub'}
    yield f"<controller type='usb' model='qemu-xhci' ports='15'>{alias('xhci')}</controller>", {
        'qom xhci type': 'qemu-xhci', 'qom xhci p2': 15, 'qom xhci p3': 15}
    yield f"<iommu model='intel'><driver intremap='on' caching_mode='on' iotlb='on' aw_bits='48'/></iommu>", {
        '/machine/peripheral/iommu0 type': 'intel-iommu', '/machine/peripheral/iommu0 intremap': 'on', '/machine/peripheral/iommu0 caching-mode': True,
        '/machine/peripheral/iommu0 device-iotlb': True, '/machine/peripheral/iommu0 aw-bits': 48}
    yield f"<rng model='virtio'><rate bytes='1024' period='1000'/><backend model='random'>/dev/urandom</backend>{alias('rng')}</rng>", {
        'qom rng type': 'virtio-rng-pci', 'qom rng max-bytes': 1024, 'qom rng period': 1000, '/objects/objua-rng filename': '/dev/urandom'}
    yield f"<memballoon model='virtio' autodeflate='on' freePageReporting='on'><stats period='5'/>{alias('balloon')}</memballoon>", {
        'qom balloon type': 'virtio-balloon-pci', 'qom balloon deflate-on-oom': True, 'qom balloon free-page-reporting': True,
        'qom balloon guest-stats-polling-interval': 5}
    yield f"<input type='tablet' bus='usb'>{alias('tablet')}</input>", {'qom tablet type': 'usb-tablet'}
    yield f"<input type='keyboard' bus='virtio'>{alias('keyboard')}</input>", {'qom keyboard type': 'virtio-keyboard-pci'}


def heads():
    yield f'<genid>{GENID}</genid>', {'query-vm-generation-id guid': GENID}
    yield "<memory unit='MiB'>256</memory>", {'query-memory-size-summary base-memory': 256 * MiB}
    yield "<memoryBacking><source type='memfd'/><access mode='shared'/><allocation mode='ondemand'/></memoryBacking>", {
        'fd': re.compile('memfd:')}
    yield "<vcpu>4</vcpu><iothreads>2</iothreads><iothreadids><iothread id='1'/><iothread id='2' thread_pool_min='1' thread_pool_max='9'/></iothreadids>", {
        'query-iothreads id=iothread1.id': 'iothread1', '/objects/iothread2 thread-pool-min': 1, '/objects/iothread2 thread-pool-max': 9}
    yield """<cputune><vcpupin vcpu='0' cpuset='0'/><vcpupin vcpu='3' cpuset='1'/><emulatorpin cpuset='1'/><iothreadpin iothread='2' cpuset='0'/>
        </cputune>""", {'thread cpu 0': '0', 'thread cpu 3': '1', 'thread iothread 2': '0', 'thread emulator': '1'}
    yield "<numatune><memory mode='strict' nodeset='0'/><memnode cellid='1' mode='preferred' nodeset='0'/></numatune>", {
        'query-memdev id=ram-node0.policy': 'bind', 'query-memdev id=ram-node0.host-nodes': [0], 'query-memdev id=ram-node1.policy': 'preferred'}
    yield """<sysinfo type='smbios'><bios><entry name='vendor'>Firm, Ltd.</entry></bios><system><entry name='manufacturer'>Maker</entry>
        <entry name='serial'>S-1</entry></system></sysinfo>""", {}
    yield """<os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type><loader secure='yes'/><bootmenu enable='yes' timeout='3000'/>
        <smbios mode='sysinfo'/><bios rebootTimeout='5000'/></os>""", {
            '/machine smm': 'on', '/machine/system.flash0 secure': True, '/machine boot reboot-timeout': 5000, '/machine boot menu': True,
            '/machine boot splash-time': 3000, 'block system.flash0 inserted.ro': True, 'block system.flash1 inserted.ro': False}
    yield "<features><acpi/><apic/><smm state='on'/><vmport state='off'/><ioapic driver='qemu'/><vmcoreinfo state='on'/></features>", {
        '/machine vmport': 'off'}
    yield """<cpu mode='custom' match='exact' check='none'><model>qemu64</model><topology sockets='2' dies='1' cores='2' threads='1'/>
        <feature policy='require' name='rdrand'/><numa><cell id='0' cpus='0-1' memory='131072'/><cell id='1' cpus='2-3' memory='131072'
        memAccess='shared'/></numa></cpu>""", {
            'query-cpus-fast cpu-index=0.props.node-id': 0, 'query-cpus-fast cpu-index=3.props.node-id': 1,
            'query-cpus-fast cpu-index=3.props.socket-id': 1, 'query-memdev id=ram-node1.size': 128 * MiB, 'query-memdev id=ram-node1.share': True,
            'cpu rdrand': True}


def own_arguments():
    yield f"""<qemu:commandline xmlns:qemu='{TESTING}'><qemu:arg value='-device'/><qemu:arg value='isa-debug-exit,id=own,iobase=0x501'/>
        <qemu:env name='EVERY' value='thing'/></qemu:commandline>""", {
            '/machine/peripheral/own type': 'isa-debug-exit', '/machine/peripheral/own iobase': 0x501, 'environ EVERY': 'thing'}


def older():
    """What only the machine "pc" has."""
    yield disk('hda', 'ide', "cache='writeback'", "<serial>IDE-1</serial><wwn>5000c50015ea71ac</wwn><geometry cyls='20' heads='16' secs='63'/>"), {
        'qom hda type': 'ide-hd', 'qom hda serial': 'IDE-1', 'qom hda wwn': 0x5000c50015ea71ac, 'qom hda cyls': 20, 'qom hda heads': 16,
        'qom hda secs': 63, 'qom hda unit': 0}
    yield disk('hdd', 'ide', kind='cdrom', more='<readonly/><boot order=\'1\'/>'), {
        'qom hdd type': 'ide-cd', 'qom hdd unit': 1, 'qom hdd bootindex': 1, 'block hdd inserted.ro': True}
    yield disk('fda', 'fdc', kind='floppy'), {'qom fda type': 'floppy', 'qom fda unit': 0}
    yield disk('fdb', 'fdc', kind='floppy', more='<readonly/>'), {'qom fdb unit': 1, 'block fdb inserted.ro': True}
    yield disk('sda', 'usb'), {'qom sda type': 'usb-storage'}
    yield disk('sdh', 'scsi', more="<address type='drive' controller='0' target='0' unit='3'/>"), {'qom sdh type': 'scsi-hd', 'qom sdh scsi-id': 3}
    yield f"<controller type='scsi' index='0' model='lsilogic'>{alias('lsi')}</controller>", {'qom lsi type': 'lsi53c895a'}
    yield f"<controller type='usb' model='piix3-uhci'>{alias('uhci')}</controller>", {'qom uhci type': 'piix3-usb-uhci'}
    yield card(1, 'e1000'), {'qom net1 type': 'e1000', **mac(1)}
    yield card(2, 'ne2k_pci'), {'qom net2 type': 'ne2k_pci', **mac(2)}
    yield card(3, 'pcnet'), {'qom net3 type': 'pcnet', **mac(3)}
    yield f"<watchdog model='ib700' action='reset'>{alias('dog')}</watchdog>", {'qom dog type': 'ib700'}
    yield f"<sound model='sb16'>{alias('sb16')}</sound><audio id='1' type='none'/>", {'qom sb16 type': 'sb16', 'qom sb16 audiodev': 'audio1'}
    yield f"<sound model='es1370'>{alias('es1370')}</sound>", {'qom es1370 type': 'ES1370'}
    yield f"<tpm model='tpm-tis'><backend type='emulator' version='2.0'/>{alias('tpm')}</tpm>", {
        'qom tpm type': 'tpm-tis', 'query-tpm 0.model': 'tpm-tis'}
    yield f"<hub type='usb'>{alias('hub')}</hub>", {'qom hub type': 'usb-hub'}
    yield f"<memballoon model='none'/><video><model type='cirrus'/>{alias('video')}</video>", {'qom video type': 'cirrus-vga'}
    yield "<graphics type='vnc' port='-1' passwd='secret'/>", {'query-vnc enabled': True, 'query-vnc auth': 'vnc'}
    yield f"<serial type='null'><target type='isa-debug'/><address type='isa' iobase='0x402'/>{alias('debug')}</serial>", {
        'qom debug type': 'isa-debugcon', 'qom debug iobase': 0x402}


def older_heads():
    yield "<memory unit='MiB'>64</memory><vcpu>1</vcpu>", {'query-memory-size-summary base-memory': 64 * MiB}
    yield "<os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/><bios useserial='yes'/></os>".replace("<boot dev='hd'/>", ''), {
        '/machine graphics': False}
    yield '<features><acpi/><apic/><pae/></features>', {}


def hugepage_heads():
    yield """<memory unit='MiB'>64</memory><vcpu>2</vcpu><memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages><source type='memfd'/>
        <access mode='shared'/></memoryBacking><os><type arch='x86_64' machine='q35'>hvm</type></os>
        <cpu><numa><cell id='0' cpus='0-1' memory='65536'/></numa></cpu>""", {
            '/objects/ram-node0 hugetlb': True, '/objects/ram-node0 hugetlbsize': 2 * MiB, '/objects/ram-node0 share': True,
            '/objects/ram-node0 type': 'memory-backend-memfd', 'query-memdev id=ram-node0.prealloc': True}


def accelerated_heads():
    """What only KVM gives a guest."""
    yield """<memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os>
        <features><acpi/><apic/><hyperv mode='custom'><relaxed state='on'/><spinlocks state='on' retries='8191'/>
        <vendor_id state='on' value='everything'/></hyperv><kvm><hidden state='on'/><hint-dedicated state='on'/></kvm><pvspinlock state='off'/></features>
        <cpu mode='custom' check='none'><model>kvm64</model></cpu><clock><timer name='kvmclock' present='no'/></clock>""", {
            'cpu hv-relaxed': True, 'cpu hv-spinlocks': 8191, 'cpu hv-vendor-id': 'everything', 'cpu kvm': False,
            'cpu kvm-hint-dedicated': True, 'cpu kvm-pv-unhalt': False, 'cpu kvmclock': False, 'query-kvm enabled': True}


class Document:
    """The domain NAME of HEADS and DEVICES, and everything that QEMU must then say."""

    def __init__(self, name, heads, devices, after=(), kind='qemu'):
        head, inner, last = ([*part] for part in (heads, devices, after))
        self.expected = {}
        for _, expected in head + inner + last:
            assert not set(expected) & set(self.expected) - {'fd'}, expected
            self.expected.update({place + ' ' * (place == 'fd') + (value.pattern if place == 'fd' else ''): value for place, value in expected.items()})
        self.xml = f"""<domain type='{kind}'><name>{name}</name><uuid>{guests.uuid_of(name)}</uuid>{''.join(xml for xml, _ in head)}
            <devices><emulator>{guests.EMULATOR}</emulator>{''.join(xml for xml, _ in inner)}</devices>{''.join(xml for xml, _ in last)}</domain>"""


NONE = [("<memballoon model='none'/><controller type='usb' model='none'/>", {})]


NONE = [("<memballoon model='none'/><controller type='usb' model='none'/>", {})]


def newest(folder):
    return Document('every-q35', heads(), [*disks(), *cards(), *spice(), *channels(), *others(folder)], own_arguments())


def oldest():
    return Document('every-pc', older_heads(), older())


def hugepages():
    return Document('every-huge', hugepage_heads(), NONE)


def accelerated():
    return Document('every-kvm', accelerated_heads(), NONE, kind='kvm')


def vsock():
    return Document('every-vsock', older_heads(), NONE + [(f"<vsock model='virtio'><cid auto='no' address='77'/>{alias('vsock')}</vsock>", {
        'qom vsock type': 'vhost-vsock-pci', 'qom vsock guest-cid': 77})])
