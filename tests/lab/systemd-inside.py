#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is tested inside of systemd.py's machine: one class for each boot, whose methods run in the order in which they stand here.

    inside.py                       the part of this boot
    inside.py ask URI NAME OCTET    what a guest of echo.S answers: how many octets it has answered
"""
import os
import pwd
import re
import signal
import subprocess
import sys
import time
import traceback

STATE = '/lab/boots'
SLOW = 150  # seconds: a QEMU in a QEMU
SYSTEM, SESSION = 'qemu:///system', 'qemu:///session'
USER = 'tester'
DELAY = 4
HOST = "<metadata><d:host xmlns:d='urn:duovirt:host'>%s</d:host></metadata>"
GUEST = """<domain type='qemu'><name>%s</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>%s
<os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' model='none'/><serial type='pty'/>
<memballoon model='none'/><disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/lab/echo'/>
<target dev='vda' bus='virtio'/><readonly/></disk></devices></domain>"""
# In the order of their starts. All end with the host as they say.
GUESTS = {'kept': "<d:start order='1'/><d:stop action='save'/>",
          'polite': "<d:start order='2'/><d:stop action='shutdown'/>",
          'fresh': "<d:start order='3' delay='%d'/><d:stop action='off'/>" % DELAY,
          'after': "<d:start order='4'><d:after domain='fresh' required='yes'/></d:start><d:stop action='save'/>",
          'deaf': "<d:start order='5'/><d:stop action='shutdown' timeout='3'/>"}
ENDS = ['shut down with the host', 'switched off with the host', 'saved with the host']


def run(*argv, check=True, timeout=SLOW):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    if check and done.returncode:
        raise AssertionError('%s: code %d\n%s' % (' '.join(argv), done.returncode, done.stdout))
    return done.stdout.strip()


def virsh(*argv, **more):
    return run('virsh', '-c', SYSTEM, *argv, **more)


def as_user(*argv, **more):
    runtime = '/run/user/%d' % pwd.getpwnam(USER).pw_uid
    return run('runuser', '-u', USER, '--', 'env', '-C', '/', 'XDG_RUNTIME_DIR=' + runtime, *argv, **more)


def wait(true, what, seconds=SLOW):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, 'not within %d s: %s' % (seconds, what() if callable(what) else what)
        time.sleep(0.5)


def active(unit):
    return run('systemctl', 'is-active', unit, check=False) == 'active'


def show(what, uri=SYSTEM):
    argv = ('show', '-P', what, 'duovirtd.service')
    return as_user('systemctl', '--user', *argv) if uri == SESSION else run('systemctl', *argv)


def main_pid(uri=SYSTEM):
    return int(show('MainPID', uri))


def started_again(before):
    wait(lambda: main_pid() not in (0, before) and active('duovirtd.service'), 'another daemon')


def running(uri=SYSTEM):
    """Names of the guests that run."""
    argv = ('virsh', '-c', uri, 'list', '--name', '--state-running')
    return set((as_user if uri == SESSION else run)(*argv).split())


def words(pid):
    try:
        with open('/proc/%s/cmdline' % pid) as f:
            return f.read().split('\0')
    except OSError:
        return ['']


def qemu(name):
    found = [pid for pid in os.listdir('/proc') if pid.isdigit() and os.path.basename(words(pid)[0]).startswith('qemu-system') and
             any(word.startswith('guest=' + name) for word in words(pid))]
    assert len(found) < 2, found
    return int(found[0]) if found else None


def ask(name, uri=SYSTEM, octet='a'):
    """What the guest has counted to; it counts this question."""
    return int((as_user if uri == SESSION else run)('/lab/inside.py', 'ask', uri, name, octet), 16)


def journal(*argv):
    return run('journalctl', '--no-pager', '-o', 'short-monotonic', *argv)


def told(what, *argv):
    """(seconds, name of the guest) of the daemon's lines that say one of WHAT, in their order."""
    lines = journal('-t', 'duovirtd', *argv).splitlines()
    found = [re.match(r'\[ *([\d.]+)\].*\[([^\]]+)\] [^\[]*(?:%s)' % '|'.join(what), line.replace('duovirtd[', 'duovirtd(')) for line in lines]
    return [(float(match[1]), match[2]) for match in found if match]


