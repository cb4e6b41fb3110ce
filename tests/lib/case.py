# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the test cases with python3-libvirt share: one server a program, a clean slate a test, a record of what is proved.

    class Life(Case):
        @proves('domain_create', 'domain_destroy')
        def test_start(self): ...

A test's claim holds when the test passes and each procedure it names came back with success on the test's connection.
"""
import os
import sys
import threading
import time
import unittest

import libvirt

from . import guests, server, tap, world
from .relay import Relay

PROVEN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'wire', 'proven.txt')


def proves(*procedures):
    def mark(test):
        test.proves = sorted(name if '.' in name else 'remote.' + name for name in procedures)
        return test
    return mark


class Loop:
    """libvirt's default event loop on a thread; the process has one."""
    running = False

    @classmethod
    def start(cls):
        if not cls.running:
            libvirt.virEventRegisterDefaultImpl()
            cls.running = True
            # A timer keeps the loop turning, so that what is registered from other threads is seen.
            libvirt.virEventAddTimeout(100, lambda timer, data: None, None)
            threading.Thread(target=cls.turn, daemon=True).start()

    @classmethod
    def turn(cls):
        while True:
            libvirt.virEventRunDefaultImpl()


class Case(unittest.TestCase):
    server = None
    relay = relay_read_only = None
    maxDiff = None

    def setUp(self):
        self.relay.forget()
        self.conn = self.open()

    def tearDown(self):
        with self.server.connect() as conn:
            for domain in conn.listAllDomains():
                for end in (domain.destroy, lambda: domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)):
                    try:
                        end()
                    except libvirt.libvirtError:
                        pass
            left = [domain.name() for domain in conn.listAllDomains()]
        self.conn.close()
        self.assertEqual(left, [], 'domains that cannot be removed')

    def run(self, result=None):
        """As unittest, and then the claim of the test is held against the wire."""
        method = getattr(self, self._testMethodName)
        claims = getattr(method, 'proves', None)
        if claims:
            def checked():
                method()
                missing = set(claims) - self.relay.succeeded() - self.relay_read_only.succeeded()
                self.assertEqual(sorted(missing), [], 'claimed as proved, but not seen to succeed on the wire')
            checked.proves = claims
            setattr(self, self._testMethodName, checked)
        return super().run(result)

    def open(self):
        return libvirt.open(self.uri)

    def open_read_only(self):
        return libvirt.openReadOnly(self.uri_read_only)

    def refused(self, code, call, *args, **named):
        """CALL fails with libvirt's CODE; the error."""
        try:
            value = call(*args, **named)
        except libvirt.libvirtError as error:
            self.assertEqual(error.get_error_code(), code, error.get_error_message())
            return error
        self.fail('accepted, with answer %r' % (value,))

    def define(self, name='one', **named):
        return self.conn.defineXML(guests.tiny(name, **named))

    def start(self, name='one', flags=libvirt.VIR_DOMAIN_START_PAUSED, **named):
        domain = self.define(name, **named)
        domain.createWithFlags(flags)
        return domain

    def names(self, flags=0):
        return sorted(domain.name() for domain in self.conn.listAllDomains(flags))

    def until(self, true, seconds=10, what=None):
        return server.wait_until(true, seconds, what)


def recorded(program):
    if not os.path.exists(PROVEN):
        return [], []
    with open(PROVEN) as f:
        rows = [line.split() for line in f if line.strip() and not line.startswith('#')]
    return [row for row in rows if row[1] == program], [row for row in rows if row[1] != program]


def record(program, proved):
    _, others = recorded(program)
    rows = others + [[name, program, test] for name, test in proved.items()]
    with open(PROVEN, 'w') as f:
        f.write('# Procedures that a stock client has seen succeed, with their effect: procedure, program, test.\n'
                '# Written by the program with --record; each run holds its own rows against what it proved.\n')
        f.writelines(' '.join(row) + '\n' for row in sorted(rows))


def main(program, make=None):
    """Enters a world, starts the server, runs the cases of the calling program, checks or records what is proved."""
    world.enter()
    Loop.start()
    with (make or server.target)() as target:
        Case.server = target
        sockets = world.SCRATCH + '/relay'
        Case.relay = Relay(sockets, target.socket)
        Case.relay_read_only = Relay(sockets + '-ro', target.socket + '-ro')
        Case.uri = 'qemu+unix:///system?socket=' + sockets
        Case.uri_read_only = 'qemu+unix:///system?socket=' + sockets + '-ro'
        if not server.on_oracle():
            os.symlink(sockets, '/run/libvirt/libvirt-sock')  # for clients that name no server
        result = tap.run()
        if '--record' in sys.argv and not result.failed:
            record(program, result.proved)
        elif not result.partial and not server.on_oracle():
            known, _ = recorded(program)
            lost = sorted('%s (%s)' % (row[0], row[2]) for row in known if row[0] not in result.proved)
            new = sorted(set(result.proved) - {row[0] for row in known})
            result.verdict('proven.txt is true', not lost, ['no longer proved: ' + ' '.join(lost)])
            if new:
                print('# proved and not yet recorded: ' + ' '.join(new))
    tap.leave(result.end())


__all__ = ['Case', 'Loop', 'main', 'proves', 'time', 'libvirt', 'guests', 'server', 'world']
