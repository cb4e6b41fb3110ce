#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Walks stock virsh through everything a person does with a guest, on us and on Debian's libvirtd: the texts are equal.

    walk.py             on our daemon, held against the recorded answers of libvirtd 9.0.0 in walk/
    walk.py --oracle    on libvirtd too, now, and held against that
    walk.py --record    on libvirtd only, to record its answers anew

One transcript for each guest document and one for the host. What may differ is in MASKS and DIFFERENCES, each with its
reason; everything else must be equal to the letter, error texts and exit codes included.
"""
import difflib
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, questions, server, starts, tap, world  # noqa: E402
from lib.virsh import Console, Events, virsh  # noqa: E402

RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'walk')

# Numbers of runs go on from one walk to the next, and a document may be walked alone. A start that is refused early takes one of libvirtd's and none
# of ours. In the record they stand as they were.
ID_MASKS = [
    (r"(?m)^(<domain type='\w+' id=)'\d+'", r"\1'ID'", 'the number of a run'),
    (r'(?m)^(Id: +)\d+$|^ \d+ +(\S+ +(?:running|paused|in shutdown))', r'\1\2 ID', 'the same'),
    (r'\A\d+(?=\n\[exit 0\]\s*\Z)', 'ID', 'the same'),
]

# On both sides: (what, becomes, why).
MASKS = ID_MASKS + [
    (r'CPU time: +[0-9.]+s', 'CPU time: TIME', 'a time'),
    (r'/dev/pts/\d+', '/dev/pts/N', 'the kernel numbers terminals in the order they are asked for'),
    (r'qemu\+unix:///system\?socket=\S+', 'qemu:///system', 'several daemons are told apart by their socket'),
    (r'/var/lib/libvirt/qemu/|/tmp/dv-\w+/[\w/.-]*?(?=(channel|save|dump)/)', 'STATE/', 'each daemon keeps its state in its own folder'),
    (r"path='(STATE/channel/target/domain-\d+-[^']*|/tmp/dv-\w+/run/duovirt/domains/[^']*/channel\d+.sock)'", "path='CHANNEL'", 'the same'),
    (r'(?:STATE|/tmp/dv-\w+)/[\w/.-]*/vnc\.sock', 'VNC-SOCKET', 'the same'),
    (r"(?m)^((?:  )?(?:cpu\.time|cpu\.user|cpu\.system|vcpu\.\d+\.(?:time|wait|delay)|balloon\.rss|balloon\.last-update"
     r"|balloon\.(?:unused|usable|available|swap_in|swap_out|major_fault|minor_fault|disk_caches|hugetlb_pg\w+)"
     r"|net\.\d+\.[rt]x\.\w+|block\.\d+\.(?:rd|wr|fl)\.\w+|block\.\d+\.allocation)=)\d+", r'\1COUNTER', 'counters'),
    (r'(?m)^((?:rss|last_update|actual|unused|usable|available|swap_in|swap_out|major_fault|minor_fault) )\d+', r'\1COUNTER', 'counters'),
    (r'(?m)^(\S+ (?:rd|wr|flush|rx|tx)_\w+ )\d+', r'\1COUNTER', 'counters'),
    (r"(?s)(event 'reboot' for domain '\S+'\n)(.*?)(?=\Z)", lambda m: m[1] + m[2].replace(m[1], ''), 'firmware without a disk reboots for ever'),
    (r'(?m)^(\s*(?:cpu|user|system)_time +)[\d.]+ seconds|^(CPU: +)\d+$|^(CPU time: +)[\d.]+s', r'\1\2\3TIME', 'times, and where something runs'),
    (r'"id":(?:"libvirt-)?\d+"?', '"id":ID', "a message's number"),
    (r'events received: \d+', 'events received: COUNT', 'the same'),
    (r'Authorization not available\. .*\n', '', 'virsh looks for polkit when it has a terminal; there is no system bus here'),
    (r'(?m)^(Physical|Allocation|allocation): +\d+', r'\1: N', 'the file system rounds'),
    (r'(?m)^(user|system|idle|iowait|usage|total|free|buffers|cached|Total) *: .*', r'\1: HOST', 'counters of the host'),
    (r'(?m)^( +\d+): +\d+ KiB', r'\1: HOST', 'counters of the host'),
]

# Where the host differs from the one the answers were recorded on: only when holding against the recorded ones.
HOST_MASKS = ID_MASKS + [
    (r'(?m)^(CPU model|CPU\(s\)|CPU frequency|CPU socket\(s\)|Core\(s\) per socket|Thread\(s\) per core|NUMA cell\(s\)|Memory size): .*', r'\1: HOST',
     'the host'),
    (r'hypervisor: QEMU [0-9.]+', 'hypervisor: QEMU VERSION', 'the host'),
    (r'(?m)^(CPU Affinity: +).*|^( +[\d*]+:? +)\d+(?:[,-]\d+)*$', r'\1\2HOST', 'the host'),
    (r'uid:\d+, gid:\d+', 'uid:N, gid:N', 'the guests have a user of their own where a package made one'),
]

# What one side has and the other not, on purpose; taken away from both: (command, what, why).
DIFFERENCES = [
    ('dumpxml', r'  <resource>\n    <partition>/machine</partition>\n  </resource>\n', 'our control groups are not laid out as libvirt partitions'),
    ('dumpxml', r"(?s)  <seclabel type='dynamic' model='dac'.*?</seclabel>\n", 'labels are a later issue: QEMU has an id, files keep theirs'),
    ('define .*/empty.xml', r'\(null\)|(?<=Document is empty\n)(?=\n)', 'libvirtd prints a line that is not there'),
    ('event --all', r"(?<= Undefined Removed\n)event 'lifecycle' for domain '\w+': Defined (Updated|Added)\n",
     'libvirtd takes a definition that was removed during a run for one that is still there'),
    ('domstats', r'  dirtyrate\.\w+=.*\n', 'dirty rates are a later issue'),
    ('domstats', r'(?<=  state.reason=0\n)(  cpu\.\w+=COUNTER\n)+', 'a guest that does not run has no processor time'),
]


def mask(text, masks):
    for pattern, becomes, _ in masks:
        text = re.sub(pattern, becomes, text)
    return text


class Walk:
    """One transcript: a list of (command, text)."""

    def __init__(self, name, target):
        self.name = name
        self.target = target
        self.steps = []

    def note(self, command, text):
        self.steps.append((command, mask(text, MASKS).rstrip('\n') + '\n'))

    def __call__(self, *argv):
        text, code = virsh(self.target.uri, *argv)
        self.note('virsh ' + ' '.join(argv), '%s\n[exit %d]' % (text.rstrip('\n'), code))

    def define(self, xml, name='define'):
        """Writes XML to a file whose path is the same on both sides, and defines it."""
        path = '%s/%s.xml' % (world.SCRATCH, name)
        with open(path, 'w') as f:
            f.write(xml)
        self('define', path)

    def console(self, domain, *flags):
        console = Console(self.target.uri, domain, *flags)
        try:
            console.attached()
            time.sleep(0.3)
            code = console.close()
            self.note('virsh console ' + domain, 'attached\n[exit %s]' % code)
        except Exception as error:  # the transcript is the verdict
            self.note('virsh console ' + domain, '%s\n%s' % (type(error).__name__, console.process.before))


def walk_host(walk):
    for command in ('version', 'uri', 'hostname', 'nodeinfo', 'nodecpustats', 'nodememstats', 'freecell', 'freecell --all',
                    'maxvcpus', 'maxvcpus --type qemu', 'list', 'list --all', 'list --all --name', 'list --all --uuid',
                    'pool-list --all', 'net-list --all', 'nwfilter-list', 'secret-list', 'iface-list', 'nodedev-list --cap nonsense'):
        if command.split()[0] in ('pool-list', 'net-list', 'nwfilter-list', 'iface-list', 'nodedev-list'):
            continue  # later issues
        walk(*command.split())


def walk_guest(walk, document):
    """DOCUMENT through its whole life. WALK.name is the guest's name."""
    g = walk.name
    xml = document(g)
    events = Events(walk.target.uri)
    time.sleep(1.5)  # until virsh has asked for all 27 kinds of event
    walk.define(xml)
    for command in ('list --all', 'dominfo G', 'domid G', 'domuuid G', 'domname ' + guests.uuid_of(g), 'domstate G', 'domstate G --reason',
                    'dumpxml G', 'dumpxml G --inactive', 'dumpxml G --security-info', 'dumpxml G --migratable', 'domblklist G',
                    'domblklist G --details', 'domiflist G', 'domstats G', 'vcpucount G', 'vncdisplay G', 'ttyconsole G', 'domcontrol G',
                    'autostart G', 'dominfo G', 'list --all --autostart', 'autostart G --disable', 'desc G', 'desc G --title', 'desc G Words about it',
                    'desc G --title A short one', 'desc G', 'desc G --title', 'list --all --title', 'metadata G urn:duovirt:walk'):
        walk(*command.replace('G', g).split()) if 'desc' not in command else walk(*describe(command, g))
    walk('metadata', g, '--uri', 'urn:duovirt:walk', '--key', 'walk', '--set', "<step number='1'/>")
    walk('metadata', g, 'urn:duovirt:walk')
    walk('metadata', g, 'urn:duovirt:walk', '--remove')
    walk('metadata', g, 'urn:duovirt:walk')
    walk('domrename', g, g + '-new')
    walk('list', '--all', '--name')
    walk('domrename', g + '-new', g)
    for command in ('start G', 'list', 'list --all', 'list --all --state-running', 'list --inactive', 'dominfo G', 'domid G', 'domstate G --reason',
                    'dumpxml G', 'dumpxml G --inactive', 'dumpxml G --security-info', 'dumpxml G --migratable', 'domblklist G',
                    'domblklist G --details', 'domiflist G', 'domstats G', 'domstats --list-active', 'domstats --state', 'domstats G --vcpu --balloon', 'vcpucount G',
                    'dommemstat G', 'domcontrol G', 'vncdisplay G', 'domdisplay G', 'ttyconsole G'):
        walk(*command.replace('G', g).split())
    walk.console(g)
    walk.console(g, '--force')
    walk.console(g, '--safe')
    for command in ('suspend G', 'domstate G --reason', 'list', 'suspend G', 'resume G', 'domstate G --reason', 'resume G', 'reset G',
                    'domstate G --reason', 'reboot G --mode acpi', 'shutdown G --mode acpi', 'start G', 'domrename G G-new', 'undefine G', 'dominfo G'):
        walk(*command.replace('G', g).split())
    walk.define(xml)
    for command in ('dominfo G', 'destroy G', 'domstate G --reason', 'destroy G', 'shutdown G', 'suspend G', 'resume G', 'reset G', 'reboot G',
                    'console G', 'start G --paused', 'domstate G --reason', 'destroy G --graceful', 'managedsave-remove G', 'undefine G',
                    'undefine G', 'list --all', 'dominfo G', 'domstate ' + guests.uuid_of(g)):
        walk(*command.replace('G', g).split())
    walk.note('virsh event --all --loop', events.stop())