class Counts:
    """What each guest has counted to, kept over a boot."""
    FILE = '/lab/counts'

    def __init__(self):
        self.counts = {}
        if os.path.exists(self.FILE):
            with open(self.FILE) as f:
                self.counts = {name: int(count) for name, count in (line.split() for line in f)}

    def goes_on(self, name, uri=SYSTEM, anew=False):
        """It answers, and with the memory that it had; ANEW: that it has just begun."""
        before = 0 if anew else self.counts.get(name, 0)
        now = ask(name, uri)
        assert now == before + 1, '%s counts %d after %d' % (name, now, before)
        self.counts[name] = now
        with open(self.FILE, 'w') as f:
            f.writelines('%s %d\n' % pair for pair in self.counts.items())


class Boot:
    def __init__(self):
        self.counts = Counts()

    def unnoticed(self, what):
        """WHAT ends one daemon and starts another; guests go on."""
        pids, daemon = {name: qemu(name) for name in GUESTS}, main_pid()
        assert all(pids.values()), pids
        what()
        started_again(daemon)
        wait(lambda: running() == set(GUESTS), 'all are found again')
        assert {name: qemu(name) for name in GUESTS} == pids
        for name in ('kept', 'polite', 'after'):
            self.counts.goes_on(name)


class First(Boot):
    def starts_with_the_machine(self):
        wait(lambda: active('duovirtd.socket'), 'the socket')
        assert run('systemctl', 'is-enabled', 'duovirtd.service') == 'enabled'
        wait(lambda: active('duovirtd.service'), 'the service')
        assert (show('KillMode'), show('Delegate')) == ('process', 'yes')

    def first_client_starts_it(self):
        run('systemctl', 'stop', 'duovirtd.service')
        assert main_pid() == 0
        assert 'Id' in virsh('list', '--all')
        assert main_pid() > 0

    def so_does_a_reader(self):
        """Who may only look, by the other socket."""
        run('systemctl', 'stop', 'duovirtd.service')
        assert 'Permission denied' in as_user('virsh', '-c', SYSTEM, 'list', check=False)
        assert 'Id' in as_user('virsh', '-r', '-c', SYSTEM, 'list', '--all')
        assert main_pid() > 0

    def guests_start(self):
        for name, host in GUESTS.items():
            with open('/lab/guest.xml', 'w') as f:
                f.write(GUEST % (name, HOST % host))
            virsh('define', '/lab/guest.xml')
            virsh('start', name)
        for name in ('kept', 'polite', 'fresh', 'after'):
            self.counts.goes_on(name)
        ask('deaf', octet='D')
        virsh('autostart', 'fresh')
        virsh('autostart', 'after')
        assert 'duovirtd' in run('systemd-inhibit', '--list', '--no-legend')

    def restart_is_not_noticed(self):
        self.unnoticed(lambda: run('systemctl', 'restart', 'duovirtd.service'))

    def nor_is_a_kill(self):
        self.unnoticed(lambda: os.kill(main_pid(), signal.SIGKILL))

    def users_have_their_own(self):
        run('loginctl', 'enable-linger', USER)
        wait(lambda: active('user@%d.service' % pwd.getpwnam(USER).pw_uid), 'his manager')
        as_user('systemctl', '--user', 'enable', '--now', 'duovirtd.socket')
        with open('/lab/guest.xml', 'w') as f:
            f.write(GUEST % ('mine', ''))
        as_user('virsh', '-c', SESSION, 'define', '/lab/guest.xml')
        as_user('virsh', '-c', SESSION, 'start', 'mine')
        assert os.stat('/proc/%d' % qemu('mine')).st_uid == pwd.getpwnam(USER).pw_uid
        self.counts.goes_on('mine', SESSION)
        assert (show('KillMode', SESSION), show('Delegate', SESSION)) == ('process', 'yes')

    def nor_an_upgrade(self):
        pid, own = qemu('mine'), main_pid(SESSION)
        self.unnoticed(lambda: run('dpkg', '-i', '/lab/newer.deb'))
        assert run('dpkg-query', '-W', '-f', '${Version}', 'duovirt') == '9.0.0'
        assert main_pid(SESSION) not in (0, own), 'the user has the old daemon'
        wait(lambda: 'mine' in running(SESSION), 'it is found again')
        assert qemu('mine') == pid
        self.counts.goes_on('mine', SESSION)

    def nor_that_the_package_goes_and_comes(self):
        def replace():
            run('dpkg', '--remove', 'duovirt')
            assert main_pid() == 0 and not active('duovirtd.socket') and qemu('kept')
            run('dpkg', '-i', '/lab/newer.deb')
        self.unnoticed(replace)
        assert active('duovirtd.socket')

    def end(self):
        """As a user would: logind waits for its inhibitors."""
        run('systemctl', 'poweroff', '--no-block')


