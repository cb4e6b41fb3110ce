#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""duovirtd as a process: options, places, locks, sockets and their owners, systemd's protocols, signals, the end.

    process.py [PART OF A TEST'S NAME ...]
"""
import grp
import os
import pwd
import signal
import socket
import stat
import struct
import subprocess
import sys
import time
import unittest

import libvirt

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402
from lib.server import Duovirtd, wait_until  # noqa: E402
from raw import AUTH_LIST, DOMAIN_SUSPEND, GET_LIB_VERSION, LOOKUP_BY_NAME, OK, Connection, string  # noqa: E402

SOCKETS = [name + end for name in ('libvirt', 'virtqemud', 'virtxend') for end in ('-sock', '-sock-ro')]


def answers_at(path):
    try:
        c = Connection(path)
    except OSError:
        return False
    with c.socket:
        return c.call(AUTH_LIST).status == OK


class Daemon(Duovirtd):
    """It need not have a driver."""

    def answers(self):
        assert self.process.poll() is None, 'it ended with code %s:\n%s' % (self.process.returncode, self.tail())
        return answers_at(self.socket)


class Process(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.close)

    def run_daemon(self, *argv, **named):
        """Runs to its end, which must come soon."""
        return subprocess.run([self.daemon.program, *argv], capture_output=True, text=True, timeout=10, **named)

    def path(self, name):
        return os.path.join(self.daemon.root, 'run/libvirt', name)

    def configure(self, text):
        os.makedirs(os.path.join(self.daemon.root, 'etc/duovirt'), exist_ok=True)
        with open(os.path.join(self.daemon.root, 'etc/duovirt/duovirtd.conf'), 'w') as f:
            f.write(text)


class Options(Process):
    def test_version_and_help(self):
        self.assertRegex(self.run_daemon('--version').stdout, r'^duovirtd \d+\.\d+')
        shown = self.run_daemon('--help')
        self.assertEqual(shown.returncode, 0)
        self.assertIn('--root', shown.stdout)

    def test_wrong_use(self):
        for argv in (['--no-such-option'], ['stray']):
            done = self.run_daemon(*argv)
            self.assertEqual(done.returncode, 2, argv)
            self.assertIn(argv[0].lstrip('-'), done.stderr)

    def test_configuration(self):
        missing = self.run_daemon('--root', self.daemon.root, '--config', '/nonexistent.conf')
        self.assertEqual(missing.returncode, 1)
        self.assertIn('/nonexistent.conf', missing.stderr)
        self.configure('[daemon]\nmax_clients = lots\n')
        wrong = self.run_daemon('--root', self.daemon.root)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn('max_clients = lots', wrong.stderr)

    def test_long_root(self):
        root = os.path.join(self.daemon.root, 'x' * 90)
        done = self.run_daemon('--root', root)
        self.assertEqual(done.returncode, 1)
        self.assertIn('choose a shorter root', done.stderr)


class Places(Process):
    def test_below_root(self):
        self.daemon.start()
        found = {os.path.relpath(os.path.join(folder, name), self.daemon.root)
                 for folder, _, names in os.walk(self.daemon.root) for name in names} - {'daemon.log'}
        self.assertLessEqual({'run/libvirt/' + name for name in SOCKETS}, found)
        opened = [os.readlink('/proc/%d/fd/%s' % (self.daemon.process.pid, fd))
                  for fd in os.listdir('/proc/%d/fd' % self.daemon.process.pid)]
        outside = [path for path in opened if path.startswith('/') and not path.startswith(self.daemon.root)
                   and path != '/dev/null']
        self.assertEqual(outside, [])

    def test_modes(self):
        self.daemon.start()
        group = grp.getgrnam('libvirt').gr_gid
        for name in SOCKETS:
            found = os.stat(self.path(name))
            mode = 0o777 if name.endswith('-ro') else 0o770
            self.assertEqual((stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid), (mode, 0, group), name)

    def test_modes_without_a_group(self):
        self.configure('[daemon]\nsocket_group = no-such-group\n')
        self.daemon.start()
        found = os.stat(self.path('libvirt-sock'))
        self.assertEqual((stat.S_IMODE(found.st_mode), found.st_gid), (0o700, 0))

    def test_every_name_serves(self):
        self.daemon.start()
        for name in SOCKETS:
            self.assertTrue(answers_at(self.path(name)), name)

    def test_two_of_one_root(self):
        self.daemon.start()
        second = self.run_daemon('--root', self.daemon.root)
        self.assertEqual(second.returncode, 1)
        self.assertIn('another duovirtd', second.stderr)
        self.assertTrue(self.daemon.answers())

    def test_sockets_of_another(self):
        os.makedirs(self.path(''))
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(self.path('libvirt-sock'))
            other.listen()
            done = self.run_daemon('--root', self.daemon.root)
            self.assertEqual(done.returncode, 1)
            self.assertIn('pid %d' % os.getpid(), done.stderr)
            self.assertIn('libvirt-sock', done.stderr)
            self.assertTrue(os.path.exists(self.path('libvirt-sock')))

    def test_something_in_the_way(self):
        os.makedirs(self.path('libvirt-sock'))
        done = self.run_daemon('--root', self.daemon.root)
        self.assertEqual(done.returncode, 1)
        self.assertIn('in the way', done.stderr)

    def test_stale_sockets(self):
        self.daemon.start()
        self.daemon.kill()
        self.assertTrue(os.path.exists(self.path('libvirt-sock')))
        self.daemon.start()


OPEN = """
c = Connection(path)
m = c.open()
print(m.status, m.error.message if m.status else '')
"""

# Each message within its bounds, and none of them whole.
HOARD = """
many = [Connection(path) for _ in range(12)]
part = bytes(1 << 20)
try:
    for c in many:
        c.put(struct.pack('>IIIiIII', MESSAGE_MAX, REMOTE, 1, LOOKUP_BY_NAME, CALL, 5, OK))
        for _ in range(30):
            c.put(part)
    print('all taken')
except (BrokenPipeError, ConnectionResetError):
    print('refused')
c = Connection(path)
print(c.call(AUTH_LIST).status)
"""


class Strangers(Process):
    """Who is neither root nor in the group."""

    def as_nobody(self, path, code=OPEN):
        """Runs CODE, with a connection to PATH in mind, as nobody."""
        nobody = pwd.getpwnam('nobody')
        head = 'import sys; sys.path[:0] = %r; from raw import *; path = %r\n' % ([os.path.dirname(__file__)], path)
        return subprocess.run([sys.executable, '-c', head + code], capture_output=True, text=True, user=nobody.pw_uid,
                              group=nobody.pw_gid, extra_groups=[], timeout=30)

    def test_hoard(self):
        """Many connections together may not make the daemon hold what each alone may."""
        self.daemon.start()
        self.assertEqual(self.as_nobody(self.path('libvirt-sock-ro'), HOARD).stdout, 'refused\n0\n')
        wait_until(lambda: self.daemon.rss_anon() < 100 * 1024)
        self.assertTrue(answers_at(self.daemon.socket))
        told = [line for line in self.daemon.tail(1000).splitlines() if 'hold too much' in line]
        self.assertTrue(1 <= len(told) <= 10 and 'uid %d ' % pwd.getpwnam('nobody').pw_uid in told[0], told)

    def test_rights(self):
        self.daemon.start()
        self.assertIn('PermissionError', self.as_nobody(self.path('libvirt-sock')).stderr)
        self.assertNotIn('authentication', self.as_nobody(self.path('libvirt-sock-ro')).stdout)

    def test_open_file(self):
        """The file's mode is not what decides."""
        self.configure('[daemon]\nsocket_mode = 0777\n')
        self.daemon.start()
        self.assertIn('authentication required', self.as_nobody(self.path('libvirt-sock')).stdout)

    def test_member(self):
        self.configure('[daemon]\nsocket_mode = 0777\nsocket_group = %s\n' % grp.getgrgid(
            pwd.getpwnam('nobody').pw_gid).gr_name)
        self.daemon.start()
        self.assertNotIn('authentication', self.as_nobody(self.path('libvirt-sock')).stdout)


class Systemd(Process):
    def notified(self):
        """A socket for sd_notify, and the environment that names it."""
        path = os.path.join(self.daemon.root, 'notify')
        sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sink.bind(path)
        sink.settimeout(10)
        self.addCleanup(sink.close)
        return sink, dict(os.environ, NOTIFY_SOCKET=path)

    def await_word(self, sink, word):
        for _ in range(100):
            if word in sink.recv(4096).decode().split('\n'):
                return
        self.fail('no %s' % word)

    def test_notify(self):
        sink, environment = self.notified()
        environment['WATCHDOG_USEC'] = '300000'
        with subprocess.Popen(self.daemon.command(), env=environment, stderr=subprocess.DEVNULL) as process:
            self.await_word(sink, 'READY=1')
            self.await_word(sink, 'WATCHDOG=1')
            self.await_word(sink, 'WATCHDOG=1')
            process.send_signal(signal.SIGHUP)
            self.await_word(sink, 'READY=1')
            process.terminate()
            self.await_word(sink, 'STOPPING=1')
            self.assertEqual(process.wait(10), 0)

    def test_sockets_passed(self):
        paths = [os.path.join(self.daemon.root, name) for name in ('libvirt-sock', 'libvirt-sock-ro')]
        argv = ['systemd-socket-activate', '-l', paths[0], '-l', paths[1]] + self.daemon.command()
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: all(os.path.exists(path) for path in paths))
            for path in paths:
                self.assertTrue(answers_at(path))
            self.assertFalse(os.path.exists(self.path('libvirt-sock')))
            process.terminate()
            self.assertEqual(process.wait(10), 0)
        self.assertTrue(os.path.exists(paths[0]), 'the socket is not ours to remove')


