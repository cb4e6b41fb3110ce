# SPDX-License-Identifier: LGPL-2.1-or-later
"""Walks around what a guest is given of its host: processors, threads, memory. A function each: what a person types at virsh."""
import os

from . import guests, starts, world

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


CELL = "<features><acpi/></features><cpu><model>qemu64</model><numa><cell id='0' cpus='0' memory='64' unit='MiB'/></numa></cpu>"
CELLS = CELL.replace('</numa>', "<cell id='1' memory='64' unit='MiB' memAccess='shared' discard='yes'/></numa>")
SLOTS = "<maxMemory slots='4' unit='MiB'>4096</maxMemory>"


def module(model, size=32, target='<node>0</node>', source='', attributes='', rest=''):
    return "<memory model='%s' %s>%s<target><size unit='MiB'>%d</size>%s</target>%s</memory>" % (
        model, attributes, '<source>%s</source>' % source if source else '', size, target, rest)


def on_demand(requested=64, block=2, size=128, **options):
    return module('virtio-mem', size, "<node>0</node><block unit='MiB'>%d</block><requested unit='MiB'>%d</requested>" % (block, requested), **options)


def modules(walk):
    """Memory modules: DIMMs, persistent ones, virtio's; virtio-pmem only as a definition: libvirtd cannot start one on QEMU 7.2."""
    file = '<path>%s</path>' % guests.image('module.img', '64M')
    label = "<node>0</node><label><size unit='KiB'>%d</size></label>"
    def one(devices, extra=CELL, head=SLOTS):
        return starts.bare(walk.name, head=head, extra=extra, devices=devices)
    def dimm(address='', **options):
        return module('dimm', rest=address, **options)
    def slot(number):
        return "<address type='dimm' slot='%d'/>" % number
    def nvdimm(**options):
        return module('nvdimm', 64, source=options.pop('source', file), **options)
    def backing(text):
        return '%s<memoryBacking>%s</memoryBacking>' % (SLOTS, text)
    try_all(walk, [
        one(dimm()), one(dimm(), extra=''), one(dimm(target='')), one(dimm(), head=''), one(dimm(target='<node>7</node>')),
        one(dimm(source="<nodemask>0</nodemask><pagesize unit='KiB'>4</pagesize>", attributes="access='shared' discard='yes'")),
        one(dimm(source='<nodemask>5</nodemask>')), one(dimm(source="<pagesize unit='MiB'>2</pagesize>")),
        one(dimm("<address type='dimm' slot='2' base='0x110000000'/><alias name='ua-d'/>") + dimm()), one(dimm(slot(9))), one(dimm(slot(1)) * 2),
        one(dimm() * 5), one(dimm(size=33).replace("unit='MiB'>33", "unit='KiB'>33333"), CELL.replace("'64' unit='MiB'", "'65537'"),
                             SLOTS.replace("'MiB'>4096", "'KiB'>4000001")),
        one(dimm(target='<node>1</node>') + dimm(), CELLS, SLOTS + "<numatune><memory mode='preferred' nodeset='0'/></numatune>"),
        one(dimm(), head=backing("<source type='memfd'/><access mode='shared'/><allocation mode='immediate' threads='3'/>")),
        one(dimm(attributes="access='private'"), head=backing("<source type='file'/><access mode='shared'/><discard/>")),
        one(nvdimm()), one(nvdimm(target=label % 128, source=file + "<alignsize unit='KiB'>2048</alignsize>", attributes="access='shared'")),
        one(nvdimm(target='<node>0</node><readonly/>', attributes="access='shared'")), one(nvdimm(target='')), one(nvdimm(source='')),
        one(nvdimm(target=label % 64)), one(nvdimm(target=label % 65536)), one(nvdimm(attributes="discard='yes'")),
        one(nvdimm().replace('<source>', '<uuid>9066901e-c90a-46ad-8b55-c18868cf92ae</uuid><source>')), one(nvdimm().replace('<source>', '<uuid>x</uuid><source>')),
        one(nvdimm(source=file + '<pmem/>', attributes="access='private'")), one((nvdimm(attributes="access='shared'") + dimm()) * 2),
        one(nvdimm(), head=backing("<access mode='shared'/><discard/>") + "<numatune><memory mode='strict' nodeset='0'/></numatune>"),
        one(on_demand()), one(on_demand(0)), one(on_demand(256)), one(on_demand(6, 4)), one(on_demand(6, 3)), one(on_demand(6, 1)),
        one(on_demand(source='<nodemask>0</nodemask>')), one(on_demand(attributes="access='shared'") * 2), one(on_demand().replace('<node>0</node>', '')),
        one(on_demand(), head=backing("<source type='memfd'/><allocation mode='immediate'/>")),
        one(module('sgx-epc', 64)), one(module('none')), one(module('dimm').replace("model='dimm'", '')), one(''), one('', extra=''),
        one('', head=SLOTS.replace("slots='4'", '')), one(dimm(), head=SLOTS.replace('4096', '80'))])
    for options in ({'attributes': "access='private'"}, {'target': '<node>0</node>'}, {'attributes': "discard='yes'"}, {'source': ''}, {'target': label % 128}, {}):
        walk.define(one(module('virtio-pmem', 64, **{'target': '', 'source': file, **options})))
        each(walk, 'dumpxml G', 'undefine G')


