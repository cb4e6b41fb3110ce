#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The description of the x86 processors -> C tables.

    cpu.py header|source OUTPUT INPUT
"""
from __future__ import annotations

import dataclasses
import re
import sys

REGISTERS = ['eax', 'ebx', 'ecx', 'edx']
LEAF = re.compile(r'(leaf|msr) (0x[0-9a-f]+)(?:\.(\d+))? (e[abcd]x)')
SIGNATURE = re.compile(r'(\d+)/(\d+)(?:/(\d+)-(\d+))?')


class Bad(Exception):
    pass


@dataclasses.dataclass
class Feature:
    name: str
    qemu: str
    migratable: bool
    kind: str
    leaf: int
    sub: int
    register: int
    bit: int


@dataclasses.dataclass
class Model:
    name: str
    vendor: str | None
    signatures: list[tuple[int, int, int]]  # family, model, mask of steppings
    for_host: bool
    for_guest: bool
    has: set[str] = dataclasses.field(default_factory=set)
    removed: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Map:
    vendors: dict[str, str] = dataclasses.field(default_factory=dict)
    features: dict[str, Feature] = dataclasses.field(default_factory=dict)
    models: dict[str, Model] = dataclasses.field(default_factory=dict)


class Reader:
    def __init__(self) -> None:
        self.map = Map()
        self.register: tuple[str, int, int, int] | None = None
        self.bit = 0
        self.model: Model | None = None
        self.sign = ''

    def line(self, text: str) -> None:
        words = text.split('#')[0].split()
        if not words:
            return
        if text[0] != ' ':
            self.head(words)
        elif self.model:
            self.part(self.model, words)
        elif self.register:
            self.bits(words)
        else:
            raise Bad('an indented line after nothing')

    def head(self, words: list[str]) -> None:
        self.model, self.sign = None, ''
        if words[0] == 'vendor' and len(words) == 3 and len(words[2]) == 12:
            self.map.vendors[words[1]] = words[2]
        elif words[0] == 'model' and len(words) > 1:
            self.new_model(words[1:])
        elif found := LEAF.fullmatch(' '.join(words)):
            kind, leaf, sub, register = found.groups()
            self.register = (kind, int(leaf, 16), int(sub or 0), REGISTERS.index(register))
            self.bit = 0
            if kind == 'msr' and (sub or register not in ('eax', 'edx')):
                raise Bad('a model specific register has eax and edx')
        else:
            raise Bad('expected vendor NAME STRING, leaf, msr or model')

    def bits(self, words: list[str]) -> None:
        assert self.register
        for word in words:
            if re.fullmatch(r'-\d*', word):
                self.bit += int(word[1:] or 1)
                continue
            name, _, qemu = word.rstrip('!').partition('/')
            place = (*self.register, self.bit)
            if name in self.map.features or self.bit > 31 or any(
                    (f.kind, f.leaf, f.sub, f.register, f.bit) == place for f in self.map.features.values()):
                raise Bad(f'{name} twice, or beyond the register, or where another is')
            self.map.features[name] = Feature(name, qemu or name, not word.endswith('!'), *place)
            self.bit += 1

    def new_model(self, words: list[str]) -> None:
        name, rest = words[0], words[1:]
        use = rest.pop() if rest and rest[-1] in ('host-only', 'unused') else ''
        vendor = rest.pop(0) if rest and rest[0] in self.map.vendors else None
        if name in self.map.models:
            raise Bad(f'model {name} twice')
        self.model = Model(name, vendor, [self.signature(word) for word in rest], use != 'unused', not use)
        self.map.models[name] = self.model

    @staticmethod
    def signature(word: str) -> tuple[int, int, int]:
        found = SIGNATURE.fullmatch(word)
        if not found:
            raise Bad(f'{word} is no vendor and no FAMILY/MODEL/STEPPINGS')
        family, model = int(found[1]), int(found[2])
        first, last = (int(found[3]), int(found[4])) if found[3] else (0, 15)
        return family, model, sum(1 << i for i in range(first, last + 1))

    def part(self, model: Model, words: list[str]) -> None:
        if words[0] == 'like':
            if len(words) != 2 or words[1] not in self.map.models or model.has:
                raise Bad('like MODEL comes first and names one above')
            model.has = set(self.map.models[words[1]].has)
            return
        if words[0] in ('+', '-', 'removed'):
            self.sign = words.pop(0)
        for name in words:
            if name not in self.map.features:
                raise Bad(f'no feature {name}')
            if not self.sign or (name in model.has) != (self.sign == '-'):
                raise Bad(f'{name}: it has it already, or does not, or has it and lost it')
            if self.sign == '+':
                model.has.add(name)
            elif self.sign == '-':
                model.has.remove(name)
            else:
                model.removed.append(name)


def read(path: str) -> Map:
    reader = Reader()
    with open(path, encoding='utf-8') as file:
        for number, text in enumerate(file, 1):
            try:
                reader.line(text.rstrip('\n'))
            except Bad as bad:
                sys.exit(f'{path}:{number}: {bad}')
    return reader.map


def header(cpus: Map) -> str:
    return f'''/* Emitted by tools/gen/cpu.py. */
#pragma once
#define X86_N_VENDORS {len(cpus.vendors)}
#define X86_N_FEATURES {len(cpus.features)}
#define X86_N_MODELS {len(cpus.models)}
'''


def bits(numbers: dict[str, int], names: set[str]) -> str:
    words = [0] * ((len(numbers) + 63) // 64)
    for name in names:
        words[numbers[name] // 64] |= 1 << numbers[name] % 64
    return '{{' + ', '.join(f'0x{word:x}u' for word in words) + '}}'


def source(cpus: Map) -> str:
    numbers = {name: i for i, name in enumerate(cpus.features)}
    vendors = {name: i for i, name in enumerate(cpus.vendors)}
    out = ['/* Emitted by tools/gen/cpu.py. */', '#include "lib/cpu/x86.h"', '', 'const X86Vendor x86_vendors[] = {']
    out += [f'    {{"{name}", "{text}"}},' for name, text in cpus.vendors.items()]
    out += ['};', '', 'const X86Feature x86_features[] = {']
    out += [f'    {{"{f.name}", "{f.qemu}", {str(f.migratable).upper()}, {str(f.kind == "msr").upper()}, 0x{f.leaf:x}, '
            f'{f.sub}, {f.register}, {f.bit}}},' for f in cpus.features.values()]
    out += ['};', '', 'const X86Model x86_models[] = {']
    for model in cpus.models.values():
        vendor = f'&x86_vendors[{vendors[model.vendor]}]' if model.vendor else 'NULL'
        signatures = ', '.join('{%d, %d, 0x%x}' % one for one in model.signatures)
        removed = ', '.join(str(numbers[name]) for name in model.removed)
        out += [f'    {{"{model.name}", {vendor}, {str(model.for_host).upper()}, {str(model.for_guest).upper()},',
                f'     {bits(numbers, model.has)},',
                f'     {{{signatures}}}, {len(model.signatures)}, {{{removed}}}, {len(model.removed)}}},']
    return '\n'.join(out + ['};', ''])


if __name__ == '__main__':
    with open(sys.argv[2], 'w', encoding='utf-8') as output:
        output.write({'header': header, 'source': source}[sys.argv[1]](read(sys.argv[3])))
