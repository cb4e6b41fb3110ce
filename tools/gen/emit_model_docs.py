# SPDX-License-Identifier: LGPL-2.1-or-later
"""Back end: the reference page of the XML documents, in Markdown."""
from __future__ import annotations

from schema import Condition, Field, Schema, Struct, constants

KINDS = {'string': 'text', 'yesno': 'yes, no', 'onoff': 'on, off', 'flag': 'empty', 'uuid': 'UUID',
         'mac': 'MAC address', 'ip': 'IP address', 'cpuset': 'set of numbers', 'xml': 'any elements with a namespace', 'int': 'integer', 'int64': 'integer',
         'uint': 'number', 'uint64': 'number'}
REMARKS = {'required': 'required', 'running': 'only while running', 'secret': 'secret: shown on request only',
           'transient': 'a definition drops it', 'changeable': 'may change while running',
           'abi': 'visible to the guest'}


def anchor(struct: Struct) -> str:
    return struct.name.lower()


def kind(field: Field) -> str:
    if field.struct:
        return f'[{field.struct.name}](#{anchor(field.struct)})' + (', repeated' if field.repeated else '')
    if field.enum:
        return ', '.join(field.option('only').split(',') if field.option('only') else constants(field))
    if field.type == 'size':
        unit = field.option('scale') or field.options['unit'].replace('pretty', 'KiB')
        return f'size; without unit= counted in {unit}'
    if field.option('hex') is not None:
        return 'number, shown in hexadecimal'
    return KINDS[field.type]


def condition(each: Condition) -> str:
    values = ' or '.join('absent' if value == '-' else value for value in each.values)
    where = {0: '', 1: ' of the element around', 2: ' two levels up'}[each.outer]
    return f'where {each.field}{where} is {"not " if each.negated else ""}{values}'


def remarks(field: Field) -> str:
    out = [text for mark, text in REMARKS.items() if mark in field.marks]
    if field.option('default') is not None:
        out.append(f'default {field.option("default")}' + (' (not shown)' if 'hide' in field.marks else ''))
    if field.option('min') or field.option('max'):
        out.append(f'from {field.option("min") or 0} to {field.option("max") or "any"}')
    if field.option('since'):
        out.append(f'since {field.option("since")}')
    return '; '.join(out + [condition(each) for each in field.conditions])


def name(field: Field) -> str:
    if field.xml == '<>':
        return '*its name*' if field.place == 'attribute' else ', '.join(f'`<{each}>`' for each in field.struct.names().enum.values)
    if field.place == 'content':
        return '*content*'
    if field.place == 'attribute':
        return f'`{field.parent + "/" if field.parent else ""}@{field.xml}`'
    return f'`<{field.namespace + ":" if field.namespace else ""}{field.xml}>`'


def section(struct: Struct) -> list[str]:
    out = [f'## {struct.name}', '', (f'`<{struct.xml}>`: ' if struct.xml else '') + struct.doc, '',
           '| name | value | meaning | remarks |', '|---|---|---|---|']
    for field in struct.fields:
        if 'status' not in field.marks and not field.option('refused'):
            cells = [name(field), kind(field), field.doc, remarks(field)]
            out.append('| ' + ' | '.join(cell.replace('|', '\\|') for cell in cells) + ' |')
    return out + ['']


def page(schema: Schema) -> str:
    out = ['# The XML documents', '',
           'Emitted from xml-schemas/. Elements and attributes stand in the order in which they are written.', '']
    for struct in schema.structs.values():
        out += section(struct)
    return '\n'.join(out)
