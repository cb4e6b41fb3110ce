#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon is killed at random moments of define, start, destroy and undefine; nothing acknowledged may be lost.

    kill9.py [--rounds N] [--seed S]

Clients work on domains of their own and write each operation into a journal before they send it and again when it is
acknowledged. After the kill the journal says what must be: the acknowledged holds exactly, the one in flight wholly or
not at all. A restarted daemon is held against that, and the QEMUs against those that ran at the kill. Every second
round everything is removed, and the host must look as it did before: no process, no tap, no socket, no file.

Guests are paused and never boot: this is about the daemon.
"""
import argparse
import copy
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402
from lib.server import libvirt  # noqa: E402

CLIENTS = 3
DOMAINS = 3  # of each client
CLEAN = 10  # seconds until the host must be clean
TAP = "<interface type='ethernet'><target dev='%s'/><model type='virtio'/></interface>"


class State:
    """What a domain is: versions of its definitions, None where there is none."""

    def __init__(self):
        self.config = self.live = None
        self.autostart = False

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __repr__(self):
        return 'config=%s live=%s autostart=%s' % (self.config, self.live, self.autostart)

    def possible(self):
        """The operations that make sense now, each as often as it shall be chosen."""
        found = ['define'] * 2
        if self.config is not None:
            found += ['undefine', 'autostart']
        if self.live is not None:
            found += ['destroy'] * 2
        elif self.config is not None:
            found += ['start'] * 3
        else:
            found += ['create'] * 2
        return found

    def after(self, operation, version):
        new = copy.copy(self)
        if operation == 'define':
            new.config = version
        elif operation == 'undefine':
            new.config, new.autostart = None, False
        elif operation == 'autostart':
            new.autostart = not self.autostart
        elif operation == 'start':
            new.live = self.config
        elif operation == 'create':
            new.live = version
        elif operation == 'destroy':
            new.live = None
        return new


class Client(threading.Thread):
    """One connection that works on its domains until the daemon is gone. states is the journal's sum."""

    def __init__(self, uri, number, seed, states, serial):
        super().__init__()
        self.uri = uri
        self.random = random.Random(seed)
        self.states = states
        self.serial = serial
        self.number = number
        self.journal = []
        self.in_flight = None
        self.killed = threading.Event()
        self.trouble = None

    def xml(self, name, version):
        return guests.tiny(name, head='<title>%d</title>' % version, devices=TAP % ('t-' + name))

    def perform(self, conn, name, operation, version):
        if operation == 'define':
            conn.defineXML(self.xml(name, version))
        elif operation == 'create':
            conn.createXML(self.xml(name, version), libvirt.VIR_DOMAIN_START_PAUSED)
        else:
            domain = conn.lookupByName(name)
            if operation == 'start':
                domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
            elif operation == 'autostart':
                domain.setAutostart(0 if self.states[name].autostart else 1)
            else:
                getattr(domain, operation)()

    def run(self):
        try:
            conn = libvirt.open(self.uri)
            while not self.killed.is_set():
                name = self.random.choice(sorted(self.states))
                operation = self.random.choice(self.states[name].possible())
                self.serial[0] += 1
                version = self.serial[0]
                self.in_flight = (name, operation, version)
                self.journal.append('%s %s %d' % self.in_flight)
                self.perform(conn, name, operation, version)
                self.states[name] = self.states[name].after(operation, version)
                self.in_flight = None
                self.journal.append('done')
        except libvirt.libvirtError as error:
            # Between the kill and the flag the error may come first; a broken connection is the kill, nothing else is.
            if not self.killed.wait(2):
                self.trouble = '%s failed before the kill: %s' % (self.in_flight, error)
            elif conn.isAlive():
                self.trouble = '%s failed on a living connection: %s' % (self.in_flight, error)


def found(conn):
    """What the daemon says: {name: State}."""
    states = {}
    for domain in conn.listAllDomains():
        state = State()
        title = lambda flags: int(domain.metadata(libvirt.VIR_DOMAIN_METADATA_TITLE, None, flags))
        if domain.isPersistent():
            state.config = title(libvirt.VIR_DOMAIN_AFFECT_CONFIG)
            state.autostart = bool(domain.autostart())
        if domain.isActive():
            state.live = title(libvirt.VIR_DOMAIN_AFFECT_LIVE)
        states[domain.name()] = state
    return states


def taps():
    return {name for name in os.listdir('/sys/class/net') if name.startswith('t-')}


def files(target):
    """Every path of run time and state; not logs, not caches, not the daemon's own."""
    paths = set()
    for tree in target.trees():
        for folder, folders, names in os.walk(tree):
            paths.update(os.path.join(folder, name) for name in folders + names)
    return paths


def expect_in_time(true, seconds=CLEAN):
    """Why TRUE() (None when all is well) is still not well after SECONDS; None if it is."""
    end = time.monotonic() + seconds
    while True:
        why = true()
        if not why or time.monotonic() > end:
            return why
        time.sleep(0.1)


