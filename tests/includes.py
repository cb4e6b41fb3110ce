#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the project's includes against the layer rule of ARCHITECTURE.md: calls and includes go downwards only.

    includes.py SOURCE_ROOT
"""
import pathlib
import re
import sys

# Layer: what it may include besides itself. Generated headers (model-gen.h, remote-gen.h) count as their folder.
ALLOWED = {
    'lib': set(),
    'daemon': {'lib'},
    'driver-kvm': {'lib'},
    'driver-xen': {'lib'},
}
# The launcher runs between fork and exec: without GLib, so without lib/.
ALONE = 'driver-kvm/launch/'
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def main():
    root = pathlib.Path(sys.argv[1])
    counts, wrong = {}, []
    for layer in ALLOWED:
        for path in sorted((root / layer).rglob('*.[ch]')):
            name = path.relative_to(root).as_posix()
            for target in INCLUDE.findall(path.read_text(errors='replace')):
                of = target.split('/')[0] if '/' in target else layer
                counts[layer, of] = counts.get((layer, of), 0) + 1
                if of != layer and of not in ALLOWED[layer]:
                    wrong.append('%s includes %s: %s/ may include only %s' % (name, target, layer, ' '.join([layer, *ALLOWED[layer]])))
                if name.startswith(ALONE) and '/' in target and not target.startswith(ALONE):
                    wrong.append('%s includes %s: the launcher stands alone' % (name, target))
    print('TAP version 13')
    for number, layer in enumerate(ALLOWED, 1):
        mine = [text for text in wrong if text.startswith(layer + '/')]
        summary = ' '.join('%s:%d' % (of, n) for (of_layer, of), n in sorted(counts.items()) if of_layer == layer)
        print('%sok %d - %s includes %s' % ('not ' if mine else '', number, layer, summary or 'nothing'))
        for text in mine:
            print('# ' + text)
    print('1..%d' % len(ALLOWED))
    sys.exit(1 if wrong or not counts else 0)


if __name__ == '__main__':
    main()
