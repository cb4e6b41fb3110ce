#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rpc.py {c|docs|tsv} OUTPUT FILE.idl...   C into the folder OUTPUT; the reference page or the tables as file OUTPUT."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import emit_rpc  # noqa: E402
import idl  # noqa: E402


def main(what, output, *paths):
    try:
        programs = idl.load(paths)
    except idl.IdlError as error:
        sys.exit(str(error))
    if what == 'c':
        for program in programs:
            emit_rpc.emit(program, pathlib.Path(output))


if __name__ == '__main__':
    main(*sys.argv[1:])
