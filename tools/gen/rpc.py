#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rpc.py c FOLDER FILE.idl...      C into FOLDER
rpc.py tsv FOLDER FILE.idl...    the tables in libvirt's spelling into FOLDER
rpc.py docs PAGE FILE.idl...     the reference page"""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import emit_rpc  # noqa: E402
import emit_rpc_docs  # noqa: E402
import emit_rpc_tsv  # noqa: E402
import idl  # noqa: E402


def main(what, output, *paths):
    try:
        programs = idl.load(paths)
    except idl.IdlError as error:
        sys.exit(str(error))
    emit = {'c': emit_rpc.emit, 'tsv': emit_rpc_tsv.emit, 'docs': emit_rpc_docs.emit}[what]
    emit(programs, pathlib.Path(output))


if __name__ == '__main__':
    main(*sys.argv[1:])
