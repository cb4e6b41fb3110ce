# SPDX-License-Identifier: LGPL-2.1-or-later
"""The second half of ./demo: a daemon under a root of its own, and stock virsh leading a guest through its life.

    demo.py BUILD_FOLDER GUEST_FOLDER
"""
import os
import pwd
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pexpect

TRIAL = 20  # seconds in which KVM must boot Linux; where it works it takes two
BOOT = 180  # seconds for the guest under TCG on a busy machine
ENVIRONMENT = dict(os.environ, LC_ALL='C', TERM='dumb')

DOCUMENT = """<domain type='{kind}'>
  <name>demo</name>
  <title>A small Linux</title>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{guest}/vmlinux</kernel>
    <initrd>{guest}/initrd</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='{root}/disk.qcow2'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='user'><model type='virtio'/></interface>
    <serial type='pty'/>
    <graphics type='vnc' autoport='yes'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>
"""


class Failed(Exception):
    pass


def say(text):
    print('\n\033[1m== %s\033[0m' % text, flush=True)


def qemu_user():
    """Arguments that make a command run as the user that QEMU will have."""
    try:
        pwd.getpwnam('libvirt-qemu')
        return ['setpriv', '--reuid=libvirt-qemu', '--regid=libvirt-qemu', '--init-groups']
    except KeyError:
        return []


def kvm_boots_linux(guest):
    """Not whether /dev/kvm opens, but whether a kernel gets to its user space on it."""
    if not os.path.exists('/dev/kvm'):
        print('there is no /dev/kvm')
        return False
    argv = qemu_user() + ['qemu-system-x86_64', '-accel', 'kvm', '-machine', 'q35', '-m', '128', '-nodefaults', '-no-reboot', '-display', 'none',
                          '-serial', 'stdio', '-kernel', guest + '/vmlinux', '-initrd', guest + '/initrd', '-append', 'console=ttyS0 quiet']
    child = pexpect.spawn(argv[0], argv[1:], encoding='utf8', codec_errors='replace', timeout=TRIAL, cwd='/')
    found = child.expect(['GUEST-READY', pexpect.EOF, pexpect.TIMEOUT])
    if found == 1:
        print(child.before.strip())
    child.close(force=True)
    print(['Linux boots on KVM', 'KVM does not start here', 'Linux does not come up on KVM within %d s' % TRIAL][found])
    return found == 0


