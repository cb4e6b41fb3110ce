#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""implemented.py STAMP PAGE PROGRAM PROVEN FILE.idl...   prints how much of the wire the program PROGRAM answers, and writes a
page of what it does not.

A procedure has a handler if PROGRAM defines its function; it counts as proven when a line of PROVEN begins with its name
(remote.domain_create; # begins a comment): the tests with stock clients keep that list. An event may be proven without a
handler.
"""
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import idl  # noqa: E402


def defined(program):
    lines = subprocess.run(['nm', '--defined-only', program], check=True, capture_output=True, text=True).stdout
    return {name for _, kind, name in (line.split() for line in lines.splitlines()) if kind == 'T'}


def proven(path):
    if not path.exists():
        return []
    lines = (line.split('#', 1)[0].split() for line in path.read_text(encoding='utf-8').splitlines())
    return [words[0].replace('.', '_', 1) for words in lines if words]


def page(programs, handlers):
    """The procedures that are refused, each with what it would do."""
    text = ('# Calls that are not offered\n\nEach fails with VIR_ERR_NO_SUPPORT. The page is made at the build, of the procedures described in '
            'daemon/rpc/*.idl and of the handlers in the daemon.\n')
    for program in programs:
        calls = [proc for proc in program.procs if not proc.is_event]
        missing = [proc for proc in calls if f'{program.prefix}_{proc.name}' not in handlers]
        if calls:
            text += f'\n## {program.name}: {len(missing)} of {len(calls)}\n\n'
            text += ''.join(f'- `{proc.name}`: {proc.doc}\n' for proc in missing)
    return text


def main(stamp, page_path, program, proven_path, *paths):
    programs = idl.load(paths)
    procs = {f'{one.prefix}_{proc.name}': proc for one in programs for proc in one.procs}
    handlers = {name for name in defined(program) if name in procs and not procs[name].is_event}
    seen = proven(pathlib.Path(proven_path))
    for name in seen:
        if name not in procs:
            sys.exit(f"{proven_path}: no procedure '{name}'")
        if name not in handlers and not procs[name].is_event:
            sys.exit(f"{proven_path}: '{name}' is proven but has no handler")
    text = (f'wire: {len(procs)} procedures described, {len(handlers)} with a handler, '
            f'{len(set(seen))} proven by a stock client')
    print(text)
    pathlib.Path(stamp).write_text(text + '\n', encoding='utf-8')
    pathlib.Path(page_path).write_text(page(programs, handlers), encoding='utf-8')


if __name__ == '__main__':
    main(*sys.argv[1:])
