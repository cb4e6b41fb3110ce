#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""model.py WHAT OUTPUT DESCRIPTION...: emits one output (header, source, rng, docs,
dictionary, samples) from the descriptions."""
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
    'rng': emit_rng.domain,
    'cpu-rng': emit_rng.cpu,
    'pool-rng': emit_rng.pool,
    'volume-rng': emit_rng.volume,
    'docs': emit_model_docs.page,
    'dictionary': emit_model_tests.dictionary,
    'samples': emit_model_tests.samples,
}


def main() -> int:
    if len(sys.argv) < 4 or sys.argv[1] not in BACK_ENDS:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        text = BACK_ENDS[sys.argv[1]](schema_read.load([pathlib.Path(path) for path in sys.argv[3:]]))
    except SchemaError as error:
        print(error, file=sys.stderr)
        return 1
    pathlib.Path(sys.argv[2]).write_text(text)
    return 0


if __name__ == '__main__':
    sys.exit(main())
