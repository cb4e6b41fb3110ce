#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which labs test what has changed since they last passed.

    changed.py            names those, a line each
    changed.py NAME ...   these have passed with the tree as it is: written into proven.txt
"""
import glob
import hashlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
RECORD = os.path.join(HERE, 'proven.txt')
MACHINE = ['tests/lab/machine.py', 'tools/make-guest.sh']
# What is tested there and nowhere else.
LABS = {
    'kvm': ['driver-kvm/cgroup.*', 'driver-kvm/stop.c', 'driver-kvm/launch/*', 'tests/lab/kvm.py', 'tests/lab/mapper.py'] + MACHINE,
    'package': ['debian/**', 'daemon/data/**', 'meson.build', 'tests/lab/package.py', 'tests/lab/debian.py'],
    'systemd': ['debian/**', 'daemon/data/**', 'daemon/core/autostart.*', 'daemon/core/host-stop.*', 'daemon/core/guest-stop.*',
                'tests/lab/systemd*.py', 'tests/lab/debian.py', 'tests/lab/echo.S', 'tools/make-guest.sh'],
    'xen': ['driver-xen/*', 'lib/driver/*', 'daemon/core/run*.[ch]', 'daemon/core/reconnect.*', 'tests/lab/xen.py', 'tests/lab/dom0/*.py'] + MACHINE,
}


def state(patterns):
    found = sorted({path for pattern in patterns for path in glob.glob(os.path.join(SOURCE, pattern), recursive=True)
                    if os.path.isfile(path) and '/build' not in path[len(SOURCE):]})
    total = hashlib.sha256()
    for path in found:
        with open(path, 'rb') as f:
            total.update(os.path.relpath(path, SOURCE).encode() + b'\0' + hashlib.sha256(f.read()).digest())
    return total.hexdigest()[:16]


def main(names):
    with open(RECORD) as f:
        proven = dict(line.split() for line in f)
    for name in names:
        proven[name] = state(LABS[name])
    if names:
        with open(RECORD, 'w') as f:
            f.writelines('%s %s\n' % pair for pair in sorted(proven.items()))
        return
    for name, patterns in LABS.items():
        if proven.get(name) != state(patterns):
            print(name)


if __name__ == '__main__':
    main(sys.argv[1:])