class Round:
    def __init__(self, target, states, serial, seed):
        self.target, self.states, self.serial = target, states, serial
        self.random = random.Random(seed)
        self.problems = []
        self.became = {}

    def work_and_kill(self):
        clients = [Client(self.target.uri, number, self.random.random(), self.states[number], self.serial) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(self.random.uniform(0.05, 2.0))
        self.target.kill()
        self.running = self.qemus()
        for client in clients:
            client.killed.set()
        for client in clients:
            client.join(30)
            if client.is_alive():
                self.problems.append('client %d hangs' % client.number)
            if client.trouble:
                self.problems.append(client.trouble)
        self.clients = clients

    def names(self):
        return [name for states in self.states for name in states]

    def qemus(self):
        return {name: self.target.qemu(guests.uuid_of(name)) for name in self.names()}

    def compare(self):
        """What differs between the restarted daemon, the journals and the host; notes what became of what was in flight."""
        problems = []
        try:
            with self.target.connect() as conn:
                real = found(conn)
        except libvirt.libvirtError as error:  # a domain that went between two looks
            return [str(error)]
        self.became = dict(real)
        for client in self.clients:
            for name, state in client.states.items():
                allowed = [state]
                if client.in_flight and client.in_flight[0] == name:
                    allowed.append(state.after(*client.in_flight[1:]))
                is_now = real.pop(name, State())
                if is_now not in allowed:
                    problems.append('%s is %s; allowed %s; in flight %s; journal: %s' % (
                        name, is_now, allowed, client.in_flight, [line for line in client.journal if name in line][-4:]))
                if state.live is not None and is_now.live is not None and self.running[name] != self.target.qemu(guests.uuid_of(name)):
                    problems.append('%s is not the QEMU that ran at the kill' % name)
        if real:
            problems.append('domains from nowhere: %s' % sorted(real))
        return problems + self.clutter()

    def clutter(self):
        """What should not be on the host, given what the daemon says runs."""
        live = {name for name, state in self.became.items() if state.live is not None}
        dead = [guests.uuid_of(name) for name in self.names() if name not in live]
        return (['QEMU of %s: %s' % (name, pid) for name, pid in self.qemus().items() if (pid is not None) != (name in live)]
                + ['tap ' + name for name in taps() ^ {'t-' + name for name in live}]
                + [path for path in files(self.target) if '/run/' in path and any(uuid in path for uuid in dead)])

    def settle(self):
        """All well twice in a row, a second apart: a QEMU that had been told to end when its daemon was killed may still be
        ending. What was being destroyed is then destroyed for good, so that the next round knows what it has."""
        for _ in range(2):
            why = expect_in_time(self.compare)
            if why:
                return why
            time.sleep(1)
        with self.target.connect() as conn:
            for client in self.clients:
                if client.in_flight and client.in_flight[1] == 'destroy':
                    try:
                        conn.lookupByName(client.in_flight[0]).destroy()
                    except libvirt.libvirtError as error:
                        if error.get_error_code() not in (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID):
                            return [str(error)]
        return expect_in_time(self.compare)

    def remove_everything(self, baseline):
        with self.target.connect() as conn:
            for domain in conn.listAllDomains():
                if domain.isActive():
                    domain.destroy()
            for domain in conn.listAllDomains():
                domain.undefine()
        for states in self.states:
            for name in states:
                states[name] = State()

        def rest():
            return sorted(files(self.target) ^ baseline) + sorted(taps()) + [' '.join(argv)[:200] for argv in self.target.helpers().values()]
        why = expect_in_time(rest)
        if why:
            self.problems.append('left behind: %s' % why)

    def run(self, clean, baseline):
        self.work_and_kill()
        self.target.start()
        self.problems += self.settle() or []
        for client in self.clients:
            client.states.update((name, self.became.get(name, State())) for name in client.states)
        if clean:
            self.remove_everything(baseline)
        return sum(line == 'done' for client in self.clients for line in client.journal)


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--rounds', type=int, default=5)
    options.add_argument('--seed', type=int, default=1)
    options = options.parse_args()
    world.enter()
    lines = tap.Lines()
    with server.target() as target:
        with target.connect() as conn:  # whatever the first guest makes for good is made now
            first = conn.defineXML(guests.tiny('first'))
            first.setAutostart(1)
            first.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
            first.destroy()
            first.undefine()
        time.sleep(1)
        baseline = files(target)
        states = [{'c%dd%d' % (client, domain): State() for domain in range(DOMAINS)} for client in range(CLIENTS)]
        serial, done = [0], 0
        for number in range(options.rounds):
            one = Round(target, states, serial, options.seed * 1000 + number)
            done += one.run(number % 2 == 1 or number == options.rounds - 1, baseline)
            lines.case('kill %d of seed %d' % (number + 1, options.seed), not one.problems, one.problems)
        print('# %d operations acknowledged' % done)
        lines.case('the rounds did something', done > options.rounds)
    sys.exit(lines.end())


if __name__ == '__main__':
    main()
