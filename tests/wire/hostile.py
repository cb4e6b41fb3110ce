#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real conversations, spoilt at random and thrown at the sockets, while a stock client works as if nothing were.

    hostile.py [--seconds S] [--seed N]

What is wrong in a known way is in raw.py; this looks for what nobody thought of. The seed and the number of the attack are
printed with a failure.
"""
import argparse
import os
import random
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402
from lib.case import Loop  # noqa: E402
from lib.relay import Relay  # noqa: E402
from lib.server import libvirt  # noqa: E402

LATENCY = 1.0  # seconds, any call of the client that works
MEMORY = 64 * 1024  # KiB that may stay


def converse(target):
    """Conversations of a stock client worth spoiling, as bytes."""
    path = world.SCRATCH + '/recorder'
    relay = Relay(path, target.socket)
    for talk in (reads, life, metadata, events, console):
        conn = libvirt.open('qemu+unix:///system?socket=' + path)
        talk(conn)
        conn.close()
    time.sleep(0.2)
    return [bytes(said) for said in relay.conversations if said]


def reads(conn):
    conn.getCapabilities()
    conn.listAllDomains()
    conn.getAllDomainStats()
    conn.getInfo()
    conn.getCPUStats(0)
    conn.getMemoryStats(0)


def life(conn):
    domain = conn.defineXML(guests.tiny('victim'))
    domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
    domain.resume()
    domain.XMLDesc(0)
    domain.destroy()
    domain.undefine()


def metadata(conn):
    domain = conn.defineXML(guests.tiny('victim'))
    domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, '<a>' + 'x' * 1000 + '</a>', 'k', 'urn:x', libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    domain.setAutostart(1)
    domain.rename('victim2')
    domain.undefine()


def events(conn):
    numbers = [conn.domainEventRegisterAny(None, kind, lambda *args: None, None) for kind in (0, 1, 3, 5)]
    for number in numbers:
        conn.domainEventDeregisterAny(number)


def console(conn):
    domain = conn.createXML(guests.tiny('victim', devices="<serial type='pty'/>"), libvirt.VIR_DOMAIN_START_PAUSED)
    stream = conn.newStream(libvirt.VIR_STREAM_NONBLOCK)
    domain.openConsole(None, stream, 0)
    stream.send(b'hello')
    stream.abort()
    domain.destroy()


def spoil(chance, data):
    """DATA with one to four faults."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        if len(data) < 8:
            break
        at = chance.randrange(len(data) - 4)
        kind = chance.randrange(7)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at:at + 4] = struct.pack('>I', chance.choice([0, 1, 3, 27, 28, 0x7fffffff, 0x80000000, 0xffffffff, 33554432, 33554433]))
        elif kind == 2:
            del data[at:at + chance.randint(1, 64)]
        elif kind == 3:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 64)))
        elif kind == 4:
            data[at:at] = data[at:at + chance.randint(1, 200)]
        elif kind == 5:
            del data[at:]
        else:
            word = at - at % 4
            data[word:word + 4] = struct.pack('>I', chance.randrange(512))
    return bytes(data)


def attack(path, data):
    """Sends DATA as far as it is taken, reads a little, leaves."""
    end = time.monotonic() + 0.2  # events may come without end
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(0.02)
        try:
            s.connect(path)
            s.sendall(data)
            while time.monotonic() < end and s.recv(65536):
                pass
        except OSError:
            pass


class Witness(threading.Thread):
    """A client that works on a domain of its own."""

    def __init__(self, uri):
        super().__init__()
        self.uri = uri
        self.over = threading.Event()
        self.worst = 0
        self.calls = 0
        self.trouble = None

    def run(self):
        try:
            conn = libvirt.open(self.uri)
            while not self.over.is_set():
                for call in (conn.getLibVersion, lambda: conn.defineXML(guests.tiny('witness')), lambda: conn.lookupByName('witness').XMLDesc(0),
                             conn.getAllDomainStats, lambda: conn.lookupByName('witness').undefine()):
                    begin = time.monotonic()
                    call()
                    self.worst = max(self.worst, time.monotonic() - begin)
                    self.calls += 1
        except libvirt.libvirtError as error:
            self.trouble = str(error)


def descriptors(pid):
    return len(os.listdir('/proc/%d/fd' % pid))


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--seconds', type=float, default=15)
    options.add_argument('--seed', type=int, default=1)
    options = options.parse_args()
    world.enter()
    Loop.start()
    lines = tap.Lines()
    with server.target() as target:
        conversations = converse(target)
        lines.case('conversations to spoil', len(conversations) == 5 and all(len(data) > 200 for data in conversations), [str([len(data) for data in conversations])])
        memory, files = target.rss_anon(), descriptors(target.process.pid)
        witness = Witness(target.uri)
        witness.start()
        chance = random.Random(options.seed)
        end, attacks = time.monotonic() + options.seconds, 0
        while time.monotonic() < end and target.alive() and not witness.trouble:
            attack(chance.choice([target.socket, target.socket + '-ro']), spoil(chance, chance.choice(conversations)))
            attacks += 1
        witness.over.set()
        witness.join(30)
        print('# %d attacks, %d calls beside them, the slowest %.0f ms' % (attacks, witness.calls, witness.worst * 1e3))
        lines.case('the daemon lives', target.alive(), ['seed %d, attack %d, exit code %s' % (options.seed, attacks, target.process.returncode), target.tail()])
        lines.case('the other client saw no error', witness.trouble is None and witness.calls > 10, [str(witness.trouble)])
        lines.case('nor waited', witness.worst < LATENCY, ['%.2f s' % witness.worst])
        if target.alive():
            with target.connect() as conn:
                for domain in conn.listAllDomains():
                    if domain.isActive():
                        domain.destroy()
            try:
                server.wait_until(lambda: descriptors(target.process.pid) <= files + 2, 10)
                why = None
            except AssertionError:
                why = ['%d before, %d after' % (files, descriptors(target.process.pid))]
            lines.case('no descriptor stayed', why is None, why or [])
            grown = target.rss_anon() - memory
            lines.case('no memory stayed', grown < MEMORY, ['%d KiB more' % grown])
    sys.exit(lines.end())


if __name__ == '__main__':
    main()
