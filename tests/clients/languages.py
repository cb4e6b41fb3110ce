#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bindings of other languages, as Debian has them: a guest's life through each, with libvirtd's recorded answers.

    languages.py [NAME...]      on our daemon, held against recorded/NAME.txt
    languages.py --record       on libvirtd, to record them anew

(php-libvirt-php of Debian 12 comes without the library that it is named after: there is nothing to run.)"""
import itertools
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDED = os.path.join(HERE, 'recorded')
GO = world.SCRATCH + '/go-client'
GO_ENVIRONMENT = {'GO111MODULE': 'off', 'GOPATH': '/usr/share/gocode', 'GOCACHE': '/var/cache/duovirt-go', 'GOFLAGS': ''}
CLIENTS = {'perl': ['perl', os.path.join(HERE, 'perl.pl')],
           'ruby': ['ruby', os.path.join(HERE, 'ruby.rb')],
           'go': [GO],
           'glib': ['/usr/bin/python3', os.path.join(HERE, 'glib.py')]}


def build_go():
    subprocess.run(['go', 'build', '-o', GO, './go'], cwd=HERE, env=dict(os.environ, **GO_ENVIRONMENT), check=True, timeout=600)


def said_by(name, target):
    path = world.SCRATCH + '/guest.xml'
    with open(path, 'w') as f:
        f.write(guests.minimal('client'))
    done = subprocess.run(['timeout', '120'] + CLIENTS[name] + [target.uri, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env=dict(os.environ, LC_ALL='C.UTF-8', HOME=world.SCRATCH))
    with target.connect() as conn:
        for domain in conn.listAllDomains():  # of a client that gave up
            if domain.isActive():
                domain.destroy()
            domain.undefine()
    return '%s[exit %d]\n' % (done.stdout, done.returncode)


def compare(out, name, text, expected):
    """A case for each answer."""
    for number, (our, their) in enumerate(itertools.zip_longest(text.splitlines(), expected.splitlines()), 1):
        title = '%s %d: %s' % (name, number, (their or our).split(':')[0])
        out.case(title, our == their, ['libvirtd: %s' % their, 'we:       %s' % our])


def main():
    world.enter()
    record = '--record' in sys.argv
    names = [name for name in sys.argv[1:] if not name.startswith('-')] or list(CLIENTS)
    if 'go' in names:
        build_go()
    with server.Libvirtd() if record else server.target() as target:
        said = {name: said_by(name, target) for name in names}
    out = tap.Lines()
    for name, text in said.items():
        path = os.path.join(RECORDED, name + '.txt')
        if record:
            with open(path, 'w') as f:
                f.write(text)
        with open(path) as f:
            compare(out, name, text, f.read())
    sys.exit(out.end())


if __name__ == '__main__':
    main()
