#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything about processors, asked of our daemon and of libvirtd on the same host: the answers are the same to the letter.

    cpu.py [PART OF A CASE'S NAME ...]

What a processor is depends on the host, so there is no recording: without libvirtd the test is skipped. With
DUOVIRT_TARGET=libvirtd both sides are libvirtd (which proves that the answers hold still).
"""
import os
import random
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402

ARCHS = ('x86_64', 'i686', 'aarch64', 'armv7l', 'ppc64', 'ppc64le', 's390x', 'riscv64', 'mips', 'sparc', 'nonsense', '')
POLICIES = ('force', 'require', 'optional', 'disable', 'forbid')
FLAGS = (0, 1, 2, 3)


def features():
    """Names of all features, from the description of ours."""
    sys.path.insert(0, os.path.join(server.SOURCE, 'tools', 'gen'))
    import cpu
    return cpu.read(os.path.join(server.SOURCE, 'lib', 'cpu', 'x86.cpu'))


def guest(model, listed=(), match='exact', extra=''):
    lines = ''.join("<feature policy='%s' name='%s'/>" % pair for pair in listed)
    return "<cpu match='%s'><model>%s</model>%s%s</cpu>" % (match, model, extra, lines)


def host(model, listed=(), vendor=None, arch='x86_64'):
    lines = ''.join("<feature name='%s'/>" % name for name in listed)
    return '<cpu><arch>%s</arch><model>%s</model>%s%s</cpu>' % (
        arch, model, '<vendor>%s</vendor>' % vendor if vendor else '', lines)


ODD = {
    'empty': '', 'no xml': 'nonsense', 'another root': '<host/>', 'nothing in it': '<cpu/>',
    'no model': '<cpu><arch>x86_64</arch></cpu>', 'empty model': '<cpu><arch>x86_64</arch><model/></cpu>',
    'unknown model': host('Nonsense'), 'unknown feature': host('qemu64', ['nonsense']),
    'feature twice': host('qemu64', ['aes', 'aes']), 'no name': "<cpu><arch>x86_64</arch><model>qemu64</model><feature/></cpu>",
    'unknown architecture': host('qemu64', arch='nonsense'), 'another architecture': host('POWER8', arch='ppc64'),
    'arch of arm': host('cortex-a53', arch='aarch64'), 'arch of s390': host('z13', arch='s390x'), 'arch i686': host('qemu32', arch='i686'),
    'no driver': host('qemu64', arch='riscv64'),
    'arch and match': "<cpu match='exact'><arch>x86_64</arch><model>qemu64</model></cpu>",
    'arch and mode': "<cpu mode='custom'><arch>x86_64</arch><model>qemu64</model></cpu>",
    'wrong mode': "<cpu mode='nonsense'><model>qemu64</model></cpu>", 'wrong match': guest('qemu64', match='nonsense'),
    'wrong policy': guest('qemu64', [('nonsense', 'aes')]), 'wrong check': "<cpu check='nonsense'><model>qemu64</model></cpu>",
    'features without a model': "<cpu match='exact'><feature policy='require' name='aes'/></cpu>",
    'vendor without a model': "<cpu match='exact'><vendor>AMD</vendor></cpu>",
    'vendor AMD': guest('qemu64', extra='<vendor>AMD</vendor>'), 'vendor Intel': guest('qemu64', extra='<vendor>Intel</vendor>'),
    'vendor Nonsense': host('qemu64', vendor='Nonsense'), 'vendor of another': host('Haswell', vendor='AMD'),
    'topology only': "<cpu><topology sockets='1' cores='2' threads='1'/></cpu>",
    'wrong topology': "<cpu><topology sockets='0' cores='2' threads='1'/></cpu>",
    'host-model': "<cpu mode='host-model'/>", 'host-passthrough': "<cpu mode='host-passthrough'/>", 'maximum': "<cpu mode='maximum'/>",
    'migratable': "<cpu mode='custom' migratable='on'><model>qemu64</model></cpu>",
    'short vendor_id': "<cpu><model vendor_id='x'>qemu64</model></cpu>",
    'vendor_id with a comma': "<cpu><model vendor_id='GenuineInte,'>qemu64</model></cpu>",
    'two caches': "<cpu><model>qemu64</model><cache mode='emulate'/><cache mode='disable'/></cpu>",
    'wrong fallback': "<cpu><model fallback='nonsense'>qemu64</model></cpu>",
    'microcode': "<cpu><arch>x86_64</arch><model>qemu64</model><microcode version='x'/></cpu>",
    'signature': "<cpu><arch>x86_64</arch><model>qemu64</model><signature family='6'/></cpu>",
    'counter': "<cpu><arch>x86_64</arch><model>qemu64</model><counter name='tsc' frequency='1' scaling='yes'/></cpu>",
    'unknown element': "<cpu><arch>x86_64</arch><model>qemu64</model><nonsense/></cpu>",
}


class Asked:
    """One connection; every answer is a text."""

    def __init__(self, target):
        self.target = target
        self.connection = target.connect()

    def call(self, function, *arguments):
        import libvirt
        try:
            return str(function(*arguments))
        except libvirt.libvirtError as error:
            return 'error %d of %d: %s' % (error.get_error_code(), error.get_error_domain(), error.get_error_message())

    def hypervisor(self, function, documents, flags, virt_type='kvm', arch=None, emulator=None, machine=None):
        return self.call(getattr(self.connection, function + 'HypervisorCPU'), emulator, arch, machine, virt_type, documents, flags)

    def compare(self, document, flags=0):
        return [self.call(self.connection.compareCPU, document, flags)] + [
            self.hypervisor('compare', document, flags, virt_type) for virt_type in ('kvm', 'qemu')]

    def baseline(self, documents, flags=0):
        return [self.call(self.connection.baselineCPU, documents, flags)] + [
            self.hypervisor('baseline', documents, flags, virt_type) for virt_type in ('kvm', 'qemu')]

    def virsh(self, *words, stdin=None):
        run = subprocess.run(['virsh', '-c', self.target.uri, *words], capture_output=True, text=True, input=stdin, check=False)
        return run.stdout + run.stderr


def cpu_part(document):
    found = re.search(r'  <cpu>.*?\n  </cpu>\n', document, re.S)
    return found.group(0) if found else document


# --- questions: name -> list of texts ---

def names(asked):
    for arch in ARCHS:
        yield 'models of %r' % arch, lambda arch=arch: [asked.call(asked.connection.getCPUModelNames, arch, 0)]


def documents(asked):
    for what, document in ODD.items():
        for flags in FLAGS:
            yield 'compare %s, flags %d' % (what, flags), lambda d=document, f=flags: asked.compare(d, f)
            yield 'baseline %s, flags %d' % (what, flags), lambda d=document, f=flags: asked.baseline([d], f)


def models(asked):
    for model in features().models:
        yield 'compare %s' % model, lambda m=model: (
            asked.compare(host(m), 1) + asked.compare(guest(m), 1) + asked.compare(guest(m, match='strict'), 1) +
            asked.compare(guest(m, match='minimum'), 0))
        for flags in FLAGS:
            yield 'baseline %s, flags %d' % (model, flags), lambda m=model, f=flags: asked.baseline([host(m)], f)
            yield 'baseline of a guest %s, flags %d' % (model, flags), lambda m=model, f=flags: asked.baseline([guest(m)], f)


def each_feature(asked):
    for name in features().features:
        yield 'feature %s' % name, lambda n=name: sum(
            [asked.compare(guest('qemu32', [(policy, n)]), 1) for policy in POLICIES], []) + sum(
                [asked.baseline([host('EPYC-Rome', [n])], flags) for flags in FLAGS], [])


def mixtures(asked):
    """Two or three hosts with features of all kinds, the same ones each time."""
    dice = random.Random(20)
    known = features()
    for number in range(120):
        hosts = []
        for _ in range(dice.randint(1, 3)):
            model = dice.choice(list(known.models))
            vendor = known.models[model].vendor if dice.random() < 0.5 else dice.choice([None, None, 'AMD', 'Intel'])
            hosts.append(host(model, dice.sample(list(known.features), dice.randint(0, 12)), vendor))
        policies = [(dice.choice(POLICIES), name) for name in dice.sample(list(known.features), dice.randint(0, 6))]
        wanted = guest(dice.choice(list(known.models)), policies, dice.choice(['minimum', 'exact', 'strict']))
        flags = dice.choice(FLAGS)
        yield 'mixture %d' % number, lambda h=hosts, f=flags, w=wanted: asked.baseline(h, f) + asked.compare(w, f & 1)


def own_host(asked):
    def ask():
        part = ElementTree.fromstring(asked.connection.getCapabilities()).find('host/cpu')
        whole = ElementTree.tostring(part, encoding='unicode')
        return [whole] + asked.compare(whole, 1) + sum([asked.baseline([whole], flags) for flags in FLAGS], [])
    yield 'the host itself', ask
    yield 'the host itself, by the schema', lambda: asked.compare(ElementTree.tostring(
        ElementTree.fromstring(asked.connection.getCapabilities()).find('host/cpu'), encoding='unicode'), 3)
    for virt_type in ('kvm', 'qemu'):
        for machine in ('pc', 'q35', None):
            for arch in ('x86_64', 'i686'):
                yield 'domain capabilities %s %s %s' % (virt_type, machine, arch), lambda v=virt_type, m=machine, a=arch: [
                    cpu_part(asked.call(asked.connection.getDomainCapabilities, None, a, m, v, 0))]
    for what in ((None, 'aarch64', None, 'qemu'), (None, 'nonsense', None, 'kvm'), ('/usr/bin/true', None, None, 'kvm'),
                 (None, None, 'nonsense', 'kvm'), (None, None, None, 'nonsense'), (None, 'i686', None, 'kvm'), (None, 'i686', None, 'qemu')):
        yield 'hypervisor %s' % (what,), lambda w=what: [
            asked.call(asked.connection.compareHypervisorCPU, *w, host('qemu64'), 1),
            asked.call(asked.connection.baselineHypervisorCPU, *w, [host('qemu64')], 3)]


def shell(asked):
    capabilities = asked.connection.getCapabilities()
    whole = asked.connection.getDomainCapabilities(None, None, None, 'kvm', 0)
    for words in (['cpu-models', 'x86_64'], ['cpu-models', 'ppc64'], ['cpu-models', 'nonsense'], ['cpu-compare', '/dev/stdin'],
                  ['cpu-compare', '/dev/stdin', '--error'], ['cpu-baseline', '/dev/stdin'], ['cpu-baseline', '/dev/stdin', '--features'],
                  ['cpu-baseline', '/dev/stdin', '--migratable'], ['hypervisor-cpu-compare', '/dev/stdin', '--virttype', 'kvm'],
                  ['hypervisor-cpu-compare', '/dev/stdin', '--virttype', 'qemu', '--error'],
                  ['hypervisor-cpu-baseline', '/dev/stdin', '--virttype', 'kvm', '--features'],
                  ['hypervisor-cpu-baseline', '/dev/stdin', '--virttype', 'qemu', '--migratable']):
        for what, text in (('capabilities', capabilities), ('domain capabilities', whole), ('nonsense', '<nonsense/>')):
            yield 'virsh %s, %s' % (' '.join(words), what), lambda w=words, t=text: [asked.virsh(*w, stdin=t)]


CPUS = {
    'none': '', 'topology': "<cpu><topology sockets='1' cores='1' threads='1'/></cpu>", 'passthrough': "<cpu mode='host-passthrough'/>",
    'maximum': "<cpu mode='maximum'/>", 'host-model': "<cpu mode='host-model'/>",
    'host-model with features': "<cpu mode='host-model'><feature policy='disable' name='syscall'/><feature policy='optional' name='vmx'/></cpu>",
    'host-model none': "<cpu mode='host-model' check='none'/>", 'host-model full': "<cpu mode='host-model' check='full'/>",
    'passthrough full': "<cpu mode='host-passthrough' check='full'><feature policy='disable' name='svm'/></cpu>",
    'passthrough forbid': "<cpu mode='host-passthrough' check='partial'><feature policy='forbid' name='x2apic'/></cpu>",
    'maximum full': "<cpu mode='maximum' check='full'/>",
    'qemu64': guest('qemu64'), 'qemu32': guest('qemu32'), 'kvm64': guest('kvm64'), 'kvm64 full': guest('kvm64').replace('<cpu ', "<cpu check='full' "),
    '486': guest('486'), 'pentium': guest('pentium'), 'Opteron_G1': guest('Opteron_G1'), 'Opteron_G3': guest('Opteron_G3'),
    'Haswell': guest('Haswell'), 'EPYC': guest('EPYC'), 'EPYC-Milan': guest('EPYC-Milan'), 'Icelake-Server': guest('Icelake-Server'),
    'Haswell none': guest('Haswell').replace('<cpu ', "<cpu check='none' "), 'Haswell partial': guest('Haswell').replace('<cpu ', "<cpu check='partial' "),
    'Haswell full': guest('Haswell').replace('<cpu ', "<cpu check='full' "), 'Dhyana': guest('Dhyana'),
    'Conroe minimum': guest('Conroe', match='minimum'), 'qemu32 strict': guest('qemu32', match='strict'),
    'qemu32 strict partial': guest('qemu32', match='strict').replace('<cpu ', "<cpu check='partial' "),
    'qemu32 minimum partial': guest('qemu32', match='minimum').replace('<cpu ', "<cpu check='partial' "),
    'unknown model': guest('Nonsense'), 'unknown feature': guest('qemu64', [('require', 'nonsense')]),
    'unknown feature off': guest('qemu64', [('disable', 'nonsense')]), 'optional unknown': guest('qemu64', [('optional', 'nonsense')]),
    'policies': guest('qemu64', [('require', 'aes'), ('disable', 'svm'), ('optional', 'avx'), ('force', 'popcnt'), ('forbid', 'vmx')]),
    'spelled by us': guest('qemu64', [('require', 'pclmuldq'), ('require', 'lahf_lm'), ('disable', 'fxsr_opt')]),
    'spelled by QEMU': guest('qemu64', [('require', 'pclmulqdq')]),
    'not for guests': guest('qemu64', [('disable', 'cmt'), ('disable', 'ospke')]),
    'unused model': guest('cpu64-rhel6'), 'unused model forbid': guest('cpu64-rhel6').replace('<model>', "<model fallback='forbid'>"),
    'vendor': guest('qemu64', extra='<vendor>Intel</vendor>'), 'vendor partial': guest('qemu64', extra='<vendor>Intel</vendor>').replace('<cpu ', "<cpu check='partial' "),
    'vendor_id': "<cpu match='exact'><model vendor_id='GenuineIntel'>qemu64</model></cpu>",
    'invtsc': guest('qemu64', [('require', 'invtsc')]),
    'forbid partial': guest('qemu32', [('forbid', 'x2apic')]).replace('<cpu ', "<cpu check='partial' "),
    'forbid sse partial': guest('486', [('forbid', 'sse')]).replace('<cpu ', "<cpu check='partial' "),
}


def shown(text):
    found = re.search(r'  <cpu[^>]*/>\n|  <cpu.*?</cpu>\n', text, re.S)
    return found.group(0) if found else 'no cpu' if '<domain' in text else text


def starts(asked):
    """What a guest's CPU is defined as, would be, became, and would be migrated as; or why it does not start."""
    for virt_type in ('qemu', 'kvm'):
        for what, part in CPUS.items():
            def ask(virt_type=virt_type, part=part):
                text = guests.tiny('cpu', head=part).replace("type='qemu'", "type='%s'" % virt_type)
                answers = [asked.call(asked.connection.defineXML, text)]
                if answers[0].startswith('error'):
                    return answers
                domain = asked.connection.lookupByName('cpu')
                try:
                    answers = [asked.call(domain.XMLDesc, flags) for flags in (0, 4, 8)]
                    answers.append(re.sub(r'^0$', 'started', asked.call(domain.createWithFlags, 1)))
                    if answers[-1] == 'started':
                        answers += [asked.call(domain.XMLDesc, flags) for flags in (0, 2, 4, 8, 6)]
                        domain.destroy()
                finally:
                    domain.undefine()
                return [shown(answer) for answer in answers]
            yield 'start %s %s' % (virt_type, what), ask


# Names of cases whose answers need not be the same, and why.
DIFFERENT = [
    (r'baseline (another architecture|arch of arm), .*', 'features of other architectures are not reckoned with'),
    (r"hypervisor \('/usr/bin/true', .*", 'libvirtd speaks of its own files'),
    (r'the host itself, by the schema', "libvirt's schema knows no dot in the features of a host: sse4.1"),
    (r'(compare|baseline) vendor_id with a comma, flags .*', 'one error where libvirtd has two words for it'),
]


def plain(text):
    """Without times, and without what only libvirtd can say."""
    text = re.sub(r'against schema: Unable to validate doc.*', 'against schema', text, flags=re.S)
    text = re.sub(r'Document is empty\n.*\n', 'Document is empty\n', text)
    text = re.sub('process exited while connecting to monitor|qemu unexpectedly closed the monitor', 'QEMU ended', text)
    return re.sub(r'\d{4}-\d\d-\d\dT[0-9:.]+Z', 'TIME', text)


QUESTIONS = [names, documents, models, each_feature, mixtures, own_host, shell, starts]


def wanted(name):
    parts = [word for word in sys.argv[1:] if not word.startswith('-')]
    return not parts or any(part in name for part in parts)


def answers(target):
    asked = Asked(target)
    found = {}
    for ask in QUESTIONS:
        for name, question in ask(asked):
            if wanted(name):
                found[name] = question()
    return found


def main():
    if not shutil.which('libvirtd'):
        print('1..0 # SKIP libvirtd is not installed')
        return 0
    world.enter()
    with server.Libvirtd() as target:
        theirs = answers(target)
    with server.target() as target:
        ours = answers(target)
    lines = tap.Lines()
    for name, expected in theirs.items():
        expected, given = [plain(text) for text in expected], [plain(text) for text in ours[name]]
        for what, why in DIFFERENT:
            if re.fullmatch(what, name):
                print('# differs on purpose: %s: %s' % (name, why))
                given = expected
        why = []
        for number, (left, right) in enumerate(zip(expected, given)):
            if left != right:
                why += ['answer %d of libvirtd:' % number, *left.splitlines(), 'ours:', *right.splitlines()]
        if len(expected) != len(given):
            why.append('libvirtd gave %d answers, we %d' % (len(expected), len(given)))
        lines.case(name, not why, why)
    return lines.end()


if __name__ == '__main__':
    sys.exit(main())
