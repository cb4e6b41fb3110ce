#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a daemon says of its host, its hypervisors and its guests is right by our schemas, and comes out of the description as it went in.

DUOVIRT_TARGET=libvirtd holds what libvirtd says against them."""
import difflib
import os
import subprocess
import sys

import libvirt

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402

BUILD = os.environ.get('DUOVIRT_BUILD', os.path.join(server.SOURCE, 'build'))


def faults(text):
    """What is wrong with TEXT, read without empty lines (libvirt's capabilities have some, for people)."""
    text = '\n'.join(line for line in text.splitlines() if line) + '\n'
    done = subprocess.run([os.path.join(BUILD, 'tools/duovirt-xml'), '--schemas', os.path.join(BUILD, 'lib/model'), '--format', '-'],
                          input=text, capture_output=True, text=True, check=False)
    lines = difflib.unified_diff(text.splitlines(), done.stdout.splitlines(), 'said', 'written', n=0, lineterm='')
    return done.stderr.splitlines() + list(lines)


def documents(conn):
    yield 'capabilities', conn.getCapabilities()
    yield 'pool capabilities', conn.getStoragePoolCapabilities()
    for arch in ('x86_64', 'i686'):
        for machine in ('pc', 'q35'):
            for kind in ('qemu', 'kvm'):
                yield 'domain capabilities of %s %s %s' % (arch, machine, kind), conn.getDomainCapabilities(None, arch, machine, kind)
    for make in (guests.pc, guests.q35):
        domain = conn.defineXML(make('documented'))
        yield 'definition of a %s' % make.__name__, domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE)
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)


def main():
    world.enter()
    lines = tap.Lines()
    with server.target() as target:
        conn = target.connect()
        for name, text in documents(conn):
            why = faults(text)
            lines.case(name, not why, why)
        conn.close()
    return lines.end()


if __name__ == '__main__':
    sys.exit(main())
