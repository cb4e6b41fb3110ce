#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest with every device that needs no hardware: what its document asks for is found again in QEMU.

    devices.py [PART OF A TEST'S NAME ...]

tests/lib/everything.py has the documents and the table. Nothing of our own command line is looked at, but QEMU's answers, its
files, its threads. DUOVIRT_TARGET=libvirtd runs the same on Debian's libvirtd, which proves the table."""
import json
import os
import re
import socket
import struct
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import libvirt_qemu  # noqa: E402
from lib import everything, guests, server  # noqa: E402
from lib.case import Case, libvirt, main  # noqa: E402
from lib.virsh import Console  # noqa: E402


PAUSED = libvirt.VIR_DOMAIN_START_PAUSED
PAGES = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages'
BOOT = 240


class Doorbell:
    """The server of a shared memory with interrupts, for one guest: its peer number, the memory, its vectors."""

    def __init__(self, path, vectors):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen()
        self.memory = os.memfd_create('bell')
        os.ftruncate(self.memory, 1 << 20)
        self.vectors = [os.eventfd(0) for _ in range(vectors)]
        self.peers = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                peer = self.listener.accept()[0]
                self.peers.append(peer)
                for number, file in [(0, None), (1, None), (-1, self.memory)] + [(1, vector) for vector in self.vectors]:
                    socket.send_fds(peer, [struct.pack('<q', number)], [file] if file is not None else [])
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        for thing in [self.listener] + self.peers:
            thing.close()
        for number in [self.memory] + self.vectors:
            os.close(number)


class Qemu:
    """What a running QEMU says of itself, by the places of lib/everything.py."""

    def __init__(self, domain, pid):
        self.domain, self.pid, self.answers = domain, pid, {}

    def ask(self, command, **arguments):
        key = command + json.dumps(arguments)
        if key not in self.answers:
            text = libvirt_qemu.qemuMonitorCommand(self.domain, json.dumps({'execute': command, 'arguments': arguments}), 0)
            answer = json.loads(text)
            self.answers[key] = answer['return'] if 'return' in answer else LookupError(answer['error']['desc'])
        if isinstance(self.answers[key], Exception):
            raise self.answers[key]
        return self.answers[key]

    def hmp(self, command):
        return libvirt_qemu.qemuMonitorCommand(self.domain, command, libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)

    def get(self, path, name):
        return self.ask('qom-get', path=path, property=name)

    def inside(self, value, path):
        """What lies in VALUE at A.B.NAME=WHICH.C"""
        for step in path.split('.') if path else []:
            name, choose, wanted = step.partition('=')
            if choose:
                value = next((entry for entry in value if str(entry.get(name)) == wanted), {})
            elif step.isdigit():
                value = value[int(step)]
            else:
                value = value.get(step) if value else None
        return value

    def block(self, name):
        mine = re.compile('((/machine/peripheral/)?ua-|/machine/)%s(/|$)' % name)
        return next(entry for entry in self.ask('query-block') if mine.match(entry.get('qdev', '')))

    def chardev(self, name):
        label = self.get('/machine/peripheral/ua-' + name, 'chardev')
        return next(entry['filename'] for entry in self.ask('query-chardev') if entry['label'] == label)

    def thread(self, kind, number=0):
        if kind == 'cpu':
            tid = self.inside(self.ask('query-cpus-fast'), 'cpu-index=%s.thread-id' % number)
        elif kind == 'iothread':
            tid = self.inside(self.ask('query-iothreads'), 'id=iothread%s.thread-id' % number)
        else:
            tid = self.pid
        return ','.join(str(cpu) for cpu in sorted(os.sched_getaffinity(tid)))

    def discards(self, name):
        """Whether the file behind a disk gets smaller when its guest throws away what it wrote."""
        path = guests.IMAGES + '/every-%s.img' % name
        for command in ('write -P 7 0 1M', 'flush', 'discard 0 1M', 'flush'):
            said = self.hmp('qemu-io -d /machine/peripheral/ua-%s "%s"' % (name, command))
            if 'rror' in said or 'ailed' in said:
                raise LookupError(said)
        return os.stat(path).st_blocks * 512 < 1 << 20

    def at(self, place):
        kind, *words = place.split(' ')
        if kind == 'qom':
            return self.get('/machine/peripheral/ua-' + words[0], words[1])
        if kind == 'cpu':
            return self.get(self.ask('query-cpus-fast')[0]['qom-path'], words[0])
        if kind.startswith('/'):
            return self.inside(self.get(kind, words[0]), ' '.join(words[1:]))
        if kind.startswith('query-'):
            return self.inside(self.ask(kind), words[0])
        if kind == 'block':
            return self.inside(self.block(words[0]), words[1])
        if kind == 'fd':
            return '\n'.join(server.open_files(self.pid))
        if kind == 'aio':
            with open('/proc/%d/maps' % self.pid) as f:
                return '/[aio]' in f.read()
        if kind == 'environ':
            with open('/proc/%d/environ' % self.pid) as f:
                return dict(entry.partition('=')[::2] for entry in f.read().split('\0')).get(words[0])
        if kind == 'exists':
            return os.path.exists(words[0])
        if kind == 'fds':
            return list(server.open_files(self.pid)).count(words[0])
        if kind == 'nameless':
            names = [entry['name'] for entry in self.ask('qom-list', path='/machine/peripheral-anon') if entry['type'] == 'child<%s>' % words[0]]
            return self.get('/machine/peripheral-anon/' + names[0], words[1])
        return {'chardev': self.chardev, 'thread': self.thread, 'discard': self.discards}[kind](*words)


class Devices(Case):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory(prefix='share-')
        self.addCleanup(self.folder.cleanup)
        os.chmod(self.folder.name, 0o777)
        os.makedirs(guests.IMAGES, exist_ok=True)

    def found(self, document):
        """Starts the guest; each thing of the table is looked for, and what is wrong is told together."""
        domain = self.conn.defineXML(document.xml)
        domain.createWithFlags(PAUSED)
        qemu = Qemu(domain, self.server.qemu(domain.UUIDString()))
        wrong = []
        for place, value in document.expected.items():
            try:
                seen = qemu.at(place)
            except (LookupError, StopIteration, libvirt.libvirtError, OSError) as error:
                seen = error
            if not (value.search(str(seen)) if hasattr(value, 'search') else seen == value and type(seen) is type(value)):
                wrong.append('%s is %.120r, not %r' % (place, seen, value))
        self.assertEqual(wrong, [])
        return domain

    def test_everything_on_q35_with_uefi(self):
        for make, name in ((os.mkfifo, 'every.pipe'), (os.mknod, 'every.wav')):
            make(guests.IMAGES + '/' + name)
            os.chmod(guests.IMAGES + '/' + name, 0o666)
        bell = Doorbell(guests.IMAGES + '/every.bell', 4)
        self.addCleanup(bell.close)
        self.found(everything.newest(self.folder.name))

    def test_everything_on_pc(self):
        self.found(everything.oldest())

    def test_huge_pages(self):
        with open(PAGES) as f:
            before = f.read()
        def restore():
            with open(PAGES, 'w') as f:
                f.write(before)
        self.addCleanup(restore)
        try:
            with open(PAGES, 'w') as f:
                f.write(str(int(before) + 40))
        except OSError as error:
            self.skipTest('no huge pages: %s' % error)
        domain = self.found(everything.hugepages())
        domain.destroy()

    def test_what_only_a_guest_can_see(self):
        """The tables of the BIOS and the configuration of the firmware, which QEMU shows to nobody else."""
        table = "<sysinfo type='smbios'>%s</sysinfo><os><smbios mode='sysinfo'/>"
        entries = {'bios': {'vendor': 'Firm, Ltd.', 'version': '7'}, 'system': {'manufacturer': 'Maker', 'product': 'Thing', 'serial': 'S-1'},
                   'baseBoard': {'manufacturer': 'Boards', 'serial': 'B-1'}, 'chassis': {'manufacturer': 'Boxes', 'asset': 'C-1'}}
        text = ''.join('<%s>%s</%s>' % (part, ''.join("<entry name='%s'>%s</entry>" % pair for pair in values.items()), part)
                       for part, values in entries.items())
        domain = self.conn.defineXML(guests.linux('every-linux').replace('<os>', table % text))
        domain.createWithFlags(PAUSED)
        console = Console(self.server.uri, 'every-linux', seconds=BOOT)
        self.addCleanup(console.process.close, force=True)
        console.attached()
        domain.resume()
        console.expect('GUEST-READY')
        console.expect('guest# ')
        for part, prefix in (('bios', 'bios'), ('system', 'sys'), ('baseBoard', 'board'), ('chassis', 'chassis')):
            for name, value in entries[part].items():
                file = {'manufacturer': prefix + '_vendor', 'vendor': 'bios_vendor', 'version': 'bios_version', 'product': 'product_name',
                        'serial': ('product' if part == 'system' else prefix) + '_serial', 'asset': 'chassis_asset_tag'}[name]
                console.ask('cat /sys/class/dmi/id/%s' % file, value + '\r')

    @unittest.skipIf(not os.path.exists('/dev/kvm'), 'no /dev/kvm')
    def test_what_kvm_gives(self):
        self.found(everything.accelerated())

    @unittest.skipIf(not os.path.exists('/dev/vhost-vsock'), 'no /dev/vhost-vsock')
    def test_vsock(self):
        self.found(everything.vsock())


if __name__ == '__main__':
    main('guest/devices')
