#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our daemon beside Debian's libvirtd 9.0.0, in one world and one run, by turns: what a call costs, a start, memory.

    bench.py [--build FOLDER] [--calls PROGRAM] [--json FILE] [--quick]

Both keep their files in memory, so that it is the daemons that are measured and not a disk. Ours is a release build, made
in build-release/ if no folder is named. Exit code 1 if a goal is missed.
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.dirname(HERE))
from lib import guests, world  # noqa: E402
from lib.server import Duovirtd, Libvirtd, libvirt, wait_until  # noqa: E402

ROUNDS = 5
DEFINED = 1000
CASES = {'noop': 5000, 'define': 100, 'list': 40, 'state': 5000, 'dumpxml': 1000, 'stats': 10}  # calls of one round
NEED_DEFINED = ('list', 'state', 'dumpxml', 'stats')
GOALS = {'noop': ('ratio', 0.6), 'start above by hand': ('ours', 100), 'memory, empty': ('ratio', 0.4)}
PAUSE = 1.0


def release_build(folder):
    if not os.path.exists(os.path.join(folder, 'build.ninja')):
        subprocess.run(['meson', 'setup', '--buildtype=release', folder, SOURCE], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(['ninja', '-C', folder], check=True, stdout=subprocess.DEVNULL)


class Bench:
    def __init__(self, options):
        self.options = options
        self.ours = Duovirtd(os.path.join(options.build, 'daemon/duovirtd'), folder=world.SCRATCH)
        self.theirs = Libvirtd()
        self.figures = {}  # name: {'unit', 'ours': [..], 'theirs': [..]}

    def note(self, name, unit, who, value):
        self.figures.setdefault(name, {'unit': unit, 'ours': [], 'theirs': []})[who].append(value)

    def both(self):
        return (('ours', self.ours), ('theirs', self.theirs))

    def calls(self, target, case, n):
        done = subprocess.run([self.options.calls, target.uri, case, str(n)], check=True, stdout=subprocess.PIPE, text=True, timeout=600)
        return json.loads(done.stdout)

    def warm(self):
        """Whatever is asked once for good is asked now: abilities of QEMU, for one."""
        for _, target in self.both():
            with target.connect() as conn:
                conn.defineXML(guests.minimal('warm')).undefine()

    def memory(self, name):
        time.sleep(PAUSE)
        for who, target in self.both():
            self.note(name, 'KiB', who, target.rss_anon())

    def time_calls(self):
        for case, n in CASES.items():
            if case in NEED_DEFINED:
                continue
            self.rounds(case, n)
        for who, target in self.both():
            self.note('define 1000', 'ms', who, self.calls(target, 'fill', DEFINED)['wall'] / 1e3)
        self.memory('memory, 1000 defined')
        for case in NEED_DEFINED:
            self.rounds(case, CASES[case])
        for _, target in self.both():
            self.calls(target, 'empty', DEFINED)

    def rounds(self, case, n):
        for number in range(1 if self.options.quick else ROUNDS):
            for who, target in self.both() if number % 2 else reversed(self.both()):
                self.note(case, 'us', who, self.calls(target, case, n)['p50'])

    def time_starts(self):
        image = guests.image('bench.qcow2', '64M', 'qcow2')
        xml = f"""<domain type='qemu'><name>bench</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
            <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/><apic/></features>
            <devices><emulator>{guests.EMULATOR}</emulator>
            <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{image}'/><target dev='vda' bus='virtio'/></disk>
            <interface type='user'><model type='virtio'/></interface><serial type='pty'/>
            <graphics type='vnc' autoport='yes'/><video><model type='virtio'/></video>
            <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng></devices></domain>"""
        by_hand = []
        domains = {who: target.connect().defineXML(xml) for who, target in self.both()}
        argv = None
        for number in range((3 if self.options.quick else 10) + 1):
            for who, target in self.both():
                begin = time.monotonic()
                domains[who].create()
                up = time.monotonic()
                assert domains[who].state()[0] == libvirt.VIR_DOMAIN_RUNNING
                if who == 'ours' and not argv:
                    argv = self.command_line(target.qemu(domains[who].UUIDString()))
                down = time.monotonic()
                domains[who].destroy()
                if number:  # the first turn warms
                    self.note('start', 'ms', who, (up - begin) * 1e3)
                    self.note('destroy', 'ms', who, (time.monotonic() - down) * 1e3)
            seconds = self.start_by_hand(argv)
            if number:
                by_hand.append(seconds * 1e3)
        hand = statistics.median(by_hand)
        for who, _ in self.both():
            self.note('start above by hand', 'ms', who, statistics.median(self.figures['start'][who]) - hand)
            domains[who].undefine()
        self.figures['QEMU by hand'] = {'unit': 'ms', 'ours': by_hand, 'theirs': by_hand}

    def command_line(self, pid):
        """The QEMU that our daemon started, with a monitor at a path instead of an inherited descriptor."""
        with open('/proc/%d/cmdline' % pid) as f:
            argv = f.read().rstrip('\0').split('\0')
        return ['socket,id=charmonitor,path=%s/by-hand.sock,server=on,wait=off' % world.SCRATCH if word.startswith('socket,id=charmonitor')
                else word for word in argv]

    def start_by_hand(self, argv):
        """Seconds from fork to the answer of cont."""
        path = world.SCRATCH + '/by-hand.sock'
        begin = time.monotonic()
        qemu = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            monitor = wait_until(lambda: self.connected(path, qemu), 20, 'the monitor of QEMU', 0.001)
            with monitor, monitor.makefile('rw') as lines:
                lines.readline()
                for command in ('qmp_capabilities', 'cont'):
                    lines.write(json.dumps({'execute': command}) + '\n')
                    lines.flush()
                    while 'return' not in json.loads(lines.readline()):
                        pass
            return time.monotonic() - begin
        finally:
            qemu.kill()
            qemu.wait()
            if os.path.exists(path):
                os.unlink(path)

    def connected(self, path, qemu):
        assert qemu.poll() is None, 'QEMU by hand ended: ' + qemu.stderr.read().decode()
        found = socket.socket(socket.AF_UNIX)
        try:
            found.connect(path)
            return found
        except OSError:
            found.close()
            return None

    def report(self):
        """The table; the names of missed goals."""
        missed = []
        print('%-22s %10s %10s %7s  %s' % ('', 'duovirtd', 'libvirtd', 'ratio', 'goal'))
        for name, row in self.figures.items():
            ours, theirs = statistics.median(row['ours']), statistics.median(row['theirs'])
            row.update(median_ours=ours, median_theirs=theirs, ratio=ours / theirs if theirs > 0 else None)
            kind, limit = GOALS.get(name, (None, None))
            met = kind is None or (row['ratio'] if kind == 'ratio' else ours) <= limit
            if not met:
                missed.append(name)
            goal = '' if kind is None else '%s <= %g%s' % ('ratio' if kind == 'ratio' else row['unit'], limit, '' if met else '   MISSED')
            print('%-22s %10.1f %10.1f %7s  %-4s %s' % (name, ours, theirs, '%.2f' % row['ratio'] if row['ratio'] else '-', row['unit'], goal))
        if self.options.json:
            with open(self.options.json, 'w') as f:
                json.dump(self.figures, f, indent=1)
        return missed


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--build', default=os.path.join(SOURCE, 'build-release'))
    options.add_argument('--calls')
    options.add_argument('--json')
    options.add_argument('--quick', action='store_true')
    options = options.parse_args()
    options.build = os.path.abspath(options.build)
    if not os.environ.get(world.INSIDE):
        release_build(options.build)
    options.calls = options.calls or os.path.join(options.build, 'tests/bench/bench-calls')
    if not shutil.which('/usr/sbin/libvirtd'):
        sys.exit('there is no libvirtd to compare with: bash tools/deps.sh oracle')
    world.enter()
    bench = Bench(options)
    with bench.theirs, bench.ours:
        bench.warm()
        bench.memory('memory, empty')
        bench.time_calls()
        bench.time_starts()
        missed = bench.report()
    sys.exit(1 if missed else 0)


if __name__ == '__main__':
    main()
