#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""model.py WHAT OUTPUT DESCRIPTION...: emits one output (header, source, docs, dictionary, samples, or rng=ROOT,... for the
schema of documents of these roots) from the descriptions."""
from __future__ import annotations

import pathlib
import sys

import emit_model
import emit_model_docs
import emit_model_tests
import emit_rng
import schema_read
from schema import SchemaError

BACK_ENDS = {
    'header': emit_model.header,
    'source': emit_model.source,
    'docs': emit_model_docs.page,
    'dictionary': emit_model_tests.dictionary,
    'samples': emit_model_tests.samples,
}


def main() -> int:
    what, _, roots = sys.argv[1].partition('=') if len(sys.argv) > 3 else ('', '', '')
    if what not in BACK_ENDS and not (what == 'rng' and roots):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        schema = schema_read.load([pathlib.Path(path) for path in sys.argv[3:]])
        text = emit_rng.emit(schema, *roots.split(',')) if roots else BACK_ENDS[what](schema)
    except SchemaError as error:
        print(error, file=sys.stderr)
        return 1
    pathlib.Path(sys.argv[2]).write_text(text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