class Log(Process):
    def test_nobody_reads(self):
        """Standard error is a pipe that is full: calls are answered, the end comes, and what was left out is told."""
        with subprocess.Popen(self.daemon.command() + ['--verbose'], stderr=subprocess.PIPE, text=True) as process:
            wait_until(lambda: answers_at(self.daemon.socket))
            c = Connection(self.daemon.socket)
            worst = 0
            for _ in range(20000):
                began = time.monotonic()
                c.call(LOOKUP_BY_NAME, string('nobody'))
                worst = max(worst, time.monotonic() - began)
            self.assertLess(worst, 0.5)
            shown = [process.stderr.readline() for _ in range(1000)]
            self.assertIn('hypervisor connection not open', shown[-1])
            process.terminate()
            rest = process.stderr.read()
            self.assertEqual(process.wait(10), 0)
        self.assertRegex(rest, r'warning: \d+ lines were left out here')


class Drivers(Process):
    """Each key of a driver's section has an effect."""

    def status(self, pid):
        with open('/proc/%d/status' % pid) as f:
            return {line.split(':')[0]: line.split(':')[1].split() for line in f}

    def test_kvm(self):
        self.configure('[kvm]\nuser = daemon\ngroup = bin\nvnc_listen = 127.0.0.3\n')
        self.daemon.start()
        domain = self.daemon.connect().createXML(guests.tiny('one', devices="<graphics type='vnc' autoport='yes'/>"))
        status = self.status(self.daemon.qemu(domain.UUIDString()))
        self.assertEqual(set(status['Uid']), {str(pwd.getpwnam('daemon').pw_uid)})
        self.assertEqual(set(status['Gid']), {str(grp.getgrnam('bin').gr_gid)})
        self.assertIn(str(pwd.getpwnam('daemon').pw_gid), status['Groups'])
        self.assertIn("address='127.0.0.3'", domain.XMLDesc())
        self.assertNotIn('127.0.0.3', domain.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE))
        domain.destroy()

    def test_kvm_as_others_may_not(self):
        self.configure('[kvm]\nuser = no-such-user\n')
        self.daemon.start()
        wait_until(lambda: "there is no user 'no-such-user'" in self.daemon.tail())
        self.assertNotIn('no driver is named', self.daemon.tail())
        with self.assertRaisesRegex(libvirt.libvirtError, r"no connection driver available for qemu:\S+ \(.*no user 'no-such-user'"):
            self.daemon.connect()

    def test_what_nobody_reads(self):
        self.configure('[kvm]\nvnc_listne = 127.0.0.3\n[vkm]\nuser = root\n[xen]\n')
        self.daemon.start()
        wait_until(lambda: 'ready: ' in self.daemon.tail())
        self.assertIn('[kvm] vnc_listne: no such key', self.daemon.tail())
        self.assertIn('no driver is named like section [vkm]', self.daemon.tail())
        self.assertNotIn('[xen]', self.daemon.tail())

    def test_no_xen(self):
        """Who asks for it is told why it is not here."""
        if os.path.exists('/proc/xen/capabilities'):
            self.skipTest('this host has Xen')
        self.daemon.start()
        uri = self.daemon.uri.replace('qemu+', 'xen+')
        with self.assertRaisesRegex(libvirt.libvirtError, 'no connection driver available for xen:.*no Xen here'):
            libvirt.open(uri)


