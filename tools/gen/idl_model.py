#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a description of the wire consists of, once read: programs, structs, procedures. Made by idl_parse.py, completed
by idl.py, walked by the emit_rpc*.py."""
import dataclasses
import re

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
    control: list = dataclasses.field(default_factory=list)  # flags that put a call on the control lane
    flags: str = None    # the argument's name
    accepts: list = dataclasses.field(default_factory=list)
    any_flags: bool = False
    stream: str = None
    sparse: str = None
    fds: str = None
    read_only: bool = False
    secret: str = None   # where it has what nobody else may know
    host: str = None     # also the host's own domain may be changed by it
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
