#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of idl.py -> tables in libvirt's own spelling (constants, types, structs, procedures .tsv), so that what we
speak can be compared with a record of what libvirt speaks. tests/wire-diff is the comparison."""

SCALARS = {
    'char': 'char', 'uchar': 'unsigned char', 'short': 'short', 'ushort': 'unsigned short', 'int': 'int',
    'uint': 'unsigned int', 'hyper': 'hyper', 'uhyper': 'unsigned hyper', 'double': 'double', 'opaque': 'opaque',
}


def is_library(program):
    return program.id is None


def constant(program, name):
    return f'VIR_{program.upper(name)}' if is_library(program) else program.upper(name)


def owner(program):
    """Whose strings and uuids PROGRAM writes: its own, or those of what it uses."""
    return program.uses[0] if program.uses else program


def basic(program, name):
    """libvirt's name of the basic type NAME (nonnull_string, string, uuid) in PROGRAM."""
    if is_library(program):
        return 'virNetMessage' + {'nonnull_string': 'NonnullString', 'string': 'String', 'uuid': 'UUID'}[name]
    return f'{owner(program).prefix}_{name}'


def struct_name(thing):
    return f'vir{thing.c_type}' if is_library(thing.program) else f'{thing.program.prefix}_{thing.name}'


def type_name(program, field):
    if field.struct or field.enum:
        name = struct_name(field.struct or field.enum)
        return name.replace('Nonnull', '').replace('nonnull_', '') if field.repeat == 'optional' else name
    if field.type == 'string':
        return basic(program, 'string' if field.repeat == 'optional' else 'nonnull_string')
    return basic(program, 'uuid') if field.type == 'uuid' else SCALARS[field.type]


def bound(program, field):
    if field.bound.isdigit():
        return field.bound
    return next(constant(p, field.bound) for p in (program, *program.uses) if field.bound in p.consts)


def declaration(program, field):
    text = f'{type_name(program, field)} {field.name}'
    if field.repeat == 'list':
        return f'{text}<{bound(program, field)}>'
    return f'{text}[{bound(program, field)}]' if field.repeat == 'fixed' else text


def declarations(program, struct):
    if struct is None:
        return ''
    if struct.discriminant:
        arms = ' '.join(f'case {f.case}: {declaration(program, f)};' for f in struct.fields)
        return f'union switch(int {struct.discriminant}) {arms}'
    return '; '.join(declaration(program, field) for field in struct.fields)


def permission(prefix, permission_):
    text = f'{prefix}:{permission_.object}:{permission_.name}'
    value = permission_.value and permission_.value.replace(' ', '')
    return text + {'always': '', 'set': f':{value}', 'unset': f':!{value}',
                   'equal': f'::{permission_.argument}:{value}'}[permission_.when]


def notes(proc):
    words = [permission('acl', p) for p in proc.acl or ()] or ['acl:none']
    words += [permission('aclfilter', p) for p in proc.filter]
    if proc.stream:
        words.append('writestream' if proc.stream == 'write' else 'readstream')
    if proc.sparse:
        words.append(f'sparseflag:{proc.sparse}')
    return ' '.join(words)


def constants(programs):
    yield 'program', 'constant', 'value'
    for program in programs:
        for name, value in program.consts.items():
            yield program.name, constant(program, name), value
        if not is_library(program):
            yield program.name, program.upper('PROGRAM'), program.id
            yield program.name, program.upper('PROTOCOL_VERSION'), str(program.version)


def types(programs):
    yield 'program', 'type'
    for program in programs:
        if program.strings and not program.uses:
            yield program.name, f'string {basic(program, "nonnull_string")}<{constant(program, program.strings)}>'
        fields = [field for struct in program.structs.values() for field in struct.fields]
        if any(field.type == 'uuid' for field in fields):
            yield program.name, f'opaque {basic(program, "uuid")}[VIR_UUID_BUFLEN]'
        pointers = {(struct_name(f.struct) if f.struct else basic(program, 'nonnull_string'), type_name(program, f))
                    for f in fields if f.repeat == 'optional'}
        if not program.uses:
            for target, name in sorted(pointers):
                yield program.name, f'{target} *{name}'
        for enum in program.enums.values():
            members = ', '.join(f'{constant(program, name)} = {value}' for name, value in enum.members)
            yield program.name, f'enum {struct_name(enum)} {{{members}}}'


def structs(programs):
    yield 'program', 'struct', 'fields'
    for program in programs:
        for struct in program.structs.values():
            if struct.proc is None:
                yield program.name, struct_name(struct), declarations(program, struct)


def procedures(programs):
    yield 'program', 'number', 'procedure', 'args', 'ret', 'event message', 'notes'
    for program in programs:
        for proc in program.procs:
            yield (program.name, str(proc.number), proc.name, declarations(program, proc.args),
                   declarations(program, proc.ret), declarations(program, proc.msg), notes(proc))


def emit(programs, folder):
    for table in (constants, types, structs, procedures):
        rows = ['\t'.join(row) + '\n' for row in table(programs)]
        (folder / f'{table.__name__}.tsv').write_text(''.join(rows), encoding='utf-8')
