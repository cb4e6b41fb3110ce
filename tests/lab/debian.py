# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian roots and the package of this tree, for the tests that install it.

    tree(PACKAGES)      a folder with Debian 12 and PACKAGES, made by mmdebstrap once and kept (CACHE), never written to
    packages(FOLDER)    the .deb files of this tree, built into FOLDER
    newer(DEB, FOLDER)  the same package as a later version
    Root(TREE)          a private copy (an overlay in memory, or ON some disk) to run programs in
"""
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get('DUOVIRT_LAB_CACHE', '/var/cache/duovirt-lab')
BASE = ['systemd', 'systemd-sysv', 'dbus', 'dbus-user-session', 'libpam-systemd', 'login', 'passwd', 'kmod', 'procps', 'iproute2',
        'qemu-system-x86', 'qemu-utils', 'libvirt-clients', 'python3-libvirt', 'libjson-glib-1.0-0', 'libxml2', 'libglib2.0-0']


def skip(why):
    print('1..0 # SKIP ' + why)
    sys.exit(0)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip('no ' + program)


def run(*argv, **more):
    """The output of a program that must succeed."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode:
        raise AssertionError('%s: code %d\n%s' % (' '.join(argv), done.returncode, done.stdout[-6000:]))
    return done.stdout


def tree(packages):
    key = hashlib.sha256(' '.join(packages).encode()).hexdigest()[:16]
    path = os.path.join(CACHE, 'tree-' + key)
    os.makedirs(CACHE, exist_ok=True)
    with open(path + '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path + '/.complete'):
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)
            run('mmdebstrap', '--variant=minbase', '--include=' + ','.join(packages), 'bookworm', path)
            open(path + '/.complete', 'w').close()
    return path


def packages(folder):
    """Of what git knows, as it is in the work tree now."""
    source = os.path.join(folder, 'duovirt')
    os.mkdir(source)
    if os.path.exists(SOURCE + '/.git'):
        listed = subprocess.run(['git', '-C', SOURCE, '-c', 'safe.directory=*', 'ls-files', '-z'], stdout=subprocess.PIPE, check=True)
        subprocess.run(['tar', '-C', SOURCE, '--null', '--ignore-failed-read', '-T', '-', '-cf', source + '.tar'], input=listed.stdout,
                       check=True)
    else:
        subprocess.run(['tar', '-C', SOURCE, '--exclude=./build*', '-cf', source + '.tar', '.'], check=True)
    run('tar', '-C', source, '-xf', source + '.tar')
    run('dpkg-buildpackage', '-b', '-uc', '-us', cwd=source)
    found = [os.path.join(folder, file) for file in os.listdir(folder) if file.endswith('.deb') and '-dbgsym' not in file]
    return {os.path.basename(file).split('_')[0]: file for file in found}


def newer(deb, folder):
    inside = os.path.join(folder, 'newer')
    run('dpkg-deb', '-R', deb, inside)
    with open(inside + '/DEBIAN/control') as f:
        lines = ['Version: 9.0.0\n' if line.startswith('Version:') else line for line in f]
    with open(inside + '/DEBIAN/control', 'w') as f:
        f.writelines(lines)
    path = os.path.join(folder, 'newer.deb')
    run('dpkg-deb', '--root-owner-group', '-b', inside, path)
    return path


class Root:
    """To be used in a mount namespace of its own (world.enter(), or unshare)."""

    def __init__(self, lower, folder):
        self.path = os.path.join(folder, 'root')
        scratch = os.path.join(folder, 'scratch')
        os.mkdir(self.path)
        os.mkdir(scratch)
        run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'scratch', scratch)
        os.mkdir(scratch + '/up')
        os.mkdir(scratch + '/work')
        run('mount', '-t', 'overlay', '-o', 'lowerdir=%s,upperdir=%s/up,workdir=%s/work' % (lower, scratch, scratch), 'root', self.path)
        for name in ('proc', 'sys', 'dev'):
            run('mount', '--rbind', '/' + name, self.path + '/' + name)
        run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'run', self.path + '/run')
        self.write('/usr/sbin/policy-rc.d', '#!/bin/sh\nexit 101\n', 0o755)

    def write(self, path, text, mode=0o644):
        with open(self.path + path, 'w') as f:
            f.write(text)
        os.chmod(self.path + path, mode)

    def run(self, *argv):
        environment = dict(os.environ, LC_ALL='C', PATH='/usr/sbin:/usr/bin:/sbin:/bin', HOME='/root', DEBIAN_FRONTEND='noninteractive')
        return run('chroot', self.path, *argv, env=environment)

    def install(self, *debs):
        for deb in debs:
            shutil.copy(deb, self.path + '/tmp/')
        return self.run('dpkg', '-i', *['/tmp/' + os.path.basename(deb) for deb in debs])

    def files(self):
        """Everything there is, but for what changes by itself."""
        said = self.run('find', '/', '-xdev', '(', '-path', '/proc', '-o', '-path', '/tmp', '-o', '-path', '/var/log', '-o', '-path',
                        '/var/lib/dpkg', '-o', '-path', '/var/cache', '-o', '-path', '/run', ')', '-prune', '-o', '-print')
        return set(said.splitlines())

    def leave(self):
        for name in ('proc', 'sys', 'dev', 'run', ''):
            run('umount', '-R', '-l', self.path + '/' + name)
