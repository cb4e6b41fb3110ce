#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lines of a description of the wire -> Program, with names still unresolved. The notation is explained in idl.py."""
import pathlib
import re

from idl_model import Enum, Field, IdlError, Permission, Proc, Program, Struct, pascal, snake

LANES = ('read', 'work', 'write', 'control')
STREAMS = ('read', 'write', 'both')
FDS = ('in', 'out', 'both')
PROC_KEYS = ('doc', 'args', 'ret', 'acl', 'filter', 'lane', 'flags', 'stream', 'sparse', 'fds', 'readonly', 'secret', 'host')
EVENT_KEYS = ('doc', 'msg')


class Parser:
    def __init__(self, path, known):
        self.path = pathlib.Path(path)
        self.known = known
        self.program = None

    def parse(self):
        for where, head, body in self.blocks():
            words = head.split()
            method = getattr(self, 'on_' + words[0], None)
            if method is None:
                raise IdlError(where, f"'{words[0]}' starts no statement")
            if self.program is None and words[0] not in ('program', 'library'):
                raise IdlError(where, 'the file must begin with "program" or "library"')
            if body and words[0] not in ('enum', 'struct', 'union', 'proc', 'event'):
                raise IdlError(body[0][0], f"'{words[0]}' has no body")
            method(where, head, body)
        if self.program is None:
            raise IdlError((self.path.name, 1), 'the file is empty')
        return self.program

    def blocks(self):
        """(where, head line, [(where, body line)]): a body line is indented; a deeper one goes on with it."""
        blocks, depth = [], None
        for number, line in enumerate(self.path.read_text(encoding='utf-8').splitlines(), 1):
            where = (self.path.name, number)
            text = line.split('#', 1)[0].rstrip()
            if '\t' in text:
                raise IdlError(where, 'a tab: indent with blanks')
            indent = len(text) - len(text.lstrip())
            if not text:
                continue
            if indent == 0:
                blocks.append((where, text, []))
                depth = None
            elif not blocks:
                raise IdlError(where, 'an indented line that belongs to nothing')
            elif depth is None or indent == depth:
                depth = indent
                blocks[-1][2].append((where, text.strip()))
            elif indent > depth:
                start, before = blocks[-1][2][-1]
                blocks[-1][2][-1] = (start, f'{before} {text.strip()}')
            else:
                raise IdlError(where, f'indented by {indent}, the line before by {depth}')
        return blocks

    def match(self, pattern, text, where, form):
        found = re.fullmatch(pattern, text)
        if not found:
            raise IdlError(where, f'expected "{form}"')
        return found.groups()

    def begin(self, where, name):
        if self.program is not None:
            raise IdlError(where, 'a second program in one file')
        self.program = Program(name, self.path)

    def on_program(self, where, head, _body):
        name, number, version = self.match(r'program (\w+) (\w+) version (\d+)', head, where,
                                           'program NAME NUMBER version N')
        self.begin(where, name)
        self.program.id, self.program.version = number, int(version)
        self.program.prefix, self.program.camel = name, pascal(name)

    def on_library(self, where, head, _body):
        name, camel = self.match(r'library (\w+) ([A-Z]\w*)', head, where, 'library NAME PREFIX')
        self.begin(where, name)
        self.program.prefix, self.program.camel = snake(camel), camel

    def on_use(self, where, head, _body):
        name, = self.match(r'use (\w+)', head, where, 'use NAME')
        if name not in self.known:
            raise IdlError(where, f"nothing named '{name}' was read before this file")
        self.program.uses.append(self.known[name])

    def on_strings(self, where, head, _body):
        self.program.strings, = self.match(r'strings (\w+)', head, where, 'strings CONSTANT')
        self.program.strings_line = where[1]

    def on_const(self, where, head, _body):
        name, value = self.match(r'const ([A-Z]\w*) = (\w+)', head, where, 'const NAME = VALUE')
        self.add(where, self.program.consts, name, value)

    def add(self, where, table, name, value):
        if name in table:
            raise IdlError(where, f"a second '{name}'")
        table[name] = value

    def on_enum(self, where, head, body):
        name, = self.match(r'enum (\w+)', head, where, 'enum NAME')
        members = [self.match(r'([A-Z]\w*) = (\d+)', text, line, 'NAME = NUMBER') for line, text in body]
        if not members:
            raise IdlError(where, f"enum '{name}' has no members")
        self.add(where, self.program.enums, name, Enum(where, self.program, name, members))

    def on_struct(self, where, head, body):
        name, = self.match(r'struct (\w+)', head, where, 'struct NAME')
        self.struct(where, name, [self.field(line, text) for line, text in body])

    def on_union(self, where, head, body):
        name, discriminant = self.match(r'union (\w+): int (\w+)', head, where, 'union NAME: int DISCRIMINANT')
        fields = []
        for line, text in body:
            case, rest = self.match(r'(\w+): (.+)', text, line, 'CONSTANT: TYPE NAME')
            fields.append(self.field(line, rest))
            fields[-1].case = case
            if fields[-1].repeat != 'one':
                raise IdlError(line, 'an arm of a union is one value')
            if case in (field.case for field in fields[:-1]):
                raise IdlError(line, f"a second arm for '{case}'")
        self.struct(where, name, fields).discriminant = discriminant

    def struct(self, where, name, fields):
        if not fields:
            raise IdlError(where, f"'{name}' has no fields")
        seen = set()
        for field in fields:
            names = {field.c_name, 'n_' + field.c_name} if field.repeat == 'list' else {field.c_name}
            if seen & names:
                raise IdlError(field.where, f"a second field '{field.name}'")
            seen |= names
        struct = Struct(where, self.program, name, fields)
        self.add(where, self.program.structs, name, struct)
        return struct

    def field(self, where, text):
        kind, optional, name, open_, bound, close = self.match(
            r'(\w+)(\?)? (\w+)(?:([<[])(\w+)([]>]))?', text, where, 'TYPE NAME')
        repeat = {None: 'optional' if optional else 'one', '<': 'list', '[': 'fixed'}[open_]
        if open_ and (close != {'<': '>', '[': ']'}[open_] or optional):
            raise IdlError(where, f"'{text}' is neither a list, an array nor an option")
        return Field(where, kind, name, snake(name), repeat, bound)

    def fields(self, where, text):
        return [self.field(where, part.strip()) for part in text.split(';')]

    def on_proc(self, where, head, body):
        self.proc(where, head, body, PROC_KEYS)

    def on_event(self, where, head, body):
        self.proc(where, head, body, EVENT_KEYS)

    def proc(self, where, head, body, keys):
        kind, number, name = self.match(r'(proc|event) (\d+) (\w+)', head, where, 'proc NUMBER NAME')
        proc = Proc(where, self.program, int(number), name, kind == 'event')
        if self.program.id is None:
            raise IdlError(where, 'a library has no procedures')
        seen = set()
        for line, text in body:
            key, _, value = text.partition(' ')
            if key not in keys:
                raise IdlError(line, f"'{key}' is not part of a{'n' if kind == 'event' else ''} {kind}")
            if key in seen:
                raise IdlError(line, f"a second '{key}'")
            seen.add(key)
            getattr(self, 'key_' + key)(line, proc, value.strip())
        self.program.procs.append(proc)

    def key_doc(self, where, proc, text):
        if not re.fullmatch(r'[A-Z].*\.', text):
            raise IdlError(where, 'a doc begins with a capital and ends with a full stop')
        proc.doc = text

    def inner(self, where, proc, text, what):
        struct = self.struct(where, f'{proc.name}_{what}', self.fields(where, text))
        struct.proc = proc
        setattr(proc, what, struct)

    def key_args(self, where, proc, text):
        self.inner(where, proc, text, 'args')

    def key_ret(self, where, proc, text):
        self.inner(where, proc, text, 'ret')

    def key_msg(self, where, proc, text):
        self.inner(where, proc, text, 'msg')

    def key_acl(self, where, proc, text):
        proc.acl = [] if text == 'none' else [self.permission(where, part.strip()) for part in text.split(',')]

    def permission(self, where, text):
        obj, name, word, condition = self.match(r'(\w+):(\w+)(?: (if|unless) (.+))?', text, where,
                                                'OBJECT:PERMISSION [if|unless FLAGS]')
        if word is None:
            return Permission(obj, name)
        argument, _, value = condition.rpartition(' = ')
        if argument and word == 'if':
            return Permission(obj, name, 'equal', argument, value)
        value = ' | '.join(self.flag_names(where, condition))
        return Permission(obj, name, 'set' if word == 'if' else 'unset', None, value)

    def flag_names(self, where, text):
        names = [part.strip() for part in text.split('|')]
        for name in names:
            if not re.fullmatch(r'VIR_[A-Z0-9_]+', name):
                raise IdlError(where, f"'{name}' is not a public constant")
        return names

    def key_filter(self, where, proc, text):
        proc.filter = [self.permission(where, part.strip()) for part in text.split(',')]

    def choice(self, where, proc, key, text, choices):
        if text not in choices:
            raise IdlError(where, f"{key} '{text}' is none of {', '.join(choices)}")
        setattr(proc, key if key != 'readonly' else 'read_only', text)

    def key_lane(self, where, proc, text):
        lane, _, condition = text.partition(', control if ')
        self.choice(where, proc, 'lane', lane, LANES)
        if condition:
            proc.control = self.flag_names(where, condition)

    def key_stream(self, where, proc, text):
        self.choice(where, proc, 'stream', text, STREAMS)

    def key_fds(self, where, proc, text):
        self.choice(where, proc, 'fds', text, FDS)

    def key_readonly(self, where, proc, text):
        self.choice(where, proc, 'readonly', text, ('yes', 'no'))

    def key_secret(self, where, proc, text):
        self.choice(where, proc, 'secret', text, ('in', 'out'))

    def key_host(self, where, proc, text):
        self.choice(where, proc, 'host', text, ('yes',))

    def key_sparse(self, where, proc, text):
        proc.sparse, = self.flag_names(where, text)

    def key_flags(self, where, proc, text):
        proc.flags, accepts = self.match(r'(\w+): (.+)', text, where, 'flags ARGUMENT: FLAGS')
        proc.any_flags = accepts == 'any'
        proc.accepts = [] if accepts in ('none', 'any') else self.flag_names(where, accepts)
