# SPDX-License-Identifier: LGPL-2.1-or-later
"""Walks around what a guest is given of its host: processors, threads, memory. A function each: what a person types at virsh."""
from . import starts

TUNED = """<cputune><vcpupin vcpu='0' cpuset='0'/><vcpupin vcpu='1' cpuset='1'/><emulatorpin cpuset='0'/>
<iothreadpin iothread='2' cpuset='1'/><vcpusched vcpus='1' scheduler='batch'/><iothreadsched iothreads='1' scheduler='idle'/>
<emulatorsched scheduler='batch'/></cputune>"""


def guest(name, head='<iothreads>2</iothreads>', vcpu="<vcpu current='2'>3</vcpu>"):
    return starts.bare(name, head=head, vcpu=vcpu)


def each(walk, *commands):
    for command in commands:
        walk(*command.replace('G', walk.name).split())


def both(walk, *commands):
    """For a guest that is off, and again for one that runs."""
    each(walk, *commands)
    each(walk, 'start G --paused', *commands)


def pins(walk):
    walk.define(guest(walk.name))
    both(walk, 'vcpupin G', 'vcpupin G 0', 'vcpupin G 0 0', 'vcpupin G', 'vcpupin G 0 0 --config', 'vcpupin G 1 1 --live', 'vcpupin G 1 1 --current',
         'vcpupin G 2 1', 'vcpupin G 2 1 --config', 'vcpupin G 3 1', 'vcpupin G 3 1 --config', 'vcpupin G 9', 'vcpupin G 0 0 --config --live',
         'vcpupin G 0 r', 'vcpupin G 0 7', 'vcpupin G 0 x', 'vcpupin G 0 0,1 --config', 'vcpupin G --config', 'vcpupin G --live',
         'emulatorpin G', 'emulatorpin G 1', 'emulatorpin G', 'emulatorpin G 0 --config', 'emulatorpin G 1 --live', 'emulatorpin G --config',
         'emulatorpin G --live', 'emulatorpin G 7', 'emulatorpin G r', 'emulatorpin G 0-1 --config --live',
         'vcpuinfo G --pretty', 'vcpucount G', 'dumpxml G', 'dumpxml G --inactive')
    each(walk, 'destroy G', 'dumpxml G', 'undefine G')


def threads(walk):
    walk.define(guest(walk.name))
    both(walk, 'iothreadinfo G', 'iothreadinfo G --config', 'iothreadinfo G --live', 'iothreadpin G 1 0', 'iothreadpin G 1 0 --config',
         'iothreadpin G 2 1 --live', 'iothreadpin G 9 1', 'iothreadpin G 9 1 --config', 'iothreadpin G 1 7 --config', 'iothreadpin G 0 0',
         'iothreadadd G 2', 'iothreadadd G 5 --config', 'iothreadadd G 6 --live', 'iothreadadd G 7 --live --config', 'iothreadadd G 0', 'iothreaddel G 0',
         'iothreaddel G 5 --config', 'iothreaddel G 6 --live', 'iothreaddel G 7 --live --config', 'iothreaddel G 9', 'iothreadset G 1 --poll-max-ns 1000',
         'iothreadset G 1 --poll-max-ns 1000 --config', 'iothreadset G 1 --poll-grow 3 --poll-shrink 2', 'iothreadset G 9 --poll-grow 3',
         'iothreadset G 1 --thread-pool-min 2 --thread-pool-max 9', 'iothreadset G 1 --thread-pool-min 3 --thread-pool-max 8 --config',
         'iothreadset G 2 --thread-pool-min 9 --thread-pool-max 8 --live', 'iothreadset G 2 --thread-pool-min 9 --thread-pool-max 8 --config',
         'iothreadset G 2 --thread-pool-max 0 --live', 'iothreadset G 2 --poll-max-ns 99999999999', 'iothreadset G 0 --poll-grow 1',
         'iothreadset G 2 --thread-pool-min -5', 'iothreadset G 2 --thread-pool-max -5', 'iothreadset G 2 --poll-grow 3000000000',
         'iothreadset G 2 --poll-shrink 3000000000', 'iothreadset G 2 --poll-max-ns 5000 --poll-grow 2 --live',
         'iothreadset G 2 --thread-pool-min 3 --thread-pool-max 100 --live', 'iothreadset G 1', 'iothreaddel G 1', 'iothreaddel G 1 --config', 'iothreadinfo G',
         'dumpxml G', 'dumpxml G --inactive')
    each(walk, 'destroy G', 'dumpxml G', 'undefine G')
    walk.define(starts.bare(walk.name, head='<iothreads>2</iothreads>', devices=starts.disk('vda', 'virtio', driver="iothread='1'") +
                            "<controller type='scsi' model='virtio-scsi'><driver iothread='2'/></controller>"))
    both(walk, 'iothreaddel G 1', 'iothreaddel G 2', 'iothreaddel G 1 --config', 'iothreaddel G 2 --config')
    each(walk, 'destroy G', 'undefine G')


