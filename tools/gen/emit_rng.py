# SPDX-License-Identifier: LGPL-2.1-or-later
"""Back end: a strict RELAX NG schema.

A condition (`when:type=file`) becomes a choice. body() goes through the attributes that conditions speak of, one after
the other; for each value it makes the rest of the element, and values whose rest is the same share one branch. What a
condition knows of the elements around (`when:^type=file`) is part of the name of a define: DiskSource.type.file.

libxml2 follows an optional pattern both ways, and each way that is open doubles its work: ten attributes of an element made
a thousand, times as many in each element inside. It leaves one way open after each part of an interleave, the first that
works; so what may be absent is a choice of itself and nothing, in this order, and part of an interleave."""
from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from schema import Field, Schema, Struct, constants

Environment = dict[tuple[int, str], str]  # (levels up, attribute) -> value; '-' is absent
UNIT = '[kKmMgGtTpPeE]?([iI]?[bB])?|[bB]ytes?'
ANY = '''  <define name="any">
    <element>
      <anyName/>
      <zeroOrMore>
        <choice>
          <attribute><anyName/></attribute>
          <text/>
          <ref name="any"/>
        </choice>
      </zeroOrMore>
    </element>
  </define>
'''


def data(kind: str, **parameters: object) -> str:
    inner = ''.join(f'<param name="{name}">{escape(str(value))}</param>' for name, value in parameters.items())
    return f'<data type="{kind}">{inner}</data>' if inner else f'<data type="{kind}"/>'


def pattern(text: str) -> str:
    return data('string', pattern=text)


