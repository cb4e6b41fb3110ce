#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the description of the wire (daemon/rpc/*.idl) and refuses what is not sound, naming file and line.

The notation, by example:

    program remote 0x20008086 version 1     what follows belongs to this program; C prefix Remote/remote/REMOTE
    library netmsg Net                      ... or to no program: types only, C prefix Net/net/NET
    use remote                              its structs may be named here too (the file was given before this one)
    strings STRING_MAX                      the longest string of this file
    const STRING_MAX = 4194304
    enum auth_type                          members are constants of the program (REMOTE_AUTH_NONE)
        AUTH_NONE = 0
    struct nonnull_domain                   "type name", one a line
        string name
    union typed_param_value: int type       "constant: type name", chosen by the discriminant
        VIR_TYPED_PARAM_INT: int i
    proc 196 domain_create_with_flags
        doc    One or more sentences; a deeper line goes on.
        args   nonnull_domain dom; uint flags
        ret    nonnull_domain dom
        acl    domain:start, domain:write if VIR_DOMAIN_X, domain:save unless VIR_DOMAIN_Y
        filter domain:getattr               each object of an answered list needs this one
        lane   read | work | write | control
        flags  flags: none                  the argument that is the flags word, and what is accepted of it
        stream read | write | both
        sparse VIR_...                      the flag by which the stream may carry holes
        fds    in | out | both
        readonly yes | no                   against what its permissions would say
    event 107 domain_event_lifecycle
        doc    ...
        msg    nonnull_domain dom; int event; int detail