class Signals(Process):
    def test_stop(self):
        self.daemon.start()
        c = Connection(self.daemon.socket)
        self.assertEqual(c.call(AUTH_LIST).status, OK)
        began = time.monotonic()
        self.assertEqual(self.daemon.stop(), 0)
        self.assertLess(time.monotonic() - began, 5)
        self.assertTrue(c.ended())
        self.assertEqual([name for name in SOCKETS if os.path.exists(self.path(name))], [])

    def test_stop_in_the_middle(self):
        """An operation that waits for a guest does not hold up the end, and the guest is there for the next start."""
        self.configure('[daemon]\nstop_timeout = 1\n')
        self.daemon.start()
        domain = self.daemon.connect().createXML(guests.tiny('stopped'))
        pid = self.daemon.qemu(domain.UUIDString())
        os.kill(pid, signal.SIGSTOP)
        c = Connection(self.daemon.socket)
        self.assertEqual(c.open().status, OK)
        c.send(DOMAIN_SUSPEND, string('stopped') + domain.UUID() + struct.pack('>i', domain.ID()))
        self.assertTrue(c.quiet(0.3))
        began = time.monotonic()
        self.assertEqual(self.daemon.stop(), 0)
        self.assertLess(time.monotonic() - began, 4)
        os.kill(pid, signal.SIGCONT)
        self.daemon.start()
        again = self.daemon.connect().lookupByName('stopped')
        self.assertEqual(self.daemon.qemu(again.UUIDString()), pid)
        again.destroy()

    def test_interrupt(self):
        self.daemon.start()
        self.daemon.process.send_signal(signal.SIGINT)
        self.assertEqual(self.daemon.process.wait(10), 0)

    def test_reload(self):
        self.daemon.start()
        self.configure('[daemon]\nmax_clients = 2\n')
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: 'was read again' in self.daemon.tail())
        held = [Connection(self.daemon.socket) for _ in range(2)]
        for c in held:
            self.assertEqual(c.call(AUTH_LIST).status, OK)
        self.assertTrue(Connection(self.daemon.socket).ended())
        self.configure('[daemon]\nmax_clients = none\n')
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: 'stays as it was' in self.daemon.tail())
        self.assertTrue(self.daemon.alive())

    def test_pipe(self):
        """A client that goes while it is answered."""
        self.daemon.start()
        for _ in range(50):
            c = Connection(self.daemon.socket)
            for _ in range(100):
                c.send(GET_LIB_VERSION)
            c.close()
        self.assertTrue(answers_at(self.daemon.socket))


def want_group(name):
    """A package of the daemon's makes it; here may be none."""
    try:
        grp.getgrnam(name)
    except KeyError:
        path = world.SCRATCH + '/group'
        with open('/etc/group') as f, open(path, 'w') as own:
            own.write(f.read() + name + ':x:4242:\n')
        subprocess.run(['mount', '--bind', path, '/etc/group'], check=True)


if __name__ == '__main__':
    world.enter()
    want_group('libvirt')
    if server.on_oracle():
        sys.exit('these cases are about our daemon')
    sys.exit(tap.run().end())
