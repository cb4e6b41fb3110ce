#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes duovirtd.conf(5) of the commented configuration file: conf-man.py OUTPUT INPUT VERSION

In the file a paragraph of comments ends with the keys it describes, each with its default and a # before it.
"""
import re
import sys

HEAD = '''.\\" SPDX-License-Identifier: LGPL-2.1-or-later
.TH DUOVIRTD.CONF 5 "" "duovirt {version}" "File Formats"
.SH NAME
duovirtd.conf \\- configuration of duovirtd
.SH SYNOPSIS
.I {folder}/duovirtd.conf
.br
.I $XDG_CONFIG_HOME/duovirt/duovirtd.conf
(of a user's own daemon)
.SH DESCRIPTION
Lines
.IB key " = " value
in sections. A key that is not there has its default; one that is not known keeps the daemon from starting.
After a change: systemctl reload duovirtd, or SIGHUP. What is marked with Restart is read at the start only.
'''
TAIL = '''.SH SEE ALSO
.BR duovirtd (8)
'''


def escape(text):
    text = text.replace('\\', '\\e').replace('-', '\\-')
    return re.sub(r"(?m)^([.'])", r'\\&\1', text)


def paragraphs(text):
    """(section, lines of comment without #, keys) of each."""
    section = None
    for block in text.split('\n\n'):
        words, keys = [], []
        for line in block.split('\n'):
            if match := re.fullmatch(r'\[(.+)\]', line):
                section = match.group(1)
            elif match := re.fullmatch(r'#(\w+) *= *(.*)', line):
                keys.append(match.groups())
            elif line.startswith('# '):
                words.append(line[2:])
        yield section, words, keys


def page(text, version, folder):
    yield HEAD.format(version=version, folder=folder)
    last = None
    for section, words, keys in paragraphs(text):
        if not section or not keys:
            continue
        if section != last:
            yield '.SH [%s]\n' % escape(section)
            last = section
        for number, (key, value) in enumerate(keys):
            yield '.TP\n' if number == 0 else '.TQ\n'
            yield '.BR %s " = %s"\n' % (key, escape(value))
        yield escape('\n'.join(words)) + '\n'
    yield TAIL


def main(output, source, version, folder):
    with open(source) as f:
        made = ''.join(page(f.read(), version, folder))
    if '.TP' not in made:
        sys.exit('%s: no key was found' % source)
    with open(output, 'w') as f:
        f.write(made)


if __name__ == '__main__':
    main(*sys.argv[1:])
