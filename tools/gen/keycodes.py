#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table of key codes as C.

usage: keycodes.py KEYCODES_TXT OUTPUT"""
import re
import sys

WORD = re.compile(r'(\d+)(?:([+*])(\d+))?=(\d+)$')


def main() -> None:
    sets: dict[str, list[str]] = {}
    for number, line in enumerate(open(sys.argv[1]), 1):
        if line.startswith('#') or not line.strip():
            continue
        name, *words = line.split()
        for word in words:
            match = WORD.match(word)
            if not match:
                sys.exit(f'{sys.argv[1]}:{number}: {word!r} is no run of keys')
            code, mark, count, key = match.groups()
            sets.setdefault(name, []).append(f'    {{{code}, {count or 1}, {key}, {int(mark != "*")}}},')
    with open(sys.argv[2], 'w') as out:
        for name, runs in sets.items():
            print(f'static const KeyRun {name}_keys[] = {{', *runs, '};', sep='\n', file=out)


if __name__ == '__main__':
    main()
