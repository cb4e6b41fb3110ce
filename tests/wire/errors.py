#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a server answers to right and wrong domain calls, as JSON, one outcome a case.

    errors.py URI [--type qemu|kvm|test] [--only PREFIX]     ask the server behind URI
    errors.py --compare A.json B.json                        hold two answers against each other

An outcome is the value a call returned or code, domain and message of its error, and the lifecycle events that arrived. A
case begins with no domain of ours there. answers.py holds ours against what libvirtd answered.
"""
import argparse
import json
import re
import sys
import threading
import time

import libvirt

UUID_A = '11111111-2222-4333-8444-00000000000a'
UUID_B = '11111111-2222-4333-8444-00000000000b'
NS = 'http://example.com/x'
DEAF = '<description>deaf</description>'  # a fake guest then hears as little as one without a system
CASES = []


def case(fn):
    CASES.append(fn)
    return fn


class World:
    """One connection, the documents the cases use, and what they leave behind."""

    def __init__(self, uri, kind):
        self.uri, self.kind = uri, kind
        self.conn = libvirt.open(uri)
        self.events = []
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.on_lifecycle, None)
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, self.on_plain, 'reboot')
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, self.on_metadata, None)

    def on_lifecycle(self, conn, dom, event, detail, _):
        self.events.append(['lifecycle', dom.name(), event, detail, 'running' if dom.ID() >= 0 else 'inactive'])

    def on_plain(self, conn, dom, name):
        if self.events[-1:] != [[name, dom.name()]]:  # a reset may be told once or twice
            self.events.append([name, dom.name()])

    def on_metadata(self, conn, dom, kind, uri, _):
        self.events.append(['metadata', dom.name(), kind, uri])

    def xml(self, name='a', uuid=UUID_A, extra='', kind=None, memory=65536, devices=''):
        line = f'<uuid>{uuid}</uuid>' if uuid else ''
        return (f"<domain type='{kind or self.kind}'><name>{name}</name>{line}<memory unit='KiB'>{memory}</memory>"
                f"<vcpu>1</vcpu>{extra}<os><type arch='x86_64' machine='pc'>hvm</type></os>"
                f"<features><acpi/></features>"
                f"<devices>{devices}<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>")

    def define(self, *args, **named):
        return self.conn.defineXML(self.xml(*args, **named))

    def running(self, *args, **named):
        dom = self.define(*args, **named)
        dom.create()
        return dom

    def transient(self, *args, **named):
        return self.conn.createXML(self.xml(*args, **named), 0)

    def clean(self):
        for dom in self.conn.listAllDomains():
            if not dom.UUIDString().startswith(UUID_A[:20]) and not dom.name().startswith('errors-'):
                continue
            for act in (dom.destroy, lambda: dom.undefineFlags(0x7)):
                try:
                    act()
                except libvirt.libvirtError:
                    pass
        self.settle()
        self.events.clear()

    def settle(self):
        """Nothing has come for a while."""
        before = -1
        while before != len(self.events):
            before = len(self.events)
            time.sleep(0.1)


def plain(value):
    """The returned value in a form that JSON and a comparison know."""
    if isinstance(value, libvirt.virDomain):
        return ['domain', value.name(), value.UUIDString(), 'running' if value.ID() >= 0 else 'inactive']
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in sorted(value.items())}
    return value


def outcome(fn):
    try:
        return {'ok': plain(fn())}
    except libvirt.libvirtError as e:
        return {'code': e.get_error_code(), 'domain': e.get_error_domain(), 'message': e.get_error_message(),
                'strings': [e.get_str1(), e.get_str2(), e.get_str3()], 'ints': [e.get_int1(), e.get_int2()]}


def steps(*fns):
    """Several calls in one case: the outcome of each."""
    return [outcome(fn) for fn in fns]


# --- defining ---------------------------------------------------------------------------------------------------------

@case
def define_twice(w):
    return steps(lambda: w.define(), lambda: w.define())


@case
def define_name_taken(w):
    w.define('a', UUID_A)
    return steps(lambda: w.define('a', UUID_B))


@case
def define_uuid_taken(w):
    w.define('a', UUID_A)
    return steps(lambda: w.define('b', UUID_A))


@case
def define_both_taken(w):
    w.define('a', UUID_A)
    w.define('b', UUID_B)
    return steps(lambda: w.define('a', UUID_B), lambda: w.define('b', UUID_A))


@case
def define_name_taken_running(w):
    w.running('a', UUID_A)
    return steps(lambda: w.define('a', UUID_B), lambda: w.define('b', UUID_A), lambda: w.define('a', UUID_A))


@case
def define_no_uuid_name_taken(w):
    w.define('a', UUID_A)
    return steps(lambda: w.define('a', None))


@case
def define_transient_becomes_persistent(w):
    dom = w.transient()
    return steps(dom.isPersistent, lambda: w.define(), dom.isPersistent, dom.isUpdated, dom.destroy, dom.isActive,
                 dom.isPersistent)


@case
def define_while_running(w):
    dom = w.running()
    return steps(lambda: w.define(memory=131072), dom.isUpdated, dom.maxMemory, lambda: dom.info()[1],
                 lambda: '131072' in dom.XMLDesc(2), lambda: '131072' in dom.XMLDesc(0), dom.destroy, dom.isUpdated,
                 dom.maxMemory)


@case
def define_bad_documents(w):
    whole = f'<uuid>{UUID_B}</uuid><memory>1024</memory><os><type>hvm</type></os>'
    bad = ['', '<', '<domain/>', "<domain type='nonsense'><name>a</name></domain>", '<network/>', 'text',
           f"<domain type='{w.kind}'/>", f"<domain type='{w.kind}'><name>a</name></domain>",
           f"<domain type='{w.kind}'>{whole}</domain>", f"<domain type='{w.kind}'><name></name>{whole}</domain>",
           f"<domain type='{w.kind}'><name>a/b</name>{whole}</domain>",
           f"<domain type='{w.kind}'><name>a\nb</name>{whole}</domain>",
           f"<domain type='{w.kind}'><name>a</name><uuid>xyz</uuid><memory>1</memory></domain>",
           f"<domain type='{w.kind}'><name>a</name><memory>1024</memory></domain>",
           f"<domain type='{w.kind}'><name>a</name><memory>x</memory><os><type>hvm</type></os></domain>",
           f"<domain type='{w.kind}'><name>a</name><os><type>hvm</type></os></domain>",
           f"<domain type='{w.kind}'><name> </name>{whole}</domain>"]
    return steps(*[lambda xml=xml: w.conn.defineXML(xml) for xml in bad])


@case
def define_flags(w):
    return steps(lambda: w.conn.defineXMLFlags(w.xml(), 1), lambda: w.conn.defineXMLFlags(w.xml(), 2),
                 lambda: w.conn.defineXMLFlags(w.xml(), 1 << 31),
                 lambda: w.conn.defineXMLFlags("<domain type='%s'><nonsense/><name>a</name></domain>" % w.kind, 0))


@case
def define_other_type(w):
    return steps(lambda: w.define(kind='xen'), lambda: w.define(kind='lxc'), lambda: w.define(kind='bhyve'))


# --- transient --------------------------------------------------------------------------------------------------------

@case
def create_twice(w):
    w.transient('a', UUID_A)
    return steps(lambda: w.transient('a', UUID_A), lambda: w.transient('a', UUID_B), lambda: w.transient('b', UUID_A))


@case
def create_over_running(w):
    w.running('a', UUID_A)
    return steps(lambda: w.transient('a', UUID_A), lambda: w.transient('a', UUID_B), lambda: w.transient('b', UUID_A))


@case
def create_over_defined(w):
    dom = w.define('a', UUID_A)
    return steps(lambda: w.transient('a', UUID_B), lambda: w.transient('b', UUID_A),
                 lambda: w.transient('a', UUID_A, memory=131072), dom.isPersistent, dom.isUpdated,
                 lambda: dom.info()[1], lambda: '131072' in dom.XMLDesc(2), dom.destroy, lambda: dom.info()[1],
                 dom.isPersistent)


@case
def create_flags(w):
    flags = {'paused': 1, 'autodestroy': 2, 'bypass': 4, 'force_boot': 8, 'validate': 16, 'reset_nvram': 32, 'high': 1 << 30}
    out = {}
    for name, flag in flags.items():
        out[name] = outcome(lambda: w.conn.createXML(w.xml(), flag))
        try:
            dom = w.conn.lookupByUUIDString(UUID_A)
            out[name]['state'] = dom.state()
            dom.destroy()
        except libvirt.libvirtError:
            pass
    return out


@case
def create_then_gone(w):
    dom = w.transient()
    dom.destroy()
    return steps(dom.info, dom.destroy, dom.create, dom.undefine, lambda: dom.XMLDesc(0), dom.isActive, dom.suspend)


@case
def transient_refusals(w):
    dom = w.transient()
    return steps(dom.undefine, lambda: dom.undefineFlags(0), dom.autostart, lambda: dom.setAutostart(1),
                 lambda: dom.rename('b'), dom.create, lambda: " id='" in dom.XMLDesc(2).split('>')[0],
                 lambda: dom.setMetadata(0, 'x', None, None, 2), lambda: dom.setMetadata(0, 'x', None, None, 3),
                 lambda: dom.setMemoryFlags(32768, 2), lambda: dom.setVcpusFlags(1, 2), dom.isPersistent,
                 lambda: dom.managedSave(0))


# --- life -------------------------------------------------------------------------------------------------------------

@case
def start_twice(w):
    dom = w.running()
    return steps(dom.create, lambda: dom.createWithFlags(0))


@case
def start_flags(w):
    dom = w.define()
    out = {}
    for flag in (0, 1, 2, 4, 8, 16, 32, 9, 1 << 30):
        out[str(flag)] = outcome(lambda: dom.createWithFlags(flag))
        out[f'{flag} state'] = dom.state()
        try:
            dom.destroy()
        except libvirt.libvirtError:
            pass
    return out


@case
def inactive_refusals(w):
    dom = w.define()
    return steps(dom.suspend, dom.resume, dom.shutdown, lambda: dom.shutdownFlags(0), lambda: dom.shutdownFlags(1),
                 lambda: dom.reboot(0), lambda: dom.reset(0), dom.destroy, lambda: dom.destroyFlags(0),
                 lambda: dom.destroyFlags(1), dom.controlInfo, lambda: dom.setMemory(1024), dom.vcpus,
                 lambda: dom.setMemoryFlags(1024, 1), lambda: dom.setMemoryFlags(1024, 0), lambda: dom.vcpusFlags(1),
                 lambda: dom.vcpusFlags(0), lambda: dom.vcpusFlags(2), lambda: dom.memoryStats(), dom.jobInfo,
                 lambda: dom.setMetadata(0, 'x', None, None, 1), lambda: dom.metadata(0, None, 1),
                 lambda: dom.setMemoryStatsPeriod(5, 1), lambda: dom.screenshot(w.conn.newStream(), 0),
                 lambda: dom.openConsole(None, w.conn.newStream(), 0), lambda: dom.managedSave(0),
                 lambda: dom.hasManagedSaveImage(0), lambda: dom.managedSaveRemove(0), lambda: dom.save('/tmp/none'),
                 lambda: dom.coreDump('/tmp/none', 0), lambda: dom.injectNMI(0), lambda: dom.abortJob(),
                 lambda: dom.blockStats('vda'), lambda: dom.interfaceStats('vnet0'), lambda: dom.getTime(),
                 lambda: dom.setVcpusFlags(1, 1), lambda: dom.setVcpusFlags(1, 0), dom.OSType, dom.maxVcpus,
                 dom.schedulerType, lambda: dom.pinVcpu(0, (True,)), lambda: dom.emulatorPinInfo(0))


@case
def device_refusals(w):
    disks = "".join(f"<disk type='{kind}'{more}>{source}<target dev='{dev}' bus='{bus}'/></disk>" for dev, bus, kind, more, source in (
        ('vda', 'virtio', 'file', '', "<source file='/nonexistent'/>"), ('vdb', 'virtio', 'block', '', "<source dev='/dev/none'/>"),
        ('sda', 'sata', 'file', " device='cdrom'", '')))
    off = w.define(devices=disks)
    out = {'off': steps(*(lambda path=path: off.blockInfo(path) for path in ('vda', 'vdb', 'sda', '/nonexistent', '', 'none')))}
    on = w.running(name='errors-on', uuid=UUID_B)
    out['on'] = steps(lambda: on.interfaceStats('none'), lambda: on.blockStats('none'), lambda: on.blockStatsFlags('none'),
                      lambda: on.blockInfo('none'), lambda: on.openConsole(None, w.conn.newStream(), 0),
                      lambda: on.openConsole('none', w.conn.newStream(), 0), lambda: on.openChannel(None, w.conn.newStream(), 0),
                      lambda: on.openChannel('none', w.conn.newStream(), 0))
    on.destroy()
    return out


@case
def no_domain(w):
    return steps(lambda: w.conn.lookupByName('errors-none'), lambda: w.conn.lookupByUUIDString(UUID_B),
                 lambda: w.conn.lookupByID(99999), lambda: w.conn.lookupByName(''), lambda: w.conn.lookupByID(-1),
                 lambda: w.conn.lookupByID(0))


@case
def gone_calls(w):
    dom = w.define()
    dom.undefine()
    return steps(dom.create, lambda: dom.createWithFlags(1), dom.suspend, dom.resume, dom.shutdown,
                 lambda: dom.reboot(0), lambda: dom.reset(0), dom.destroy, lambda: dom.destroyFlags(0), dom.undefine,
                 lambda: dom.undefineFlags(0), lambda: dom.XMLDesc(0), dom.info, lambda: dom.state(), dom.OSType,
                 dom.maxMemory, dom.isActive, dom.isPersistent, dom.isUpdated, dom.autostart,
                 lambda: dom.setAutostart(1), lambda: dom.rename('c'), lambda: dom.metadata(0, None),
                 lambda: dom.setMetadata(0, 'x', None, None), dom.controlInfo, lambda: dom.vcpusFlags(0),
                 lambda: dom.setMemory(1), lambda: dom.setMaxMemory(1), lambda: dom.hasManagedSaveImage(0),
                 dom.schedulerType, dom.maxVcpus, dom.vcpus)


@case
def suspend_resume(w):
    dom = w.running()
    return steps(dom.state, dom.suspend, dom.state, dom.suspend, dom.resume, dom.state, dom.resume, dom.suspend,
                 dom.destroy, dom.state)


@case
def paused_start(w):
    dom = w.define()
    return steps(lambda: dom.createWithFlags(1), dom.state, dom.resume, dom.state, lambda: dom.reset(0), dom.state,
                 dom.destroy)


@case
def shutdown_flags(w):
    dom = w.running(extra=DEAF)
    return steps(lambda: dom.shutdownFlags(0), lambda: dom.shutdownFlags(1), lambda: dom.shutdownFlags(2),
                 lambda: dom.shutdownFlags(3), lambda: dom.shutdownFlags(4), lambda: dom.shutdownFlags(8),
                 lambda: dom.shutdownFlags(16), lambda: dom.shutdownFlags(64), dom.state, dom.destroy)


@case
def reboot_flags(w):
    dom = w.running(extra=DEAF)
    return steps(lambda: dom.reboot(2), lambda: dom.reboot(3), lambda: dom.reboot(4), lambda: dom.reboot(8),
                 lambda: dom.reboot(64), dom.state)


@case
def destroy_while_rebooting(w):
    """The guest has not heard of its reboot; its end is told like any other's."""
    dom = w.running(extra=DEAF)
    return steps(lambda: dom.reboot(1), dom.suspend, dom.state, dom.resume, dom.state, dom.destroy, dom.state)


