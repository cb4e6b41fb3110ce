#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""As walk.py, on a host without control groups: what guests are given of processors, threads and memory (lib/tunings.py).

    tuning.py [WALK ...]            on our daemon, held against the recorded answers of libvirtd 9.0.0 in walk/tuning-*.txt
    tuning.py --record [WALK ...]   on libvirtd, to record its answers anew

Without control groups: where libvirtd makes some, what it answers depends on how the host mounts them."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import server, tap, tunings, world  # noqa: E402
from wire import walk  # noqa: E402

walk.MASKS.append((r'(?:process exited while connecting to monitor|qemu unexpectedly closed the monitor): [-0-9T:.]+Z', 'QEMU ended:', 'when'))
walk.MASKS.append((r'(process|pid) \d+', r'\1 PID', 'a process'))
# Where guests may run is what this is about.
HOST_MASKS = [mask for mask in walk.HOST_MASKS if 'CPU Affinity' not in mask[0]]


def walk_all(target, only):
    transcripts = {}
    for steps in tunings.WALKS:
        name = 'tuning-' + steps.__name__
        if only and steps.__name__ not in only:
            continue
        one = walk.Walk(steps.__name__, target)
        steps(one)
        transcripts[name] = one.steps
    return transcripts


def hide_groups():
    """The world's own mounts, and those that they hide."""
    subprocess.run(['umount', '--recursive', '--lazy', world.SCRATCH + '/cgroup'], check=True)
    while os.path.ismount('/sys'):
        subprocess.run(['umount', '--recursive', '--lazy', '/sys'], check=True)
    world.run('mount', '-t', 'sysfs', 'sysfs', '/sys')


def main():
    world.enter()
    hide_groups()
    only = [word for word in sys.argv[1:] if not word.startswith('-')]
    if '--record' in sys.argv:
        with server.Libvirtd() as libvirtd:
            walk.save(walk_all(libvirtd, only), HOST_MASKS)
        return
    with server.target() as target:
        ours = walk_all(target, only)
    out = tap.Lines()
    for name, steps in ours.items():
        walk.compare(out, name, steps, walk.load(name), HOST_MASKS)
    sys.exit(out.end())


if __name__ == '__main__':
    main()
