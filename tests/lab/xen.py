#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Xen driver on a real Xen: our daemon in dom0, stock clients beside it.

    xen.py [PART OF A TEST'S NAME ...]  in a lab machine (machine.py). DUOVIRT_TARGET=libvirtd: the same with Debian's libvirtd
"""
import os
import random
import subprocess
import sys
import threading
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
            active, persistent = domain.isActive() and domain.ID() > 0, domain.isPersistent()
            if active:
                domain.destroy()
            if persistent:
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


class Saved(Case):
    def word(self):
        """What only the memory of this run has."""
        return '%08x' % random.getrandbits(32)

    def saved(self, kind):
        self.forget_console('one')
        domain = self.conn.defineXML(document('one', kind))
        domain.create()
        self.said('one', 'guest# ')
        word = self.word()
        self.typed(domain, 'echo %s-%s >/tmp/word; echo writ""ten' % (word[:4], word[4:]))
        self.said('one', 'written')
        return domain, word

    def is_same(self, word):
        self.forget_console('one')
        self.typed(self.conn.lookupByName('one'), 'cat /tmp/word')
        self.said('one', word[:4] + '-' + word[4:])

    def test_to_a_file_and_back(self):
        path = world.SCRATCH + '/one.save'
        domain, word = self.saved('xen')
        domain.save(path)
        self.assertEqual((domain.isActive(), listed()), (0, {}))
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SAVED])
        self.conn.restore(path)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_RESTORED])
        self.is_same(word)

    def test_managed(self):
        domain, word = self.saved('xenpvh')
        domain.managedSave()
        self.assertEqual((domain.isActive(), domain.hasManagedSaveImage(), listed()), (0, 1, {}))
        domain.create()
        self.assertEqual(domain.hasManagedSaveImage(), 0)
        self.is_same(word)

    def test_where_there_is_no_room(self):
        small = world.SCRATCH + '/small'
        os.makedirs(small)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=16m', 'small', small], check=True)
        domain, word = self.saved('xen')
        with self.assertRaises(libvirt.libvirtError):
            domain.save(small + '/one.save')
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        self.is_same(word)


class Size(Case):
    def test_host(self):
        known = dict(line.split(':', 1) for line in run('xl', 'info').stdout.splitlines() if ':' in line)
        known = {key.strip(): value.strip() for key, value in known.items()}
        info = self.conn.getInfo()
        self.assertEqual(info[1:3], [int(known['total_memory']), int(known['nr_cpus'])])
        self.assertAlmostEqual(self.conn.getFreeMemory() >> 20, int(known['free_memory']), delta=64)
        self.assertEqual(self.conn.getMaxVcpus('xen'), int(known['max_cpu_id']) + 1)

    def test_figures(self):
        self.forget_console('one')
        domain = self.conn.createXML(document('one'))
        self.said('one', 'GUEST-READY')
        state, most, memory, vcpus, time_used = domain.info()
        self.assertEqual((state, most, vcpus), (libvirt.VIR_DOMAIN_RUNNING, 160 * 1024, 1))
        self.assertGreater(time_used, 10 ** 9)
        figures = self.conn.getAllDomainStats()[0][1]
        for name, least in (('cpu.time', 10 ** 9), ('balloon.current', 100 << 10), ('vcpu.current', 1), ('vcpu.0.time', 10 ** 9), ('net.count', 0)):
            self.assertGreaterEqual(figures[name], least, name)

    def test_memory_and_processors_change(self):
        self.forget_console('one')
        domain = self.conn.createXML(document('one').replace('<vcpu>1', "<vcpu current='1'>2"))
        self.said('one', 'GUEST-READY')
        domain.setMemory(128 << 10)
        self.until(lambda: int(run('xl', 'list', 'one').stdout.splitlines()[1].split()[2]) <= 128, lambda: run('xl', 'list').stdout)
        self.assertIn("<currentMemory unit='KiB'>131072<", domain.XMLDesc())
        domain.setVcpus(2)
        self.assertEqual(domain.vcpusFlags(libvirt.VIR_DOMAIN_AFFECT_LIVE), 2)
        # Linux knows it then; that it is made use of is up to its user space
        self.typed(domain, 'until echo 1 >/sys/devices/system/cpu/cpu1/online; do sleep 1; done')
        self.until(lambda: [line.split()[4].endswith('p') for line in run('xl', 'vcpu-list', 'one').stdout.splitlines()[1:]] == [False] * 2,
                   lambda: run('xl', 'vcpu-list', 'one').stdout)


class Ends(Case):
    """However a guest ends, that is told once, and nothing of it is left in the hypervisor."""

    def boot(self, kind='xen', **more):
        self.forget_console('one')
        domain = self.conn.defineXML(document('one', kind, **more))
        domain.create()
        self.said('one', 'guest# ')
        del self.events[:]
        return domain

    def over(self, domain, detail, reason):
        self.until(lambda: not domain.isActive(), lambda: domain.state())
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, reason])
        self.until(lambda: [one[1:] for one in self.events if one[1] == libvirt.VIR_DOMAIN_EVENT_STOPPED] ==
                   [(libvirt.VIR_DOMAIN_EVENT_STOPPED, detail)], lambda: self.events)
        self.assertEqual(listed(), {})

    def test_the_guest_powers_off(self):
        domain = self.boot()
        self.typed(domain, 'poweroff -f')
        self.over(domain, libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)

    def test_the_guest_is_asked_to_power_off(self):
        """By xenbus: what listens there is the guest's kernel, which calls /sbin/poweroff."""
        domain = self.boot()
        self.typed(domain, "mkdir -p /sbin; printf '#!/bin/sh\\nexec /bin/poweroff -f\\n' >/sbin/poweroff; chmod 755 /sbin/poweroff; echo rea''dy")
        self.said('one', 'ready')
        domain.shutdown()
        self.over(domain, libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)

    def test_the_guest_reboots(self):
        domain = self.boot()
        before = domain.ID()
        self.forget_console('one')
        self.typed(domain, 'reboot -f')
        self.until(lambda: self.number('one') not in (-1, before), lambda: domain.state())
        self.said('one', 'GUEST-READY')
        self.assertEqual(listed(), {'one': self.number('one')})
        domain.destroy()

    def test_the_guest_crashes(self):
        domain = self.boot()
        self.typed(domain, 'echo c >/proc/sysrq-trigger')
        self.over(domain, libvirt.VIR_DOMAIN_EVENT_STOPPED_CRASHED, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED)

    def test_somebody_else_destroys_it(self):
        domain = self.boot()
        self.assertEqual(run('xl', 'destroy', 'one').returncode, 0)
        self.over(domain, libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED)

    def test_destroyed_while_it_starts(self):
        domain = self.conn.defineXML(document('one'))
        other = target.connect()
        thread = threading.Thread(target=lambda: time.sleep(1) or other.lookupByName('one').destroy())
        thread.start()
        try:
            domain.create()
        except libvirt.libvirtError:
            pass
        thread.join()
        other.close()
        self.until(lambda: not domain.isActive() and not listed(), lambda: (domain.state(), listed()))
        domain.create()
        self.assertEqual(listed(), {'one': domain.ID()})

    def test_a_start_that_fails(self):
        domain = self.conn.defineXML(document('one').replace('vmlinux<', 'nothing<'))
        with self.assertRaises(libvirt.libvirtError) as caught:
            domain.create()
        self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_INTERNAL_ERROR)
        self.assertIn("libxenlight failed to create new domain 'one'", str(caught.exception))
        self.assertEqual((domain.isActive(), listed()), (0, {}))


