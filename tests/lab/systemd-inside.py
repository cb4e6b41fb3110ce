#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is tested inside of systemd.py's machine: one class for each boot, whose methods run in the order in which they stand here."""
import os
import subprocess
import sys
import time
import traceback

STATE = '/lab/boots'
SLOW = 150  # seconds: a QEMU in a QEMU
TINY = '''<domain type='qemu'><name>%(name)s</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
<metadata><d:host xmlns:d='urn:duovirt:host'><d:start order='%(order)d'/><d:stop action='%(stop)s'/></d:host></metadata>
<os><type arch='x86_64' machine='q35'>hvm</type><bios useserial='yes' rebootTimeout='2000'/><boot dev='hd'/></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator><controller type='usb' model='none'/><serial type='pty'/>
<memballoon model='none'/></devices></domain>'''


def run(*argv, check=True, timeout=SLOW):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout)
    if check and done.returncode:
        raise AssertionError('%s: code %d\n%s' % (' '.join(argv), done.returncode, done.stdout))
    return done.stdout.strip()


def virsh(*argv, check=True):
    return run('virsh', '-c', 'qemu:///system', *argv, check=check)


def wait(true, what, seconds=SLOW):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, 'not within %d s: %s' % (seconds, what)
        time.sleep(0.5)


def main_pid():
    return int(run('systemctl', 'show', '-P', 'MainPID', 'duovirtd.service'))


def qemu(name):
    found = [pid for pid in os.listdir('/proc') if pid.isdigit() and os.path.exists('/proc/%s/exe' % pid) and
             os.path.basename(os.readlink('/proc/%s/exe' % pid)).startswith('qemu-system') and
             ('guest=' + name) in open('/proc/%s/cmdline' % pid).read()]
    return found[0] if len(found) == 1 else None


def console(name):
    """What the guest's console says now, for some seconds: its firmware tries to boot again and again."""
    shell = 'timeout 60 script -qec "virsh -c qemu:///system console %s" /dev/null | head -c 200' % name
    return run('sh', '-c', shell, check=False)


def journal(*argv):
    return run('journalctl', '--no-pager', '-o', 'short-monotonic', *argv)


class First:
    def started_with_the_machine(self):
        wait(lambda: run('systemctl', 'is-active', 'duovirtd.socket', check=False) == 'active', 'the socket')
        assert run('systemctl', 'is-enabled', 'duovirtd.service') == 'enabled'
        wait(lambda: run('systemctl', 'is-active', 'duovirtd.service', check=False) == 'active', 'the service')

    def socket_starts_the_daemon(self):
        run('systemctl', 'stop', 'duovirtd.service')
        assert main_pid() == 0
        assert 'Id' in virsh('list', '--all')
        assert main_pid() > 0

    def guests_start(self):
        for name, order, stop in (('auto', 2, 'save'), ('kept', 1, 'save'), ('ended', 3, 'off')):
            with open('/lab/%s.xml' % name, 'w') as f:
                f.write(TINY % {'name': name, 'order': order, 'stop': stop})
            virsh('define', '/lab/%s.xml' % name)
            virsh('start', name)
        virsh('autostart', 'auto')
        assert 'duovirtd' in run('systemd-inhibit', '--list', '--no-legend')

    def restart_is_not_noticed(self):
        pid, daemon = qemu('auto'), main_pid()
        assert pid
        run('systemctl', 'restart', 'duovirtd.service')
        assert main_pid() not in (0, daemon)
        wait(lambda: virsh('domstate', 'auto') == 'running', 'it is found again')
        assert qemu('auto') == pid

    def console_goes_on(self):
        assert 'Boot' in console('auto') or 'SeaBIOS' in console('auto')

    def killed_daemon_comes_back(self):
        pid, daemon = qemu('auto'), main_pid()
        os.kill(daemon, 9)
        wait(lambda: main_pid() not in (0, daemon), 'systemd starts it again')
        wait(lambda: virsh('domstate', 'auto', check=False) == 'running', 'it is found again')
        assert qemu('auto') == pid

    def end(self):
        run('systemctl', 'poweroff', '--no-block')


def methods(kind):
    return [name for name in vars(kind) if not name.startswith('_') and name != 'end']


def main():
    number = 1
    if os.path.exists(STATE):
        with open(STATE) as f:
            number = int(f.read()) + 1
    with open(STATE, 'w') as f:
        f.write(str(number))
    part = (First,)[number - 1]()
    for name in methods(type(part)):
        began = time.monotonic()
        try:
            getattr(part, name)()
            verdict = 'ok'
        except Exception:  # noqa: BLE001
            verdict = 'not ok'
            for line in traceback.format_exc().splitlines() + journal('-b', '-u', 'duovirtd.service').splitlines()[-25:]:
                print('# ' + line)
        print('%s 1 - %s (%d s)' % (verdict, name, time.monotonic() - began), flush=True)
    print('END', flush=True)
    part.end()


if __name__ == '__main__':
    sys.stdout.reconfigure(line_buffering=True)
    main()
