# SPDX-License-Identifier: LGPL-2.1-or-later
"""A private world for one test program and everything it starts.

enter() runs the calling program again in mount, network, PID, IPC and UTS namespaces of its own. Two tests never meet
(VNC ports, bridges, process names), the stock libvirtd can run at its usual places, and when the program ends, however
it ends, the kernel ends whatever it left behind. A test that must see what is left behind looks before it ends.

Tried first: a pid list and a clean-up handler. It leaves QEMUs behind whenever a test is killed by its own time limit.
"""
import os
import signal
import stat
import subprocess
import sys

INSIDE = 'DUOVIRT_TEST_WORLD'
SCRATCH = '/tmp/.world'  # a private tmpfs
HOSTNAME = 'testhost'
PRIVATE = ('/run/libvirt', '/var/lib/libvirt', '/etc/libvirt', '/var/cache/libvirt', '/var/log/libvirt', '/run/dbus',
           '/run/duovirt', '/var/lib/duovirt', '/etc/duovirt', '/var/cache/duovirt', '/var/log/duovirt')


def enter():
    """Returns inside the private world; the first call does not return, it starts the program again."""
    if os.environ.get(INSIDE):
        return
    if os.geteuid() != 0:
        sys.exit('these tests need root: namespaces, taps, guests')
    os.environ[INSIDE] = '1'
    sys.stdout.flush()
    os.execvp('unshare', ['unshare', '--mount', '--net', '--pid', '--ipc', '--uts', '--fork', '--kill-child',
                          '--mount-proc', '--propagation', 'private',
                          sys.executable, os.path.abspath(__file__), sys.executable] + sys.argv)


def run(*argv):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


def furnish():
    """What a host has and a fresh set of namespaces lacks."""
    # /sys shows the network of the namespace it was mounted in; the control groups below it must stay reachable.
    os.makedirs(SCRATCH, exist_ok=True)
    run('mount', '-t', 'tmpfs', 'tmpfs', SCRATCH)
    os.mkdir(SCRATCH + '/cgroup')
    run('mount', '--rbind', '/sys/fs/cgroup', SCRATCH + '/cgroup')
    run('mount', '-t', 'sysfs', 'sysfs', '/sys')
    run('mount', '--rbind', SCRATCH + '/cgroup', '/sys/fs/cgroup')
    for folder in PRIVATE:
        os.makedirs(folder, exist_ok=True)
        run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder)
    if os.path.exists('/dev/kvm'):
        # For whatever user QEMU runs as; else libvirtd asks QEMU for its abilities again before each call.
        os.mknod(SCRATCH + '/kvm', 0o666 | stat.S_IFCHR, os.stat('/dev/kvm').st_rdev)
        os.chmod(SCRATCH + '/kvm', 0o666)
        run('mount', '--bind', SCRATCH + '/kvm', '/dev/kvm')
    run('hostname', HOSTNAME)
    with open(SCRATCH + '/hosts', 'w') as hosts:
        hosts.write('127.0.0.1 localhost %s\n::1 localhost\n' % HOSTNAME)
    run('mount', '--bind', SCRATCH + '/hosts', '/etc/hosts')
    run('ip', 'link', 'set', 'lo', 'up')
    # SPICE asks for its address as if for a name, and with loopback alone a host has no names.
    run('ip', 'address', 'add', '192.0.2.254/32', 'dev', 'lo')


def init(argv):
    """The first process: starts ARGV, buries orphans, ends with it (and so ends everybody)."""
    furnish()
    child = os.fork()
    if child == 0:
        os.execvp(argv[0], argv)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: os.kill(child, number))
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


if __name__ == '__main__':
    init(sys.argv[1:])
