# SPDX-License-Identifier: LGPL-2.1-or-later
"""The XML description as typed objects: what schema_read.py makes of xml-schemas/*.x and the back ends go by."""
from __future__ import annotations

import dataclasses
import re

INTEGERS = {'int': 'gint32', 'uint': 'guint32', 'int64': 'gint64', 'uint64': 'guint64'}
SCALARS = {'string', 'yesno', 'onoff', 'flag', 'uuid', 'mac', 'ip', 'cpuset', 'size', 'xml', *INTEGERS}
UNITS = {'b': 1, 'B': 1, 'KiB': 1 << 10, 'MiB': 1 << 20, 'M': 1 << 20, 'pretty': 1 << 10}
ERROR_CODES = {'xml': 'VIR_ERR_XML_ERROR', 'config': 'VIR_ERR_CONFIG_UNSUPPORTED', 'arg': 'VIR_ERR_INVALID_ARG',
               'internal': 'VIR_ERR_INTERNAL_ERROR', 'name': 'VIR_ERR_NO_NAME', 'target': 'VIR_ERR_NO_TARGET',
               'detail': 'VIR_ERR_XML_DETAIL'}
ERROR_DOMAINS = {'domain': 'VIR_FROM_DOMAIN', 'xml': 'VIR_FROM_XML', 'none': 'VIR_FROM_NONE',
                 'device': 'VIR_FROM_DEVICE', 'cpu': 'VIR_FROM_CPU', 'storage': 'VIR_FROM_STORAGE',
                 'network': 'VIR_FROM_NETWORK', 'qemu': 'VIR_FROM_QEMU', 'secret': 'VIR_FROM_SECRET', 'nwfilter': 'VIR_FROM_NWFILTER',
                 'snapshot': 'VIR_FROM_DOMAIN_SNAPSHOT', 'checkpoint': 'VIR_FROM_DOMAIN_CHECKPOINT', 'interface': 'VIR_FROM_INTERFACE',
                 'nodedev': 'VIR_FROM_NODEDEV'}


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
    unknown: str  # libvirt's words for an element that is not described; '' where it is ignored
    generated: str  # the switch that says that we made the element up; '' for none
    bad: str  # libvirt's words for a wrong value of any of its attributes; '' for the general ones
    wide: bool  # an empty one has an end tag of its own, on the next line
    doc: str
    where: Where
    fields: list[Field] = dataclasses.field(default_factory=list)

    def find(self, c: str) -> Field | None:
        return next((field for field in self.fields if field.c == c), None)

    def attribute(self, xml: str) -> Field | None:
        return next((field for field in self.fields
                     if field.place == 'attribute' and not field.parent and field.xml == xml), None)

    def names(self) -> Field | None:
        """The field that tells which of several elements this is."""
        return self.attribute('<>')

    def members(self) -> list[Field]:
        """One field for each C member, which may be described several times under conditions that exclude each other."""
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
