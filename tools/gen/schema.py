# SPDX-License-Identifier: LGPL-2.1-or-later
"""Front end of the XML description: reads xml-schemas/*.x (notation: xml-schemas/README.md) into typed objects.

A fault in the description is a SchemaError with file and line; back ends meet a model that holds together."""
from __future__ import annotations

import dataclasses
import pathlib
import re

INTEGERS = {'int': 'gint32', 'uint': 'guint32', 'int64': 'gint64', 'uint64': 'guint64'}
SCALARS = {'string', 'yesno', 'onoff', 'flag', 'uuid', 'mac', 'cpuset', 'size', 'xml', *INTEGERS}
UNITS = {'b': 1, 'B': 1, 'KiB': 1 << 10, 'MiB': 1 << 20, 'M': 1 << 20, 'pretty': 1 << 10}
MARKS = {'required', 'hide', 'keep', 'always', 'changeable', 'abi', 'secret', 'running', 'status', 'positive', 'nozero',
         'any', 'upper', 'loose', 'nonempty'}
VALUED = {'c', 'default', 'min', 'max', 'hex', 'base', 'since', 'when', 'match', 'unit', 'pattern', 'bad', 'kept', 'blank',
          'missing', 'only', 'scale', 'mirror'}
KEYWORDS = {'auto', 'break', 'case', 'char', 'const', 'default', 'do', 'double', 'enum', 'extern', 'float', 'for', 'if',
            'int', 'long', 'register', 'return', 'short', 'signed', 'static', 'struct', 'switch', 'union', 'unsigned',
            'void', 'volatile', 'while'}


class SchemaError(Exception):
    """A fault in the description, with the place where it stands."""

    def __init__(self, where: Where, text: str):
        super().__init__(f'{where}: {text}')


@dataclasses.dataclass(frozen=True)
class Where:
    file: str
    line: int

    def __str__(self) -> str:
        return f'{self.file}:{self.line}'


@dataclasses.dataclass
class Enum:
    name: str
    values: list[str]
    doc: str
    where: Where


@dataclasses.dataclass
class Pattern:
    name: str
    regex: str
    examples: list[str]


@dataclasses.dataclass
class Condition:
    """Attribute FIELD of the element OUTER levels up has (or, NEGATED, has not) one of VALUES; "-" is absent."""
    field: str
    outer: int
    negated: bool
    values: list[str]


@dataclasses.dataclass
class Field:
    place: str  # attribute, element, content
    xml: str
    parent: str  # the text element that carries this attribute; '' for the struct's own element
    namespace: str
    repeated: bool
    type: str
    marks: set[str]
    options: dict[str, str]
    conditions: list[Condition]
    doc: str
    where: Where
    c: str = ''
    enum: Enum | None = None
    struct: Struct | None = None

    def option(self, name: str) -> str | None:
        return self.options.get(name)


@dataclasses.dataclass
class Struct:
    name: str
    xml: str
    root: bool
    doc: str
    where: Where
    fields: list[Field] = dataclasses.field(default_factory=list)

    def find(self, c: str) -> Field | None:
        return next((field for field in self.fields if field.c == c), None)

    def attribute(self, xml: str) -> Field | None:
        return next((field for field in self.fields
                     if field.place == 'attribute' and not field.parent and field.xml == xml), None)

    def members(self) -> list[Field]:
        """One field for each C member: a member may be described several times, under conditions that exclude each other."""
        return [field for field in self.fields if self.find(field.c) is field]


@dataclasses.dataclass
class Schema:
    enums: dict[str, Enum] = dataclasses.field(default_factory=dict)
    structs: dict[str, Struct] = dataclasses.field(default_factory=dict)
    namespaces: dict[str, str] = dataclasses.field(default_factory=dict)
    patterns: dict[str, Pattern] = dataclasses.field(default_factory=dict)

    def holders(self, struct: Struct, levels: int) -> list[Struct]:
        """The structs that STRUCT may lie in, LEVELS levels up."""
        if levels == 0:
            return [struct]
        parents = [outer for outer in self.structs.values() if any(field.struct is struct for field in outer.fields)]
        return list({top.name: top for parent in parents for top in self.holders(parent, levels - 1)}.values())


