#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Devices that come, go and change while a guest runs, on our daemon, against what libvirtd 9.0.0 did with the same.

    plugs.py [PART OF A ROW'S NAME ...]   held against plugs-libvirtd-9.0.0.json
    plugs.py --record                     ask the stock libvirtd of this host, and write that file
    plugs.py --oracle [PART ...]          the stock libvirtd against the record: proves that the record is stable
    plugs.py --show [PART ...]            what each step gave, and what differs

Each row has a guest of its own, paused before its first instruction. Of each step are kept: error code, domain and text, what
events told, and which lines the live document and the definition got and lost. A device that only its guest could let go (a PCI
device) goes with the reset after.
"""
import difflib
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402
from lib.case import Loop, libvirt  # noqa: E402
from lib.plugtable import ROWS, document, make_images  # noqa: E402

import events  # noqa: E402

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'plugs-libvirtd-9.0.0.json')
SILENCE = 0.4
LIVE, CONFIG, FORCE = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG, libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE
FLAGS = {'live': LIVE, 'config': CONFIG, 'both': LIVE | CONFIG, 'now': 0, 'force': LIVE | FORCE}

FOUND = 'a device is found by what is said of it: where it lies and which terminal it got need not be named'
NO_KIND = 'a kind that cannot come is refused as that, whatever else is wrong'
# {row: (its first step where ours gives something else, why)}
DIFFERENCES = {
    'dimm without a node': (1, 'what could not be defined is not taken into a definition'),
    'disk ide': (0, 'another text: no IDE bus takes a disk while it runs'),
    'nic usb-net': (0, 'libvirtd looks for a PCI slot for it and finds none'),
    'nic update': (4, 'another refusal: the limit of its packets is not what makes it wrong'),
    'controller pci': (0, 'what a PCI controller lacks is filled in, as at a definition'),
    'filesystem virtiofs twice': (1, 'its guest would not find the second of a tag'),
    'lease': (0, 'there are no lock managers yet'),
    'input passthrough': (0, 'input devices of the host are not supported by this driver'),
    'serial usb to a file': (1, 'two may write to one file: no process of ours holds it'),
    'watchdog itco': (0, 'a model that later releases know'),
    'watchdog action': (5, FOUND),
    **dict.fromkeys(('smartcard', 'nvram', 'audio'), (0, NO_KIND)),
    **dict.fromkeys(('channel of no path', 'channel agent', 'channel pty', 'console virtio', 'serial usb', 'serial pci',
                     'serial usb tcp', 'serial usb null', 'watchdog'), (2, FOUND)),
}


def plain(text):
    """What a daemon or a run chooses is not compared."""
    text = re.sub(r'/dev/pts/\d+', '/dev/pts/N', text)
    text = re.sub(r"(path=')[^']*/(channel/target/domain-[^/']*|guest)/[^']*", r'\1DIR', text)
    text = re.sub(r" *<source index='\d+'/>\n", '', text)  # libvirt numbers an empty drive
    text = re.sub(r"(<source [^>]*) index='\d+'", r"\1 index='N'", text)
    text = re.sub(r"(<label>|<imagelabel>)[^<]*", r'\1', text)
    return re.sub(r"'/(var/lib/libvirt/qemu|tmp/dv-[^/]*)/[^']*/([^/']*)'", r"'DIR/\2'", text)


def change(before, after):
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm='')
    return [re.sub(r'^([+-])\s*', r'\1', line) for line in lines if not line.startswith(('---', '+++', '@@'))]


class Listener(events.Listener):
    def own(self):
        return [one for one in super().own() if one[1] != 'REBOOT']


class Walk:
    def __init__(self, target):
        self.server, self.conn = target, target.connect()
        self.listener = Listener(self.conn)

    def documents(self, domain):
        return [plain(domain.XMLDesc(flags)) for flags in (libvirt.VIR_DOMAIN_XML_SECURE, libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)]

    def act(self, domain, verb, text, flags):
        if verb == 'reset':
            return domain.reset()
        if verb == 'memory':
            return domain.setMemoryFlags(int(text), flags)
        if verb == 'attach1':
            return domain.attachDevice(text)
        if verb == 'detach1':
            return domain.detachDevice(text)
        return {'attach': domain.attachDeviceFlags, 'detach': domain.detachDeviceFlags, 'alias': domain.detachDeviceAlias,
                'update': domain.updateDeviceFlags}[verb](text, flags)

    def row(self, name, recorded):
        base, steps = ROWS[name]
        domain = self.conn.defineXML(document(base))
        told = []
        try:
            domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
            self.listener.take([['one', 'LIFECYCLE', 'STARTED', 0]] if recorded is not None else None, SILENCE)
            for number, (verb, text, flags) in enumerate(steps):
                told.append(self.step(domain, verb, text, FLAGS[flags], recorded[number][1] if recorded and number < len(recorded) else None))
        finally:
            if domain.isActive():
                domain.destroy()
            domain.undefine()
            self.listener.take(None if recorded is None else [], SILENCE)
        return told

    def step(self, domain, verb, text, flags, expected):
        before = self.documents(domain)
        try:
            self.act(domain, verb, text, flags)
            outcome = 'done'
        except libvirt.libvirtError as error:
            outcome = [error.get_error_code(), error.get_error_domain(), plain(error.get_error_message())]
        heard = self.listener.take(expected, SILENCE)
        after = self.documents(domain)
        return [outcome, heard, change(before[0], after[0]), change(before[1], after[1])]


def differ(steps, told, wanted):
    for number, (verb, _, which) in enumerate(steps):
        theirs = wanted[number] if wanted and number < len(wanted) else [None] * 4
        for part, one, other in zip(('verdict', 'events', 'live', 'definition'), told[number], theirs):
            if one != other:
                yield 'step %d (%s %s), %s' % (number, verb, which, part)
                yield ' libvirtd %s' % (other,)
                yield ' ours     %s' % (one,)


def main(args):
    world.enter()
    Loop.start()
    make_images()
    parts = [arg for arg in args if not arg.startswith('--')]
    names = [name for name in ROWS if not parts or any(part in name for part in parts)]
    oracle = '--record' in args or '--oracle' in args
    recorded = json.load(open(RECORD)) if os.path.exists(RECORD) else {}
    lines, fresh = tap.Lines(), dict(recorded)
    with server.Libvirtd() if oracle else server.Duovirtd() as target:
        walk = Walk(target)
        for name in names:
            wanted = recorded.get(name)
            told = walk.row(name, None if '--record' in args else wanted)
            fresh[name] = told
            if '--record' in args:
                print('#', name, flush=True)
                continue
            steps, meant = ROWS[name][1], name in DIFFERENCES and '--oracle' not in args
            until = DIFFERENCES[name][0] if meant else len(steps)
            same = wanted is not None and told[:until] == wanted[:until] and meant == (told != wanted)
            lines.case(name + (' (differs)' if meant else ''), same, differ(steps, told, wanted))
    if '--record' in args:
        with open(RECORD, 'w') as f:
            f.write('{\n' + ',\n'.join(json.dumps({name: fresh[name]})[1:-1] for name in ROWS if name in fresh) + '\n}\n')
        return 0
    return lines.end()


if __name__ == '__main__':
    tap.leave(main(sys.argv[1:]))
