# SPDX-License-Identifier: LGPL-2.1-or-later
"""Front end of the XML description: reads xml-schemas/*.x (notation: xml-schemas/README.md).

A fault in the description is a SchemaError with file and line; back ends meet a schema that holds together."""
from __future__ import annotations

import dataclasses
import pathlib
import re
from collections.abc import Iterator

import schema_check
from schema import Condition, Enum, Field, Pattern, Schema, SchemaError, Struct, Where, plural, snake

MARKS = {'required', 'hide', 'keep', 'always', 'changeable', 'abi', 'secret', 'running', 'status', 'positive', 'nozero',
         'any', 'upper', 'loose', 'nonempty', 'lax', 'signed',
         'transient', 'told'}  # and 'name', which a field's own name says
VALUED = {'c', 'default', 'min', 'max', 'hex', 'base', 'since', 'when', 'match', 'unit', 'pattern', 'bad', 'high',
          'kept', 'blank', 'form', 'missing', 'once', 'refused', 'only', 'scale', 'mirror'}
KEYWORDS = {'auto', 'break', 'case', 'char', 'const', 'default', 'do', 'double', 'enum', 'extern', 'float', 'for', 'if',
            'int', 'long', 'register', 'return', 'short', 'signed', 'static', 'struct', 'switch', 'union', 'unsigned',
            'void', 'volatile', 'while'}


class Reader:
    """One file after the other into one Schema; names are resolved later, so order does not matter."""

    def __init__(self) -> None:
        self.schema = Schema()
        self.groups: dict[str, list[Field]] = {}

    def read(self, path: pathlib.Path) -> None:
        target: list[Field] | None = None
        owner: Struct | None = None
        for number, line in self.lines(path):
            where = Where(path.name, number)
            body, separator, doc = line.partition(' -- ')
            words = body.split()
            doc = doc.strip()
            if not line[0].isspace():
                owner, target = self.declaration(where, words, doc)
            elif target is None:
                raise SchemaError(where, 'a field outside a struct or group')
            elif words[0] == 'use' and len(words) == 2:
                if words[1] not in self.groups:
                    raise SchemaError(where, f'no group {words[1]} before this line')
                target.extend(dataclasses.replace(field, marks=set(field.marks), options=dict(field.options))
                              for field in self.groups[words[1]])
            else:
                if not doc:
                    raise SchemaError(where, f'{words[0]} has no documentation')
                target.append(self.field(where, words, doc))
                if owner and owner.bad and 'name' not in target[-1].marks:
                    target[-1].options.setdefault('bad', owner.bad)

    @staticmethod
    def lines(path: pathlib.Path) -> Iterator[tuple[int, str]]:
        pending, start = '', 0
        for number, line in enumerate(path.read_text().splitlines(), 1):
            line = line.rstrip()
            if not pending and (not line or line.lstrip().startswith('#')):
                continue
            start = start if pending else number
            line = pending + (line.lstrip() if pending else line)
            if line.endswith('\\'):
                pending = line[:-1].rstrip() + ' '
                continue
            pending = ''
            yield start, line
        if pending:
            raise SchemaError(Where(path.name, start), 'the last line of the file is continued')

    def declaration(self, where: Where, words: list[str], doc: str) -> tuple[Struct | None, list[Field] | None]:
        keyword, name = words[0], words[1] if len(words) > 1 else ''
        if not doc and keyword in ('enum', 'struct', 'root', 'group'):
            raise SchemaError(where, f'{keyword} {name} has no documentation')
        if keyword == 'namespace' and len(words) == 3:
            self.schema.namespaces[name] = words[2]
        elif keyword == 'pattern' and len(words) > 3:
            words[2] = words[2].replace('~', ' ')
            wrong = [example for example in words[3:] if not re.fullmatch(words[2], example)]
            if wrong:
                raise SchemaError(where, f'example {wrong[0]} does not match pattern {name}')
            self.schema.patterns[name] = Pattern(name, words[2], words[3:])
        elif keyword == 'enum' and len(words) > 2:
            self.unique(where, name)
            if len(set(words[2:])) != len(words) - 2:
                raise SchemaError(where, f'enum {name} has a value twice')
            self.schema.enums[name] = Enum(name, words[2:], doc, where)
        elif keyword == 'group' and len(words) == 2:
            return None, self.groups.setdefault(name, [])
        elif keyword in ('struct', 'root') and all(re.fullmatch('<.+>|wide|(unknown|generated|bad)=.+', each)
                                                   for each in words[2:]):
            self.unique(where, name)
            element = next((word.strip('<>') for word in words[2:] if word[0] == '<'), '')
            options = dict(word.replace('~', ' ').split('=', 1) for word in words[2:] if '=' in word and word[0] != '<')
            if keyword == 'root' and not element:
                raise SchemaError(where, f'root {name} has no element')
            struct = Struct(name, element, keyword == 'root', options.get('unknown', ''),
                            options.get('generated', ''), options.get('bad', ''), 'wide' in words[2:], doc, where)
            self.schema.structs[name] = struct
            return struct, struct.fields
        else:
            raise SchemaError(where, f'not understood: {" ".join(words)}')
        return None, None

    def unique(self, where: Where, name: str) -> None:
        if not re.fullmatch(r'[A-Z][A-Za-z0-9]*', name):
            raise SchemaError(where, f'{name} is not a type name')
        if name in self.schema.enums or name in self.schema.structs:
            raise SchemaError(where, f'{name} is described twice')

    def field(self, where: Where, words: list[str], doc: str) -> Field:
        if len(words) < 2:
            raise SchemaError(where, f'{words[0]} has no type')
        name, kind, options = words[0], words[1], words[2:]
        parent, _, last = name.rpartition('/')
        place = 'content' if last == '.' else 'attribute' if last == '<>' or last.startswith('@') else 'element'
        if parent and place != 'attribute':
            raise SchemaError(where, f'{name}: only an attribute may lie in another element')
        repeated = last.endswith('*')
        last = last.lstrip('@').rstrip('*')
        prefix, _, local = last.rpartition(':')
        field = Field(place, local, parent, prefix, repeated, kind, {'name'} if name == '<>' else set(), {}, [], doc, where)
        for option in options:
            key, separator, value = option.partition(':' if option.startswith('when:') else '=')
            if key == 'when':
                field.conditions.append(self.condition(where, value))
            elif not separator and key in MARKS:
                field.marks.add(key)
            elif separator and key in VALUED and key not in field.options:
                field.options[key] = value.replace('~', ' ')
            else:
                raise SchemaError(where, f'{name}: unknown or repeated option {option}')
        base = 'element' if local == '<>' else 'value' if place == 'content' else snake(f'{parent}_{local}' if parent else local)
        field.c = field.option('c') or (plural(base) if repeated else base)
        if field.c in KEYWORDS:
            field.c += '_'
        return field

    @staticmethod
    def condition(where: Where, text: str) -> Condition:
        match = re.fullmatch(r'(\^*)([A-Za-z_0-9]+|<>)(!?)=(\S+)', text)
        if not match:
            raise SchemaError(where, f'condition {text} is not understood')
        return Condition(match[2], len(match[1]), bool(match[3]), match[4].split(','))


def load(paths: list[pathlib.Path]) -> Schema:
    reader = Reader()
    for path in paths:
        reader.read(path)
    schema_check.check(reader.schema)
    return reader.schema
