# SPDX-License-Identifier: LGPL-2.1-or-later
"""A lab machine: this host's files under a kernel of its own, emulated, for tests that need a whole kernel to themselves.

    machine.run(__file__)    returns inside the machine; the first call does not return, it runs the program there

The kernel and the initrd are tools/make-guest.sh's and stay between runs. The root of the machine is this host's, by 9p, below
a file system in memory: programs are those that the host has, and whatever the test does to files, devices, control groups
or the kernel is gone with the machine. What the program prints comes back by a serial port.

Ruled out: a disk image with Debian on it. It takes two minutes to make, and the build under test must be carried in.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import threading

INSIDE = 'LAB_RUN'
QEMU = '/usr/bin/qemu-system-x86_64'
DEADLINE = int(os.environ.get('DUOVIRT_LAB_SECONDS', '600'))
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PASSED_ON = ('DUOVIRT_BUILD', 'DUOVIRT_TARGET')


def skip(why):
    print('1..0 # SKIP ' + why)
    sys.exit(0)


def command(program, guest, console):
    words = ['%s=%s' % (name, os.environ[name]) for name in PASSED_ON if name in os.environ]
    kernel = ['console=ttyS0', 'quiet', 'panic=-1', 'mitigations=off', '%s=%s' % (INSIDE, program), 'DUOVIRT_TEST_WORLD=1'] + words
    return [QEMU, '-accel', 'tcg,thread=multi', '-machine', 'q35', '-cpu', 'max', '-smp', '2', '-m', '1536', '-nodefaults',
            '-display', 'none', '-no-reboot', '-serial', 'file:' + console, '-serial', 'stdio',
            '-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap',
            '-kernel', guest + '/vmlinux', '-initrd', guest + '/lab', '-append', ' '.join(kernel)]


def follow(process):
    """Prints what the machine says; the exit code of the program in it, 1 if it has said none."""
    code = 1
    for line in process.stdout:
        text = line.decode(errors='replace').rstrip()
        if text.startswith('LAB-CODE '):
            code = int(text.split()[1])
        else:
            print(text, flush=True)
    return code


def run(program):
    if os.environ.get(INSIDE):
        return
    if not os.path.exists(QEMU):
        skip('no ' + QEMU)
    made = subprocess.run([os.path.join(SOURCE, 'tools/make-guest.sh')], stdout=subprocess.PIPE, check=True)
    with tempfile.TemporaryDirectory(prefix='lab-') as folder:
        console = os.path.join(folder, 'console')
        argv = command(os.path.abspath(program), made.stdout.decode().strip(), console)
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        timer = threading.Timer(DEADLINE, process.kill)
        timer.start()
        code = follow(process)
        timer.cancel()
        process.wait()
        if code and os.path.exists(console):
            with open(console, errors='replace') as f:
                shutil.copyfileobj(f, sys.stderr)
    sys.exit(code)
