#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests of other architectures, defined, started, looked at and ended on our daemon, against what libvirtd 9.0.0 did with the same.

    machines.py [PART OF A NAME ...]   held against machines-libvirtd-9.0.0.json
    machines.py --record               ask the stock libvirtd of this host, and write that file
    machines.py --oracle [PART ...]    the stock libvirtd against the record: proves that the record is stable

Kept are the definition, the live document, and of the command line what makes the guest: its machine, processor, memory and
devices. QEMU has answered its monitor when a start succeeds; it is asked for a reset once more. Nothing runs: s390 ends at once if
it finds nothing to boot."""
import difflib
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import machines, server, tap, world  # noqa: E402
from lib.case import libvirt  # noqa: E402

import plugs  # noqa: E402

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'machines-libvirtd-9.0.0.json')
# Options that say where something is on the host, or that a daemon chooses.
NOT_THE_GUESTS = {'-name', '-object', '-chardev', '-mon', '-netdev', '-vnc', '-add-fd', '-blockdev', '-msg', '-sandbox', '-usb', '-uuid'}
OFFERED = 'the emulator is told which interrupt controller it has, though it would take the same by itself'
# {guest: (what differs, why)}
DIFFERENCES = {'arm virt': ('command line', OFFERED)}


def plain(text):
    text = re.sub(r"(<nvram [^>]*>)/.*/", r"\1DIR/", text)
    text = re.sub(r"(port|websocket)='59\d\d'", r"\1='N'", plugs.plain(text))
    text = re.sub(r'\n  <resource>.*?</resource>|\n  <seclabel .*?</seclabel>', '', text, flags=re.S)  # as in walk.py
    return re.sub(r" id='\d+'>", ">", text, count=1)


def of_guest(argv):
    """The options that make the guest, in their order."""
    kept, i = [], 1
    while i < len(argv):
        values = argv[i + 1:i + 2] if not argv[i + 1:i + 2] or not argv[i + 1].startswith('-') else []
        if argv[i] not in NOT_THE_GUESTS:
            kept.append(' '.join([argv[i]] + values))
        i += 1 + len(values)
    return [re.sub(r'/[^ ,]*/(images)/', r'/\1/', line) for line in kept]


class Ask:
    def __init__(self, target):
        self.server, self.conn = target, target.connect()

    def guest(self, name):
        domain = None
        told = {}
        try:
            domain = self.conn.defineXML(machines.GUESTS[name](name.replace(' ', '-')))
            told['definition'] = plain(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)).splitlines()
            domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
            told['live'] = plain(domain.XMLDesc(0)).splitlines()
            domain.reset()
            told['state'] = domain.state()
            told['command line'] = self.command_line(domain)
        except libvirt.libvirtError as error:
            told['error'] = [error.get_error_code(), error.get_error_domain(), plugs.plain(error.get_error_message())]
        finally:
            self.end(domain)
        return told

    def command_line(self, domain):
        pid = server.qemu(domain.UUIDString())
        with open('/proc/%d/cmdline' % pid) as f:
            return of_guest(f.read().rstrip('\0').split('\0'))

    def end(self, domain):
        if domain is not None and domain.isActive():
            domain.destroy()
        if domain is not None:
            domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)


def differ(told, wanted):
    for part in sorted(set(told) | set(wanted)):
        theirs, ours = wanted.get(part, []), told.get(part, [])
        if theirs != ours:
            yield part
            yield from difflib.unified_diff([str(line) for line in theirs], [str(line) for line in ours], 'libvirtd', 'ours', n=1, lineterm='')


def main(args):
    world.enter()
    parts = [arg for arg in args if not arg.startswith('--')]
    record, oracle = '--record' in args, '--record' in args or '--oracle' in args
    names = [name for name in machines.GUESTS if not parts or any(part in name for part in parts)]
    recorded = json.load(open(RECORD)) if os.path.exists(RECORD) else {}
    missing = [arch for arch in machines.EMULATORS if not os.path.exists(machines.emulator(arch))]
    if missing:
        print('1..0 # SKIP no emulator for ' + ', '.join(missing))
        return 0
    lines, fresh = tap.Lines(), dict(recorded)
    with server.Libvirtd() if oracle else server.Duovirtd() as target:
        ask = Ask(target)
        for name in names:
            fresh[name] = ask.guest(name)
            if record:
                print('#', name, fresh[name].get('error', 'started'), flush=True)
                continue
            told, wanted = fresh[name], recorded.get(name, {})
            part, why = (None, '') if oracle else DIFFERENCES.get(name, (None, ''))
            same = all((told.get(one) == wanted.get(one)) != (one == part) for one in set(told) | set(wanted))
            lines.case(name + (' (differs: %s)' % why if part else ''), same, differ(told, wanted))
    if record:
        with open(RECORD, 'w') as f:
            f.write('{\n' + ',\n'.join(json.dumps({name: fresh[name]})[1:-1] for name in machines.GUESTS if name in fresh) + '\n}\n')
        return 0
    return lines.end()


if __name__ == '__main__':
    tap.leave(main(sys.argv[1:]))
