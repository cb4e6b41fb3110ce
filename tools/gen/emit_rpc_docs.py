#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of idl.py -> one page of Markdown: every procedure with all that its row says."""

INTRODUCTION = '''# The wire

Emitted from daemon/rpc/*.idl. Each procedure names the lane it runs on (daemon/rpc/call.h), the permissions a caller
needs, and the flags it accepts; others are refused. `type?` may be absent, `type<MAX>` is a list of up to MAX.
'''


def spell(field):
    text = field.type + ('?' if field.repeat == 'optional' else '')
    if field.repeat == 'list':
        text += f'<{field.bound}>'
    elif field.repeat == 'fixed':
        text += f'[{field.bound}]'
    return f'{text} {field.name}'


def fields(struct):
    return '; '.join(f'`{spell(field)}`' for field in struct.fields)


def permission(one):
    text = f'{one.object}:{one.name}'
    return text + {'always': '', 'set': f' if {one.value}', 'unset': f' unless {one.value}',
                   'equal': f' if {one.argument} is {one.value}'}[one.when]


def facts(proc):
    """What there is to say of PROC, as (word, text)."""
    for what, word in (('args', 'Arguments'), ('ret', 'Result'), ('msg', 'Message')):
        if getattr(proc, what):
            yield word, fields(getattr(proc, what))
    if proc.is_event:
        return
    yield 'Permission', ', '.join(permission(one) for one in proc.acl) or 'none'
    if proc.filter:
        yield 'For each object answered', ', '.join(permission(one) for one in proc.filter)
    yield 'Read-only connections', 'yes' if proc.read_only else 'no'
    yield 'Lane', proc.lane + ''.join(f', control if `{flag}`' for flag in proc.control)
    if proc.flags:
        yield 'Flags', ', '.join(f'`{flag}`' for flag in proc.accepts) or ('any' if proc.any_flags else 'none yet')
    if proc.stream:
        sparse = f', with holes if `{proc.sparse}`' if proc.sparse else ''
        yield 'Stream', proc.stream + sparse
    if proc.fds:
        yield 'Descriptors', proc.fds


def procedure(proc):
    kind = ' (event)' if proc.is_event else ''
    lines = [f'### {proc.number} {proc.name}{kind}', '', proc.doc, '']
    lines += [f'- {word}: {text}' for word, text in facts(proc)]
    return '\n'.join(lines).rstrip() + '\n'


def struct(one):
    chosen = f', chosen by `{one.discriminant}`' if one.discriminant else ''
    members = ''.join(f'- {f.case + ": " if f.case else ""}`{spell(f)}`\n' for f in one.fields)
    return f'### {one.name}\n\nC: `{one.c_type}`{chosen}\n\n{members}'


def enum(one):
    return f'### {one.name}\n\n' + ''.join(f'- `{one.program.upper(name)}` = {value}\n' for name, value in one.members)


def program(one):
    number = f', {one.id} version {one.version}' if one.id else ''
    parts = [f'## {one.name}{number}\n']
    parts += [procedure(proc) for proc in one.procs]
    parts += [struct(s) for s in one.structs.values() if s.proc is None]
    parts += [enum(e) for e in one.enums.values()]
    if one.consts:
        limits = ''.join(f'- `{one.upper(name)}` = {value}\n' for name, value in one.consts.items())
        parts.append(f'### Limits\n\n{limits}')
    return '\n'.join(parts)


def emit(programs, page):
    page.write_text('\n'.join([INTRODUCTION, *(program(one) for one in programs)]), encoding='utf-8')