@unittest.skipIf(server.on_oracle(), 'about our own daemon')
class Killed(Case):
    def again(self):
        target.kill()
        target.start()
        self.conn = target.connect()
        return self.conn.lookupByName('one')

    def test_a_guest_does_not_notice(self):
        domain = self.conn.defineXML(document('one'))
        domain.create()
        number = domain.ID()
        domain = self.again()
        self.assertEqual((domain.ID(), domain.state()[0]), (number, libvirt.VIR_DOMAIN_RUNNING))
        self.assertEqual(listed(), {'one': number})
        domain.suspend()
        domain = self.again()
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)
        domain.destroy()
        self.assertEqual(listed(), {})

    def test_it_ends_meanwhile(self):
        domain = self.conn.createXML(document('one'))
        target.kill()
        self.assertEqual(run('xl', 'destroy', 'one').returncode, 0)
        target.start()
        self.conn = target.connect()
        self.until(lambda: not self.conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE))

    def test_amidst_a_start(self):
        self.conn.defineXML(document('one'))
        for moment in (0.3, 1, 2, 3):
            timer = threading.Timer(moment, target.kill)
            timer.start()
            try:
                self.conn.lookupByName('one').create()
            except libvirt.libvirtError:
                pass
            timer.join()
            target.start()
            self.conn = target.connect()
            domain = self.conn.lookupByName('one')
            self.until(lambda: list(listed()) == (['one'] if domain.isActive() else []), lambda: (domain.state(), listed()))
            if domain.isActive():
                domain.destroy()
            self.assertEqual(listed(), {})


if __name__ == '__main__':
    os.makedirs(world.SCRATCH, exist_ok=True)
    begin_xen()
    Loop.start()
    with Oracle() if server.on_oracle() else Daemon() as target:
        code = tap.run().end()
        if code:
            print('# ' + target.tail().replace('\n', '\n# '))
        sys.exit(code)