def describe(command, g):
    words = command.split()
    title = ['--title'] if '--title' in words else []
    text = ' '.join(word for word in words[2:] if word != '--title')
    return ['desc', g] + title + (['--new-desc', text] if text else [])


def walk_errors(walk):
    walk.define(guests.tiny('first'), 'first')
    walk.define(guests.tiny('first', uuid=guests.uuid_of('other')), 'same-name')
    walk.define(guests.tiny('second', uuid=guests.uuid_of('first')), 'same-uuid')
    for name, xml in (('empty', ''), ('words', 'no markup'), ('unclosed', '<domain><name>x'), ('root', '<network/>'),
                      ('type', guests.tiny('x').replace("type='qemu'", "type='nonsense'", 1)),
                      ('no-name', guests.tiny('x').replace('<name>x</name>', '')),
                      ('slash', guests.tiny('a/b')),
                      ('no-memory', guests.tiny('x').replace("<memory unit='MiB'>32</memory>", '')),
                      ('memory-word', guests.tiny('x').replace('>32<', '>much<')),
                      ('memory-unit', guests.tiny('x').replace("unit='MiB'", "unit='stones'")),
                      ('uuid', guests.tiny('x', uuid='not-a-uuid')),
                      ('vcpu', guests.tiny('x').replace('<vcpu>1', '<vcpu>none')),
                      ('arch', guests.tiny('x').replace("arch='x86_64'", "arch='pdp11'")),
                      ('machine', guests.tiny('x').replace("machine='q35'", "machine='abacus'")),
                      ('emulator', guests.tiny('x').replace('qemu-system-x86_64', 'qemu-system-none')),
                      ('bus', guests.tiny('x', devices="<disk type='file'><source file='/x'/><target dev='vda' bus='tram'/></disk>")),
                      ('target', guests.tiny('x', devices="<disk type='file'><source file='/x'/></disk>")),
                      ('disk-type', guests.tiny('x', devices="<disk type='hole'><target dev='vda'/></disk>")),
                      ('twice', guests.tiny('x', devices="<disk type='file'><source file='/x'/><target dev='vda'/></disk>" * 2)),
                      ('mac', guests.tiny('x', devices="<interface type='user'><mac address='52:54'/></interface>")),
                      ('net-type', guests.tiny('x', devices="<interface type='string'/>")),
                      ('bridge', guests.tiny('x', devices="<interface type='bridge'/>"))):
        walk.define(xml, name)
    for command in ('start nobody', 'dominfo nobody', 'destroy nobody', 'undefine nobody', 'dumpxml nobody', 'domstate 77',
                    'domstate ' + guests.uuid_of('nobody'), 'start first', 'start first', 'destroy first', 'vncdisplay first', 'ttyconsole first',
                    'start first', 'vncdisplay first', 'ttyconsole first', 'console first', 'domrename first first', 'destroy first', 'domrename first a/b',
                    'metadata first urn:nothing', 'managedsave-remove first', 'domblkinfo first vda', 'domifstat first vnet9', 'domstats nobody',
                    'restore /nonexistent', 'save first /tmp/x', 'dump first /tmp/x', 'undefine first --nvram', 'list --all'):
        walk(*command.split())


