#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon of a user other than root: stock clients find it by qemu:///session, and it keeps to the user's folders.

DUOVIRT_TARGET=libvirtd runs what both have on libvirtd."""
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from lib import server, tap, world  # noqa: E402

USER = pwd.getpwnam('games')
BUILD = world.SCRATCH + '/build'
GUEST = '''<domain type='qemu'>
  <name>mine</name><memory unit='MiB'>64</memory><os><type>hvm</type></os>
  <devices>
    <disk type='file' device='disk'><source file='{home}/disk.img'/><target dev='vda' bus='virtio'/></disk>
    <interface type='user'><model type='virtio'/></interface>
    <serial type='pty'/><graphics type='vnc' autoport='yes'/>
  </devices>
</domain>'''


class Session:
    """One user's daemon, below a home of his own."""

    def __init__(self, *options):
        self.home = tempfile.mkdtemp(prefix='dvs-', dir='/tmp')
        self.runtime = os.path.join(self.home, 'run')
        os.mkdir(self.runtime)
        with open(os.path.join(self.home, 'disk.img'), 'wb') as f:
            f.truncate(1 << 20)
        with open(os.path.join(self.home, 'guest.xml'), 'w') as f:
            f.write(GUEST.format(home=self.home))
        for folder, folders, files in os.walk(self.home):
            for name in [folder, *(os.path.join(folder, file) for file in files)]:
                os.chown(name, USER.pw_uid, USER.pw_gid)
        self.options = options
        self.log = os.path.join(self.home, 'daemon.log')
        self.process = None

    def environment(self):
        return {'HOME': self.home, 'XDG_RUNTIME_DIR': self.runtime, 'PATH': os.environ['PATH'], 'LC_ALL': 'C'}

    def popen(self, argv, **other):
        return subprocess.Popen(argv, user=USER.pw_uid, group=USER.pw_gid, extra_groups=[], env=self.environment(),
                                cwd='/', stdin=subprocess.DEVNULL, **other)

    def start(self):
        program = '/usr/sbin/libvirtd' if server.on_oracle() else os.path.join(BUILD, 'daemon', 'duovirtd')
        with open(self.log, 'ab') as log:
            self.process = self.popen([program, *self.options], stdout=log, stderr=log)
        server.wait_until(self.listens, server.DEADLINE, lambda: open(self.log).read())
        return self

    def listens(self):
        """Asked without libvirt's library: where nobody listens yet, that one starts libvirtd, which then serves."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(os.path.join(self.runtime, 'libvirt', 'libvirt-sock')) == 0

    def virsh(self, *argv, uri='qemu:///session'):
        """Exit code and all that it said."""
        assert self.process.poll() is None, 'a client would start libvirtd'
        process = self.popen(['virsh', '-c', uri, *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = process.communicate(timeout=60)[0]
        return process.returncode, said.strip()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        for pid in server.processes(self.home):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.home)

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        if exc[0]:
            sys.stderr.write(open(self.log).read())
        self.close()


class OfAUser(unittest.TestCase):
    maxDiff = None

    def do(self, session, *argv, **other):
        code, said = session.virsh(*argv, **other)
        self.assertEqual(code, 0, said)
        return said

    def test_life(self):
        with Session() as session:
            self.do(session, 'define', session.home + '/guest.xml')
            self.do(session, 'start', 'mine')
            self.assertIn('running', self.do(session, 'domstate', 'mine'))
            self.assertRegex(self.do(session, 'vncdisplay', 'mine'), r'127.0.0.1:\d+')
            uuid = self.do(session, 'domuuid', 'mine')
            status = open('/proc/%d/status' % server.qemu(uuid)).read()
            self.assertRegex(status, r'Uid:\t%d\t%d' % (USER.pw_uid, USER.pw_uid))
            self.do(session, 'managedsave', 'mine')
            self.assertIn('shut off', self.do(session, 'domstate', 'mine'))
            self.do(session, 'start', 'mine')
            self.do(session, 'destroy', 'mine')
            self.do(session, 'undefine', 'mine')

    def test_uri(self):
        with Session() as session:
            self.assertEqual(self.do(session, 'uri'), 'qemu:///session')
            address = 'qemu+unix:///%s?socket=' + session.runtime + '/libvirt/libvirt-sock'
            self.do(session, 'version', uri=address % 'session')
            self.assertEqual(session.virsh('version', uri=address % 'system'),
                             (1, 'error: failed to connect to the hypervisor\nerror: internal error: unexpected qemu URI path '
                                 "'/system', try qemu:///session"))

    @unittest.skipIf(server.on_oracle(), 'libvirtd has files of its own')
    def test_nothing_is_open_to_others(self):
        with Session() as session:
            self.do(session, 'define', session.home + '/guest.xml')
            self.do(session, 'start', 'mine')
            seen = 0
            for folder in ('.cache', '.local', 'run/duovirt', 'run/libvirt'):
                for path, folders, files in os.walk(os.path.join(session.home, folder)):
                    for name in [path, *(os.path.join(path, file) for file in files)]:
                        mode = os.lstat(name)
                        seen += 1
                        self.assertEqual(mode.st_uid, USER.pw_uid, name)
                        if stat.S_ISDIR(mode.st_mode) and name == os.path.join(session.home, folder):
                            self.assertEqual(mode.st_mode & 0o077, 0, name)
            self.assertGreater(seen, 10)
            self.do(session, 'destroy', 'mine')

    @unittest.skipIf(server.on_oracle(), 'ours')
    def test_a_guest_outlives_it(self):
        with Session() as session:
            self.do(session, 'define', session.home + '/guest.xml')
            self.do(session, 'start', 'mine')
            session.process.kill()
            session.process.wait()
            session.start()
            self.assertIn('running', self.do(session, 'domstate', 'mine'))
            self.do(session, 'destroy', 'mine')

    @unittest.skipIf(server.on_oracle(), 'a client of libvirt starts it again')
    def test_timeout(self):
        with Session('--timeout', '2') as session:
            self.do(session, 'define', session.home + '/guest.xml')
            self.do(session, 'start', 'mine')
            with self.assertRaises(subprocess.TimeoutExpired):
                session.process.wait(5)
            self.do(session, 'destroy', 'mine')
            self.assertEqual(session.process.wait(20), 0)


def show_build():
    """The build where every user finds it, wherever it lies."""
    os.chmod(world.SCRATCH, 0o755)
    os.mkdir(BUILD)
    world.run('mount', '--bind', os.environ.get('DUOVIRT_BUILD', os.path.join(server.SOURCE, 'build')), BUILD)


if __name__ == '__main__':
    world.enter()
    show_build()
    sys.exit(tap.run().end())
