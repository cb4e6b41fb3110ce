#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt's own test documents, and what a live libvirtd 9.0.0 made of them, against what the KVM driver makes of them.

usage: recorded.py ARGV_TOOL CORPUS [--show]

CORPUS holds domain/NAME.xml and libvirtd-9.0.0.jsonl (definition read back, native command line, or error). All documents
are compared, whatever their architecture: what libvirtd accepted must come back byte for byte, and what it refused must be
refused in its words, but for those that different.txt names with a reason. Command lines are compared where both made
one, without what a host decides (descriptors, times, folders) and the interfaces, which libvirt's converter changes. --show
prints each difference."""
import collections
import difflib
import json
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
SKIP = 77


def architecture(source: str) -> str:
    found = re.search(r"""<type[^>]*\barch=['"]([^'"]*)""", source)
    return found[1] if found else 'x86_64'


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

    def document(self, name: str, source: str, record: dict, answer: dict) -> None:
        arch = architecture(source)
        self.counts[arch, 'compared'] += 1
        if record['define'] == 'ok':
            equal = self.accepted(name, arch, source, record, answer)
        else:
            equal = self.refused(name, record, answer)
        self.counts[arch, 'equal'] += equal
        if not equal:
            self.different.append(name)

    def accepted(self, name: str, arch: str, source: str, record: dict, answer: dict) -> bool:
        ours = scrub(answer['xml'], source) if 'xml' in answer else answer['error']['message']
        if ours != record['xml']:
            self.print(name, record['xml'].splitlines(), ours.splitlines())
        if isinstance(record.get('native'), str):
            self.command_line(name, arch, shlex.split(record['native']), answer)
        return ours == record['xml']

    def command_line(self, name: str, arch: str, theirs: list[str], answer: dict) -> None:
        self.counts[arch, 'command lines'] += 1
        if 'argv' not in answer:
            self.counts[arch, 'not ours to start'] += 1
            self.print(name + ' (argv)', theirs[:1], [answer['error']['message']])
        elif plain(theirs) == plain(answer['argv']):
            self.counts[arch, 'same command line'] += 1
        else:
            self.print(name + ' (argv)', plain(theirs), plain(answer['argv']))

    def refused(self, name: str, record: dict, answer: dict) -> bool:
        theirs, ours = record['define'], answer.get('error', {})
        late = ours.get('step') in ('start', 'prepare', 'argv') or not ours
        equal = not late and all(ours[key] == theirs[key] for key in ('code', 'domain', 'message'))
        if not equal:
            self.print(name, [json.dumps(theirs)], [json.dumps(ours)])
        return equal


COLUMNS = ('compared', 'equal', 'command lines', 'same command line', 'not ours to start')


def report(comparison: Comparison, known: dict[str, str]) -> None:
    """By architecture, and each difference with its reason."""
    archs = sorted({arch for arch, _ in comparison.counts})
    print(f'{"":10}' + ''.join(f'{column:>20}' for column in COLUMNS))
    for arch in archs + ['all']:
        sums = [sum(comparison.counts[one, column] for one in archs if arch in (one, 'all')) for column in COLUMNS]
        print(f'{arch:10}' + ''.join(f'{number:>20}' for number in sums))
    for name in comparison.different:
        print(f'{"different" if name in known else "not as recorded"}: {name}: {known.get(name, "")}')
    for name in known:
        if name not in comparison.different:
            print(f'listed as different, but as recorded: {name}')


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
        if record['kind'] == 'domain':
            records[str(source)] = record
    out = subprocess.run([tool, '--argv', '--caps', str(HERE / 'caps'), '--firmware', str(HERE / 'firmware')], input='\n'.join(records) + '\n', capture_output=True,
                         text=True, timeout=300, check=True)
    comparison = Comparison(show)
    for line in out.stdout.splitlines():
        answer = json.loads(line)
        record = records[answer['file']]
        comparison.document(record['name'], pathlib.Path(answer['file']).read_text(errors='surrogateescape'), record, answer)
    known = known_differences()
    report(comparison, known)
    return 1 if set(comparison.different) != set(known) else 0


if __name__ == '__main__':
    sys.exit(main())