def walk_starts(walk):
    """What a start makes of a document: the definition before and after it."""
    for document in starts.STARTED:
        g = document.__name__
        walk.define(document(g), g)
        for command in ('dumpxml G', 'start G', 'dumpxml G', 'dumpxml G --inactive', 'dumpxml G --migratable', 'vncdisplay G', 'vcpucount G',
                        'destroy G', 'undefine G'):
            walk(*command.replace('G', g).split())


def walk_refused(walk):
    for g, document in starts.refused():
        walk.define(document, g)
        walk('start', g)
        walk('undefine', g)


def walk_questions(walk):
    """Everything that can be asked of a guest that is off, and of one that stands still."""
    g = 'asked'
    walk.define(questions.guest(g), g)
    for commands in (questions.COMMANDS, ['start G --paused'] + questions.COMMANDS + ['destroy G', 'undefine G']):
        for command in commands:
            walk(*[g if word == 'G' else word for word in command.split()])


def walk_secrets(walk):
    a, b, c = (guests.uuid_of(name) for name in ('secret a', 'secret b', 'secret c'))
    documents = {
        'a': f"<secret><uuid>{a}</uuid><description>for a disk</description><usage type='volume'><volume>/images/a</volume></usage></secret>",
        'b': f"<secret ephemeral='yes' private='yes'><uuid>{b}</uuid><usage type='ceph'><name>client.b</name></usage></secret>",
        'c': f"<secret><uuid>{c}</uuid><usage type='tls'><name>key</name></usage></secret>",
        'twice': f"<secret><uuid>{c}</uuid><usage type='volume'><volume>/images/a</volume></usage></secret>",
        'odd': f"<secret><uuid>{c}</uuid><usage type='nonsense'/></secret>",
        'cut': '<secret>',
    }
    for name, text in documents.items():
        with open(f'/tmp/.world/secret-{name}.xml', 'w', encoding='ascii') as file:
            file.write(text)
        walk('secret-define', f'/tmp/.world/secret-{name}.xml')
    with open('/tmp/.world/value', 'w', encoding='ascii') as file:
        file.write('not base64 at all')
    for command in ('secret-list', 'secret-list --ephemeral', 'secret-list --no-ephemeral --private', 'secret-list --no-private', f'secret-dumpxml {a}', f'secret-dumpxml {b}',
                    f'secret-get-value {a}', f'secret-set-value {a} --base64 aGVsbG8=', f'secret-get-value {a}', f'secret-get-value {a} --plain',
                    f'secret-set-value {a} --file /tmp/.world/value', f'secret-get-value {a} --plain', f'secret-set-value {a} --file /tmp/.world/value --plain',
                    f'secret-get-value {a} --plain', f'secret-set-value {b} --base64 aGVsbG8=', f'secret-get-value {b}', 'secret-event --list',
                    'secret-dumpxml nonsense', f'secret-undefine {a}', f'secret-undefine {a}', f'secret-dumpxml {a}', f'secret-get-value {a}',
                    f'secret-undefine {b}', f'secret-undefine {c}', 'secret-list'):
        walk(*command.split())