@case
def reset_flags(w):
    dom = w.running()
    return steps(lambda: dom.reset(1), lambda: dom.reset(0), dom.state)


@case
def destroy_flags(w):
    out = []
    for flag in (0, 1, 2, 4, 3, 64):
        dom = w.running()
        out += steps(lambda: dom.destroyFlags(flag), dom.state)
        if dom.isActive():
            dom.destroy()
    return out


@case
def suspended_refusals(w):
    dom = w.running(extra=DEAF)
    dom.suspend()
    return steps(dom.shutdown, lambda: dom.reboot(0), dom.state, dom.create, lambda: dom.injectNMI(0))


@case
def start_fails(w):
    missing = "<disk type='file'><driver name='qemu' type='raw'/><source file='/nonexistent/errors.img'/><target dev='vda'/></disk>"
    fails = '<description>start-fail</description>'
    dom = w.define(devices=missing, extra=fails)
    first = outcome(dom.create)
    second = outcome(lambda: w.conn.createXML(w.xml('b', UUID_B, devices=missing, extra=fails), 0))
    return ['code' in first, 'code' in second] + steps(dom.state, dom.isActive, lambda: w.conn.lookupByName('b'))


# --- undefine ---------------------------------------------------------------------------------------------------------

@case
def undefine_running(w):
    dom = w.running()
    return steps(dom.undefine, dom.isPersistent, dom.isActive, dom.undefine, dom.destroy, dom.info)


