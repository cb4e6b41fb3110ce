# SPDX-License-Identifier: LGPL-2.1-or-later
"""A root of its own for a test that makes files anywhere: what it writes is gone with it, the host's files are beneath."""
import os
import stat

from .world import SCRATCH, run

DEVICES = ('null', 'zero', 'full', 'random', 'urandom', 'tty', 'kvm', 'loop-control')
LOOPS = 64


def furnish_devices(folder):
    run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder)
    for name in DEVICES:
        if os.path.exists('/dev/' + name):
            found = os.stat('/dev/' + name)
            os.mknod(f'{folder}/{name}', 0o666 | stat.S_IFMT(found.st_mode), found.st_rdev)
            os.chmod(f'{folder}/{name}', 0o666)
    for number in range(LOOPS):
        os.mknod(f'{folder}/loop{number}', 0o660 | stat.S_IFBLK, os.makedev(7, number))
    for name in ('pts', 'shm'):
        os.mkdir(f'{folder}/{name}')
    run('mount', '-t', 'devpts', '-o', 'newinstance,ptmxmode=0666,mode=0620,gid=5', 'devpts', folder + '/pts')
    run('mount', '-t', 'tmpfs', 'tmpfs', folder + '/shm')
    os.symlink('pts/ptmx', folder + '/ptmx')
    os.symlink('/proc/self/fd', folder + '/fd')


def enter():
    """From now on the calling program, in its private world, has such a root."""
    base = SCRATCH + '/overlay'
    os.mkdir(base)
    run('mount', '-t', 'tmpfs', 'tmpfs', base)
    upper, work, root = (f'{base}/{name}' for name in ('upper', 'work', 'root'))
    for folder in (upper, work, root):
        os.mkdir(folder)
    with open('/proc/self/mountinfo', encoding='ascii') as file:
        mounts = [line.split()[4] for line in file]
    run('mount', '-t', 'overlay', 'overlay', '-o', f'lowerdir=/,upperdir={upper},workdir={work}', root)
    for mount in mounts:
        if mount != '/' and not mount.startswith((base, '/dev')) and os.path.exists(root + mount):
            run('mount', '--bind', mount, root + mount)
    furnish_devices(root + '/dev')
    os.chroot(root)
    os.chdir('/')