class AfterShutdown(Boot):
    """How the last shutdown was, and what came back."""
    heard = True

    def guests_ended_in_order(self):
        ends = [name for _, name in told(ENDS, '-b', '-1', '_UID=0')]
        assert ends == self.ended, (ends, journal('-b', '-1', '-t', 'duovirtd'))
        assert [name for _, name in told(['did not shut down within'], '-b', '-1')] == [name for name in ends if name == 'deaf']

    def before_what_they_need(self):
        last = journal('-b', '-1', '--identifier', 'systemd')
        stopped = [re.search(r'Stopped (\S+)', line)[1] for line in last.splitlines() if '] lab systemd[1]: Stopped ' in line]
        assert stopped.index('duovirtd.service') < stopped.index('dbus.service'), last[-6000:]

    def they_come_back(self):
        back = {'kept', 'fresh', 'after'}
        wait(lambda: running() == back, running)
        assert virsh('domstate', 'polite') == 'shut off'
        for name in ('kept', 'after'):
            self.counts.goes_on(name)
        self.counts.goes_on('fresh', anew=True)

    def in_order(self):
        starts = told(['started with the host'], '-b')
        assert [name for _, name in starts] == ['kept', 'fresh', 'after'], starts
        assert starts[2][0] - starts[1][0] >= DELAY, starts

    def so_do_users_own(self):
        """Those that his session's end has saved, when he needs his daemon again."""
        wait(lambda: 'mine' in running(SESSION), 'it goes on')
        self.counts.goes_on('mine', SESSION)


class Second(AfterShutdown):
    ended = ['deaf', 'after', 'fresh', 'polite', 'kept']

    def it_was_told_by_logind(self):
        last = journal('-b', '-1', '-t', 'duovirtd', '_UID=0')
        assert last.index('the host shuts down') < last.rindex('stopping: signal 15'), last

    def end(self):
        """Nobody asks logind: the daemon learns it from systemd, when it is stopped."""
        run('systemctl', 'start', '--no-block', '--job-mode=replace-irreversibly', 'poweroff.target')


class Third(AfterShutdown):
    ended = ['after', 'fresh', 'kept']

    def it_was_told_by_systemd(self):
        last = journal('-b', '-1', '-t', 'duovirtd', '_UID=0')
        assert last.rindex('stopping: signal 15') < last.index('the host shuts down'), last

    def purge_leaves_nothing(self):
        for name in GUESTS:
            virsh('destroy', name, check=False)
        run('dpkg', '--purge', 'duovirt')
        for path in ('/var/lib/duovirt', '/var/cache/duovirt', '/var/log/duovirt', '/etc/duovirt', '/run/duovirt', '/run/libvirt'):
            assert not os.path.exists(path), path
        assert run('systemctl', 'is-active', 'duovirtd.service', 'duovirtd.socket', 'duovirtd-ro.socket', check=False).split() == \
            ['inactive'] * 3

    def end(self):
        run('systemctl', 'poweroff', '--no-block')


def methods(kind):
    """Those of its bases first."""
    names = [name for each in reversed(kind.mro()) if each not in (object, Boot) for name in vars(each)]
    return [name for name in names if callable(getattr(kind, name)) and not name.startswith('_') and name != 'end']


def answer(uri, name, octet):
    import libvirt

    stream = (conn := libvirt.open(uri)).newStream()
    conn.lookupByName(name).openConsole(None, stream, libvirt.VIR_DOMAIN_CONSOLE_FORCE)
    stream.send(octet.encode())
    said = b''
    while b';' not in said:
        said += stream.recv(64)
    print(re.fullmatch(chr(ord(octet) + 1) + '([0-9a-f]{4});', said.decode())[1])
    stream.abort()


def main():
    number = 1
    if os.path.exists(STATE):
        with open(STATE) as f:
            number = int(f.read()) + 1
    with open(STATE, 'w') as f:
        f.write(str(number))
    part = (First, Second, Third)[number - 1]()
    for name in methods(type(part)):
        began = time.monotonic()
        try:
            getattr(part, name)()
            verdict = 'ok'
        except Exception:  # noqa: BLE001
            verdict = 'not ok'
            for line in traceback.format_exc().splitlines() + journal('-b', '-t', 'duovirtd', '-t', 'systemd').splitlines()[-40:]:
                print('# ' + line)
        print('%s 1 - %s (%d s)' % (verdict, name, time.monotonic() - began), flush=True)
    print('END', flush=True)
    part.end()


if __name__ == '__main__':
    sys.stdout.reconfigure(line_buffering=True)
    if sys.argv[1:2] == ['ask']:
        answer(*sys.argv[2:])
        sys.exit()
    main()
