# SPDX-License-Identifier: LGPL-2.1-or-later
"""A lab machine: this host's files under a kernel of its own, emulated, for tests that need a whole kernel to themselves.

    machine.run(__file__)    returns inside the machine; the first call does not return, it runs the program there
    machine.run(__file__, xen=True)    the machine's kernel is Xen's dom0

The program's words come with it; none may have a blank, a comma or a colon.

The kernel and the initrd are tools/make-guest.sh's and stay between runs. The root of the machine is this host's, by 9p, below
a file system in memory: programs are those that the host has, and whatever the test does to files, devices, control groups
or the kernel is gone with the machine. What the program prints comes back by a serial port.

Ruled out: a disk image with Debian on it. It takes two minutes to make, and the build under test must be carried in.
"""
import gzip
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
PASSED_ON = ('DUOVIRT_BUILD', 'DUOVIRT_TARGET', 'DUOVIRT_GUEST')


def skip(why):
    print('1..0 # SKIP ' + why)
    sys.exit(0)


# What QEMU's emulation and Xen do not agree on: SMAP ends every 64-bit PV kernel, RDTSCP hangs PVH guests, and with the
# processor's FPU switched lazily programs in dom0 go wrong now and then.
XEN = '/boot/xen-4.17-amd64.gz'
XEN_CPU = 'max,smap=off,rdtscp=off'
XEN_WORDS = 'com1=115200,8n1 console=com1 dom0_mem=1280M,max:1280M dom0_max_vcpus=1 spec-ctrl=eager-fpu'


def hypervisor(guest):
    """Xen as QEMU boots it: without its compression."""
    path = guest + '/xen'
    with gzip.open(XEN) as packed, open(path + '.new', 'wb') as f:
        shutil.copyfileobj(packed, f)
    os.rename(path + '.new', path)
    return path


def command(program, guest, console, xen):
    words = ['LAB_WORDS=' + ':'.join(sys.argv[1:])] + ['%s=%s' % (name, os.environ[name]) for name in PASSED_ON if name in os.environ]
    kernel = ['console=' + ('hvc0' if xen else 'ttyS0'), 'quiet', 'panic=-1', 'mitigations=off', '%s=%s' % (INSIDE, program), 'DUOVIRT_TEST_WORLD=1'] + words
    if xen:
        boot = ['-cpu', XEN_CPU, '-smp', '1', '-m', '3072', '-kernel', hypervisor(guest), '-append', XEN_WORDS,
                '-initrd', '%s/vmlinux %s,%s/lab' % (guest, ' '.join(kernel), guest)]
    else:
        boot = ['-cpu', 'max', '-smp', '2', '-m', '1536', '-kernel', guest + '/vmlinux', '-initrd', guest + '/lab', '-append', ' '.join(kernel)]
    return [QEMU, '-accel', 'tcg,thread=multi', '-machine', 'q35', '-nodefaults',
            '-display', 'none', '-no-reboot', '-serial', 'file:' + console, '-serial', 'stdio',
            '-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap'] + boot


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


def run(program, xen=False):
    if os.environ.get(INSIDE):
        sys.argv[1:] = [word for word in os.environ.get('LAB_WORDS', '').split(':') if word]
        return
    if not os.path.exists(QEMU):
        skip('no ' + QEMU)
    if xen and not os.path.exists(XEN):
        skip('no ' + XEN)
    made = subprocess.run([os.path.join(SOURCE, 'tools/make-guest.sh')], stdout=subprocess.PIPE, check=True)
    with tempfile.TemporaryDirectory(prefix='lab-') as folder:
        console = os.path.join(folder, 'console')
        argv = command(os.path.abspath(program), made.stdout.decode().strip(), console, xen)
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