Types: char uchar short ushort int uint hyper uhyper double string opaque uuid, an enum, a struct, a union, and
NAME_args, NAME_ret, NAME_msg of a procedure. `type? name` may be absent; `type name<MAX>` is a list of up to MAX;
`type name[N]` is exactly N. Whoever changes a rule adds a one-fault description to tests/gen/rpc.
"""
import dataclasses
import pathlib
import re

SCALARS = {'char': 4, 'uchar': 4, 'short': 4, 'ushort': 4, 'int': 4, 'uint': 4, 'hyper': 8, 'uhyper': 8, 'double': 8}
UUID_LENGTH = 16
LANES = ('read', 'work', 'write', 'control')
STREAMS = ('read', 'write', 'both')
FDS = ('in', 'out', 'both')
PROC_KEYS = ('doc', 'args', 'ret', 'acl', 'filter', 'lane', 'flags', 'stream', 'sparse', 'fds', 'readonly')
EVENT_KEYS = ('doc', 'msg')
READ_ONLY_PERMISSIONS = re.compile(r'getattr$|read$|search_|detect_')


class IdlError(Exception):
    def __init__(self, where, message):
        super().__init__(f'{where[0]}:{where[1]}: {message}')


@dataclasses.dataclass
class Field:
    where: tuple
    type: str            # as written
    name: str            # as libvirt spells it
    c_name: str
    repeat: str = 'one'  # one, optional, list, fixed
    bound: str = None    # of list and fixed: a constant's name or a number
    c_bound: str = '0'   # the same in C
    c_length: str = '0'  # in C: the longest string
    case: str = None     # in a union: the constant that chooses it
    struct: object = None    # what `type` names, if it is a Struct
    enum: object = None


@dataclasses.dataclass
class Struct:
    where: tuple
    program: object
    name: str            # nonnull_domain, domain_create_args
    fields: list
    discriminant: str = None  # its name, in a union
    proc: object = None       # that has it as args, ret or msg
    min_size: int = None      # octets of its shortest form on the wire

    @property
    def c_type(self):
        return self.program.camel + pascal(self.name)

    @property
    def symbol(self):
        return f'{self.program.prefix}_{self.name}_type'


@dataclasses.dataclass
class Enum:
    where: tuple
    program: object
    name: str
    members: list

    @property
    def c_type(self):
        return self.program.camel + pascal(self.name)


@dataclasses.dataclass
class Permission:
    object: str
    name: str
    when: str = 'always'  # always, set, unset (of the flags word), equal (of the argument)
    argument: str = None
    value: str = None

    @property
    def read_only(self):
        return READ_ONLY_PERMISSIONS.match(self.name) is not None


@dataclasses.dataclass
class Proc:
    where: tuple
    program: object
    number: int
    name: str
    is_event: bool
    doc: str = None
    args: Struct = None
    ret: Struct = None
    msg: Struct = None
    acl: list = None
    filter: list = dataclasses.field(default_factory=list)
    lane: str = None
    flags: str = None    # the argument's name
    accepts: list = dataclasses.field(default_factory=list)
    stream: str = None
    sparse: str = None
    fds: str = None
    read_only: bool = False
    domain: list = None  # the path of fields to the first nonnull_domain of the arguments

    def argument(self, name):
        return next((f for f in self.args.fields if f.name == name), None) if self.args else None


class Program:
    def __init__(self, name, path):
        self.name = name
        self.path = path
        self.id = self.version = None
        self.prefix = self.camel = None
        self.uses = []
        self.strings = self.strings_line = None
        self.consts = {}
        self.enums = {}
        self.structs = {}  # by name, an order in which each comes after what it holds
        self.procs = []

    def upper(self, name):
        return f'{self.prefix.upper()}_{name}'

    def find(self, table, name):
        for program in (self, *self.uses):
            if name in getattr(program, table):
                return getattr(program, table)[name]
        return None


def snake(name):
    return re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name).lower()


def pascal(name):
    return ''.join(part[:1].upper() + part[1:] for part in name.split('_'))


class Parser:
    """Lines -> Program, with names still unresolved."""

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
                raise IdlError(line, f"'{key}' is nothing a {kind} has")
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
        return Permission(obj, name, 'set' if word == 'if' else 'unset', None, ' | '.join(self.flag_names(where, condition)))

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
        setattr(proc, key, text)

    def key_lane(self, where, proc, text):
        self.choice(where, proc, 'lane', text, LANES)

    def key_stream(self, where, proc, text):
        self.choice(where, proc, 'stream', text, STREAMS)

    def key_fds(self, where, proc, text):
        self.choice(where, proc, 'fds', text, FDS)

    def key_readonly(self, where, proc, text):
        self.choice(where, proc, 'read_only', text, ('yes', 'no'))

    def key_sparse(self, where, proc, text):
        proc.sparse, = self.flag_names(where, text)

    def key_flags(self, where, proc, text):
        proc.flags, accepts = self.match(r'(\w+): (.+)', text, where, 'flags ARGUMENT: FLAGS')
        proc.accepts = [] if accepts == 'none' else self.flag_names(where, accepts)


class Resolver:
    """Names -> things; then the rules that need the whole."""

    def __init__(self, program):
        self.program = program
        self.ordered = {}
        self.open = []

    def resolve(self):
        if self.program.strings:
            self.c_strings = self.constant((self.program.path.name, self.program.strings_line), self.program.strings)
        for struct in list(self.program.structs.values()):
            self.struct(struct)
        self.program.structs = self.ordered
        self.numbers()
        for proc in self.program.procs:
            self.proc(proc)

    def constant(self, where, name):
        """NAME or a number in C."""
        if name.isdigit():
            return name
        for program in (self.program, *self.program.uses):
            if name in program.consts:
                return program.upper(name)
        raise IdlError(where, f"no constant '{name}'")

    def struct(self, struct):
        """Depth first, so that what a struct holds is declared before it."""
        if struct.program is not self.program or struct.name in self.ordered:
            return
        if struct.name in self.open:
            raise IdlError(struct.where, f"'{struct.name}' contains itself")
        self.open.append(struct.name)
        sizes = [self.field(field) for field in struct.fields]
        struct.min_size = 4 + min(sizes) if struct.discriminant else sum(sizes)
        self.open.pop()
        self.ordered[struct.name] = struct

    def field(self, field):
        """Resolves it and returns the octets of its shortest form."""
        name = field.type
        field.enum = self.program.find('enums', name)
        field.struct = self.program.find('structs', name)
        size = 4
        if name in SCALARS:
            size = SCALARS[name]
            if field.repeat == 'optional':
                raise IdlError(field.where, f"'{name}' cannot be absent")
        elif name == 'string':
            if not self.program.strings:
                raise IdlError(field.where, 'a string in a file without "strings CONSTANT"')
            field.c_length = self.c_strings
            if field.repeat == 'fixed':
                raise IdlError(field.where, 'a fixed number of strings')
        elif name == 'opaque':
            if field.repeat not in ('list', 'fixed'):
                raise IdlError(field.where, 'opaque needs a length: <MAX> or [N]')
            size = 1
        elif name == 'uuid':
            if field.repeat != 'one':
                raise IdlError(field.where, 'a uuid stands alone')
            return UUID_LENGTH
        elif field.enum:
            if field.repeat == 'optional':
                raise IdlError(field.where, f"'{name}' cannot be absent")
        elif field.struct:
            self.struct(field.struct)
            size = field.struct.min_size
            if field.repeat == 'fixed':
                raise IdlError(field.where, 'a fixed number of structs')
        else:
            raise IdlError(field.where, f"no type '{name}'")
        if field.bound:
            field.c_bound = self.constant(field.where, field.bound)
        if field.repeat == 'fixed':
            if not field.bound.isdigit():
                raise IdlError(field.where, 'a fixed length is a number')
            return (size * int(field.bound) + 3) // 4 * 4
        return 4 if field.repeat in ('list', 'optional') else size

    def numbers(self):
        names = set()
        for expected, proc in enumerate(self.program.procs, 1):
            if proc.name in names:
                raise IdlError(proc.where, f"a second '{proc.name}'")
            names.add(proc.name)
            if proc.number != expected:
                raise IdlError(proc.where, f'number {proc.number}, expected {expected}')

    def proc(self, proc):
        if not proc.doc:
            raise IdlError(proc.where, f"'{proc.name}' has no doc")
        if proc.is_event:
            return
        for key in ('lane', 'acl'):
            if getattr(proc, key) is None:
                raise IdlError(proc.where, f"'{proc.name}' has no {key}")
        proc.domain = self.domain_path(proc.args)
        if proc.lane in ('write', 'control') and proc.domain is None:
            raise IdlError(proc.where, f"'{proc.name}' has lane {proc.lane} but names no domain")
        self.flags(proc)
        self.permissions(proc)
        if proc.sparse and not proc.stream:
            raise IdlError(proc.where, f"'{proc.name}' is sparse but has no stream")

    def domain_path(self, struct):
        for field in struct.fields if struct else ():
            if field.struct is None or field.repeat != 'one':
                continue
            if field.struct.name == 'nonnull_domain':
                return [field]
            inner = self.domain_path(field.struct)
            if inner:
                return [field, *inner]
        return None

    def flags(self, proc):
        if proc.flags is None:
            if proc.argument('flags') is not None:
                raise IdlError(proc.where, f"'{proc.name}' has an argument flags but does not say which it accepts")
            return
        field = proc.argument(proc.flags)
        if field is None or field.type not in ('uint', 'uhyper'):
            raise IdlError(proc.where, f"'{proc.name}' has no flags word '{proc.flags}'")

    def permissions(self, proc):
        for permission in proc.acl:
            if permission.when == 'equal':
                field = proc.argument(permission.argument)
                if field is None or field.type not in ('int', 'uint'):
                    raise IdlError(proc.where, f"'{proc.name}' has no number '{permission.argument}'")
            elif permission.when != 'always':
                if proc.flags is None:
                    raise IdlError(proc.where, f"a permission of '{proc.name}' depends on flags, but it has none")
                permission.argument = proc.flags
        said = proc.read_only
        derived = all(p.read_only for p in proc.acl if p.when == 'always')
        if said == ('yes' if derived else 'no'):
            raise IdlError(proc.where, f"readonly {said} is what the permissions of '{proc.name}' say anyway")
        proc.read_only = said == 'yes' if said else derived


def load(paths):
    """The programs of PATHS, each of which may use those before it."""
    programs = {}
    for path in paths:
        program = Parser(path, programs).parse()
        Resolver(program).resolve()
        programs[program.name] = program
    return list(programs.values())
