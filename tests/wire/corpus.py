#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each x86 document of libvirt's own tests starts up to a paused machine, or why it does not is told.

usage: corpus.py CORPUS [--record]

Images, devices and folders that a document names are made for it, in a root of the test's own. corpus-started.txt lists those that
have to start (--record writes it); the others want what a test host lacks (devices, servers, processors, NUMA nodes) or are refused
by name. Debian's libvirtd 9.0.0 in the same root starts one that is not in the list, graphics-dbus, with a message bus of its own."""
import json
import os
import re
import stat
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import libvirt

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import overlay, server, tap, world  # noqa: E402

STARTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'corpus-started.txt')
SIZE = 64 << 20
QEMU_NAMES = {'vhd': 'vhdx', 'ploop': 'parallels'}  # libvirt's word for a format, QEMU's
FORMATS = ('qcow2', 'qcow', 'qed', 'vmdk', 'vdi', 'vpc', 'vhdx', 'parallels')
SKIP = 77


class Images:
    """What documents name, made for them. All block devices of a format are one: guests only look at them."""

    def __init__(self):
        self.loops = {}
        self.made = set()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for device in self.loops.values():
            subprocess.run(['losetup', '-d', device], check=False)

    def loop(self, kind):
        if kind not in self.loops:
            path = f'/loop.{kind}'
            subprocess.run(['qemu-img', 'create', '-q', '-f', kind, path, str(SIZE)], check=True)
            os.truncate(path, SIZE)
            done = subprocess.run(['losetup', '--find', '--show', path], check=True, capture_output=True, text=True)
            self.loops[kind] = done.stdout.strip()
        return os.stat(self.loops[kind]).st_rdev

    def make(self, path, kind, block=False):
        if not path or not path.startswith('/') or (os.path.exists(path) and path not in self.made):
            return
        if os.path.exists(path):
            os.remove(path)
        self.made.add(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if block:
            os.mknod(path, 0o660 | stat.S_IFBLK, self.loop('qcow2' if kind == 'qcow2' else 'raw'))
            return
        subprocess.run(['qemu-img', 'create', '-q', '-f', kind if kind in FORMATS else 'raw', path, str(SIZE)], check=True)
        os.chmod(path, 0o666)

    def make_disk(self, disk):
        for image in [disk, *disk.iter('backingStore')]:
            source, kind = image.find('source'), image.find('driver' if image is disk else 'format')
            word = kind.get('type') if kind is not None else 'raw'
            if source is not None:
                self.make(source.get('file') or source.get('dev'), QEMU_NAMES.get(word, word), source.get('dev') is not None)

    def make_all(self, domain):
        for disk in domain.iter('disk'):
            self.make_disk(disk)
        for path in ('os/kernel', 'os/initrd', 'os/dtb', 'devices/memory/source/path'):
            for element in domain.findall(path):
                self.make(element.text, 'raw')
        for element in domain.iter():
            for path in (element.get('file'), element.get('path'), element.text if element.tag == 'nvram' else None):
                if path and path.strip().startswith('/'):
                    os.makedirs(os.path.dirname(path.strip()), exist_ok=True)


def documents(corpus):
    """Name, text and definition of each that a live libvirtd accepted."""
    with open(os.path.join(corpus, 'libvirtd-9.0.0.jsonl'), encoding='utf-8') as file:
        records = [json.loads(line) for line in file]
    for record in records:
        if record['kind'] == 'domain' and record['define'] == 'ok' and re.search(r"arch='(x86_64|i686)'", record.get('xml', '')):
            with open(os.path.join(corpus, 'domain', record['name'] + '.xml'), encoding='utf-8') as file:
                yield record['name'], file.read(), record['xml']


def start(conn, text):
    """Why it does not start; ''."""
    try:
        conn.createXML(text, libvirt.VIR_DOMAIN_START_PAUSED).destroy()
        return ''
    except libvirt.libvirtError as error:
        return error.get_error_message()
    finally:
        for domain in conn.listAllDomains():
            domain.destroy()


def main():
    world.enter()
    corpus = os.path.abspath(sys.argv[1])
    if not os.path.isdir(corpus):
        print('1..0 # SKIP no corpus here')
        return SKIP
    known = set() if '--record' in sys.argv else set(open(STARTED, encoding='ascii').read().split())
    record = open(STARTED, 'w', encoding='ascii') if '--record' in sys.argv else None
    overlay.enter()
    lines, refused = tap.Lines(), 0
    with Images() as images, server.target() as target:
        conn = target.connect()
        for name, text, definition in documents(corpus):
            domain = ElementTree.fromstring(definition)
            if domain.get('type') == 'kvm' and not os.path.exists('/dev/kvm'):
                continue
            images.make_all(domain)
            why = start(conn, text)
            if record and not why:
                record.write(name + '\n')
            refused += why != ''
            if record or name in known:
                lines.case(name, record or not why, why.splitlines())
            elif why:
                print(f'# {name}: {why.splitlines()[0]}')
        conn.close()
    print(f'# {refused} do not start')
    return lines.end()


if __name__ == '__main__':
    sys.exit(main())