def tuned(walk):
    walk.define(guest(walk.name, head='<iothreads>2</iothreads>' + TUNED))
    each(walk, 'dumpxml G', 'start G', 'dumpxml G', 'vcpupin G', 'emulatorpin G', 'iothreadinfo G', 'vcpuinfo G --pretty', 'suspend G', 'destroy G',
         'undefine G')


SHARES = (
    'schedinfo G', 'schedinfo G --config', 'schedinfo G --live', 'schedinfo G --set cpu_shares=2048', 'schedinfo G --set cpu_shares=2048 --config',
    'schedinfo G --set vcpu_period=5 --config', 'schedinfo G --set vcpu_period=100000 --config', 'schedinfo G --set vcpu_quota=-1 --config',
    'schedinfo G --set vcpu_quota=5 --config', 'schedinfo G --set vcpu_quota=50000 --config', 'schedinfo G --set emulator_quota=50000 --config',
    'schedinfo G --set global_period=50000 --config', 'schedinfo G --set iothread_quota=50000 --config', 'schedinfo G --set cpu_shares=1 --config',
    'schedinfo G --set nonsense=1 --config', 'schedinfo G --config', 'schedinfo G --live --set vcpu_period=100000', 'schedinfo G --set cpu_shares=9 --live')
MEMORY = (
    'memtune G', 'memtune G --config', 'memtune G --live', 'memtune G 100000', 'memtune G --hard-limit 100000 --config',
    'memtune G --soft-limit 50000 --swap-hard-limit 40000 --config', 'memtune G --soft-limit 50000 --swap-hard-limit 400000 --config',
    'memtune G --min-guarantee 7 --config', 'memtune G --hard-limit -1 --config', 'memtune G --config', 'memtune G --hard-limit 200000 --live')
BLOCKS = (
    'blkiotune G', 'blkiotune G --config', 'blkiotune G --live', 'blkiotune G --weight 500', 'blkiotune G --weight 500 --config',
    'blkiotune G --weight 5 --config', 'blkiotune G --weight 5000 --config', 'blkiotune G --device-weights /dev/null,500 --config',
    'blkiotune G --device-read-iops-sec /dev/null,9 --config', 'blkiotune G --device-write-bytes-sec /dev/null,9999 --config',
    'blkiotune G --device-weights /nonesuch,500 --config', 'blkiotune G --device-weights /dev/null,5 --config',
    'blkiotune G --device-weights /dev/null --config', 'blkiotune G --device-weights /dev/null,0 --config', 'blkiotune G --config',
    'blkiotune G --live --weight 300')
NODES = (
    'numatune G', 'numatune G --config', 'numatune G --live', 'numatune G --mode interleave', 'numatune G --mode strict --nodeset 0 --config',
    'numatune G --mode preferred --config', 'numatune G --mode 7 --config', 'numatune G --nodeset 9 --config', 'numatune G --nodeset x --config',
    'numatune G --nodeset 0 --live', 'numatune G --mode interleave --live', 'numatune G --config', 'numatune G --live')
COUNTERS = (
    'perf G', 'perf G --config', 'perf G --live', 'perf G --enable cpu_cycles,cache_misses --config', 'perf G --enable nonsense --config',
    'perf G --disable cpu_cycles --config', 'perf G --config', 'perf G --enable cmt --live')


def shares(walk):
    """What control groups do, where there are none."""
    for commands in (SHARES, MEMORY, BLOCKS, NODES, COUNTERS):
        walk.define(guest(walk.name))
        each(walk, *commands, 'dumpxml G', 'undefine G')
        walk.define(guest(walk.name))
        each(walk, 'start G --paused', *commands, 'dumpxml G', 'dumpxml G --inactive', 'destroy G', 'undefine G')


