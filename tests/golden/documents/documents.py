#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirt's own test documents through tools/duovirt-xml, and through the schemas.

usage: documents.py DUOVIRT_XML CORPUS SCHEMAS [KIND...]

A document whose answer a live libvirtd 9.0.0 gave is on record (CORPUS/libvirtd-9.0.0.jsonl) has to meet the same verdict, error
and XML. One that we accept has to come back the same when what came back is read again. Each of our schemas has to accept and
refuse what libvirt's, where it is installed, accepts and refuses; and to accept what we write."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
from lib.tap import Lines  # noqa: E402

LIBVIRT = pathlib.Path('/usr/share/libvirt/schemas')
# kind -> its schema, libvirt's
KINDS = {'backup': ('backup', 'domainbackup'), 'checkpoint': ('checkpoint', 'domaincheckpoint'), 'interface': ('interface', 'interface'),
         'network': ('network', 'network'),
         'nodedev': ('nodedev', 'nodedev'), 'nwfilter': ('nwfilter', 'nwfilter'), 'pool': ('storage-pool', 'storagepool'), 'secret': ('secret', 'secret'),
         'snapshot': ('snapshot', 'domainsnapshot'), 'volume': ('storage-volume', 'storagevol')}
DIFFERENT = pathlib.Path(__file__).with_name('different.txt')
KEPT = ('interface', 'nodedev')  # libvirt's own tests have these come back as they are


def scrub(xml: str, source: str) -> str:
    """Without what was made up."""
    known = source.lower()
    xml = re.sub(r'<uuid>([^<]*)</uuid>', lambda m: m[0] if m[1].lower() in known else '<uuid>GENERATED</uuid>', xml)
    return re.sub(r"\n *<mac address='([^']*)'/>", lambda m: m[0] if m[1].lower() in known else '', xml)


def ask(tool: str, files: list[str]) -> dict[str, dict]:
    done = subprocess.run([tool, '--json', *files], capture_output=True, text=True, check=False)
    return {answer['file']: answer for answer in map(json.loads, done.stdout.splitlines())}


def by_schema(schema: pathlib.Path, files: list[str]) -> dict[str, str]:
    """What xmllint says against each; '' for nothing."""
    done = subprocess.run(['xmllint', '--noout', '--relaxng', str(schema), *files], capture_output=True, text=True, check=False)
    words = {name: '' for name in files}
    for name in files:
        if f'{name} fails to validate' in done.stderr:
            words[name] = '\n'.join(line for line in done.stderr.splitlines() if line.startswith(name))
    return words


def differences(answer: dict, record: dict, source: str) -> list[str]:
    if record['define'] != 'ok':
        ours = answer.get('error')
        return [] if ours == record['define'] else [f'libvirtd refuses it: {record["define"]}', f'we: {ours or "accept"}']
    if 'error' in answer:
        return [f'libvirtd accepts it, we: {answer["error"]}']
    ours, theirs = scrub(answer['xml'], source), scrub(record['xml'], source)
    return [] if ours == theirs else ['theirs:', *theirs.splitlines(), 'ours:', *ours.splitlines()]


class Kind:
    def __init__(self, name: str, corpus: pathlib.Path, tool: str, schemas: pathlib.Path, lines: Lines):
        self.name, self.tool, self.lines = name, tool, lines
        self.files = sorted(str(path) for path in (corpus / name).glob('*.xml'))
        self.schema, self.theirs = schemas / f'{KINDS[name][0]}.rng', LIBVIRT / f'{KINDS[name][1]}.rng'
        self.answers = ask(tool, self.files)
        self.different = dict(line.split(' ', 1) for line in DIFFERENT.read_text().splitlines() if line.startswith(f'{name}/'))

    def case(self, what: str, path: str, why: list[str]) -> None:
        key = f'{self.name}/{pathlib.Path(path).stem}'
        if f'{key}:{what}' in self.different:
            why = [] if why else ['different.txt lists it, but it is the same now']
        self.lines.case(f'{key}: {what}', not why, why)

    def recorded(self, records: dict[str, dict]) -> None:
        for path in self.files:
            record = records.get(pathlib.Path(path).stem)
            if record:
                source = pathlib.Path(path).read_text(errors='replace')
                self.case('answer', path, differences(self.answers[path], record, source))

    def kept(self) -> None:
        for path in self.files:
            if 'xml' in self.answers[path]:
                source, ours = pathlib.Path(path).read_text().strip(), self.answers[path]['xml'].strip()
                self.case('kept', path, [] if source == ours else ['source:', *source.splitlines(), 'ours:', *ours.splitlines()])

    def again(self) -> None:
        """What we write is read as the same, and our schema takes it."""
        with tempfile.TemporaryDirectory() as folder:
            written = {}
            for path in self.files:
                if 'xml' in self.answers[path]:
                    copy = pathlib.Path(folder) / pathlib.Path(path).name
                    copy.write_text(self.answers[path]['xml'])
                    written[str(copy)] = path
            answers = ask(self.tool, list(written))
            words = by_schema(self.schema, list(written))
            for copy, path in written.items():
                same = answers[copy].get('xml') == self.answers[path]['xml']
                self.case('again', path, [] if same else [str(answers[copy])])
                self.case('written', path, words[copy].splitlines())

    def schemas(self) -> None:
        if not self.theirs.exists():
            return
        ours, theirs = by_schema(self.schema, self.files), by_schema(self.theirs, self.files)
        for path in self.files:
            self.case('schema', path, [] if bool(ours[path]) == bool(theirs[path])
                      else [f"libvirt's: {theirs[path] or 'accepts'}", f'ours: {ours[path] or "accepts"}'])


def by_name(schemas: pathlib.Path, lines: Lines) -> None:
    """Each schema is found by its name in the catalogue."""
    environment = os.environ | {'XML_CATALOG_FILES': str(schemas / 'catalog.xml')}
    for schema in sorted(schemas.glob('*.rng')):
        done = subprocess.run(['xmllint', '--nonet', '--noout', '--relaxng', f'urn:duovirt:schema:{schema.stem}', '-'], env=environment,
                              input='<nonsense/>', capture_output=True, text=True, check=False)
        lines.case(f'catalogue: {schema.stem}', done.returncode == 3, done.stderr.splitlines())


def main() -> int:
    tool, corpus, schemas = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    record = corpus / 'libvirtd-9.0.0.jsonl'
    if not record.exists():
        print('1..0 # SKIP the corpus is absent: nothing to compare with')
        return 0
    lines = Lines()
    records: dict[str, dict[str, dict]] = {}
    for answer in map(json.loads, record.read_text().splitlines()):
        records.setdefault(answer['kind'], {})[answer['name']] = answer
    for name in sys.argv[4:] or KINDS:
        kind = Kind(name, corpus, tool, schemas, lines)
        kind.recorded(records.get(name, {}))
        if name in KEPT:
            kind.kept()
        kind.again()
        kind.schemas()
    by_name(schemas, lines)
    return lines.end()


if __name__ == '__main__':
    sys.exit(main())
