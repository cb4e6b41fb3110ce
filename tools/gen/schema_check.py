# SPDX-License-Identifier: LGPL-2.1-or-later
"""Resolves the names of a description that was read, and refuses what does not hold together."""
from __future__ import annotations

from itertools import combinations

from schema import (ERROR_CODES, ERROR_DOMAINS, SCALARS, UNITS, Condition, Field, Schema, SchemaError, Struct, Where,
                    attribute_order, constants, member_type)


def check(schema: Schema) -> None:
    for struct in schema.structs.values():
        for field in struct.fields:
            resolve(schema, field)
            check_place(schema, field)
            check_options(schema, field)
        if not struct.fields:
            raise SchemaError(struct.where, f'struct {struct.name} is empty')
    for struct in schema.structs.values():
        check_struct(schema, struct)
    check_use(schema)


def resolve(schema: Schema, field: Field) -> None:
    if field.type in schema.enums:
        field.enum = schema.enums[field.type]
    elif field.type in schema.structs:
        field.struct = schema.structs[field.type]
    elif field.type not in SCALARS:
        raise SchemaError(field.where, f'{field.xml}: no type {field.type}')


def check_place(schema: Schema, field: Field) -> None:
    if (field.struct or field.type in ('flag', 'xml')) and field.place != 'element':
        raise SchemaError(field.where, f'{field.xml}: {field.type} is an element')
    if field.repeated and not field.struct:
        raise SchemaError(field.where, f'{field.xml}: only a struct can be repeated')
    if field.namespace and field.namespace not in schema.namespaces:
        raise SchemaError(field.where, f'{field.xml}: no namespace {field.namespace}')


def check_options(schema: Schema, field: Field) -> None:
    def refuse(text: str) -> None:
        raise SchemaError(field.where, f'{field.xml}: {text}')

    if (field.type == 'size') != ('unit' in field.options) or field.options.get('unit', 'b') not in UNITS:
        refuse(f'a size has unit= one of {", ".join(UNITS)}; nothing else has')
    if field.xml == '<>' and not (field.struct and field.struct.names() if field.place == 'element' else field.enum):
        refuse('<> is an enum; <>* is a list of structs that have one')
    pattern = field.option('pattern')
    if pattern and (pattern not in schema.patterns or field.type != 'string'):
        refuse(f'no pattern {pattern}, or not a string')
    only = field.option('only')
    if only and not (field.enum and set(only.split(',')) <= set(field.enum.values)):
        refuse(f'only= names a value that {field.type} has not')
    default = field.option('default')
    if default is not None and (field.struct or (field.enum and default not in field.enum.values)):
        refuse(f'{default} is no value of {field.type}')
    check_words(field.where, field.option('bad'))
    check_words(field.where, field.option('high'))
    check_words(field.where, field.option('missing'))
    check_words(field.where, field.option('once'))
    check_words(field.where, field.option('refused'))
    if field.option('refused') and (field.place != 'attribute' or not field.conditions):
        refuse('refused= is for an attribute that has conditions')


def check_words(where: Where, words: str | None) -> None:
    place = (words or '').partition(':')[0]
    domain, _, code = place.rpartition('.')
    if place and (code not in ERROR_CODES or domain not in ('', *ERROR_DOMAINS)):
        raise SchemaError(where, f'no error code {place}')


def check_struct(schema: Schema, struct: Struct) -> None:
    for one, other in combinations(struct.fields, 2):
        if one.c == other.c and (one.xml != other.xml or member_type(one) != member_type(other)
                                 or not exclude_each_other(one, other)):
            raise SchemaError(other.where, f'{struct.name}.{other.c} is described twice (also {one.where})')
    for field in struct.fields:
        for condition in field.conditions:
            check_condition(schema, struct, field, condition)
        check_mirror(struct, field)
        check_match(field)
    check_words(struct.where, struct.unknown)
    named = struct.attribute(struct.generated)
    if struct.generated and not (named and constants(named) == ['yes', 'no']):
        raise SchemaError(struct.where, f'generated={struct.generated}: no such yesno attribute')
    attribute_order(struct)


def exclude_each_other(one: Field, other: Field) -> bool:
    def values(condition: Condition) -> set[str]:
        return set(condition.values)

    for a in one.conditions:
        for b in other.conditions:
            if (a.field, a.outer) != (b.field, b.outer):
                continue
            if a.negated != b.negated:
                listed, excluded = (b, a) if a.negated else (a, b)
                if values(listed) <= values(excluded):
                    return True
            elif not a.negated and not values(a) & values(b):
                return True
    return False


def check_condition(schema: Schema, struct: Struct, field: Field, condition: Condition) -> None:
    values: list[str] = []
    for holder in schema.holders(struct, condition.outer):
        named = holder.attribute(condition.field)
        if not named or not constants(named):
            raise SchemaError(field.where, f'{holder.name} has no enumerated attribute {condition.field}')
        if values and constants(named) != values:
            raise SchemaError(field.where, f'{condition.field} has other values in {holder.name} than elsewhere')
        values = constants(named)
    unknown = sorted(set(condition.values) - set(values) - {'-'})
    if unknown:
        raise SchemaError(field.where, f'{condition.field} has no value {unknown[0]}')
    if len(values) > 63:
        raise SchemaError(field.where, f'{condition.field} has too many values for a condition')


def check_mirror(struct: Struct, field: Field) -> None:
    element, _, name = field.options.get('mirror', '').partition('/')
    lists = [other.struct for other in struct.fields if other.repeated and other.struct and other.xml == element]
    if element and not any(inner.attribute(name) for inner in lists):
        raise SchemaError(field.where, f'mirror={element}/{name}: no such list or attribute')


def check_match(field: Field) -> None:
    name, _, value = field.options.get('match', '').partition(':')
    inner = field.struct.attribute(name) if field.struct else None
    if name and value != '-' and not (inner and inner.enum and value in inner.enum.values):
        raise SchemaError(field.where, f'match={name}:{value}: no such attribute or value')


def check_use(schema: Schema) -> None:
    used = {field.type for struct in schema.structs.values() for field in struct.fields}
    for described in [*schema.enums.values(), *schema.structs.values()]:
        if described.name not in used and not (isinstance(described, Struct) and described.root):
            raise SchemaError(described.where, f'nothing uses {described.name}')
