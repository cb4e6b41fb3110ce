#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many lines tell what documents are and mean: no more than 25,000 for what takes libvirt about 115,000 (its src/conf, schemas and
manual pages)."""
import glob
import os
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MOST = 25000
WALKER = 'parse format walk form scalar compare document unknown model table'
KVM = 'complete implied address validate machine boot-order support hypervisor variant-find memory-slots'
PARTS = {
    'description (xml-schemas/*.x)': ['xml-schemas/*.x'],
    'generator (tools/gen)': ['tools/gen/model.py', 'tools/gen/emit_model*.py', 'tools/gen/emit_rng.py', 'tools/gen/schema*.py', 'tools/gen/cpu.py'],
    'walker (lib/model)': ['lib/model/%s.[ch]' % name for name in WALKER.split()],
    'meaning, for every driver (lib/model)': ['lib/model/*.[ch]'],
    'meaning, CPU (lib/cpu)': ['lib/cpu/*.[ch]', 'lib/cpu/*.cpu'],
    'meaning, KVM (driver-kvm)': ['driver-kvm/%s*.[ch]' % name for name in KVM.split()],
    'meaning, Xen (driver-xen)': ['driver-xen/complete.[ch]'],
}


def lines(path):
    with open(path) as f:
        return sum(1 for _ in f)


def main():
    seen, total = set(), 0
    for name, patterns in PARTS.items():
        paths = {path for pattern in patterns for path in glob.glob(os.path.join(SOURCE, pattern))} - seen
        count = sum(map(lines, paths))
        seen |= paths
        total += count
        print('# %6d  %s, %d files' % (count, name, len(paths)))
    print('1..1\n%sok 1 - %d lines of at most %d' % ('' if total <= MOST else 'not ', total, MOST))
    return 0 if total <= MOST else 1


if __name__ == '__main__':
    sys.exit(main())
