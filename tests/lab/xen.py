#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Xen driver on a real Xen: our daemon in dom0, stock clients beside it. The cases are in dom0/, by topic.

    xen.py [PART OF A TEST'S NAME ...]  in a lab machine (machine.py). DUOVIRT_TARGET=libvirtd: the same with Debian's libvirtd
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import machine  # noqa: E402

if __name__ == '__main__':
    machine.run(__file__, xen=True)

from dom0 import case  # noqa: E402
from dom0.devices import Devices  # noqa: E402,F401
from dom0.ends import Ends  # noqa: E402,F401
from dom0.faults import Faults  # noqa: E402,F401
from dom0.hvm import Hvm  # noqa: E402,F401
from dom0.killed import Killed  # noqa: E402,F401
from dom0.life import Life  # noqa: E402,F401
from dom0.native import Native  # noqa: E402,F401
from dom0.procedures import Procedures  # noqa: E402,F401
from dom0.saved import Saved  # noqa: E402,F401
from dom0.size import Size  # noqa: E402,F401
from lib import server, tap, world  # noqa: E402
from lib.case import Loop  # noqa: E402

if __name__ == '__main__':
    os.makedirs(world.SCRATCH, exist_ok=True)
    case.begin_xen()
    Loop.start()
    with case.Oracle() if server.on_oracle() else case.Daemon() as case.xen.daemon:
        code = tap.run().end()
        if code:
            for text in (case.xen.daemon.tail(), *case.device_model_logs()):
                print('# ' + text.replace('\n', '\n# '))
        sys.exit(code)