def sizes(walk):
    """Modules that change while the guest runs, and what the balloon has to do with them."""
    walk.define(starts.bare(walk.name, head=SLOTS, extra=CELL, devices=on_demand() + module('dimm')).replace("model='none'/>", "model='virtio'/>", 2).replace(
        "<controller type='usb' model='virtio'/>", "<controller type='usb' model='none'/>"))
    each(walk, 'setmem G 60M --config', 'setmem G 110M --config', 'start G --paused', 'dumpxml G', 'domstats --balloon G',
         *('update-memory-device G ' + options for options in (
             '--alias virtiomem0 --requested-size 32MiB', '--alias virtiomem0 --requested-size 16MiB --live', '--alias virtiomem0 --requested-size 8MiB --print-xml',
             '--alias x --requested-size 16MiB --live', '--alias virtiomem0 --requested-size 17MiB --live', '--alias virtiomem0 --requested-size 999MiB',
             '--alias dimm0 --requested-size 2MiB', '--node 3 --requested-size 18MiB', '--requested-size 18MiB')),
         'dumpxml G', 'setmem G 90M --live', 'setmem G 100M --live', 'setmaxmem G 200M --config', 'destroy G', 'dumpxml G', 'undefine G')


def with_huge_pages(steps):
    """STEPS with 2 MiB pages mounted, and some to be had while it runs. The server looks for mounts when it needs one, libvirtd when it starts."""
    def walked(walk):
        overcommit = '/proc/sys/vm/nr_overcommit_hugepages'
        with open(overcommit) as f:
            before = f.read()
        os.makedirs(HUGE, exist_ok=True)
        world.run('mount', '-t', 'hugetlbfs', '-o', 'pagesize=2M', 'none', HUGE)
        try:
            with open(overcommit, 'w') as f:
                f.write('200')
            walk.target.restart()
            steps(walk)
            left = [name for name in os.listdir(HUGE + '/' + os.listdir(HUGE)[0])]
            walk.note('what is left in hugetlbfs', ' '.join(name for name in left if name != 'qemu'))
        finally:
            with open(overcommit, 'w') as f:
                f.write(before)
            world.run('umount', '--lazy', HUGE)
            walk.target.restart()
    walked.__name__ = steps.__name__
    return walked


HUGE = world.SCRATCH + '/huge'