PLAIN = {'secrets': walk_secrets, 'questions': walk_questions, 'host': walk_host, 'errors': walk_errors, 'starts': walk_starts, 'refused': walk_refused}
DOCUMENTS = {'minimal': guests.minimal, 'q35': guests.q35, 'pc': guests.pc, 'ports': guests.ports}


def walk_all(target, only):
    """The transcripts of TARGET: {name: steps}."""
    transcripts = {}
    for name in ['host', *DOCUMENTS, 'errors', 'starts', 'refused', 'questions', 'secrets']:
        if only and name not in only:
            continue
        walk = Walk(name, target)
        if name in PLAIN:
            PLAIN[name](walk)
        else:
            walk_guest(walk, DOCUMENTS[name])
        transcripts[name] = walk.steps
    return transcripts


def save(transcripts, host_masks):
    os.makedirs(RECORDED, exist_ok=True)
    for name, steps in transcripts.items():
        with open(os.path.join(RECORDED, name + '.txt'), 'w') as f:
            for command, text in steps:
                f.write('$ %s\n%s' % (command, mask(text, host_masks)))


def load(name):
    steps = []
    with open(os.path.join(RECORDED, name + '.txt')) as f:
        for part in re.split(r'(?m)^\$ ', f.read())[1:]:
            command, _, text = part.partition('\n')
            steps.append((command, text))
    return steps


