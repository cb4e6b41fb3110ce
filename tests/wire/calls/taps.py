# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest's tap of a name that is taken, or was until a moment ago."""
import fcntl
import os
import struct
import threading

from lib.case import Case, guests, libvirt

TAP = "<interface type='ethernet'><target dev='t-taken'/><model type='virtio'/></interface>"
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 2, 0x1000


class Taps(Case):
    def setUp(self):
        super().setUp()
        self.tap = os.open('/dev/net/tun', os.O_RDWR)
        fcntl.ioctl(self.tap, TUNSETIFF, struct.pack('16sH22x', b't-taken', IFF_TAP | IFF_NO_PI))
        self.addCleanup(self.release)

    def release(self):
        if self.tap >= 0:
            os.close(self.tap)
        self.tap = -1

    def create(self):
        return self.conn.createXML(guests.tiny('one', devices=TAP), libvirt.VIR_DOMAIN_START_PAUSED)

    def test_of_somebody(self):
        error = self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.create)
        self.assertIn('The t-taken interface already exists', str(error))

    def test_about_to_go(self):
        """The last to have it may end after the guest whose it was."""
        timer = threading.Timer(0.2, self.release)
        timer.start()
        self.addCleanup(timer.join)
        self.create().destroy()