@case
def undefine_flags(w):
    out = []
    for flag in (1, 2, 4, 8, 16, 32, 12, 64, 48, 24, 1 << 30):
        dom = w.define()
        out.append(outcome(lambda: dom.undefineFlags(flag)))
        w.clean()
    return out


@case
def undefine_autostart(w):
    dom = w.define()
    out = steps(lambda: dom.setAutostart(1), dom.autostart, dom.undefine, lambda: w.define(), dom.autostart)
    return out


# --- autostart, rename ------------------------------------------------------------------------------------------------

@case
def autostart(w):
    dom = w.define()
    return steps(dom.autostart, lambda: dom.setAutostart(1), dom.autostart, lambda: dom.setAutostart(7), dom.autostart,
                 lambda: dom.setAutostart(0), dom.autostart, lambda: dom.setAutostart(0))


@case
def autostart_running(w):
    dom = w.running()
    return steps(lambda: dom.setAutostart(1), dom.autostart, dom.destroy, dom.autostart)


@case
def rename(w):
    dom = w.define()
    w.define('b', UUID_B)
    return steps(lambda: dom.rename('b'), lambda: dom.rename('a'), lambda: dom.rename(''), lambda: dom.rename('x/y'),
                 lambda: dom.rename('c', 1), lambda: dom.rename('c'), lambda: w.conn.lookupByName('c'),
                 lambda: w.conn.lookupByName('a'), lambda: dom.rename(' '), lambda: dom.rename('a\nb'),
                 lambda: dom.rename('-x'), lambda: dom.rename('.'), lambda: dom.rename('..'))