@with_huge_pages
def pages(walk):
    """Huge pages from files."""
    two = "<cpu><model>qemu64</model><numa><cell id='0' cpus='0' memory='32' unit='MiB'/><cell id='1' memory='32' unit='MiB' memAccess='shared'/></numa></cpu>"
    def page(size, unit='MiB', nodeset=''):
        return "<page size='%s' unit='%s' %s/>" % (size, unit, "nodeset='%s'" % nodeset if nodeset else '')
    def one(pages, rest='', extra='', head='', devices=''):
        huge = '<hugepages>%s</hugepages>' % pages if pages else '<hugepages/>'
        return starts.bare(walk.name, head=head + '<memoryBacking>%s%s</memoryBacking>' % (huge, rest), extra=extra, devices=devices)
    small = CELL.replace("'64'", "'32'")
    try_all(walk, [
        one(''), one(page(2)), one(page(1, 'GiB')), one(page(4, 'KiB')), one(page(3)), one(page(0)), one(page(2, nodeset='0')), one(page(2, nodeset='1')),
        one(page(2, nodeset='1'), extra=two), one(page(4, 'KiB', '0') + page(2), extra=two), one(page(2, nodeset='7'), extra=two),
        one(page(2, nodeset='1') + page(2, nodeset='0-1'), extra=two), one(page(2) + page(4, 'KiB'), extra=two),
        one('', "<access mode='shared'/><discard/>"), one('', "<allocation mode='ondemand'/>"), one('', "<source type='memfd'/>"),
        one('', "<allocation mode='immediate' threads='2'/>", head="<numatune><memory mode='strict' nodeset='0'/></numatune>"),
        one('', "<source type='anonymous'/>"), one('', "<source type='file'/>"),
        starts.bare(walk.name, head=SLOTS, extra=CELL, devices=module('dimm', source="<pagesize unit='MiB'>2</pagesize>")),
        starts.bare(walk.name, head=SLOTS, extra=CELL, devices=module('dimm', source="<pagesize unit='GiB'>1</pagesize>")),
        starts.bare(walk.name, head=SLOTS, extra=CELL, devices=on_demand(source="<pagesize unit='MiB'>2</pagesize>")),
        one('', extra=small, head=SLOTS, devices=on_demand())])


def nodes(walk):
    """NUMA nodes: caches, distances and what lies between them."""
    cache = "<cache level='%d' associativity='%s' policy='%s'><size value='10' unit='KiB'/><line value='8' unit='B'/></cache>"
    def cell(number, cpus='', body='', size=32):
        return "<cell id='%d' memory='%d' unit='MiB' %s>%s</cell>" % (number, size, "cpus='%s'" % cpus if cpus else '', body)
    def latency(initiator, target, kind='access', value=5, cache=''):
        return "<latency initiator='%d' target='%d' %s type='%s' value='%d'/>" % (initiator, target, cache, kind, value)
    def bandwidth(initiator, target, kind='access', value=1024, unit='KiB', cache=''):
        return "<bandwidth initiator='%d' target='%d' %s type='%s' value='%d' unit='%s'/>" % (initiator, target, cache, kind, value, unit)
    def far(*pairs):
        return '<distances>%s</distances>' % ''.join("<sibling id='%d' value='%d'/>" % pair for pair in pairs)
    def one(cells, between=''):
        return starts.bare(walk.name, vcpu='<vcpu>2</vcpu>', extra='<features><acpi/></features><cpu><model>qemu64</model><numa>%s%s</numa></cpu>' % (
            cells, '<interconnects>%s</interconnects>' % between if between else ''))
    direct, first = cache % (1, 'direct', 'writeback'), "cache='1'"
    try_all(walk, [
        one(cell(0, '0', direct) + cell(1, '1'), latency(0, 0) + latency(1, 1, 'write', 7) + latency(0, 0, cache=first) + bandwidth(0, 0) +
            bandwidth(0, 0, 'read', 208, 'MiB', first)),
        one(cell(0, '0-1', cache % (1, 'full', 'writethrough')) + cell(1), latency(0, 0) + latency(0, 1) + bandwidth(0, 0)),
        one(cell(0, '0-1') + cell(1), latency(0, 1)), one(cell(0, '0') + cell(1), latency(1, 0)), one(cell(0, '0') + cell(1), latency(0, 7)),
        one(cell(0, '0') + cell(1), latency(7, 0)), one(cell(0, '0') + cell(1), latency(0, 0, cache=first)), one(cell(0, '0'), latency(0, 0, value=0)),
        one(cell(0, '0', cache % (0, 'direct', 'writeback'))), one(cell(0, '0', cache % (4, 'direct', 'writeback')) + cell(1, '1')),
        one(cell(0, '0', direct * 2)), one(cell(0, '0', cache % (1, 'x', 'writeback'))), one(cell(0, '0', cache % (1, 'direct', 'x'))),
        one(cell(0, '0', "<cache level='1' associativity='direct' policy='writeback'/>")),
        one(cell(0, '0', far((0, 10), (1, 21))) + cell(1, '1')), one(cell(0, '0', far((1, 21))) + cell(1, '1', far((0, 25)))),
        one(cell(0, '0', far((1, 21))) + cell(1, '1') + cell(2)), *(one(cell(0, '0', far(pair)) + cell(1, '1')) for pair in (
            (7, 20), (1, 255))),  # libvirtd's words for a wrong value are cut off by chance
        one(cell(0, '0') + cell(2, '1')), one(cell(0, '0') + cell(0, '1')), one(cell(0, '0') + cell(1, '0')), one(cell(1, '1') + cell(0, '0')),
        one(cell(0, '0') + cell(1, '1', size=0)), one(cell(0, '0-9'))])


