#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What clients are told, step by step, on our daemon, against what libvirtd 9.0.0 told at the same steps.

    events.py             held against events-libvirtd-9.0.0.json
    events.py --record    ask the stock libvirtd of this host, and write that file
    events.py --oracle    the stock libvirtd against the record: proves that the record is stable

A step's events are those up to one that is made on purpose after it, on a domain of its own. The same event many times in a row
counts once, and of reboots only the first, in steps that make one: how often firmware resets its machine is its own matter.
"""
import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402
from lib.case import Loop, libvirt  # noqa: E402

import libvirt_qemu  # noqa: E402

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'events-libvirtd-9.0.0.json')
PREFIX = 'VIR_DOMAIN_EVENT_ID_'
LEFT_OUT = ('GRAPHICS', 'LAST', 'MIGRATION_ITERATION')  # how often QEMU goes over a guest's memory is its own matter
KINDS = {getattr(libvirt, name): name[len(PREFIX):] for name in dir(libvirt)
         if name.startswith(PREFIX) and name[len(PREFIX):] not in LEFT_OUT}
LIFECYCLE = {value: name[len('VIR_DOMAIN_EVENT_'):] for name, value in vars(libvirt).items() if name in (
    'VIR_DOMAIN_EVENT_DEFINED', 'VIR_DOMAIN_EVENT_UNDEFINED', 'VIR_DOMAIN_EVENT_STARTED', 'VIR_DOMAIN_EVENT_SUSPENDED', 'VIR_DOMAIN_EVENT_RESUMED',
    'VIR_DOMAIN_EVENT_STOPPED', 'VIR_DOMAIN_EVENT_SHUTDOWN', 'VIR_DOMAIN_EVENT_PMSUSPENDED', 'VIR_DOMAIN_EVENT_CRASHED')}
PAUSED, CONFIG, LIVE = libvirt.VIR_DOMAIN_START_PAUSED, libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_AFFECT_LIVE

# {step: why ours tells something else}
DIFFERENCES = {
    'save to nowhere': 'a guest is not paused for a file that cannot be opened',
    'dump to nowhere': 'a guest is not paused for a file that cannot be opened',
    'define after undefine of running': 'a definition removed during a run and defined again is told as added, not as updated',
}


class Steps:
    """In the order of their writing; each leaves what the next one needs."""

    def __init__(self, target, conn):
        self.server, self.conn = target, conn
        self.folder = world.SCRATCH + '/events'
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o777)
        self.path = self.folder + '/file'

    def one(self):
        return self.conn.lookupByName('one')

    def all(self):
        define, one, conn, path = self.conn.defineXML, self.one, self.conn, self.path
        yield 'define', lambda: define(guests.tiny('one'))
        yield 'define again', lambda: define(guests.tiny('one'))
        yield 'autostart', lambda: one().setAutostart(1)
        yield 'autostart off', lambda: one().setAutostart(0)
        yield 'title of the definition', lambda: self.metadata(CONFIG)
        yield 'rename', lambda: one().rename('other')
        yield 'rename back', lambda: conn.lookupByName('other').rename('one')
        yield 'start', lambda: one().create()
        yield 'start what runs', lambda: one().create()
        yield 'suspend', lambda: one().suspend()
        yield 'suspend what is suspended', lambda: one().suspend()
        yield 'reset while suspended', lambda: one().reset()
        yield 'resume', lambda: one().resume()
        yield 'shutdown by a button nobody sees', lambda: one().shutdown()
        yield 'title of the run', lambda: self.metadata(LIVE)
        yield 'title of both', lambda: self.metadata(LIVE | CONFIG)
        yield 'save to nowhere', lambda: one().save('/nonexistent/x')
        yield 'dump to nowhere', lambda: one().coreDump('/nonexistent/x')
        yield 'save', lambda: one().save(path)
        yield 'restore', lambda: conn.restore(path)
        yield 'save to restore paused', lambda: one().saveFlags(path, None, libvirt.VIR_DOMAIN_SAVE_PAUSED)
        yield 'restore paused', lambda: conn.restore(path)
        yield 'resume what was restored', lambda: one().resume()
        yield 'managed save', lambda: one().managedSave()
        yield 'start from a managed save', lambda: one().create()
        yield 'managed save again', lambda: one().managedSave()
        yield 'forget the managed save', lambda: one().managedSaveRemove()
        yield 'start paused', lambda: one().createWithFlags(PAUSED)
        yield 'resume what started paused', lambda: one().resume()
        yield 'dump', lambda: one().coreDump(path)
        yield 'dump live', lambda: one().coreDump(path, libvirt.VIR_DUMP_LIVE)
        yield 'dump of memory alone', lambda: one().coreDump(path, libvirt.VIR_DUMP_MEMORY_ONLY)
        yield 'dump and reset', lambda: one().coreDump(path, libvirt.VIR_DUMP_RESET)
        yield 'dump and crash', lambda: one().coreDump(path, libvirt.VIR_DUMP_CRASH)
        yield 'start after the crash', lambda: one().create()
        yield 'QEMU is killed', lambda: os.kill(self.pid(), signal.SIGKILL)
        yield 'start once more', lambda: one().create()
        yield 'QEMU is asked to end', lambda: os.kill(self.pid(), signal.SIGTERM)
        yield 'start with autodestroy', lambda: one().createWithFlags(libvirt.VIR_DOMAIN_START_AUTODESTROY)
        yield 'destroy', lambda: one().destroy()
        yield 'destroy what is off', lambda: one().destroy()
        yield 'start to undefine', lambda: one().create()
        yield 'undefine of running', lambda: one().undefine()
        yield 'define after undefine of running', lambda: define(guests.tiny('one'))
        yield 'undefine once more', lambda: one().undefine()
        yield 'end of a transient one', lambda: one().destroy()
        yield 'create', lambda: conn.createXML(guests.tiny('one'))
        yield 'define what runs', lambda: define(guests.tiny('one'))
        yield 'graceful destroy', lambda: one().destroyFlags(libvirt.VIR_DOMAIN_DESTROY_GRACEFUL)
        yield 'define with a channel and a tray', lambda: define(guests.tiny('one', devices=self.devices()))
        yield 'start with an agent', lambda: one().create()
        yield 'the tray opens', lambda: libvirt_qemu.qemuMonitorCommand(one(), 'eject -f %s' % self.drive(), 1)
        yield 'end with an agent', lambda: one().destroy()
        for policy in ('destroy', 'restart', 'preserve', 'coredump-destroy', 'coredump-restart'):
            yield 'define with %s on crash' % policy, lambda policy=policy: define(self.panicking(policy))
            yield 'start with %s on crash' % policy, lambda: one().create()
            yield 'panic with %s on crash' % policy, lambda: libvirt_qemu.qemuMonitorCommand(one(), 'o/b 0x505 1', 1)
            yield 'end with %s on crash' % policy, lambda: one().destroy()
        yield 'undefine', lambda: one().undefine()

    def metadata(self, flags):
        self.one().setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, 'title', None, None, flags)
        self.one().setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, '<a/>', 'k', 'urn:x', flags)

    def pid(self):
        return self.server.qemu(guests.uuid_of('one'))

    def devices(self):
        return """<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
            <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='%s'/><target dev='sda' bus='sata'/>
            <readonly/></disk>""" % guests.image('events.iso')

    def drive(self):
        answer = json.loads(libvirt_qemu.qemuMonitorCommand(self.one(), '{"execute": "query-block"}', 0))
        return next(one['qdev'] for one in answer['return'] if one['removable'])

    def panicking(self, policy):
        return guests.tiny('one', head='<on_crash>%s</on_crash>' % policy, devices="<panic model='isa'/>").replace(
            '<on_crash>%s</on_crash>' % policy, '', 1).replace('<devices>', '<on_crash>%s</on_crash><devices>' % policy, 1)


class Listener:
    def __init__(self, conn):
        self.conn = conn
        self.heard = []
        for number in KINDS:
            conn.domainEventRegisterAny(None, number, lambda conn, domain, *rest, number=number: self.hear(number, domain, rest[:-1]), None)
        self.barrier = conn.defineXML(guests.tiny('barrier'))
        self.flush()
        self.heard.clear()

    def hear(self, number, domain, rest):
        kind, rest = KINDS[number], list(rest)
        if kind == 'LIFECYCLE':
            rest[0] = LIFECYCLE[rest[0]]
        if kind == 'JOB_COMPLETED':
            rest = [rest[0]['operation']]
        one = [domain.name(), kind] + rest
        if not self.heard or self.heard[-1] != one:
            self.heard.append(one)

    def flush(self):
        """Everything that was told before now has been heard."""
        self.mark = getattr(self, 'mark', 0) + 1
        uri = 'urn:mark:%d' % self.mark
        self.barrier.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, '<a/>', 'k', uri, CONFIG)
        server.wait_until(lambda: any(one[0] == 'barrier' and uri in one for one in list(self.heard)), 30, 'event ' + uri)

    def take(self, expected, silence=1.5):
        """After a step: as many as EXPECTED (None: until there is SILENCE), and what comes with them."""
        if expected is None:
            count = -1
            while count != len(self.heard):
                count = len(self.heard)
                time.sleep(silence)
        else:
            deadline = time.monotonic() + 5
            while len(self.own()) < len(expected) and time.monotonic() < deadline:
                time.sleep(0.02)
        self.flush()
        heard = self.own()
        self.heard.clear()
        return heard

    def own(self):
        return normal([one for one in list(self.heard) if one[0] != 'barrier'])


def normal(heard):
    return [one for i, one in enumerate(heard) if one[1] != 'REBOOT' or one not in heard[:i]]


def walk(target, recorded):
    """{step: [outcome, its events]}"""
    conn = target.connect()
    listener, told = Listener(conn), {}
    for name, step in Steps(target, conn).all():
        try:
            step()
            outcome = 'done'
        except libvirt.libvirtError as error:
            outcome = error.get_error_code() if not name.startswith('panic') else 'done'  # QEMU may end before it answers
        expected = None if recorded is None or name in DIFFERENCES else recorded.get(name, [None, []])[1]
        heard = listener.take(expected)
        resets = 'reset' in name or 'panic' in name
        told[name] = [outcome, [one for one in heard if resets or one[1] != 'REBOOT']]
    conn.close()
    return told


def main(args):
    world.enter()
    Loop.start()
    if args in (['--record'], ['--oracle']):
        with server.Libvirtd() as target:
            told = walk(target, None)
    else:
        with server.Duovirtd() as target:
            told = walk(target, json.load(open(RECORD)))
    if args == ['--record']:
        with open(RECORD, 'w') as f:
            f.write('{\n' + ',\n'.join(json.dumps({name: one})[1:-1] for name, one in told.items()) + '\n}\n')
        return 0
    lines, recorded = tap.Lines(), json.load(open(RECORD))
    for name, theirs in recorded.items():
        same = told.get(name) == theirs
        meant = name in DIFFERENCES and args != ['--oracle']
        lines.case(name + (' (differs)' if meant else ''), same != meant, ['libvirtd %s' % theirs, 'ours %s' % told.get(name)])
    return lines.end()


if __name__ == '__main__':
    tap.leave(main(sys.argv[1:]))
