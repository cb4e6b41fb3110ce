#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Xen driver on a real Xen: our daemon in dom0, stock clients beside it.

    xen.py          in a lab machine (machine.py). DUOVIRT_TARGET=libvirtd: the same with Debian's libvirtd
"""
import os
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import machine  # noqa: E402

if __name__ == '__main__':
    machine.run(__file__, xen=True)

from lib import guests, server, tap, world  # noqa: E402
from lib.case import Loop  # noqa: E402
from lib.server import libvirt, wait_until  # noqa: E402

BIN = '/usr/lib/xen-4.17/bin/'
SLOW = 120  # seconds
GUEST = os.environ.get('DUOVIRT_GUEST', '/var/cache/duovirt-guest')
CONSOLES = '/var/log/xen/console'
KINDS = ('xen', 'xenpvh')
PAUSED = libvirt.VIR_DOMAIN_START_PAUSED


def run(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def begin_xen():
    """What an init script does in a dom0."""
    for folder in ('/run/xenstored', '/run/xen', '/var/lib/xenstored', CONSOLES, '/var/lib/xen'):
        os.makedirs(folder, exist_ok=True)
    subprocess.run([BIN + 'oxenstored', '--pid-file', '/run/xenstored.pid'], check=True, stdin=subprocess.DEVNULL)
    wait_until(lambda: run('xenstore-read', '/').returncode == 0, SLOW, 'xenstored')
    subprocess.run([BIN + 'xen-init-dom0'], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    subprocess.run([BIN + 'xenconsoled', '--pid-file=/run/xenconsoled.pid', '--log=all', '--log-dir=' + CONSOLES], check=True,
                   stdin=subprocess.DEVNULL)


class Daemon(server.Duovirtd):
    def __init__(self):
        super().__init__()
        self.uri = 'xen+unix:///system?socket=' + self.socket


class Oracle(server.Libvirtd):
    uri = uri_read_only = 'xen:///system'


def document(name, kind='xen', head='', devices='', memory=160):
    return f"""<domain type='xen'>
  <name>{name}</name>
  <uuid>{guests.uuid_of(name)}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64'>{kind}</type><kernel>{GUEST}/vmlinux</kernel><initrd>{GUEST}/initrd</initrd>
    <cmdline>console=hvc0 quiet</cmdline></os>
  {head}
  <devices>{devices}</devices>
</domain>"""


def listed():
    """Names of the domains that the hypervisor has, with their numbers."""
    lines = run('xl', 'list').stdout.splitlines()[1:]
    return {line.split()[0]: int(line.split()[1]) for line in lines if line.split()[0] != 'Domain-0'}


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.conn = target.connect()
        self.addCleanup(self.clean)
        self.events = []
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.on_lifecycle, None)

    def on_lifecycle(self, conn, domain, event, detail, data):
        self.events.append((domain.name(), event, detail))

    def clean(self):
        for domain in self.conn.listAllDomains():
            if domain.isActive() and domain.ID() > 0:
                domain.destroy()
            if domain.isPersistent():
                domain.undefine()
        self.conn.close()
        wait_until(lambda: not listed(), SLOW, listed)

    def until(self, true, what='it'):
        return wait_until(true, SLOW, what)

    def said(self, name, word):
        """WORD on the guest's console."""
        def look():
            path = '%s/guest-%s.log' % (CONSOLES, name)
            return os.path.exists(path) and word in open(path, errors='replace').read()
        self.until(look, lambda: '%s of %s' % (word, name))

    def forget_console(self, name):
        path = '%s/guest-%s.log' % (CONSOLES, name)
        if os.path.exists(path):
            os.truncate(path, 0)


class Life(Case):
    def test_versions(self):
        self.assertEqual(self.conn.getType(), 'Xen')
        self.assertEqual(self.conn.getVersion(), 4017000)

    def test_life(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.forget_console('one')
                domain = self.conn.defineXML(document('one', kind))
                domain.create()
                self.assertEqual(listed(), {'one': domain.ID()})
                self.said('one', 'GUEST-READY')
                self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED])
                domain.suspend()
                self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_USER])
                self.assertIn('p', run('xl', 'list', 'one').stdout.splitlines()[1].split()[4])
                domain.resume()
                self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
                domain.destroy()
                self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED])
                self.assertEqual(listed(), {})
                domain.undefine()


if __name__ == '__main__':
    os.makedirs(world.SCRATCH, exist_ok=True)
    begin_xen()
    Loop.start()
    with Oracle() if server.on_oracle() else Daemon() as target:
        code = tap.run().end()
        if code:
            print('# ' + target.tail().replace('\n', '\n# '))
        sys.exit(code)