PLUGS = (
    'vcpucount G', 'setvcpus G 3 --live', 'vcpucount G', 'setvcpus G 2 --live', 'setvcpus G 2 --live --hotpluggable', 'setvcpus G 5 --live', 'setvcpus G 4',
    'setvcpus G 4 --config', 'setvcpus G 2 --config --hotpluggable', 'setvcpus G 4 --config --hotpluggable', 'setvcpus G 3 --config --maximum',
    'setvcpus G 3 --live --maximum', 'dumpxml G', 'dumpxml G --inactive', 'vcpuinfo G', 'vcpupin G', 'vcpupin G 3 0 --live', 'setvcpu G 3 --enable',
    'setvcpu G 3 --enable --live', 'setvcpu G 2-3 --disable --live', 'setvcpu G 0 --disable --live', 'setvcpu G 1 --disable --live',
    'setvcpu G 9 --enable --live', 'setvcpu G 2 --enable --config', 'setvcpu G 2 --disable --config', 'setvcpu G 0 --disable --config',
    'setvcpu G 1,2 --enable --config --live', 'setvcpu G x --enable', 'vcpuinfo G', 'dumpxml G', 'dumpxml G --inactive')


def plugs(walk):
    """Processors that come while the guest stands still, before anybody is there who could let them go; they are there after a restart of the server."""
    acpi, one = '<features><acpi/></features>', "<vcpu id='%d' enabled='%s' hotpluggable='%s' %s/>"
    def listed(*states):
        return "<vcpu current='%d'>%d</vcpu><vcpus>%s</vcpus>" % (sum(state[0] == 'yes' for state in states), len(states), ''.join(
            one % (number, *state[:2], "order='%d'" % state[2] if len(state) > 2 else '') for number, state in enumerate(states)))
    for vcpu, extra in (("<vcpu current='2'>4</vcpu>", acpi),
                        (listed(('yes', 'no', 1), ('no', 'yes'), ('yes', 'yes', 2), ('no', 'yes')), acpi),
                        (listed(('yes', 'no', 1), ('yes', 'yes', 3), ('yes', 'yes', 2), ('no', 'yes')), acpi),
                        (listed(('yes', 'no'), ('yes', 'yes'), ('yes', 'no'), ('no', 'yes')), acpi),
                        ("<vcpu current='1'>2</vcpu><cputune><vcpupin vcpu='1' cpuset='1'/></cputune>", acpi +
                         "<cpu><model>qemu64</model><topology sockets='1' dies='1' cores='1' threads='2'/></cpu>")):
        walk.define(starts.bare(walk.name, vcpu=vcpu, extra=extra))
        each(walk, 'start G --paused', 'dumpxml G', *PLUGS)
        walk.target.restart()
        each(walk, 'vcpucount G', 'vcpuinfo G', 'setvcpus G 4 --live', 'setvcpu G 1 --enable --live', 'destroy G', 'setvcpu G 1 --enable', 'setvcpu G 1 --disable', 'dumpxml G',
             'undefine G')


def figures(walk):
    """Groups of statistics, and features of other hypervisors, which are passed over."""
    walk.define(starts.bare(walk.name, head='<iothreads>2</iothreads>', extra='<features><acpi/><viridian/><hap/><privnet/></features>'))
    groups = ('domstats --iothread G', 'domstats --perf G')
    each(walk, *groups, 'start G --paused', 'dumpxml G', *groups, 'domstats --iothread --enforce G', 'iothreadset G 1 --poll-max-ns 5000 --poll-grow 2', 'domstats --iothread G', 'destroy G',
         *groups, 'undefine G')


WALKS = [figures, pins, threads, tuned, shares, refused, iommus, memories, modules, sizes, pages, nodes, plugs]