def alike(command, text):
    for of, what, _ in DIFFERENCES:
        if re.search(of, command):
            text = re.sub(what, '', text)
    return text


def compare(out, name, ours, theirs, host_masks):
    """One TAP line for each step."""
    out.case('%s: the same steps' % name, [command for command, _ in ours] == [command for command, _ in theirs])
    for (command, our), (_, their) in zip(ours, theirs):
        our, their = (mask(alike(command, text), host_masks) for text in (our, their))
        difference = difflib.unified_diff(their.splitlines(), our.splitlines(), 'libvirtd', 'duovirtd', lineterm='', n=2)
        title = '%s: %s' % (name, command)
        out.case(title, our == their, difference)


def main():
    world.enter()
    only = [word for word in sys.argv[1:] if not word.startswith('-')]
    if '--record' in sys.argv:
        with server.Libvirtd() as libvirtd:
            save(walk_all(libvirtd, only), HOST_MASKS)
        return
    theirs = None
    if '--oracle' in sys.argv:
        with server.Libvirtd() as libvirtd:
            theirs = walk_all(libvirtd, only)
    with (server.target()) as duovirtd:
        ours = walk_all(duovirtd, only)
    out = tap.Lines()
    for name, steps in ours.items():
        if theirs:
            compare(out, name, steps, theirs[name], [])
        else:
            compare(out, name, steps, load(name), HOST_MASKS)
    sys.exit(out.end())


if __name__ == '__main__':
    main()