@case
def rename_running(w):
    dom = w.running()
    return steps(lambda: dom.rename('c'))


@case
def rename_autostart(w):
    dom = w.define()
    dom.setAutostart(1)
    return steps(lambda: dom.rename('c'), dom.autostart)


@case
def rename_long(w):
    dom = w.define()
    return steps(lambda: dom.rename('x' * 300), lambda: w.define('y' * 300, UUID_B), lambda: dom.rename('z' * 240))


@case
def rename_null(w):
    dom = w.define()
    return steps(lambda: dom.rename(None))


# --- metadata ---------------------------------------------------------------------------------------------------------

@case
def metadata_title(w):
    dom = w.define()
    return steps(lambda: dom.metadata(1, None), lambda: dom.setMetadata(1, 'a title', None, None),
                 lambda: dom.metadata(1, None), lambda: dom.setMetadata(1, 'two\nlines', None, None),
                 lambda: dom.setMetadata(1, '', None, None), lambda: dom.metadata(1, None),
                 lambda: dom.setMetadata(1, 'x', None, None), lambda: dom.setMetadata(1, None, None, None),
                 lambda: dom.metadata(1, None), lambda: dom.setMetadata(1, 'x', 'k', None),
                 lambda: dom.setMetadata(1, 'x', None, NS))