def refused(walk):
    """What is said at the start where there are no control groups, or no such host CPU or node."""
    for head in ('<cputune><shares>100</shares></cputune>', '<cputune><quota>5000</quota></cputune>', '<cputune><quota>-1</quota></cputune>',
                 '<cputune><period>5000</period></cputune>',
                 '<cputune><emulator_quota>5000</emulator_quota></cputune>', '<cputune><global_quota>5000</global_quota></cputune>',
                 '<iothreads>1</iothreads><cputune><iothread_quota>5000</iothread_quota></cputune>',
                 "<memtune><soft_limit unit='MiB'>900</soft_limit></memtune>",
                 "<memtune><min_guarantee unit='MiB'>900</min_guarantee></memtune>",
                 '<blkiotune><weight>500</weight></blkiotune>', '<blkiotune><device><path>/dev/null</path><weight>500</weight></device></blkiotune>',
                 '<blkiotune><weight>5</weight></blkiotune>',
                 "<cputune><vcpupin vcpu='0' cpuset='900'/></cputune>", "<cputune><emulatorpin cpuset='900'/></cputune>",
                 "<cputune><vcpupin vcpu='1' cpuset='0'/></cputune>", "<cputune><vcpupin vcpu='0' cpuset=''/></cputune>",
                 "<cputune><vcpupin vcpu='0' cpuset='^0'/></cputune>",
                 "<cputune><cachetune vcpus='0'><cache id='0' level='3' type='both' size='3' unit='MiB'/></cachetune></cputune>",
                 "<cputune><memorytune vcpus='0'><node id='0' bandwidth='60'/></memorytune></cputune>",
                 "<cputune><vcpusched vcpus='0' scheduler='fifo'/></cputune>", "<cputune><vcpusched vcpus='0' scheduler='idle' priority='3'/></cputune>",
                 "<cputune><vcpusched vcpus='5' scheduler='idle'/></cputune>", "<cputune><vcpusched vcpus='0' scheduler='fifo' priority='300'/></cputune>",
                 "<cputune><vcpusched vcpus='0' scheduler='batch'/><vcpusched vcpus='0' scheduler='idle'/></cputune>",
                 "<cputune><iothreadsched iothreads='1' scheduler='idle'/></cputune>",
                 "<perf><event name='cmt' enabled='yes'/></perf>", "<perf><event name='cmt' enabled='no'/></perf>",
                 "<numatune><memory mode='strict' nodeset='9'/></numatune>",
                 "<numatune><memory mode='strict'/></numatune>", "<numatune><memnode cellid='0' mode='strict' nodeset='0'/></numatune>"):
        walk.define(guest(walk.name, head=head, vcpu='<vcpu>1</vcpu>'))
        each(walk, 'start G --paused', 'dumpxml G', 'destroy G', 'undefine G')
    for vcpu in ("<vcpu placement='auto'>1</vcpu>", "<vcpu placement='auto' cpuset='0'>1</vcpu>", "<vcpu cpuset='900'>1</vcpu>", "<vcpu cpuset='1,^1'>1</vcpu>",
                 "<vcpu cpuset='1'>1</vcpu>"):
        walk.define(guest(walk.name, vcpu=vcpu))
        each(walk, 'start G --paused', 'dumpxml G', 'vcpuinfo G --pretty', 'emulatorpin G', 'iothreadinfo G', 'destroy G', 'undefine G')


def try_all(walk, documents):
    for document in documents:
        walk.define(document)
        each(walk, 'dumpxml G', 'start G --paused', 'dumpxml G', 'destroy G', 'undefine G')


