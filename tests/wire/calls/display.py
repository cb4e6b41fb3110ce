# SPDX-License-Identifier: LGPL-2.1-or-later
"""What somebody before the guest's screen does: pictures, keys, viewers."""
import socket
import struct
import subprocess
import sys

from lib.case import Case, libvirt, proves

DEVICES = "<graphics type='vnc'/><graphics type='spice' autoport='yes'/><video><model type='vga'/></video>"
SECONDS = 10
VIEWER = """
import libvirt, socket, sys
domain = libvirt.open(sys.argv[1]).lookupByUUIDString(sys.argv[2])
viewer = socket.socket(fileno=domain.openGraphicsFD(0, libvirt.VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH))
viewer.settimeout(10)
sys.stdout.buffer.write(viewer.recv(12))
"""


class Displays(Case):
    def guest(self, devices=DEVICES):
        return self.start('screen', devices=devices)

    def picture(self, domain, screen=0):
        stream = self.conn.newStream()
        mime = domain.screenshot(stream, screen)
        data = b''
        while piece := stream.recv(65536):
            data += piece
        stream.finish()
        return mime, data

    @proves('domain_screenshot')
    def test_picture(self):
        mime, data = self.picture(self.guest())
        self.assertEqual(mime, 'image/png')
        self.assertEqual(data[:8], b'\x89PNG\r\n\x1a\n')
        self.assertIn(b'IEND', data[-12:])
        width, height = struct.unpack('>II', data[16:24])
        self.assertGreaterEqual((width, height), (640, 400))

    def test_no_such_screen(self):
        error = self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.picture, self.guest(), 1)
        self.assertIn('no such screen ID', error.get_error_message())

    def test_no_screen(self):
        error = self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.picture, self.guest(''))
        self.assertIn('no screens to take screenshot from', error.get_error_message())

    def test_many_pictures_at_once(self):
        domain = self.guest()
        streams = [self.conn.newStream() for _ in range(4)]
        for stream in streams:
            domain.screenshot(stream, 0)
        for stream in streams:
            self.assertEqual(stream.recv(8), b'\x89PNG\r\n\x1a\n')
            stream.abort()

    @proves('domain_send_key')
    def test_keys(self):
        domain = self.guest()
        for codeset, code in ((0, 30), (1, 30), (2, 30), (3, 28), (4, 28), (5, 0), (6, 30), (7, 4), (8, 65), (9, 30)):
            self.assertEqual(domain.sendKey(codeset, 10, [code], 1), 0)
        self.assertEqual(domain.sendKey(0, 0, [29, 56, 111], 3), 0)

    def test_no_such_key(self):
        domain = self.guest()
        error = self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.sendKey, 7, 0, [4, 1], 2)
        self.assertIn('cannot translate keycode 1 of usb codeset to qnum keycode', error.get_error_message())
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.sendKey, 10, 0, [30], 1)
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.define('off').sendKey, 0, 0, [3000], 1)

    @proves('domain_inject_nmi')
    def test_interrupt(self):
        self.assertEqual(self.guest().injectNMI(), 0)

    def direct(self, domain):
        """By a connection without the relay between: that passes no descriptors on."""
        connection = self.server.connect()
        self.addCleanup(connection.close)
        return connection.lookupByUUIDString(domain.UUIDString())

    def greeting(self, connection):
        connection.settimeout(SECONDS)
        return connection.recv(12)

    def test_viewer_brings_a_socket(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self.direct(self.guest()).openGraphics(0, theirs.fileno())
            theirs.close()
            self.assertEqual(self.greeting(ours), b'RFB 003.008\n')

    def test_viewer_is_given_a_socket(self):
        domain = self.guest()
        # a client with an event loop, as this one, cannot be relied on to get the descriptor: its socket does not block
        done = subprocess.run([sys.executable, '-c', VIEWER, self.server.uri, domain.UUIDString()], capture_output=True,
                              timeout=SECONDS * 3, check=False)
        self.assertEqual(done.stdout, b'RFB 003.008\n', done.stderr.decode())

    def test_viewer_of_spice(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self.direct(self.guest()).openGraphics(1, theirs.fileno())
            theirs.close()
            # a link message for the main channel, without any capabilities: the server answers with its own
            ours.sendall(b'REDQ' + struct.pack('<III', 2, 2, 18) + struct.pack('<IBBIII', 0, 1, 0, 0, 0, 18))
            self.assertEqual(self.greeting(ours)[:4], b'REDQ')

    def test_no_such_display(self):
        domain = self.guest()
        error = self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.openGraphicsFD, 2)
        self.assertIn('No graphics backend with index 2', error.get_error_message())

    def test_nothing_without_a_guest(self):
        domain = self.define('off', devices=DEVICES)
        for call in (lambda: domain.sendKey(0, 0, [30], 1), domain.injectNMI, lambda: domain.openGraphicsFD(0),
                     lambda: self.picture(domain)):
            self.refused(libvirt.VIR_ERR_OPERATION_INVALID, call)
