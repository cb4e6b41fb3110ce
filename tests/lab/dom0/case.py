# SPDX-License-Identifier: LGPL-2.1-or-later
"""A dom0 with a daemon in it, and what tests of guests there have in common."""
import glob
import os
import subprocess
import types
import unittest

from lib import guests, server
from lib.server import libvirt, wait_until

BIN = '/usr/lib/xen-4.17/bin/'
SLOW = 300  # seconds
GUEST = os.environ.get('DUOVIRT_GUEST', '/var/cache/duovirt-guest')
CONSOLES = '/var/log/xen/console'
KINDS = ('xen', 'xenpvh')
PAUSED = libvirt.VIR_DOMAIN_START_PAUSED

xen = types.SimpleNamespace(daemon=None)  # the one under test


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
    subprocess.run(['/usr/libexec/xen-qemu-system-i386', '-xen-domid', '0', '-xen-attach', '-name', 'dom0', '-nographic', '-M', 'xenpv',
                    '-daemonize', '-monitor', '/dev/null', '-serial', '/dev/null', '-parallel', '/dev/null', '-nodefaults',
                    '-no-user-config', '-pidfile', '/run/qdisk.pid'], check=True, stdin=subprocess.DEVNULL)


class Daemon(server.Duovirtd):
    def __init__(self):
        super().__init__()
        self.uri = 'xen+unix:///system?socket=' + self.socket


class Oracle(server.Libvirtd):
    uri = uri_read_only = 'xen:///system'

    def configure(self):
        """It does not begin on a processor that it has no model for, and QEMU's emulated ones lack what every model has."""
        super().configure()
        path = '/usr/share/libvirt/cpu_map/x86_486.xml'
        with open(path) as f:
            text = f.read()
        with open(path, 'w') as f:
            f.write(text.replace("<feature name='vme'/>", ''))


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


def device_model_logs():
    for path in sorted(glob.glob('/var/log/xen/qemu-*.log')):
        with open(path, errors='replace') as f:
            yield path + '\n' + f.read()[-1000:]


def listed():
    """Names of the domains that the hypervisor has, with their numbers."""
    lines = run('xl', 'list').stdout.splitlines()[1:]
    return {line.split()[0]: int(line.split()[1]) for line in lines if line.split()[0] != 'Domain-0'}


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.conn = xen.daemon.connect()
        self.addCleanup(self.clean)
        self.events = []
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.on_lifecycle, None)

    def on_lifecycle(self, conn, domain, event, detail, data):
        self.events.append((domain.name(), event, detail))

    def clean(self):
        for domain in self.conn.listAllDomains():
            if domain.name() == 'Domain-0':
                continue
            persistent = domain.isPersistent()
            if domain.isActive():
                domain.destroy()
            if persistent:
                domain.undefine()
        self.conn.close()
        wait_until(lambda: not listed(), SLOW, listed)

    def until(self, true, what='it'):
        return wait_until(true, SLOW, what)

    def said(self, name, word):
        """WORD on the guest's console."""
        self.until(lambda: word in self.console(name), lambda: '%s of %s' % (word, name))

    def console(self, name):
        path = '%s/guest-%s.log' % (CONSOLES, name)
        if not os.path.exists(path):
            return ''
        with open(path, errors='replace', newline='') as f:
            return f.read()

    def patiently(self, ask, *arguments):
        """Who is asked within a second may need longer on this machine."""
        def answer():
            try:
                return ask(*arguments)
            except libvirt.libvirtError as error:
                self.assertEqual(error.get_error_code(), libvirt.VIR_ERR_OPERATION_TIMEOUT, error)
                return None
        return self.until(answer, 'an answer')

    def number(self, name):
        """As it is now: a client's object keeps the one it was made with."""
        return self.conn.lookupByName(name).ID()

    def typed(self, domain, text):
        stream = self.conn.newStream()
        domain.openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
        stream.send(text.encode() + b'\n')
        stream.finish()

    def forget_console(self, name):
        path = '%s/guest-%s.log' % (CONSOLES, name)
        if os.path.exists(path):
            os.truncate(path, 0)