def iommus(walk):
    """Models, options and what they need of the machine."""
    split, acpi = "<features><acpi/><ioapic driver='qemu'/></features>", '<features><acpi/><apic/></features>'
    def one(model, driver='', extra=acpi, machine='q35', vcpu='<vcpu>1</vcpu>', address=''):
        return starts.bare(walk.name, extra=extra, machine=machine, vcpu=vcpu, devices="<iommu model='%s'>%s%s</iommu>" % (model, driver, address))
    try_all(walk, [
        one('intel'), one('intel', machine='pc'), one('intel', "<driver intremap='on'/>"), one('intel', "<driver intremap='on'/>", split),
        one('intel', "<driver eim='on'/>", split), one('intel', "<driver intremap='on' eim='on' caching_mode='on' iotlb='on' aw_bits='48'/>", split),
        one('intel', "<driver aw_bits='40'/>"), one('intel', "<driver intremap='off' eim='off' caching_mode='off' iotlb='off'/>"),
        one('smmuv3'), one('virtio'), one('virtio', machine='pc'), one('virtio', extra=''), one('virtio', "<driver intremap='on'/>"),
        one('virtio', address="<address type='pci' bus='0x00' slot='0x09'/>"), one('none'),
        one('intel', vcpu='<vcpu>256</vcpu>'), one('intel', "<driver intremap='on' eim='on'/>", split, vcpu="<vcpu current='1'>256</vcpu>")])


def memories(walk):
    """Where memory comes from."""
    cells = "<cpu><model>qemu64</model><numa><cell id='0' cpus='0' memory='32' unit='MiB'%s/><cell id='1' cpus='1' memory='32' unit='MiB'%s/></numa></cpu>"
    def one(backing='', extra='', head='', vcpu='<vcpu>2</vcpu>'):
        return starts.bare(walk.name, head='<memoryBacking>%s</memoryBacking>' % backing + head if backing else head, extra=extra, vcpu=vcpu)
    nodes = "<numatune><memory mode='%s' nodeset='0'/></numatune>"
    try_all(walk, [
        one('<hugepages/>'), one("<hugepages><page size='2' unit='MiB'/></hugepages>"), one("<hugepages><page size='4' unit='KiB'/></hugepages>"),
        one("<hugepages><page size='2' unit='MiB'/></hugepages><source type='memfd'/>"), one("<hugepages><page size='3' unit='MiB'/></hugepages>"),
        one('<nosharepages/>'), one("<source type='file'/>"), one("<source type='memfd'/>"), one("<source type='anonymous'/>"),
        one("<source type='memfd'/><access mode='shared'/>"), one("<source type='file'/><access mode='shared'/><discard/>"),
        one("<source type='anonymous'/><access mode='shared'/>"), one("<allocation mode='immediate' threads='2'/>"), one("<allocation mode='ondemand'/>"),
        one('<discard/>', cells % ('', " discard='no'")), one('', cells % (" memAccess='shared'", " memAccess='private'")),
        one("<source type='memfd'/>", cells % (" memAccess='shared'", '')),
        *(one(head=nodes % mode) for mode in ('strict', 'preferred', 'interleave', 'restrictive')),
        one('', cells % ('', ''), head="<numatune><memory mode='strict' nodeset='0'/><memnode cellid='1' mode='preferred' nodeset='0'/></numatune>"),
        one('', cells % ('', ''), head="<numatune><memnode cellid='0' mode='interleave' nodeset='0'/></numatune>"),
        one('', cells % ('', ''), head="<numatune><memory mode='restrictive' nodeset='0'/><memnode cellid='1' mode='strict' nodeset='0'/></numatune>"),
        one('', cells % ('', ''), head="<numatune><memory mode='strict' nodeset='0'/><memnode cellid='7' mode='strict' nodeset='0'/></numatune>"),
        one('', cells % ('', ''), head="<numatune><memnode cellid='1' mode='strict' nodeset='0'/><memnode cellid='1' mode='strict' nodeset='0'/></numatune>"),
        one('', cells % ('', ''), head="<numatune><memory mode='strict' placement='auto'/><memnode cellid='1' mode='strict' nodeset='0'/></numatune>"),
        one(head="<iothreads>1</iothreads><defaultiothread thread_pool_min='2' thread_pool_max='9'/>"),
        one(head="<iothreadids><iothread id='4'/></iothreadids>"), one(head="<iothreads>3</iothreads><iothreadids><iothread id='2' thread_pool_max='7'/></iothreadids>"),
        one(head="<iothreads>1</iothreads><iothreadids><iothread id='4'/><iothread id='2'/></iothreadids>"),
        one(head="<iothreadids><iothread id='4' thread_pool_min='9' thread_pool_max='3'/></iothreadids>")])


WALKS = [pins, threads, tuned, shares, refused, iommus, memories]
