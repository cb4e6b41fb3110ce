# SPDX-License-Identifier: LGPL-2.1-or-later
"""Back end: structs, enumerations and wrappers (model-gen.h), tables for the walker (model-gen.c)."""
from __future__ import annotations

from schema import (ERROR_CODES, ERROR_DOMAINS, UNITS, Condition, Enum, Field, Schema, Struct, attribute_order,
                    constant, constants, member_type, snake)

KINDS = {'string': 'STRING', 'mac': 'MAC', 'ip': 'IP', 'cpuset': 'CPUSET', 'int': 'INT32', 'uint': 'UINT32', 'int64': 'INT64',
         'uint64': 'UINT64', 'size': 'SIZE', 'yesno': 'YESNO', 'onoff': 'ONOFF', 'flag': 'FLAG', 'uuid': 'UUID',
         'xml': 'XML'}
WRITTEN_UNITS: dict[str, str | None] = {'b': 'bytes', 'pretty': None}
TABLE_MARKS = ['required', 'hide', 'keep', 'always', 'changeable', 'abi', 'secret', 'running', 'status', 'positive',
               'nozero', 'any', 'upper', 'nonempty', 'lax',
               'signed', 'transient', 'name']


def quote(text: str | None) -> str:
    return 'NULL' if text is None else '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def header(schema: Schema) -> str:
    out = ['/* Emitted by tools/gen from xml-schemas/. */', '#pragma once', '']
    for enum in schema.enums.values():
        out += enum_header(enum)
    out += [f'typedef struct {name} {name};' for name in schema.structs] + ['']
    for struct in schema.structs.values():
        out += struct_header(struct)
    return '\n'.join(out) + '\n'


def enum_header(enum: Enum) -> list[str]:
    prefix = snake(enum.name)
    names = [f'    {prefix.upper()}_UNSET,'] + [f'    {constant(enum, value)}, /* {value} */' for value in enum.values]
    return [f'/* {enum.doc} */', 'typedef enum {', *names, f'}} {enum.name};',
            f'#define {prefix.upper()}_LAST {len(enum.values) + 1}',
            f'const char *{prefix}_to_string({enum.name} value); /* NULL if unset */',
            f'{enum.name} {prefix}_from_string(const char *text); /* 0 if unknown; TEXT may be NULL */', '']


def struct_header(struct: Struct) -> list[str]:
    out = [f'/* {struct.doc} */', f'struct {struct.name} {{']
    if struct.root:
        out.append('    gatomicrefcount refs;')
    for field in struct.members():
        kind = member_type(field)
        shown = ('@' if field.place == 'attribute' else '') + field.xml if field.place != 'content' else 'content'
        of = f' of {field.struct.name}' if field.repeated else ''
        out.append(f'    {kind}{"" if kind.endswith("*") else " "}{field.c}; /* {shown}{of}: {field.doc} */')
    out += ['};', f'extern const ModelType {snake(struct.name)}_type;', *wrappers(struct), '']
    return out


def wrappers(struct: Struct) -> list[str]:
    name, prefix = struct.name, snake(struct.name)
    table = f'&{prefix}_type'
    out = [f'static inline {name} *{prefix}_new(void) {{ return ({name} *)model_new({table}); }}',
           f'static inline {name} *{prefix}_copy(const {name} *object) '
           f'{{ return ({name} *)model_copy({table}, object); }}',
           f'static inline gboolean {prefix}_equal(const {name} *a, const {name} *b) '
           f'{{ return model_equal({table}, a, b); }}']
    if struct.root:
        out += [f'static inline {name} *{prefix}_ref({name} *object) '
                '{ g_atomic_ref_count_inc(&object->refs); return object; }',
                f'static inline void {prefix}_unref({name} *object) {{ model_unref({table}, object); }}',
                f'G_DEFINE_AUTOPTR_CLEANUP_FUNC({name}, {prefix}_unref)']
    else:
        out += [f'static inline void {prefix}_free({name} *object) {{ model_free({table}, object); }}',
                f'G_DEFINE_AUTOPTR_CLEANUP_FUNC({name}, {prefix}_free)']
    return out


def source(schema: Schema) -> str:
    out = ['/* Emitted by tools/gen from xml-schemas/. */', '#include "lib/model/table.h"', '#include "lib/error.h"',
           '#include "lib/model/form.h"', '']
    for prefix, href in schema.namespaces.items():
        out.append(f'static const ModelNamespace namespace_{prefix} = {{{quote(prefix)}, {quote(href)}}};')
    for enum in schema.enums.values():
        out += enum_source(enum)
    for struct in schema.structs.values():
        out += struct_source(schema, struct)
    out += ['const ModelType *const model_types[] = {', *[f'    &{snake(name)}_type,' for name in schema.structs],
            '    NULL,', '};']
    return '\n'.join(out) + '\n'


def enum_source(enum: Enum) -> list[str]:
    prefix = snake(enum.name)
    return [f'static const char *const {prefix}_strings[] = {{',
            *[f'    {quote(value)},' for value in enum.values], '};',
            f'static const ModelEnum {prefix}_enum = {{"{enum.name}", {prefix}_strings, {len(enum.values)}}};', '',
            f'const char *{prefix}_to_string({enum.name} value)', '{',
            f'    return model_enum_to_string(&{prefix}_enum, value);', '}', '',
            f'{enum.name} {prefix}_from_string(const char *text)', '{',
            f'    return ({enum.name})model_enum_from_string(&{prefix}_enum, text);', '}', '']