@case
def metadata_description(w):
    dom = w.define()
    return steps(lambda: dom.metadata(0, None), lambda: dom.setMetadata(0, 'some\ntext', None, None),
                 lambda: dom.metadata(0, None), lambda: dom.setMetadata(0, None, None, None),
                 lambda: dom.metadata(0, None), lambda: dom.setMetadata(0, 'x' * 1000, None, None))


@case
def metadata_element(w):
    dom = w.define()
    return steps(lambda: dom.metadata(2, NS), lambda: dom.setMetadata(2, '<a>1</a>', 'k', NS),
                 lambda: dom.metadata(2, NS), lambda: dom.setMetadata(2, '<b><c/></b>', 'k', NS),
                 lambda: dom.metadata(2, NS), lambda: dom.XMLDesc(0).count('<metadata>'),
                 lambda: dom.setMetadata(2, '<other/>', 'l', NS + '/y'), lambda: dom.metadata(2, NS + '/y'),
                 lambda: dom.setMetadata(2, None, 'k', NS), lambda: dom.metadata(2, NS),
                 lambda: dom.setMetadata(2, None, None, NS + '/y'), lambda: dom.setMetadata(2, None, 'k', NS + '/none'))


@case
def metadata_errors(w):
    dom = w.define()
    return steps(lambda: dom.setMetadata(2, '<unclosed>', 'k', NS), lambda: dom.setMetadata(2, 'text', 'k', NS),
                 lambda: dom.setMetadata(2, '', 'k', NS), lambda: dom.setMetadata(2, '<a/>', None, NS),
                 lambda: dom.setMetadata(2, '<a/>', 'k', None), lambda: dom.metadata(2, None),
                 lambda: dom.metadata(3, None), lambda: dom.setMetadata(3, 'x', None, None),
                 lambda: dom.setMetadata(9, 'x', None, None), lambda: dom.metadata(9, None),
                 lambda: dom.metadata(0, NS), lambda: dom.metadata(1, NS), lambda: dom.metadata(0, None, 3),
                 lambda: dom.metadata(0, None, 4), lambda: dom.setMetadata(0, 'x', None, None, 4),
                 lambda: dom.setMetadata(2, '<a/><b/>', 'k', NS), lambda: dom.setMetadata(2, '<p:a xmlns:p="u:r"/>', 'k', NS),
                 lambda: dom.setMetadata(2, '<p:a/>', 'k', NS), lambda: dom.metadata(2, NS),
                 lambda: dom.setMetadata(2, '<a/>', 'a b', NS), lambda: dom.setMetadata(2, '<a/>', '', NS),
                 lambda: dom.setMetadata(2, '<a/>', 'k', ''))


@case
def metadata_document(w):
    """As the definition shows it: indentation and namespaces."""
    dom = w.define()
    def show():
        xml = dom.XMLDesc(0)
        return xml[xml.index('  <metadata>'):xml.index('</metadata>') + 11] if '<metadata>' in xml else None
    return steps(lambda: dom.setMetadata(2, '<a>\n<b x="1">t</b>\n</a>', 'k', NS), show,
                 lambda: dom.setMetadata(2, '<two><three/></two>', 'l', NS + '2'), show,
                 lambda: dom.metadata(2, NS), lambda: dom.setMetadata(2, None, None, NS), show,
                 lambda: dom.setMetadata(2, None, None, NS + '2'), show)


