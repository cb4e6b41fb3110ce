#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt's own test documents, and what a live libvirtd 9.0.0 made of them, against what the KVM driver makes of them.

usage: recorded.py ARGV_TOOL CORPUS [--show]

CORPUS holds domain/NAME.xml and libvirtd-9.0.0.jsonl (definition read back, native command line, or error). Compared are the
documents for x86 that libvirtd accepted. A document is in scope if the driver can start each of its kinds of devices; all
of these must come back byte for byte, but for those that different.txt names with a reason. Command lines are compared
where both made one, without what a host decides (descriptors, times, folders) and the interfaces, which libvirt's
converter changes. Errors of refused documents are counted by code. --show prints each difference."""
import collections
import difflib
import json
import pathlib
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).parent
SKIP = 77
KINDS = {'emulator', 'disk', 'controller', 'interface', 'serial', 'parallel', 'console', 'channel', 'input', 'graphics', 'sound',
         'audio', 'video', 'hub', 'smartcard', 'redirdev', 'redirfilter', 'watchdog', 'memballoon', 'rng', 'panic', 'tpm', 'filesystem', 'vsock', 'shmem', 'iommu', 'memory'}
TYPES = {'disk': {'file', 'block', 'dir', 'network'}, 'interface': {'user', 'bridge', 'ethernet', 'server', 'client', 'mcast', 'udp'}, 'graphics': {'vnc', 'spice', 'egl-headless', 'sdl', 'dbus'}}


def in_scope(xml: str) -> bool:
    devices = ElementTree.fromstring(xml).find('devices')
    return all(device.tag in KINDS and device.get('device') != 'lun' and
               (device.tag not in TYPES or device.get('type') in TYPES[device.tag]) for device in devices)


def scrub(xml: str, source: str) -> str:
    """Without what was made up."""
    known = source.lower()
    xml = re.sub(r'<uuid>([^<]*)</uuid>', lambda m: m[0] if m[1].lower() in known else '<uuid>GENERATED</uuid>', xml)
    return re.sub(r"<mac address='([^']*)'", lambda m: m[0] if m[1].lower() in known else "<mac address='GENERATED'", xml)


def plain(argv: list[str]) -> list[str]:
    """Without what a host decides."""
    lines = []
    for value in argv[1:]:
        value = re.sub(r'/var/lib/libvirt/qemu/(channel/target/|ram/)?(domain-)?-1-[^/"]*/', '/run/guest/', value)
        value = re.sub(r'/run/guest/(channel\d+\.sock|org\.qemu\.guest_agent\.0)', '/run/guest/CHANNEL', value)
        value = re.sub(r'base=20\d\d-.*', 'base=TIME', value)
        if value.startswith('{'):
            thing = json.loads(value)
            if thing.get('type') in ('tap', 'user'):
                thing = {'type': 'NIC', 'id': thing['id']}
            if 'netdev' in thing:
                thing = {key: thing[key] for key in ('driver', 'netdev', 'id', 'mac')}
            value = json.dumps(thing)
        lines.append(value)
    return lines


class Comparison:
    def __init__(self, show: bool):
        self.show = show
        self.counts = collections.Counter()
        self.different: list[str] = []

    def print(self, name: str, theirs: list[str], ours: list[str]) -> None:
        if self.show:
            print('\n'.join(difflib.unified_diff(theirs, ours, f'{name}: libvirt', 'ours', n=1, lineterm='')))

    def accepted(self, name: str, source: str, record: dict, answer: dict) -> None:
        scope = 'in scope' if in_scope(record['xml']) else 'out of scope'
        self.counts[scope, 'accepted'] += 1
        ours = scrub(answer['xml'], source) if 'xml' in answer else answer['error']['message']
        if ours == record['xml']:
            self.counts[scope, 'same definition'] += 1
        else:
            self.print(name, record['xml'].splitlines(), ours.splitlines())
            if scope == 'in scope':
                self.different.append(name)
        if isinstance(record.get('native'), str) and 'argv' in answer:
            self.command_line(name, scope, shlex.split(record['native']), answer['argv'])

    def command_line(self, name: str, scope: str, theirs: list[str], ours: list[str]) -> None:
        self.counts[scope, 'command line'] += 1
        if plain(theirs) == plain(ours):
            self.counts[scope, 'same command line'] += 1
        else:
            self.print(name + ' (argv)', plain(theirs), plain(ours))

    def refused(self, name: str, record: dict, answer: dict) -> None:
        theirs, ours = record['define'], answer.get('error', {})
        self.counts['refused', 'by libvirt'] += 1
        if ours.get('step') in ('start', 'prepare', 'argv') or not ours:
            self.counts['refused', 'not by us before a start'] += 1
        elif all(ours[key] == theirs[key] for key in ('code', 'domain', 'message')):
            self.counts['refused', 'in the same words'] += 1
        elif ours['code'] == theirs['code']:
            self.counts['refused', 'with the same code'] += 1
        else:
            self.counts['refused', 'with another code'] += 1
            self.print(name, [json.dumps(theirs)], [json.dumps(ours)])


def known_differences() -> dict[str, str]:
    lines = (HERE / 'different.txt').read_text().splitlines()
    return dict(line.split(None, 1) for line in lines if line and not line.startswith('#'))


def main() -> int:
    tool, corpus, show = sys.argv[1], pathlib.Path(sys.argv[2]), '--show' in sys.argv
    if not (corpus / 'libvirtd-9.0.0.jsonl').exists():
        print(f'skipped: no {corpus}')
        return SKIP
    records = {}
    for line in (corpus / 'libvirtd-9.0.0.jsonl').read_text().splitlines():
        record = json.loads(line)
        source = corpus / 'domain' / f'{record["name"]}.xml'
        if record['kind'] == 'domain' and re.search(r"arch=.(x86_64|i686)|^(?!.*arch=)", source.read_text(errors='replace'), re.S):
            records[str(source)] = record
    out = subprocess.run([tool, '--argv', '--caps', str(HERE / 'caps'), '--firmware', str(HERE / 'firmware')], input='\n'.join(records) + '\n', capture_output=True,
                         text=True, timeout=300, check=True)
    comparison = Comparison(show)
    for line in out.stdout.splitlines():
        answer = json.loads(line)
        record = records[answer['file']]
        if record['define'] == 'ok':
            source = pathlib.Path(answer['file']).read_text(errors='surrogateescape')
            comparison.accepted(record['name'], source, record, answer)
        else:
            comparison.refused(record['name'], record, answer)
    for (scope, what), count in sorted(comparison.counts.items()):
        print(f'{scope}, {what}: {count}')
    known = known_differences()
    fresh = [name for name in comparison.different if name not in known]
    stale = [name for name in known if name not in comparison.different]
    for name in fresh:
        print(f'not as recorded: {name}')
    for name in stale:
        print(f'listed as different, but as recorded: {name}')
    return 1 if fresh or stale else 0


if __name__ == '__main__':
    sys.exit(main())
