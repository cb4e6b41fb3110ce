# SPDX-License-Identifier: LGPL-2.1-or-later
"""Back end: what tests need beside the tables: a fuzzer's dictionary, and strings that match the patterns."""
from __future__ import annotations

from emit_model import quote
from schema import Schema


def dictionary(schema: Schema) -> str:
    words: dict[str, None] = {}
    for struct in schema.structs.values():
        for field in struct.fields:
            name = f'{field.namespace}:{field.xml}' if field.namespace else field.xml
            if field.xml == '<>':
                words.update((f'<{each}', None) for each in (field.enum.values if field.enum else []))
            elif field.place == 'attribute':
                words[f" {name}='"] = None
            elif field.place == 'element':
                words[f'<{name}'] = None
                words[f'</{name}>'] = None
    for enum in schema.enums.values():
        words.update((f"'{value}'", None) for value in enum.values)
    words.update((example, None) for pattern in schema.patterns.values() for example in pattern.examples)
    return '\n'.join('"' + word.replace('\\', '\\\\').replace('"', '\\"') + '"' for word in words) + '\n'


def samples(schema: Schema) -> str:
    out = ['/* Emitted by tools/gen from xml-schemas/: strings that match the patterns. */', '#pragma once', '',
           'static const struct {', '    const char *pattern;', '    const char *examples[8]; /* ended by NULL */',
           '} model_samples[] = {']
    for pattern in schema.patterns.values():
        out.append(f'    {{{quote(pattern.regex)}, {{{", ".join(map(quote, pattern.examples[:7]))}}}}},')
    return '\n'.join([*out, '};']) + '\n'
