#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Families of domain documents: many small variants of one device each, held against what libvirtd 9.0.0 said of them.

    variants.py ARGV_TOOL [FAMILY...]   what the KVM driver makes of them, beside variants/FAMILY.json
    variants.py --record [FAMILY...]    asks libvirtd and writes variants/FAMILY.json

variants/FAMILY.py has VARIANTS, {name: what stands in <devices>, or a dictionary of the parts of DOCUMENT}, for a pc, or for a q35 if
the name ends so; BOTH, names of those that are asked on both; MACHINES in place of it, {name: (architecture, machine)} of those that all
are asked on; and DIFFERENT, {name: why we answer something else}. Recorded is the error,
or in what the definition differs from that of the bare guest."""
import difflib
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
FOLDER = HERE / 'variants'
DOCUMENT = """<domain type='{type}'><name>v</name>{uuid}<memory>65536</memory>{before}<os{firmware}>\
<type arch='{arch}' machine='{machine}'>hvm</type>{os}</os>{after}<devices>{devices}</devices></domain>"""
PARTS = {'type': 'qemu', 'uuid': '<uuid>1e1b9a1c-2f4b-4a7e-9d53-0f6c8a3b7d11</uuid>', 'before': '', 'firmware': '', 'os': '', 'after': '', 'devices': ''}


def family(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / (name + '.py'))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PC, Q35 = ('x86_64', 'pc-i440fx-7.2'), ('x86_64', 'pc-q35-7.2')


def machine_of(module, name):
    machines = getattr(module, 'MACHINES', {'q35': Q35})
    return machines.get(name.rsplit('-', 1)[-1], PC)


def all_of(module):
    """{name: what is said}; the names of what is said nothing of come first."""
    if hasattr(module, 'MACHINES'):
        said = {'plain': '', **module.VARIANTS}
        return {f'{name}-{machine}': said[name] for name in said for machine in module.MACHINES}
    return {'plain': '', 'plain-q35': '', **module.VARIANTS, **{name + '-q35': module.VARIANTS[name] for name in module.BOTH}}


def documents(module):
    found = {}
    for name, what in all_of(module).items():
        parts = {**PARTS, **(what if isinstance(what, dict) else {'devices': what})}
        arch, machine = machine_of(module, name)
        found[name] = DOCUMENT.format(**parts, arch=arch, machine=machine)
    return found


def scrub(xml, source):
    known = source.lower()
    return re.sub(r"<mac address='([^']*)'", lambda m: m[0] if m[1].lower() in known else "<mac address='GENERATED'", xml)


def changes(xml, plain):
    lines = difflib.unified_diff(plain.splitlines(), xml.splitlines(), n=0, lineterm='')
    return [line for line in lines if not line.startswith(('---', '+++'))]


def answers_of(module, raw, docs):
    """{name: xml or error} as they are recorded and compared."""
    made = {}
    plains = {machine_of(module, name): raw[name] for name in raw if name.startswith('plain')}
    for name, answer in raw.items():
        plain = plains[machine_of(module, name)]
        differs = isinstance(answer, str) and not name.startswith('plain')
        made[name] = changes(scrub(answer, docs[name]), plain) if differs else answer
    return made


def ask_ours(tool, docs):
    with tempfile.TemporaryDirectory() as folder:
        paths = {os.path.join(folder, name): name for name in docs}
        for path, name in paths.items():
            pathlib.Path(path).write_text(docs[name])
        out = subprocess.run([tool, '--caps', str(HERE / 'caps'), '--firmware', str(HERE / 'firmware')], input='\n'.join(paths) + '\n',
                             capture_output=True, text=True, timeout=300, check=True)
    raw = {}
    for line in out.stdout.splitlines():
        answer = json.loads(line)
        error = answer.get('error')
        raw[paths[answer['file']]] = answer['xml'] if 'xml' in answer else [error['code'], error['domain'], error['message']]
    return raw


def ask_libvirtd(docs):
    sys.path.insert(0, str(HERE.parent.parent))
    import libvirt
    from lib import server, world
    world.enter()
    raw, rest = {}, list(docs.items())
    while rest:
        with server.Libvirtd() as target:  # some documents kill it
            conn = target.connect()
            while rest and conn.isAlive():
                name, document = rest.pop(0)
                try:
                    domain = conn.defineXML(document)
                    raw[name] = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
                    domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
                except libvirt.libvirtError as error:
                    raw[name] = [error.get_error_code(), error.get_error_domain(), error.get_error_message()]
    return raw


def record(names):
    for name in names:
        module = family(name)
        docs = documents(module)
        answers = answers_of(module, ask_libvirtd(docs), docs)
        text = ',\n'.join('%s: %s' % (json.dumps(key), json.dumps(answers[key])) for key in answers)
        (FOLDER / (name + '.json')).write_text('{\n%s\n}\n' % text)


def hold(out, name, tool):
    module = family(name)
    docs = documents(module)
    ours = answers_of(module, ask_ours(tool, docs), docs)
    theirs = json.loads((FOLDER / (name + '.json')).read_text())
    for title in docs:
        allowed = title in module.DIFFERENT
        same = ours[title] == theirs[title]
        why = ['libvirtd: %s' % theirs[title], 'we:       %s' % ours[title]] if not allowed else ['listed as different, and is not']
        out.case('%s: %s' % (name, title), same != allowed, why)


def main():
    words = sys.argv[1:]
    names = [word for word in words if (FOLDER / (word + '.py')).exists()] or sorted(path.stem for path in FOLDER.glob('*.py'))
    if words[0] == '--record':
        return record(names)
    sys.path.insert(0, str(HERE.parent.parent))
    from lib import tap
    out = tap.Lines()
    for name in names:
        hold(out, name, words[0])
    return out.end()


if __name__ == '__main__':
    sys.exit(main())