def choice(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else '<choice>' + ''.join(parts) + '</choice>'


def group(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else '<group>' + ''.join(parts) + '</group>' if parts else '<empty/>'


def hexadecimal(highest: int) -> str:
    """A regular expression for numbers up to HIGHEST (or a little more, where its lower digits are not all f)."""
    digits = f'{highest:x}'
    first = f'[0-{digits[0]}]' if digits[0] <= '9' else f'[0-9a-{digits[0]}A-{digits[0].upper()}]'
    rest = f'[0-9a-fA-F]{{{len(digits) - 1}}}' if len(digits) > 1 else ''
    return f'0*({first}{rest}' + (f'|[0-9a-fA-F]{{1,{len(digits) - 1}}})' if rest else ')')


def optional(part: str, wanted: bool = True) -> str:
    return f'<optional>{part}</optional>' if wanted else part


def beside(attributes: list[str]) -> str:
    """ATTRIBUTES in any order, one way through them."""
    return f'<interleave>{"".join(attributes)}{"<empty/>" if len(attributes) == 1 else ""}</interleave>'


def may_lack(attribute: str, wanted: bool = True) -> str:
    return f'<choice>{attribute}<empty/></choice>' if wanted else attribute


class Emitter:
    def __init__(self, schema: Schema):
        self.schema = schema
        self.defines: dict[str, str] = {}
        self.needed: dict[str, set[tuple[int, str]]] = {}
        self.find_needs()

    def find_needs(self) -> None:
        """For each struct: which attributes of the elements around it its content depends on."""
        self.needed = {name: {(condition.outer, condition.field) for field in struct.fields
                              for condition in field.conditions if condition.outer}
                       for name, struct in self.schema.structs.items()}
        changed = True
        while changed:
            changed = False
            for name, struct in self.schema.structs.items():
                for field in struct.fields:
                    if field.struct:
                        more = {(level - 1, attribute) for level, attribute in self.needed[field.struct.name]
                                if level > 1} - self.needed[name]
                        self.needed[name] |= more
                        changed = changed or bool(more)

    def discriminators(self, struct: Struct) -> list[Field]:
        names = {condition.field for field in struct.fields for condition in field.conditions if not condition.outer}
        for field in struct.fields:
            if field.struct:
                names |= {attribute for level, attribute in self.needed[field.struct.name] if level == 1}
        fields = [struct.attribute(name) for name in sorted(names)]
        order = {field.xml: index for index, field in enumerate(struct.fields)}
        found = sorted((field for field in fields if field), key=lambda field: order[field.xml])
        return sorted(found, key=lambda field: len(field.conditions))

    @staticmethod
    def applies(field: Field, environment: Environment) -> bool:
        """Conditions on what the environment does not tell hold."""
        for condition in field.conditions:
            value = environment.get((condition.outer, condition.field))
            if value is not None and (value in condition.values) == condition.negated:
                return False
        return True

    def reference(self, struct: Struct, environment: Environment, element: str = '') -> str:
        """A reference to what STRUCT holds in an element (where it has several: ELEMENT) whose own attributes are level 1 of
        ENVIRONMENT."""
        known = {key: environment[key] for key in sorted(self.needed[struct.name]) if key in environment}
        if element:
            known[(0, '<>')] = element
        name = struct.name + ''.join(f'.{"^" * (level - 1)}{attribute}.{"none" if value == "-" else value}'
                                     for (level, attribute), value in known.items()).replace('^', 'outer-').replace('<>', 'element')
        if name not in self.defines:
            self.defines[name] = ''  # it may lie in itself
            self.defines[name] = self.body(struct, self.discriminators(struct), known)
        return f'<ref name={quoteattr(name)}/>'

    def body(self, struct: Struct, waiting: list[Field], environment: Environment) -> str:
        if not waiting:
            return self.fields(struct, environment)
        field, rest = waiting[0], waiting[1:]
        if (0, field.xml) in environment:
            return self.body(struct, rest, environment)
        field = next((twin for twin in struct.fields if twin.xml == field.xml and twin.place == 'attribute'
                      and self.applies(twin, environment)), None)
        if not field or 'status' in field.marks:
            return self.body(struct, rest, environment | {(0, waiting[0].xml): '-'})
        allowed = field.option('only').split(',') if field.option('only') else constants(field)
        default = field.option('default')
        branches: dict[str, list[str]] = {}
        for value in [*allowed, '-']:
            if value == '-' and ('required' in field.marks or default):
                continue
            branches.setdefault(self.body(struct, rest, environment | {(0, field.xml): value}), []).append(value)
        parts = []
        # libxml2 takes the attributes of what follows an interleave of nothing but an attribute for its own: such a one is last
        for rest_text, values in sorted(branches.items(), key=lambda branch: branch[0] == '<empty/>'):
            named = [value for value in values if value != '-']
            attribute = (f'<attribute name={quoteattr(field.xml)}>'
                         + choice([f'<value>{escape(value)}</value>' for value in named]) + '</attribute>'
                         if named else '')
            lacks = '-' in values or (default in values and 'required' not in field.marks)
            parts.append(group([part for part in (beside([may_lack(attribute)]) if attribute and lacks else attribute, rest_text)
                                if part and part != '<empty/>']))
        return choice(parts)

    def fields(self, struct: Struct, environment: Environment) -> str:
        named = {field.xml for field in self.discriminators(struct)}
        parts: list[str] = []
        attributes: list[str] = []
        elements: dict[str, list[Field]] = {}
        content = ''
        for field in struct.fields:
            applies = self.applies(field, environment) or 'loose' in field.marks
            if field.marks & {'status', 'name'} or field.option('refused') or field.parent or not applies:
                continue
            if field.place == 'attribute' and field.xml not in named:
                attributes.append(self.attribute(field))
            elif field.place == 'content':
                content = self.scalar(field)
            elif field.place == 'element':
                elements.setdefault(f'{field.namespace}:{field.xml}', []).append(field)
        inner = [self.element(struct, fields, environment) for fields in elements.values()]
        if content and inner:
            inner.append('<text/>')
        elif content:
            parts.append(content)
        if attributes:
            parts.insert(0, beside(attributes))
        if len(inner) > 1:
            parts.append('<interleave>' + ''.join(inner) + '</interleave>')
        else:
            parts += inner
        return group(parts)

    def attribute(self, field: Field) -> str:
        text = f'<attribute name={quoteattr(field.xml)}>{self.scalar(field)}</attribute>'
        if field.type == 'size':
            text = f'<group>{text}{beside([self.unit()])}</group>'
        return may_lack(text, 'required' not in field.marks or 'told' in field.marks or field.option('default') is not None)

    @staticmethod
    def unit() -> str:
        return may_lack(f'<attribute name="unit">{pattern(UNIT)}</attribute>')

    def element(self, struct: Struct, fields: list[Field], environment: Environment) -> str:
        """The element that FIELDS (more than one only where `match` tells them apart) describe."""
        field = fields[0]
        if field.xml == '<>':
            outer = {(level + 1, name): value for (level, name), value in environment.items()}
            return '<zeroOrMore>' + choice([f'<element name={quoteattr(name)}>{self.reference(field.struct, outer, name)}</element>'
                                            for name in field.struct.names().enum.values]) + '</zeroOrMore>'
        inner = list(dict.fromkeys(self.content(struct, each, environment) for each in fields))
        space = f' ns={quoteattr(self.schema.namespaces[field.namespace])}' if field.namespace else ''
        text = f'<element name={quoteattr(field.xml)}{space}>{choice(inner)}</element>'
        if field.repeated or len(fields) > 1:
            return f'<zeroOrMore>{text}</zeroOrMore>'
        return optional(text, 'required' not in field.marks or 'told' in field.marks)

    def content(self, struct: Struct, field: Field, environment: Environment) -> str:
        if field.struct:
            outer = {(level + 1, name): value for (level, name), value in environment.items()}
            return self.reference(field.struct, outer)
        if field.type == 'flag':
            return '<empty/>'
        if field.type == 'xml':
            return '<zeroOrMore><choice><ref name="any"/><text/></choice></zeroOrMore>'
        carried = [self.attribute(other) for other in struct.fields if other.parent == field.xml]
        if field.type == 'size':
            carried.append(self.unit())
        return group([*([beside(carried)] if carried else []), self.scalar(field)])

    def scalar(self, field: Field) -> str:
        if field.enum:
            allowed = field.option('only').split(',') if field.option('only') else field.enum.values
            return choice([f'<value>{escape(value)}</value>' for value in allowed])
        if field.option('pattern'):
            return pattern(self.schema.patterns[field.option('pattern')].regex)
        fixed = {'string': '<text/>', 'yesno': '<choice><value>yes</value><value>no</value></choice>',
                 'onoff': '<choice><value>on</value><value>off</value></choice>', 'size': data('unsignedLong'),
                 'uuid': pattern('[ ]*[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}[ ]*'),
                 'mac': pattern('[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}'),
                 'ip': pattern('[0-9a-fA-F.:]+(%[^ ]+)?'),
                 'cpuset': pattern('([0-9]+(-[0-9]+)?|\\^[0-9]+)(,([0-9]+(-[0-9]+)?|\\^[0-9]+))*')}
        return fixed.get(field.type) or self.number(field)

    @staticmethod
    def number(field: Field) -> str:
        if field.option('base') == '8':
            return pattern(f'0*[0-7]{{1,{len(oct(int(field.option("max"), 0))) - 2}}}')
        if field.option('hex') is not None or field.option('base'):
            highest = int(field.option('max') or '0xffffffffffffffff', 0)
            decimal = '' if field.option('base') == '16' else f'|[0-9]{{1,{len(str(highest))}}}'
            return pattern(f'(0x)?{hexadecimal(highest)}{decimal}')
        limits: dict[str, object] = {}
        if field.option('min') or 'positive' in field.marks:
            limits['minInclusive'] = field.option('min') or 1
        if field.option('max'):
            limits['maxInclusive'] = int(field.option('max'), 0)
        kinds = {'int': 'int', 'uint': 'unsignedInt', 'int64': 'long', 'uint64': 'unsignedLong'}
        text = data(kinds[field.type], **limits)
        return choice([text, '<value>-1</value>']) if 'any' in field.marks else text


def emit(schema: Schema, *roots: str) -> str:
    emitter = Emitter(schema)
    structs = [schema.structs[root] for root in roots]
    start = choice([f'<element name="{struct.xml}">{emitter.reference(struct, {})}</element>' for struct in structs])
    out = ['<?xml version="1.0" encoding="UTF-8"?>\n<!-- Emitted by tools/gen from xml-schemas/. -->\n',
           '<grammar xmlns="http://relaxng.org/ns/structure/1.0"',
           ' datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">\n',
           f'  <start>\n    {start}\n  </start>\n']
    for name, text in emitter.defines.items():
        out.append(f'  <define name={quoteattr(name)}>\n    {text}\n  </define>\n')
    return ''.join(out) + ANY + '</grammar>\n'
