# SPDX-License-Identifier: LGPL-2.1-or-later
"""The servers under test: our daemon and, as the oracle, the stock libvirtd. Both only inside world.enter()."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import libvirt

libvirt.registerErrorHandler(lambda context, error: None, None)

DEADLINE = 30.0
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def wait_until(true, seconds=10.0, what=None, step=0.02):
    """The first true value of TRUE(); AssertionError after SECONDS."""
    end = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > end:
            text = what() if callable(what) else what or getattr(true, '__name__', true)
            raise AssertionError('not within %g s: %s' % (seconds, text))
        time.sleep(step)


def processes(mark):
    """{pid: command line as a list} of the live processes that have MARK in their command line or in the path of a file
    they have open."""
    found = {}
    for entry in os.listdir('/proc'):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open('/proc/%s/cmdline' % entry, 'rb') as f:
                line = f.read().decode(errors='replace')
            with open('/proc/%s/stat' % entry) as f:
                dead = f.read().rpartition(')')[2].split()[0] in 'ZX'
            if line and not dead and (mark in line or any(mark in path for path in open_files(entry))):
                found[int(entry)] = line.rstrip('\0').split('\0')
        except OSError:
            continue
    return found


def open_files(pid):
    for number in os.listdir('/proc/%s/fd' % pid):
        try:
            yield os.readlink('/proc/%s/fd/%s' % (pid, number))
        except OSError:
            continue


def qemu(uuid):
    """The pid of the QEMU of a domain; None if there is none."""
    found = [pid for pid, argv in processes(uuid).items() if 'qemu-system' in argv[0] and uuid in argv]
    assert len(found) < 2, 'several QEMUs for %s: %s' % (uuid, found)
    return found[0] if found else None


class Server:
    """What both have: a process, a socket, an answer."""
    process = None
    qemu = staticmethod(qemu)

    def start(self):
        self.log = open(self.log_path, 'ab')
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=self.environment(), start_new_session=True)
        wait_until(self.answers, DEADLINE, lambda: 'first answer of %s; its log:\n%s' % (self.name, self.tail()))
        return self

    def environment(self):
        return dict(os.environ, LC_ALL='C')

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError('%s ended with code %s:\n%s' % (self.name, self.process.returncode, self.tail()))
        try:
            self.connect().close()
            return True
        except libvirt.libvirtError:
            return False

    def connect(self):
        return libvirt.open(self.uri)

    def connect_read_only(self):
        return libvirt.openReadOnly(self.uri)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=20):
        """The clean way; its exit code."""
        if self.alive():
            self.process.terminate()
        return self.process.wait(seconds)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.stop()
        return self.start()

    def tail(self, lines=30):
        with open(self.log_path, errors='replace') as f:
            return ''.join(f.readlines()[-lines:])

    def rss_anon(self):
        """KiB of anonymous memory."""
        with open('/proc/%d/status' % self.process.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith('RssAnon'))

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        if exc[0] is not None and (exc[0] is not SystemExit or exc[1].code):
            sys.stderr.write('--- log of %s\n%s---\n' % (self.name, self.tail()))
        self.close()


class Duovirtd(Server):
    """Our daemon below a root of its own."""
    name = 'duovirtd'

    def __init__(self, program=None, config='', folder='/tmp'):
        build = os.environ.get('DUOVIRT_BUILD', os.path.join(SOURCE, 'build'))
        self.program = program or os.path.join(build, 'daemon', 'duovirtd')
        self.root = tempfile.mkdtemp(prefix='dv-', dir=folder)
        os.chmod(self.root, 0o755)
        self.log_path = os.path.join(self.root, 'daemon.log')
        self.socket = os.path.join(self.root, 'run/libvirt/libvirt-sock')
        self.uri = 'qemu+unix:///system?socket=' + self.socket
        self.uri_read_only = 'qemu+unix:///system?socket=' + self.socket + '-ro'
        if config:
            os.makedirs(os.path.join(self.root, 'etc/duovirt'))
            with open(os.path.join(self.root, 'etc/duovirt/duovirtd.conf'), 'w') as f:
                f.write(config)

    def command(self):
        return [self.program, '--root', self.root]

    def connect_read_only(self):
        return libvirt.openReadOnly(self.uri_read_only)

    def helpers(self):
        """Every process but the daemon itself that belongs to this root: QEMUs, launchers, log writers."""
        found = processes(self.root + '/')
        found.pop(self.process.pid if self.process else 0, None)
        return found

    def trees(self):
        """The folders of its run time and of its state."""
        return [os.path.join(self.root, 'run'), os.path.join(self.root, 'var/lib')]

    def guest_log(self, name):
        """The file of what QEMU said."""
        for folder, _, files in os.walk(os.path.join(self.root, 'var/log/duovirt')):
            for file in files:
                if file == name + '.log':
                    return os.path.join(folder, file)
        raise AssertionError('no log of guest ' + name)

    def close(self):
        if self.process and self.alive():
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
        for pid in self.helpers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.root, ignore_errors=True)


LIBVIRTD_CONF = """auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_ro_perms = "0777"
unix_sock_rw_perms = "0770"
host_uuid = "6ff1dd5d-1e3c-4b9e-9c3c-acce97ab1e01"
log_level = 3
"""


class Libvirtd(Server):
    """Debian's libvirtd at its own places, which world.enter() made private."""
    name = 'libvirtd'
    uri = uri_read_only = 'qemu:///system'
    socket = '/run/libvirt/libvirt-sock'
    log_path = '/var/log/libvirt/test.log'

    def __init__(self):
        self.logd = None

    def configure(self):
        for folder in ('/etc/libvirt/qemu/networks', '/var/lib/libvirt/qemu', '/var/lib/libvirt/images'):
            os.makedirs(folder, exist_ok=True)
        with open('/etc/libvirt/libvirtd.conf', 'w') as f:
            f.write(LIBVIRTD_CONF)
        with open('/etc/libvirt/qemu.conf', 'w') as f:
            f.write('security_driver = "none"\n')
            try:
                shutil.chown('/var/lib/libvirt/qemu', 'libvirt-qemu', 'libvirt-qemu')
            except LookupError:
                f.write('user = "root"\ngroup = "root"\n')

    def command(self):
        return ['/usr/sbin/libvirtd', '-f', '/etc/libvirt/libvirtd.conf', '-p', '/run/libvirt/libvirtd.pid']

    def start(self):
        if not self.logd:
            self.configure()
            self.logd = subprocess.Popen(['/usr/sbin/virtlogd', '-p', '/run/libvirt/virtlogd.pid'], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, start_new_session=True)
            wait_until(lambda: os.path.exists('/run/libvirt/virtlogd-sock'), DEADLINE, 'virtlogd')
        return super().start()

    def trees(self):
        return ['/run/libvirt', '/var/lib/libvirt', '/etc/libvirt']

    def guest_log(self, name):
        return '/var/log/libvirt/qemu/%s.log' % name

    def helpers(self):
        return {pid: argv for pid, argv in processes('/var/lib/libvirt/qemu/').items() if pid != self.process.pid}

    def close(self):
        if self.alive():
            self.stop()
        for pid in self.helpers():
            os.kill(pid, signal.SIGKILL)
        if self.logd:
            self.logd.terminate()
            self.logd.wait()
            self.logd = None


def target():
    """The server that a test is run on: ours, or with DUOVIRT_TARGET=libvirtd the oracle."""
    return Libvirtd() if os.environ.get('DUOVIRT_TARGET') == 'libvirtd' else Duovirtd()


def on_oracle():
    return os.environ.get('DUOVIRT_TARGET') == 'libvirtd'
