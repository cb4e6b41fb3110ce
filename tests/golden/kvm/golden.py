#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Domain documents and what the KVM driver makes of them.

usage: golden.py ARGV_TOOL [--regenerate] [--record URI] [NAME...]

define/NAME.xml and start/NAME.xml are documents; expected/NAME.xml is the definition as it is read back, expected/NAME.args
the command line (one argument a line), expected/NAME.error why there is neither, or no command line. What QEMU can do is
read from caps/, so the answers depend on no host.

--regenerate   writes what comes out as what is expected: look at the difference before it is committed
--record URI   asks a libvirt server (Debian's libvirtd 9.0.0) for its definitions and says where they are not the expected
               ones; nothing is written"""
import argparse
import difflib
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
EXPECTED = HERE / 'expected'


def documents(names: list[str]) -> dict[str, pathlib.Path]:
    found = {path.stem: path for folder in ('define', 'start') for path in sorted((HERE / folder).glob('*.xml'))}
    return {name: path for name, path in found.items() if not names or name in names}


def text_of(path: pathlib.Path) -> str:
    return path.read_text().replace('@DIR@', '/images')


def ask(tool: str, paths: dict[str, pathlib.Path], folder: pathlib.Path) -> dict[str, dict]:
    files = {str(folder / f'{name}.xml'): name for name in paths}
    for file, name in files.items():
        pathlib.Path(file).write_text(text_of(paths[name]))
    out = subprocess.run([tool, '--argv', '--caps', str(HERE / 'caps'), '--firmware', str(HERE / 'firmware')], input='\n'.join(files) + '\n', capture_output=True,
                         text=True, timeout=300, check=True)
    answers = [json.loads(line) for line in out.stdout.splitlines()]
    return {files[answer['file']]: answer for answer in answers}


def parts(answer: dict) -> dict[str, str]:
    """What is expected of one document, by the ending of the file."""
    made = {}
    if 'xml' in answer:
        made['xml'] = answer['xml']
    if 'argv' in answer:
        made['args'] = '\n'.join(answer['argv']) + '\n'
    if 'error' in answer:
        made['error'] = '{step}: {code} {domain} {message}\n'.format(**answer['error'])
    return made


def compare(name: str, made: dict[str, str]) -> list[str]:
    lines = []
    for kind in ('xml', 'args', 'error'):
        path = EXPECTED / f'{name}.{kind}'
        before = path.read_text() if path.exists() else ''
        if before != made.get(kind, ''):
            lines += difflib.unified_diff(before.splitlines(), made.get(kind, '').splitlines(), str(path), 'made', n=2,
                                          lineterm='')
    return lines


def regenerate(name: str, made: dict[str, str]) -> None:
    for kind in ('xml', 'args', 'error'):
        path = EXPECTED / f'{name}.{kind}'
        if kind in made:
            path.write_text(made[kind])
        else:
            path.unlink(missing_ok=True)


def record(uri: str, paths: dict[str, pathlib.Path]) -> int:
    import libvirt
    libvirt.registerErrorHandler(lambda *_: None, None)
    connection = libvirt.open(uri)
    different = 0
    for name, path in paths.items():
        try:
            domain = connection.defineXML(text_of(path))
            theirs = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
            domain.undefine()
        except libvirt.libvirtError as error:
            theirs = f'{error.get_error_code()} {error.get_error_domain()} {error.get_error_message()}\n'
        expected = EXPECTED / f'{name}.xml'
        ours = expected.read_text() if expected.exists() else (EXPECTED / f'{name}.error').read_text().split(': ', 1)[1]
        if ours != theirs:
            different += 1
            print('\n'.join(difflib.unified_diff(theirs.splitlines(), ours.splitlines(), f'{name}: libvirt', 'expected', n=1,
                                                 lineterm='')))
    print(f'{len(paths)} documents, {different} with another answer')
    return 1 if different else 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument('tool')
    parser.add_argument('names', nargs='*')
    parser.add_argument('--regenerate', action='store_true')
    parser.add_argument('--record')
    options = parser.parse_intermixed_args()
    paths = documents(options.names)
    if options.record:
        return record(options.record, paths)
    import tempfile
    with tempfile.TemporaryDirectory(prefix='golden-') as folder:
        answers = ask(options.tool, paths, pathlib.Path(folder))
    failed = 0
    print(f'1..{len(paths)}')
    for number, name in enumerate(paths, 1):
        made = parts(answers[name])
        if options.regenerate:
            regenerate(name, made)
        difference = compare(name, made)
        failed += bool(difference)
        print(f'{"not " if difference else ""}ok {number} {name}')
        for line in difference[:60]:
            print('#', line)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
