#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A machine that runs systemd and has the package of this tree: start at boot, by sockets, restart and upgrade, shutdown.

    systemd.py      boots it from its disk; what happens inside is systemd-inside.py.
                    DUOVIRT_DEBS=FOLDER: packages that were built before

The disk is made of debian.py's tree with the package installed. Each boot's part of the test writes TAP lines to a serial
port; its last act is the way the machine goes down.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import debian  # noqa: E402
from lib import tap  # noqa: E402

QEMU = '/usr/bin/qemu-system-x86_64'
BOOTS = 3
SECONDS = int(os.environ.get('DUOVIRT_LAB_SECONDS', '600'))  # of one boot
UNIT = '''[Unit]
After=multi-user.target duovirtd.socket
[Service]
Type=oneshot
ExecStart=/lab/inside.py
StandardOutput=file:/dev/ttyS1
StandardError=file:/dev/ttyS1
TimeoutStartSec=infinity
KillMode=process
'''
TIMER = '''[Timer]
OnBootSec=1
[Install]
WantedBy=multi-user.target
'''


def make_guest(disk):
    debian.run('gcc', '-m32', '-nostdlib', '-static', '-Wl,--build-id=none,-Ttext=0x7c00,--oformat=binary', '-o', disk,
               os.path.join(HERE, 'echo.S'))
    os.truncate(disk, 1 << 20)
    os.chmod(disk, 0o444)


def furnish(root, debs, folder):
    """What the machine has beside the tree."""
    root.install(debs['duovirt'])
    os.unlink(root.path + '/usr/sbin/policy-rc.d')
    os.mkdir(root.path + '/lab')
    shutil.copy(debs['duovirt'], root.path + '/lab/old.deb')
    shutil.copy(debian.newer(debs['duovirt'], folder), root.path + '/lab/newer.deb')
    shutil.copy(os.path.join(HERE, 'systemd-inside.py'), root.path + '/lab/inside.py')
    os.chmod(root.path + '/lab/inside.py', 0o755)
    make_guest(root.path + '/lab/echo')
    root.write('/etc/systemd/system/lab.service', UNIT)
    root.write('/etc/systemd/system/lab.timer', TIMER)
    root.write('/etc/hostname', 'lab\n')
    root.write('/etc/machine-id', 'uninitialized\n')
    os.makedirs(root.path + '/var/log/journal', exist_ok=True)
    root.run('systemctl', 'enable', 'lab.timer')
    root.run('systemctl', 'mask', 'getty@tty1.service', 'serial-getty@ttyS0.service', 'serial-getty@ttyS1.service', 'apt-daily.timer',
             'systemd-timesyncd.service', 'apt-daily-upgrade.timer', 'dpkg-db-backup.timer', 'e2scrub_all.timer', 'fstrim.timer')
    root.run('useradd', '-m', '-s', '/bin/sh', 'tester')
    for name in ('/tmp/duovirt.deb',):
        if os.path.exists(root.path + name):
            os.unlink(root.path + name)


def make_disk(debs, folder, disk):
    """Runs in a mount namespace of its own."""
    root = debian.Root(debian.tree(debian.BASE), folder)
    furnish(root, debs, folder)
    for name in ('proc', 'sys', 'dev', 'run'):
        debian.run('umount', '-R', '-l', root.path + '/' + name)
    debian.run('mke2fs', '-q', '-t', 'ext4', '-d', root.path, disk, '3G')


def boot(guest, disk, console):
    """One life of the machine; its lines."""
    argv = [QEMU, '-accel', 'tcg,thread=multi', '-machine', 'q35', '-cpu', 'max', '-smp', '2', '-m', '1536', '-nodefaults', '-display',
            'none', '-no-reboot', '-serial', 'file:' + console, '-serial', 'stdio',
            '-drive', 'file=%s,if=none,id=disk,format=raw,cache=unsafe' % disk, '-device', 'virtio-blk-pci,drive=disk',
            '-kernel', guest + '/vmlinux', '-initrd', guest + '/disk',
            '-append', 'console=ttyS0 quiet panic=-1 mitigations=off systemd.show_status=no systemd.journald.forward_to_console=1']
    machine = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors='replace')
    timer = threading.Timer(SECONDS, machine.kill)
    timer.start()
    for line in machine.stdout:
        yield line.rstrip()
    timer.cancel()
    machine.wait()


def run(disk, folder, guest):
    lines = tap.Lines()
    for number in range(1, BOOTS + 1):
        console = os.path.join(folder, 'console')
        failed, ended, why = lines.failed, False, []
        for line in boot(guest, disk, console):
            if line.startswith(('ok ', 'not ok ')):
                lines.case('boot %d: %s' % (number, line.partition(' - ')[2]), line.startswith('ok'), why)
                why = []
            elif line.startswith('# '):
                why.append(line[2:])
            ended |= line == 'END'
        if not ended or lines.failed > failed:
            lines.case('boot %d comes to its end' % number, ended, why)
            with open(console, errors='replace') as f:
                sys.stderr.write(f.read()[-20000:])
        if not ended:
            break
    return lines.end()


def main():
    debian.need('mmdebstrap', 'dpkg-buildpackage', 'dh', 'mke2fs', QEMU)
    guest = debian.run(os.path.join(debian.SOURCE, 'tools/make-guest.sh')).strip()
    with tempfile.TemporaryDirectory(prefix='lab-', dir='/var/tmp') as folder:
        made = os.environ.get('DUOVIRT_DEBS')
        if not made:
            made = os.path.join(folder, 'debs')
            os.mkdir(made)
            debian.packages(made)
        disk = os.path.join(folder, 'disk')
        subprocess.run(['unshare', '--mount', '--propagation', 'private', sys.executable, os.path.abspath(__file__), 'disk', made, folder,
                        disk], check=True)
        return run(disk, folder, guest)


if __name__ == '__main__':
    if sys.argv[1:2] == ['disk']:
        found = {file.split('_')[0]: os.path.join(sys.argv[2], file) for file in os.listdir(sys.argv[2])
                 if file.endswith('.deb') and '-dbgsym' not in file}
        make_disk(found, sys.argv[3], sys.argv[4])
        sys.exit()
    sys.exit(main())
