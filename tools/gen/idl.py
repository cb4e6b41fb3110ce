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
        lane   read | work | write | control[, control if FLAGS]
        flags  flags: none                  the argument that is the flags word, and what is accepted of it (none, any, or
                                            constants): any where libvirtd passes over what it does not know
        stream read | write | both
        sparse VIR_...                      the flag by which the stream may carry holes
        fds    in | out | both
        readonly yes | no                   against what its permissions would say
        secret in | out                     the arguments or the answer are overwritten where they were
        host   yes                          it changes also the domain that the host itself is, where there is one
    event 107 domain_event_lifecycle
        doc    ...
        msg    nonnull_domain dom; int event; int detail

Types: char uchar short ushort int uint hyper uhyper double string opaque uuid, an enum, a struct, a union, and
NAME_args, NAME_ret, NAME_msg of a procedure. `type? name` may be absent; `type name<MAX>` is a list of up to MAX;
`type name[N]` is exactly N. Whoever changes a rule adds a one-fault description to tests/gen/rpc.
"""
from idl_model import IdlError
from idl_parse import Parser

SCALARS = {'char': 4, 'uchar': 4, 'short': 4, 'ushort': 4, 'int': 4, 'uint': 4, 'hyper': 8, 'uhyper': 8, 'double': 8}
UUID_LENGTH = 16


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
            if not field.bound.isdigit() or int(field.bound) == 0:
                raise IdlError(field.where, 'a fixed length is a number above 0')
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
        if proc.lane == 'write' and proc.domain is None:
            raise IdlError(proc.where, f"'{proc.name}' has lane {proc.lane} but names no domain")
        self.flags(proc)
        self.permissions(proc)
        if proc.control and (not proc.flags or proc.domain is None):
            raise IdlError(proc.where, f"'{proc.name}' has a lane by flags but no flags or domain")
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