def struct_source(schema: Schema, struct: Struct) -> list[str]:
    prefix = snake(struct.name)
    out = []
    for index, field in enumerate(struct.fields):
        if field.conditions:
            out.append(f'static const ModelCondition {prefix}_conditions_{index}[] = {{')
            out += [condition_source(schema, struct, condition) for condition in field.conditions]
            out.append('};')
    out.append(f'static const ModelField {prefix}_fields[] = {{')
    out += [field_source(schema, struct, index, field) for index, field in enumerate(struct.fields)]
    order = attribute_order(struct)
    unknown = ', '.join(words(struct.unknown)) if struct.unknown else 'NULL, 0'
    out.append('};')
    if order:
        out.append(f'static const guint8 {prefix}_attributes[] = {{{", ".join(map(str, order))}}};')
    out += [f'const ModelType {prefix}_type = {{{quote(struct.name)}, {quote(struct.xml or None)}, '
            f'sizeof({struct.name}), {"TRUE" if struct.root else "FALSE"}, {prefix}_fields, {len(struct.fields)}, '
            f'{prefix + "_attributes" if order else "NULL"}, {len(order)}, {unknown}, '
            f'{quote(struct.generated or None)}, {"TRUE" if struct.wide else "FALSE"}}};', '']
    return out


def condition_source(schema: Schema, struct: Struct, condition: Condition) -> str:
    named = schema.holders(struct, condition.outer)[0].attribute(condition.field)
    bits = sum(1 << (0 if value == '-' else constants(named).index(value) + 1) for value in condition.values)
    if condition.negated:
        bits = ((1 << (len(constants(named)) + 1)) - 1) & ~bits
    return f'    {{{quote(named.xml)}, {condition.outer}, {bits:#x}}},'


def field_source(schema: Schema, struct: Struct, index: int, field: Field) -> str:
    kind = 'LIST' if field.repeated else 'STRUCT' if field.struct else 'ENUM' if field.enum else KINDS[field.type]
    marks = [f'MODEL_{mark.upper()}' for mark in TABLE_MARKS if mark in field.marks]
    if field.struct and 'required' in field.marks and 'keep' not in field.marks:
        marks.append('MODEL_KEEP')
    if struct.find(field.c) is not field:
        marks.append('MODEL_TWIN')
    hexadecimal = field.option('hex')
    parts = [f'.xml = {quote(field.xml if field.place != "content" else None)}',
             f'.offset = offsetof({struct.name}, {field.c})', f'.kind = MODEL_{kind}',
             f'.place = MODEL_{field.place.upper()}']
    if marks:
        parts.append('.marks = ' + ' | '.join(marks))
    if field.parent:
        parts.append(f'.parent = {quote(field.parent)}')
    if field.namespace:
        parts.append(f'.space = &namespace_{field.namespace}')
    if hexadecimal is not None:
        parts.append(f'.hex = {int(hexadecimal) + 1}')
    if kind.endswith(('32', '64')):
        parts.append(f'.base = {int(field.option("base") or (0 if hexadecimal is not None else 10))}')
    if field.struct:
        parts.append(f'.type = &{snake(field.struct.name)}_type')
    if field.enum:
        parts.append(f'.values = &{snake(field.enum.name)}_enum')
    if field.conditions:
        parts.append(f'.conditions = {snake(struct.name)}_conditions_{index}')
        parts.append(f'.n_conditions = {len(field.conditions)}')
    if field.option('default') is not None:
        parts.append(f'.initial = {quote(field.option("default"))}')
    if field.option('blank') is not None:
        parts.append(f'.blank = {quote(field.option("blank"))}')
    if field.option('match'):
        name, _, value = field.option('match').partition(':')
        parts += [f'.match = {quote(name)}', *([f'.match_value = {quote(value)}'] if value != '-' else [])]
    if field.option('mirror'):
        element, _, name = field.option('mirror').partition('/')
        parts += [f'.mirror = {quote(element)}', f'.mirror_attribute = {quote(name)}']
    if field.option('pattern'):
        parts.append(f'.pattern = {quote(schema.patterns[field.option("pattern")].regex)}')
    if field.option('form'):
        parts.append(f'.form = form_{field.option("form")}')
    if field.option('unit'):
        unit = field.option('unit')
        parts += [f'.unit = {quote(WRITTEN_UNITS.get(unit, unit))}', f'.scale = {UNITS[unit]}',
                  f'.default_scale = {UNITS[field.option("scale") or unit]}']
    if field.option('only'):
        bits = sum(1 << (field.enum.values.index(value) + 1) for value in field.option('only').split(','))
        parts.append(f'.only = {bits:#x}')
    minimum = field.option('min') or ('G_MININT64' if kind in ('INT32', 'INT64') else None)
    if minimum:
        parts.append(f'.min = {minimum}')
    if field.option('max'):
        parts.append(f'.max = {int(field.option("max"), 0)}u')
    if field.option('kept'):
        parts.append(f'.kept = {quote(field.option("kept"))}')
    for what in ('bad', 'high', 'missing', 'once', 'refused'):
        if field.option(what):
            text, code = words(field.option(what))
            parts += [f'.{what} = {text}', f'.{what}_code = {code}']
    return '    {' + ', '.join(parts) + '},'


def words(option: str) -> tuple[str, str]:
    """The C for libvirt's own words and for their code."""
    place, _, text = option.partition(':')
    domain, _, code = place.rpartition('.')
    return quote(text), f'{ERROR_CODES[code]} | {ERROR_DOMAINS[domain or "domain"]} << 16'