def snake(name: str) -> str:
    """startupPolicy -> startup_policy, queue-size -> queue_size, DiskSource -> disk_source"""
    name = re.sub(r'[^A-Za-z0-9]', '_', name)
    name = re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', name)
    name = re.sub(r'(?<=[A-Z])(?=[A-Z][a-z])', '_', name)
    return name.lower()


def constant(enum: Enum, value: str) -> str:
    return f'{snake(enum.name)}_{re.sub(r"[^A-Za-z0-9]", "_", value)}'.upper()


def plural(name: str) -> str:
    if name.endswith('y') and name[-2:] not in ('ay', 'ey', 'oy'):
        return name[:-1] + 'ies'
    return name + ('es' if name.endswith(('s', 'x', 'ch')) else 's')


class Reader:
    """One file after the other into one Schema; names are resolved at the end, so order does not matter."""

    def __init__(self) -> None:
        self.schema = Schema()
        self.groups: dict[str, list[Field]] = {}
        self.uses: list[tuple[Struct | str, int, str, Where]] = []

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

    @staticmethod
    def lines(path: pathlib.Path):
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
        elif keyword in ('struct', 'root') and len(words) in (2, 3):
            self.unique(where, name)
            struct = Struct(name, words[2].strip('<>') if len(words) == 3 else '', keyword == 'root', doc, where)
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
        place = 'content' if last == '.' else 'attribute' if last.startswith('@') else 'element'
        if parent and place != 'attribute':
            raise SchemaError(where, f'{name}: only an attribute may lie in another element')
        repeated = last.endswith('*')
        last = last.lstrip('@').rstrip('*')
        prefix, _, local = last.rpartition(':')
        field = Field(place, local, parent, prefix, repeated, kind, set(), {}, [], doc, where)
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
        base = 'value' if place == 'content' else snake(f'{parent}_{local}' if parent else local)
        field.c = field.option('c') or (plural(base) if repeated else base)
        if field.c in KEYWORDS:
            field.c += '_'
        return field

    @staticmethod
    def condition(where: Where, text: str) -> Condition:
        match = re.fullmatch(r'(\^*)([A-Za-z_0-9]+)(!?)=(\S+)', text)
        if not match:
            raise SchemaError(where, f'condition {text} is not understood')
        return Condition(match[2], len(match[1]), bool(match[3]), match[4].split(','))

    def finish(self) -> Schema:
        for struct in self.schema.structs.values():
            for field in struct.fields:
                self.resolve(field)
            if not struct.fields:
                raise SchemaError(struct.where, f'struct {struct.name} is empty')
        for struct in self.schema.structs.values():
            self.check(struct)
        return self.schema

    def resolve(self, field: Field) -> None:
        kind = field.type
        if kind in self.schema.enums:
            field.enum = self.schema.enums[kind]
        elif kind in self.schema.structs:
            field.struct = self.schema.structs[kind]
        elif kind not in SCALARS:
            raise SchemaError(field.where, f'{field.xml}: no type {kind}')
        if field.struct and field.place != 'element':
            raise SchemaError(field.where, f'{field.xml}: a struct is an element')
        if field.repeated and not field.struct:
            raise SchemaError(field.where, f'{field.xml}: only a struct can be repeated')
        if kind in ('flag', 'xml') and field.place != 'element':
            raise SchemaError(field.where, f'{field.xml}: {kind} is an element')
        if field.namespace and field.namespace not in self.schema.namespaces:
            raise SchemaError(field.where, f'no namespace {field.namespace}')
        if (kind == 'size') != ('unit' in field.options) or field.options.get('unit', 'b') not in UNITS:
            raise SchemaError(field.where, f'{field.xml}: a size has unit= one of {", ".join(UNITS)}; nothing else has')
        pattern = field.option('pattern')
        if pattern and (pattern not in self.schema.patterns or kind != 'string'):
            raise SchemaError(field.where, f'{field.xml}: no pattern {pattern}, or not a string')
        only = field.option('only')
        if only and not (field.enum and set(only.split(',')) <= set(field.enum.values)):
            raise SchemaError(field.where, f'{field.xml}: only= names a value that {kind} has not')
        default = field.option('default')
        if default is not None and field.enum and default not in field.enum.values:
            raise SchemaError(field.where, f'{field.xml}: default {default} is no value of {kind}')
        if default is not None and field.struct:
            raise SchemaError(field.where, f'{field.xml}: a struct has no default (use always)')

    def check(self, struct: Struct) -> None:
        seen: dict[str, Field] = {}
        for field in struct.fields:
            twin = seen.setdefault(field.c, field)
            if twin is not field and (twin.xml != field.xml or not (twin.conditions and field.conditions)
                                      or member_type(twin) != member_type(field)):
                raise SchemaError(field.where, f'{struct.name}.{field.c} is described twice (also {twin.where})')
            for condition in field.conditions:
                self.check_condition(struct, field, condition)
            mirror = field.option('mirror')
            if mirror:
                element, _, name = mirror.partition('/')
                lists = [other for other in struct.fields if other.repeated and other.xml == element and other.struct]
                if not lists or not any(inner.xml == name and inner.type == field.type
                                        for inner in lists[0].struct.fields):
                    raise SchemaError(field.where, f'mirror={mirror}: no such list or attribute')
            match = field.option('match')
            if match:
                name, _, value = match.partition(':')
                inner = field.struct.find(name) if field.struct else None
                if not inner or not inner.enum or value not in inner.enum.values:
                    raise SchemaError(field.where, f'match={match}: no such attribute or value')
        if struct.xml == '' and struct.root:
            raise SchemaError(struct.where, f'root {struct.name} has no element')


    def check_condition(self, struct: Struct, field: Field, condition: Condition) -> None:
        values: list[str] = []
        for holder in self.schema.holders(struct, condition.outer):
            named = holder.attribute(condition.field)
            if not named or not constants(named):
                raise SchemaError(field.where, f'{holder.name} has no enumerated attribute {condition.field}')
            if values and constants(named) != values:
                raise SchemaError(field.where, f'{condition.field} has other values in {holder.name} than elsewhere')
            values = constants(named)
        unknown = set(condition.values) - set(values) - {'-'}
        if unknown:
            raise SchemaError(field.where, f'{condition.field} has no value {unknown.pop()}')
        if len(values) > 63:
            raise SchemaError(field.where, f'{condition.field} has too many values for a condition')