@case
def metadata_live(w):
    dom = w.running()
    return steps(lambda: dom.setMetadata(0, 'live', None, None, 1), lambda: dom.metadata(0, None, 1),
                 lambda: dom.metadata(0, None, 2), lambda: dom.metadata(0, None, 0),
                 lambda: dom.setMetadata(0, 'config', None, None, 2), lambda: dom.metadata(0, None, 1),
                 lambda: dom.metadata(0, None, 2), lambda: dom.setMetadata(0, 'both', None, None, 3),
                 lambda: dom.metadata(0, None, 1), lambda: dom.metadata(0, None, 2),
                 lambda: dom.setMetadata(1, 'current', None, None, 0), lambda: dom.metadata(1, None, 1),
                 lambda: dom.metadata(1, None, 2), dom.isUpdated)


# --- memory and vcpus -------------------------------------------------------------------------------------------------

@case
def memory_config(w):
    dom = w.define()
    return steps(lambda: dom.setMemoryFlags(32768, 2), dom.info, lambda: dom.setMemoryFlags(999999999, 2),
                 lambda: dom.setMemoryFlags(131072, 6), dom.info, lambda: dom.setMaxMemory(16384), dom.info,
                 lambda: dom.setMemoryFlags(0, 2), lambda: dom.setMemory(16384), dom.info,
                 lambda: dom.setMemoryFlags(16384, 8), lambda: dom.setMemoryFlags(16384, 3), dom.maxMemory)


@case
def memory_running(w):
    dom = w.running()
    return steps(lambda: dom.setMaxMemory(131072), lambda: dom.setMemoryFlags(131072, 5), lambda: dom.info()[:4],
                 lambda: dom.setMemoryFlags(131072, 6), lambda: dom.info()[1], lambda: dom.setMemoryFlags(32768, 2))


@case
def vcpus_config(w):
    dom = w.define()
    return steps(lambda: dom.setVcpusFlags(2, 2), lambda: dom.setVcpusFlags(4, 6), lambda: dom.setVcpusFlags(3, 2),
                 lambda: dom.vcpusFlags(2), lambda: dom.vcpusFlags(6), dom.maxVcpus, lambda: dom.vcpusFlags(4),
                 lambda: dom.setVcpusFlags(2, 6), lambda: dom.vcpusFlags(2), lambda: dom.setVcpusFlags(0, 2),
                 lambda: dom.setVcpusFlags(100000, 6), lambda: dom.setVcpus(1), lambda: dom.setVcpusFlags(1, 16),
                 lambda: dom.setVcpusFlags(1, 8 | 2), lambda: dom.setVcpusFlags(1, 32), lambda: dom.vcpusFlags(8),
                 lambda: dom.vcpusFlags(16), lambda: dom.vcpusFlags(3), lambda: dom.setVcpusFlags(5, 0),
                 lambda: dom.setVcpusFlags(1, 7), lambda: dom.info())


@case
def vcpus_running(w):
    dom = w.running()
    return steps(lambda: dom.vcpusFlags(0), lambda: dom.vcpusFlags(1), lambda: dom.vcpusFlags(4), dom.maxVcpus,
                 lambda: dom.vcpusFlags(2), lambda: dom.vcpusFlags(5), lambda: dom.setVcpusFlags(2, 6),
                 lambda: dom.vcpusFlags(6), lambda: dom.setVcpusFlags(2, 5), lambda: dom.setVcpusFlags(2, 1),
                 lambda: len(dom.vcpus()[0]), lambda: dom.schedulerType())


def sizes(dom):
    """What the definition says of numbers of CPUs and memory."""
    return re.findall(r'<(?:vcpu|cell|memory |currentMemory|stats).*', dom.XMLDesc(2))


@case
def vcpus_one_by_one(w):
    """Each CPU has its own lines: they follow when the numbers change."""
    extra = ("<vcpus><vcpu id='0' enabled='yes' hotpluggable='no' order='1'/><vcpu id='1' enabled='yes' hotpluggable='yes' order='2'/>"
             "<vcpu id='2' enabled='no' hotpluggable='yes'/></vcpus><cputune><vcpupin vcpu='0' cpuset='0'/>"
             "<vcpusched vcpus='0-2' scheduler='batch'/><vcpupin vcpu='2' cpuset='0'/></cputune>")
    dom = w.conn.defineXML(w.xml(extra=extra).replace('<vcpu>1<', "<vcpu current='2'>3<"))
    out = [sizes(dom)]
    for count, flags in (2, 2), (1, 2), (3, 2), (2, 6), (4, 6), (3, 2):
        out += steps(lambda: dom.setVcpusFlags(count, flags), lambda: sizes(dom))
    return out