class Demo:
    def __init__(self, build, guest):
        self.guest = guest
        self.program = os.path.join(build, 'daemon/duovirtd')
        self.root = tempfile.mkdtemp(prefix='duovirt-demo-', dir='/tmp')
        os.chmod(self.root, 0o755)
        self.uri = 'qemu+unix:///system?socket=%s/run/libvirt/libvirt-sock' % self.root
        self.daemon = self.console = None

    def virsh(self, *argv, ok=True):
        """Shows and runs a command; its text."""
        print('$ virsh -c "$URI" %s' % shlex.join(argv), flush=True)
        done = subprocess.run(['virsh', '-c', self.uri, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, env=ENVIRONMENT, timeout=60)
        print(done.stdout.strip('\n'), flush=True)
        if ok and done.returncode != 0:
            raise Failed('virsh %s: exit code %d' % (argv[0], done.returncode))
        return done.stdout

    def start_daemon(self):
        print('$ %s --root %s &\n$ URI=%s' % (self.program, self.root, self.uri))
        self.log = open(self.root + '/daemon.log', 'wb')
        self.daemon = subprocess.Popen([self.program, '--root', self.root], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        for _ in range(100):
            if os.path.exists(self.root + '/run/libvirt/libvirt-sock') or self.daemon.poll() is not None:
                break
            time.sleep(0.1)
        self.virsh('version')

    def define(self, kind):
        subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', self.root + '/disk.qcow2', '64M'], check=True)
        os.chmod(self.root + '/disk.qcow2', 0o666)
        with open(self.root + '/demo.xml', 'w') as f:
            f.write(DOCUMENT.format(kind=kind, guest=self.guest, root=self.root))
        print(DOCUMENT.format(kind=kind, guest=self.guest, root=self.root))
        self.virsh('define', self.root + '/demo.xml')
        self.virsh('list', '--all')

    def boot(self):
        """Started paused, so that the console shows the first word."""
        self.virsh('start', 'demo', '--paused')
        print('$ virsh -c "$URI" console demo', flush=True)
        self.console = pexpect.spawn('virsh', ['-c', self.uri, 'console', 'demo'], env=ENVIRONMENT, encoding='utf8', codec_errors='replace',
                                     timeout=BOOT, dimensions=(50, 160))
        self.console.logfile_read = sys.stdout
        self.console.expect('Escape character')
        began = time.monotonic()
        self.virsh('resume', 'demo')
        self.console.expect('GUEST-READY')
        self.console.expect('guest# ')
        print('\n(%.1f s from resume to the shell)' % (time.monotonic() - began))

    def look(self):
        self.virsh('list')
        self.virsh('dominfo', 'demo')
        self.virsh('domblklist', 'demo')
        self.virsh('domiflist', 'demo')
        self.virsh('vncdisplay', 'demo')
        self.virsh('domstats', 'demo', '--state', '--cpu-total', '--balloon', '--block')
        self.virsh('dumpxml', 'demo', '--xpath', '//disk | //interface | //console | //graphics')

    def compute(self):
        """A sum that nobody could have prepared, typed at the guest's shell."""
        a, b = random.randint(10000, 99999), random.randint(10000, 99999)
        for character in 'echo "the sum is $((%d + %d))"\r' % (a, b):
            self.console.send(character)
            time.sleep(0.01)
        self.console.expect(r'the sum is (\d+)\r', timeout=30)
        if int(self.console.match[1]) != a + b:
            raise Failed('the guest computes %d + %d = %s' % (a, b, self.console.match[1]))
        self.console.expect('guest# ')
        print('\n(%d + %d = %d: right)' % (a, b, a + b))

    def shut_down(self):
        self.virsh('shutdown', 'demo', '--mode', 'acpi')
        self.console.expect('GUEST-POWEROFF', timeout=60)
        self.console.expect(pexpect.EOF, timeout=60)
        print()
        for _ in range(60):
            if 'shut off' in self.virsh('domstate', 'demo', '--reason'):
                break
            time.sleep(1)
        else:
            raise Failed('the guest is not off')
        self.virsh('undefine', 'demo')
        if 'demo' in self.virsh('list', '--all'):
            raise Failed('the guest is still listed')

    def stop_daemon(self):
        print('$ kill %d' % self.daemon.pid)
        self.daemon.terminate()
        if self.daemon.wait(30) != 0:
            raise Failed('the daemon ended with code %d' % self.daemon.returncode)

    def clean(self):
        """What a failure left: only what was started below our root."""
        if self.console:
            self.console.close(force=True)
        if self.daemon:
            subprocess.run(['virsh', '-c', self.uri, 'destroy', 'demo'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20,
                           check=False)
            if self.daemon.poll() is None:
                self.daemon.terminate()
                try:
                    self.daemon.wait(20)
                except subprocess.TimeoutExpired:
                    self.daemon.kill()
            self.log.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def run(self):
        say('Does KVM boot Linux here?')
        kind = 'kvm' if kvm_boots_linux(self.guest) else 'qemu'
        print('the guest will be of type ' + {'kvm': 'kvm', 'qemu': 'qemu: emulated (TCG), slower but the same'}[kind])
        say('Start a daemon that owns nothing but one folder')
        self.start_daemon()
        say('Define a guest')
        self.define(kind)
        say('Boot it and watch its console')
        self.boot()
        say('Look at it')
        self.look()
        say('Type a sum into the guest')
        self.compute()
        say('Shut it down by its power button, and remove it')
        self.shut_down()
        say('Stop the daemon')
        self.stop_daemon()


def main():
    demo = Demo(*sys.argv[1:3])
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    try:
        demo.run()
    except Exception as error:
        print('\n\nlog of the daemon:')
        if demo.daemon:
            with open(demo.root + '/daemon.log', errors='replace') as f:
                print(''.join(f.readlines()[-30:]))
        print('demo: FAILED: %s' % (error if isinstance(error, Failed) else repr(error)[:2000]))
        sys.exit(1)
    finally:
        demo.clean()
    print('\ndemo: every step worked')


if __name__ == '__main__':
    main()
