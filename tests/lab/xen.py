#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Xen driver on a real Xen: our daemon in dom0, stock clients beside it.

    xen.py [PART OF A TEST'S NAME ...]      in a lab machine (machine.py)
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import machine  # noqa: E402

if __name__ == '__main__':
    machine.run(__file__, xen=True)

from lib.server import wait_until  # noqa: E402

BIN = '/usr/lib/xen-4.17/bin/'
SLOW = 120  # seconds


def run(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def begin_xen():
    """What an init script does in a dom0."""
    for folder in ('/run/xenstored', '/run/xen', '/var/lib/xenstored', '/var/log/xen/console', '/var/lib/xen'):
        os.makedirs(folder, exist_ok=True)
    subprocess.run([BIN + 'oxenstored', '--pid-file', '/run/xenstored.pid'], check=True, stdin=subprocess.DEVNULL)
    wait_until(lambda: run('xenstore-read', '/').returncode == 0, SLOW, 'xenstored')
    subprocess.run([BIN + 'xen-init-dom0'], check=True, stdin=subprocess.DEVNULL)
    subprocess.run([BIN + 'xenconsoled', '--pid-file=/run/xenconsoled.pid', '--log=all', '--log-dir=/var/log/xen/console'], check=True, stdin=subprocess.DEVNULL)


if __name__ == '__main__':
    begin_xen()
    print(run('xl', 'info').stdout)
    print(run('xl', 'list').stdout)
