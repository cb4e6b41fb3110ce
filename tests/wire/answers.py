#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The calls of errors.py, right and wrong, on our daemon, against what libvirtd 9.0.0 answered to the same.

    answers.py            with the fake driver and with KVM's; a line for each call's case
    answers.py --record   ask the stock libvirtd of this host, and write errors-libvirtd-9.0.0.json, wrong-libvirtd-9.0.0.json

Differences that are meant are in errors-allowed.json: {who: {pattern of paths: reason}}, who being "all" or a driver. Of the
documents of wrong.py, "wrong code" has those that differ in more than words: {document: reason}, "wrong text" those that differ
in words: {document: [reason, what ours must say]}.
"""
import fnmatch
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'lib')]
import world  # noqa: E402
import errors  # noqa: E402
import server  # noqa: E402
import tap  # noqa: E402
import wrong  # noqa: E402

RECORD = os.path.join(HERE, 'errors-libvirtd-9.0.0.json')
WRONG_RECORD = os.path.join(HERE, 'wrong-libvirtd-9.0.0.json')
ALLOWED = os.path.join(HERE, 'errors-allowed.json')
VIR_FROM_QEMU, VIR_FROM_TEST = 10, 12


class Fake(server.Duovirtd):
    """Our daemon with the driver that needs no hypervisor."""

    def __init__(self):
        super().__init__()
        self.uri = self.uri.replace('qemu+', 'fake+')
        self.uri_read_only = self.uri_read_only.replace('qemu+', 'fake+')
        self.drivers = os.path.join(os.path.dirname(os.path.dirname(self.program)), 'tests/fake')

    def command(self):
        return super().command() + ['--drivers', self.drivers]


def check(lines, name, answers):
    allowed = json.load(open(ALLOWED))
    patterns = list(allowed['all']) + list(allowed[name])
    recorded = json.load(open(RECORD))
    found = errors.differences(recorded, answers, {VIR_FROM_TEST: VIR_FROM_QEMU})
    for case in sorted(recorded):
        wrong = [one for one in found if one[0].split('/')[0] == case and
                 not any(fnmatch.fnmatchcase(one[0], pattern) for pattern in patterns)]
        why = [f'{path}: libvirtd {one!r}, ours {two!r}' for path, one, two in wrong]
        lines.case(f'{name} {case}', not wrong, [line.replace('\n', '\\n') for line in why])


def check_wrong(lines, answers):
    allowed = json.load(open(ALLOWED))
    recorded = json.load(open(WRONG_RECORD))
    for group, documents in recorded.items():
        for name, theirs in documents.items():
            ours = answers[group][name]
            ok = ours == theirs or name in allowed['wrong code']
            if name in allowed['wrong text']:
                ok = ours[:2] == theirs[:2] and allowed['wrong text'][name][1] in ours[2]
            lines.case(f'{group} document {name}', ok, [f'libvirtd {theirs}', f'ours {ours}'])


WHO = {'fake': (Fake, 'test'), 'kvm': (server.Duovirtd, 'qemu'), 'libvirtd': (server.Libvirtd, 'qemu')}


def ask(name):
    make, kind = WHO[name]
    with make() as one:
        json.dump(errors.ask(one.uri, kind, one.uri_read_only), sys.stdout)


def ask_wrong(name):
    with WHO[name][0]() as one:
        json.dump(wrong.ask(one.connect()), sys.stdout)


def answers_of(name, option='--ask'):
    """By a process of its own: libvirt's client has one event loop."""
    done = subprocess.run([sys.executable, os.path.abspath(__file__), option, name], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def record(answers):
    """A case a line, without what is not compared."""
    lines = [json.dumps({name: errors.trimmed(one)}, sort_keys=True)[1:-1] for name, one in sorted(answers.items())]
    with open(RECORD, 'w') as f:
        f.write('{\n' + ',\n'.join(lines) + '\n}\n')


def record_wrong(answers):
    """A document a line."""
    groups = [json.dumps(group) + ': {\n' + ',\n'.join(json.dumps({name: one})[1:-1] for name, one in documents.items()) + '\n}'
              for group, documents in answers.items()]
    with open(WRONG_RECORD, 'w') as f:
        f.write('{\n' + ',\n'.join(groups) + '\n}\n')


def main(args):
    if args[:1] == ['--ask']:
        return ask(args[1])
    if args[:1] == ['--ask-wrong']:
        return ask_wrong(args[1])
    world.enter()
    if args == ['--record-wrong']:
        record_wrong(answers_of('libvirtd', '--ask-wrong'))
        return 0
    if args == ['--record']:
        record(answers_of('libvirtd'))
        record_wrong(answers_of('libvirtd', '--ask-wrong'))
        return 0
    lines = tap.Lines()
    for name in ('fake', 'kvm'):
        check(lines, name, answers_of(name))
    check_wrong(lines, answers_of('kvm', '--ask-wrong'))
    return lines.end()


sys.exit(main(sys.argv[1:]))
