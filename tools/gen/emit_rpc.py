#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of idl.py -> C: NAME-gen.h (structs, constants, handlers), NAME-gen.c (the tables that daemon/rpc/wire.c
walks), NAME-client-gen.h (typed calls for a client)."""

SCALAR_TYPES = {
    'char': 'char', 'uchar': 'guint8', 'short': 'gint16', 'ushort': 'guint16', 'int': 'gint32', 'uint': 'guint32',
    'hyper': 'gint64', 'uhyper': 'guint64', 'double': 'double', 'opaque': 'guint8', 'string': 'char *',
}
REPEATS = {'one': 'WIRE_ONE', 'optional': 'WIRE_OPTIONAL', 'list': 'WIRE_LIST', 'fixed': 'WIRE_FIXED'}
HEAD = '/* Emitted from daemon/rpc/{0} by tools/gen/emit_rpc.py. */\n'


def c_type(field):
    if field.struct:
        return field.struct.c_type
    return 'gint32' if field.enum else SCALAR_TYPES[field.type]


def join(kind, name):
    return kind + ('' if kind.endswith('*') else ' ') + name


def declarations(field):
    """The members that hold FIELD."""
    name = field.c_name
    if field.type == 'uuid':
        return [f'guint8 {name}[VIR_UUID_BUFLEN];']
    kind = c_type(field)
    if field.repeat == 'list':
        pointer = join(kind, '*') if not kind.endswith('*') else kind + '*'
        return [f'guint32 n_{name};', f'{pointer}{name};']
    if field.repeat == 'fixed':
        return [f'{kind} {name}[{field.bound}];']
    if field.repeat == 'optional' and field.struct:
        return [f'{kind} *{name};' + ' /* NULL if absent */']
    note = ' /* NULL if absent */' if field.repeat == 'optional' else ''
    return [join(kind, name) + ';' + note]


def struct_definition(struct):
    lines = [f'typedef struct {struct.c_type} {{']
    if struct.discriminant:
        lines += [f'    gint32 {struct.discriminant};', '    union {']
        lines += [f'        {line} /* {field.case} */' for field in struct.fields for line in declarations(field)]
        lines += ['    };']
    else:
        lines += [f'    {line}' for field in struct.fields for line in declarations(field)]
    return '\n'.join([*lines, f'}} {struct.c_type};']) + '\n'


def kind_constant(field):
    if field.struct:
        return 'WIRE_STRUCT'
    if field.enum:
        return 'WIRE_INT'
    return 'WIRE_OPAQUE' if field.type == 'uuid' else f'WIRE_{field.type.upper()}'


def field_row(struct, field):
    parts = [f'"{field.name}"', kind_constant(field)]
    if field.type == 'uuid':
        parts += ['WIRE_FIXED', f'offsetof({struct.c_type}, {field.c_name})', '.max = VIR_UUID_BUFLEN']
    else:
        parts += [REPEATS[field.repeat], f'offsetof({struct.c_type}, {field.c_name})']
    if field.repeat == 'list':
        parts.append(f'.count = offsetof({struct.c_type}, n_{field.c_name})')
    if field.bound:
        parts.append(f'.max = {field.c_bound}')
    if field.type == 'string':
        parts.append(f'.length = {field.c_length}')
    if field.case:
        parts.append(f'.chosen_by = {field.case}')
    if field.struct:
        parts.append(f'.type = &{field.struct.symbol}')
    return '    {' + ', '.join(parts) + '},\n'


def type_table(struct):
    rows = ''.join(field_row(struct, field) for field in struct.fields)
    name = f'{struct.program.prefix}_{struct.name}'
    union = f', .is_union = TRUE, .discriminant = offsetof({struct.c_type}, {struct.discriminant})' \
        if struct.discriminant else ''
    return (f'static const WireField {name}_fields[] = {{\n{rows}}};\n'
            f'const WireType {struct.symbol} = {{"{struct.c_type}", sizeof({struct.c_type}), {struct.min_size}, '
            f'{name}_fields, G_N_ELEMENTS({name}_fields){union}}};\n\n')


def handler_name(proc):
    return f'{proc.program.prefix}_{proc.name}'


def parameters(proc):
    args = f', const {proc.args.c_type} *args' if proc.args else ''
    ret = f', {proc.ret.c_type} *ret' if proc.ret else ''
    return f'{args}{ret}, GError **error'


def comment(text, width=116):
    """TEXT as a comment of lines that fit."""
    lines, line = [], '/*'
    for word in text.split():
        if len(line) + 1 + len(word) > width:
            lines.append(line)
            line = ' *'
        line += ' ' + word
    return '\n'.join([*lines, line]) + ' */\n'


def constants(program):
    lines = []
    if program.id:
        lines += [f'#define {program.upper("PROGRAM")} {program.id}',
                  f'#define {program.upper("PROTOCOL_VERSION")} {program.version}']
    lines += [f'#define {program.upper(name)} {value}' for name, value in program.consts.items()]
    text = '\n'.join(lines) + '\n\n'
    for enum in program.enums.values():
        members = ''.join(f'    {program.upper(name)} = {value},\n' for name, value in enum.members)
        text += f'typedef enum {{\n{members}}} {enum.c_type};\n\n'
    if program.procs:
        members = ''.join(f'    {program.upper("PROC_" + p.name.upper())} = {p.number},\n' for p in program.procs)
        text += f'typedef enum {{\n{members}}} {program.camel}Proc;\n\n'
    return text


def header(program):
    uses = ''.join(f'#include "daemon/rpc/{used.name}-gen.h"\n' for used in program.uses)
    text = (HEAD.format(program.path.name) +
            f'#pragma once\n#include <libvirt/libvirt.h>\n#include "daemon/rpc/wire.h"\n{uses}\n')
    text += constants(program)
    text += '\n'.join(struct_definition(struct) for struct in program.structs.values())
    if program.structs:
        text += '\n/* For wire_decode(), wire_encode() and wire_clear(). */\n'
        text += ''.join(f'extern const WireType {struct.symbol};\n' for struct in program.structs.values())
        text += (f'extern const WireType *const {program.prefix}_types[];\n'
                 f'extern const guint {program.prefix}_n_types;\n')
    if program.procs:
        text += f'\nextern const WireProgram {program.prefix}_program;\n'
        text += '\n/* The handlers: each belongs to whoever needs it; the table knows which of them exist. */\n'
        text += ''.join('\n' + comment(f'{p.doc} Lane {p.lane}.') +
                        f'gboolean {handler_name(p)}(Call *call{parameters(p)});\n'
                        for p in program.procs if not p.is_event)
    return text


WHEN = {'always': 'WIRE_ALWAYS', 'set': 'WIRE_IF_SET', 'unset': 'WIRE_UNLESS_SET', 'equal': 'WIRE_IF_EQUAL'}


def permission_rows(proc, permissions):
    rows = ''
    for permission in permissions:
        parts = [f'"{permission.object}"', f'"{permission.name}"', 'TRUE' if permission.read_only else 'FALSE']
        if permission.when != 'always':
            field = proc.argument(permission.argument)
            parts += [WHEN[permission.when], f'offsetof({proc.args.c_type}, {field.c_name})',
                      '8' if field.type == 'uhyper' else '4', permission.value]
        rows += '    {' + ', '.join(parts) + '},\n'
    return rows


def domain_offset(proc):
    """The offset of the domain in the arguments, through what holds it."""
    inner, terms = proc.args, []
    for field in proc.domain:
        terms.append(f'offsetof({inner.c_type}, {field.c_name})')
        inner = field.struct
    return ' + '.join(terms)


def string(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def proc_row(proc):
    program = proc.program
    rows = [f'.number = {proc.number}', f'.name = "{proc.name}"', f'.program = &{program.prefix}_program']
    for what in ('args', 'ret', 'msg'):
        struct = getattr(proc, what)
        if struct:
            rows.append(f'.{what} = &{struct.symbol}')
    rows.append(f'.domain_offset = {domain_offset(proc) if proc.domain else -1}')
    if proc.is_event:
        rows.append('.is_event = TRUE')
    else:
        rows += [f'.handler = (WireHandler){handler_name(proc)}', f'.lane = WIRE_LANE_{proc.lane.upper()}',
                 f'.read_only = {"TRUE" if proc.read_only else "FALSE"}']
        if proc.acl:
            rows.append(f'.permissions = {handler_name(proc)}_permissions')
            rows.append(f'.n_permissions = {len(proc.acl)}')
        if proc.filter:
            rows.append(f'.filter = {handler_name(proc)}_filter')
        if proc.flags:
            field = proc.argument(proc.flags)
            rows += [f'.flags_size = {8 if field.type == "uhyper" else 4}',
                     f'.flags_offset = offsetof({proc.args.c_type}, {field.c_name})',
                     f'.flags_accepted = {"G_MAXUINT64" if proc.any_flags else " | ".join(proc.accepts) or "0"}']
        if proc.control:
            rows.append(f'.control_flags = {" | ".join(proc.control)}')
        if proc.stream:
            rows.append(f'.stream = WIRE_STREAM_{proc.stream.upper()}')
        if proc.sparse:
            rows.append(f'.sparse = {proc.sparse}')
        if proc.host:
            rows.append('.on_host = TRUE')
        if proc.secret:
            rows.append(f'.secret_{proc.secret} = TRUE')
        if proc.fds:
            rows.append(f'.fds = WIRE_FDS_{proc.fds.upper()}')
    rows.append(f'.doc = {string(proc.doc)}')
    return '    {' + ', '.join(rows) + '},\n'


def source(program):
    text = HEAD.format(program.path.name)
    text += f'#include <libvirt/libvirt-admin.h>\n#include <libvirt/libvirt-qemu.h>\n' \
            f'#include "daemon/rpc/{program.name}-gen.h"\n\n'
    handlers = [p for p in program.procs if not p.is_event]
    text += ''.join(f'#pragma weak {handler_name(p)}\n' for p in handlers) + '\n'
    text += ''.join(type_table(struct) for struct in program.structs.values())
    if program.structs:
        rows = ''.join(f'    &{struct.symbol},\n' for struct in program.structs.values())
        text += f'const WireType *const {program.prefix}_types[] = {{\n{rows}}};\n' \
                f'const guint {program.prefix}_n_types = G_N_ELEMENTS({program.prefix}_types);\n\n'
    for proc in handlers:
        for what, rows in (('permissions', proc.acl), ('filter', proc.filter)):
            if rows:
                text += f'static const WirePermission {handler_name(proc)}_{what}[] = ' \
                        f'{{\n{permission_rows(proc, rows)}}};\n'
    if program.procs:
        rows = ''.join(proc_row(proc) for proc in program.procs)
        text += (f'\nstatic const WireProc {program.prefix}_procs[] = {{\n{rows}}};\n\n'
                 f'const WireProgram {program.prefix}_program = {{\n'
                 f'    .name = "{program.name}", .id = {program.upper("PROGRAM")}, '
                 f'.version = {program.upper("PROTOCOL_VERSION")},\n'
                 f'    .procs = {program.prefix}_procs, .n_procs = G_N_ELEMENTS({program.prefix}_procs),\n}};\n')
    return text


def client_header(program):
    text = HEAD.format(program.path.name) + '#pragma once\n#include "daemon/rpc/rpc-client.h"\n' \
        f'#include "daemon/rpc/{program.name}-gen.h"\n'
    for proc in program.procs:
        if proc.is_event:
            continue
        row = f'wire_proc(&{program.prefix}_program, {program.upper("PROC_" + proc.name.upper())})'
        text += (f'\nstatic inline gboolean {program.prefix}_client_{proc.name}(RpcClient *client{parameters(proc)})\n'
                 f'{{\n    return rpc_client_call(client, {row}, {"args" if proc.args else "NULL"}, '
                 f'{"ret" if proc.ret else "NULL"}, error);\n}}\n')
    return text


def emit(programs, folder):
    for program in programs:
        outputs = {f'{program.name}-gen.h': header(program), f'{program.name}-gen.c': source(program)}
        if any(not proc.is_event for proc in program.procs):
            outputs[f'{program.name}-client-gen.h'] = client_header(program)
        for name, text in outputs.items():
            (folder / name).write_text(text, encoding='utf-8')