@case
def vcpus_topology(w):
    extra = "<cpu><topology sockets='2' cores='2' threads='1'/></cpu>"
    dom = w.conn.defineXML(w.xml(extra=extra).replace('<vcpu>1<', "<vcpu current='2'>4<"))
    return steps(lambda: dom.setVcpusFlags(3, 6), lambda: dom.setVcpusFlags(4, 6), lambda: dom.setVcpusFlags(8, 6),
                 lambda: dom.setVcpusFlags(3, 2), lambda: sizes(dom))


@case
def sizes_with_cells(w):
    extra = ("<cpu><numa><cell id='0' cpus='0-1' memory='32768' unit='KiB'/>"
             "<cell id='1' cpus='2-3' memory='32768' unit='KiB'/></numa></cpu>")
    dom = w.conn.defineXML(w.xml(extra=extra).replace('<vcpu>1<', "<vcpu>4<"))
    return steps(lambda: dom.setVcpusFlags(2, 6), lambda: dom.setVcpusFlags(6, 6), lambda: sizes(dom),
                 lambda: dom.setMaxMemory(131072), lambda: dom.setMemoryFlags(32768, 2), lambda: sizes(dom))


@case
def balloon_period(w):
    dom = w.conn.defineXML(w.xml().replace("<memballoon model='none'/>", "<memballoon model='virtio'/>"))
    other = w.define('b', UUID_B)
    out = []
    for seconds in 0, 5, 2147483647, 0:
        out += steps(lambda: dom.setMemoryStatsPeriod(seconds), lambda: sizes(dom))
    return out + steps(lambda: dom.setMemoryStatsPeriod(-5), lambda: other.setMemoryStatsPeriod(5, 2))


# --- reading ----------------------------------------------------------------------------------------------------------

@case
def xml_flags(w):
    dom = w.define()
    out = {}
    for flag in (0, 1, 2, 4, 8, 9, 10, 16, 32):
        one = outcome(lambda: dom.XMLDesc(flag))
        out[str(flag)] = one if 'code' in one else 'ok'
    return out


@case
def xml_update_cpu(w):
    """Whether VIR_DOMAIN_XML_UPDATE_CPU leaves a CPU as it is."""
    out = {}
    for name, cpu in {'none': '', 'passthrough': "<cpu mode='host-passthrough'/>", 'maximum': "<cpu mode='maximum'/>",
                      'exact': "<cpu match='exact'><model>qemu64</model><feature policy='disable' name='svm'/></cpu>",
                      'host-model': "<cpu mode='host-model'/>", 'minimum': "<cpu match='minimum'><model>qemu64</model></cpu>",
                      'optional': "<cpu match='exact'><model>qemu64</model><feature policy='optional' name='svm'/></cpu>"}.items():
        dom = w.define(extra=cpu)
        out[name] = outcome(lambda: dom.XMLDesc(4) == dom.XMLDesc(0))
    return out


@case
def list_flags(w):
    w.define('errors-off', '11111111-2222-4333-8444-000000000001')
    w.running('errors-on', '11111111-2222-4333-8444-000000000002')
    w.transient('errors-transient', '11111111-2222-4333-8444-000000000003')
    w.define('errors-auto', '11111111-2222-4333-8444-000000000004').setAutostart(1)
    w.running('errors-paused', '11111111-2222-4333-8444-000000000005').suspend()
    out = {}
    for flags in [0] + [1 << bit for bit in range(18)] + [3, 5, 9, 6, 10, 48, 80, 0x400 | 1, 0x400 | 2, 12, 1 << 20]:
        one = outcome(lambda: w.conn.listAllDomains(flags))
        out[str(flags)] = sorted(d[1] for d in one['ok'] if d[1].startswith('errors-')) if 'ok' in one else one
    out['ids'] = len(w.conn.listDomainsID()), w.conn.numOfDomains()
    out['defined'] = sorted(w.conn.listDefinedDomains()), w.conn.numOfDefinedDomains()
    return out


@case
def info_states(w):
    dom = w.define()
    return steps(lambda: dom.info()[:4], lambda: dom.state(0), lambda: dom.state(1), dom.create,
                 lambda: dom.info()[:4], lambda: dom.state(0), dom.controlInfo, lambda: dom.controlInfo(1), dom.OSType,
                 dom.isActive, dom.isUpdated, dom.isPersistent, dom.hostname if False else dom.name, dom.suspend,
                 lambda: dom.info()[:4], dom.destroy, lambda: dom.state(0))


# --- events -----------------------------------------------------------------------------------------------------------