def constants(field: Field) -> list[str]:
    """The values that a condition on FIELD can name, in the order of their C constants from 1 on."""
    return field.enum.values if field.enum else {'yesno': ['yes', 'no'], 'onoff': ['on', 'off']}.get(field.type, [])


def attribute_order(struct: Struct) -> list[int]:
    """Indices of the attributes of STRUCT, each after those that its conditions speak of."""
    waiting = [index for index, field in enumerate(struct.fields) if field.place == 'attribute' and not field.parent]
    order: list[int] = []
    while waiting:
        blocked = {struct.fields[index].xml for index in waiting}
        ready = [index for index in waiting if not any(
            not condition.outer and condition.field in blocked for condition in struct.fields[index].conditions)]
        if not ready:
            raise SchemaError(struct.where, f'the conditions of {struct.name} go in a circle')
        order += ready
        waiting = [index for index in waiting if index not in ready]
    return order


def member_type(field: Field) -> str:
    """The C type of FIELD's member."""
    if field.repeated:
        return 'GPtrArray *'
    if field.struct:
        return field.struct.name + ' *'
    if field.enum:
        return field.enum.name
    fixed = {'yesno': 'Toggle', 'onoff': 'Toggle', 'flag': 'gboolean', 'uuid': 'Uuid', 'size': 'guint64', **INTEGERS}
    return fixed.get(field.type, 'char *')


def load(paths: list[pathlib.Path]) -> Schema:
    reader = Reader()
    for path in paths:
        reader.read(path)
    return reader.finish()