@case
def event_registration(w):
    conn = libvirt.open(w.uri)
    dom = w.define()
    def nothing(*_):
        pass
    def double():
        first = conn.domainEventRegisterAny(dom, 0, nothing, None)
        second = conn.domainEventRegisterAny(dom, 0, nothing, None)
        return first != second
    return steps(double, lambda: conn.domainEventRegisterAny(None, 99, nothing, None) >= 0,
                 lambda: conn.domainEventDeregisterAny(12345))


@case
def event_order(w):
    dom = w.define()
    dom.create()
    dom.suspend()
    dom.resume()
    dom.setMetadata(0, 'x', None, None, 3)
    dom.destroy()
    dom.rename('b')
    w.define('b', UUID_A)
    dom.undefine()
    return []


# --- read-only --------------------------------------------------------------------------------------------------------

@case
def read_only(w):
    conn = libvirt.openReadOnly(w.uri_read_only) if w.uri_read_only else None
    if not conn:
        return []
    w.define()
    dom = conn.lookupByUUIDString(UUID_A)
    return steps(dom.create, dom.destroy, dom.undefine, lambda: dom.XMLDesc(1), lambda: dom.XMLDesc(8),
                 lambda: dom.setAutostart(1), lambda: dom.rename('x'), lambda: conn.defineXML(w.xml()),
                 lambda: dom.setMetadata(0, 'x', None, None), lambda: conn.createXML(w.xml(), 0), dom.info,
                 lambda: dom.state(), dom.suspend)


def run_events():
    while True:
        libvirt.virEventRunDefaultImpl()


def ask(uri, kind, read_only_uri=None, only=''):
    """{case: its outcome and events} of the server behind URI."""
    libvirt.registerErrorHandler(lambda *_: None, None)
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=run_events, daemon=True).start()
    world = World(uri, kind)
    world.uri_read_only = read_only_uri or (uri if '?' not in uri else None)
    answers = {}
    for fn in CASES:
        if not fn.__name__.startswith(only):
            continue
        world.clean()
        try:
            answers[fn.__name__] = {'outcome': fn(world)}
        except libvirt.libvirtError as e:
            answers[fn.__name__] = {'broken': str(e)}
        world.settle()
        answers[fn.__name__]['events'] = list(world.events)
    world.clean()
    return json.loads(json.dumps(answers))


def leaves(value, path=''):
    if isinstance(value, dict) and 'code' not in value:
        for key, item in value.items():
            if key == 'events':
                yield f'{path}/events', item
            else:
                yield from leaves(item, f'{path}/{key}')
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for i, item in enumerate(value):
            yield from leaves(item, f'{path}/{i}')
    else:
        yield path, value


def comparable(value, same_domain):
    """What clients go by: code, domain and message; a driver's own error domain and function names stand for the oracle's."""
    if not isinstance(value, dict) or 'code' not in value:
        return value
    message = value.get('message') or ''
    message = re.sub(r'(unsupported flags \S+ in function) \w+', r'\1 ...', message)
    domain = same_domain.get(value['domain'], value['domain'])
    return {'code': value['code'], 'domain': domain, 'message': message}


def trimmed(value):
    """Without the parts of errors that no client goes by."""
    if isinstance(value, dict):
        return {key: trimmed(item) for key, item in value.items() if 'code' not in value or key not in ('strings', 'ints')}
    return [trimmed(item) for item in value] if isinstance(value, list) else value


def differences(oracle, ours, same_domain):
    """[(path, the oracle's, ours)]"""
    found = []
    for name in sorted(set(oracle) | set(ours)):
        left, right = (dict(leaves(json.loads(json.dumps(side.get(name))))) for side in (oracle, ours))
        for path in sorted(set(left) | set(right)):
            one, two = (comparable(side.get(path), same_domain) for side in (left, right))
            if one != two:
                found.append((name + path, one, two))
    return found


def compare(args):
    oracle, ours = (json.load(open(name)) for name in args.compare)
    same_domain = dict(tuple(int(n) for n in pair.split('=')) for pair in args.same_domain)
    found = differences(oracle, ours, same_domain)
    for path, one, two in found:
        print(f'{path}\n   - {one}\n   + {two}')
    print(f'{len(found)} differences')
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('uri', nargs='?')
    parser.add_argument('--type', default='qemu')
    parser.add_argument('--only', default='')
    parser.add_argument('--read-only-uri')
    parser.add_argument('--compare', nargs=2)
    parser.add_argument('--same-domain', action='append', default=[], metavar='OURS=ORACLES')
    args = parser.parse_args()
    if args.compare:
        return compare(args)
    json.dump(ask(args.uri, args.type, args.read_only_uri, args.only), sys.stdout, indent=1, sort_keys=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
