# SPDX-License-Identifier: LGPL-2.1-or-later
"""Consoles through streams: who may have one, and what takes it away. What a guest says there: tests/guest/boot.py."""
from lib.case import Case, libvirt, proves

SAFE, FORCE = libvirt.VIR_DOMAIN_CONSOLE_SAFE, libvirt.VIR_DOMAIN_CONSOLE_FORCE


class Consoles(Case):
    def guest(self):
        return self.start('one', devices="<serial type='pty'/><console type='pty'/><channel type='unix'><target type='virtio' name='test.0'/></channel>")

    def open_console(self, domain, flags=0, device=None):
        stream = self.conn.newStream(libvirt.VIR_STREAM_NONBLOCK)
        domain.openConsole(device, stream, flags)
        return stream

    @proves('domain_open_console')
    def test_open(self):
        domain = self.guest()
        stream = self.open_console(domain)
        self.assertEqual(stream.recv(100), -2)
        self.assertEqual(stream.send(b'hello'), 5)
        stream.finish()

    def test_by_alias_and_by_unknown_alias(self):
        domain = self.guest()
        self.open_console(domain, device='serial0').abort()
        self.open_console(domain, device='console0').abort()
        with self.assertRaises(libvirt.libvirtError):
            self.open_console(domain, device='serial9')

    def test_a_channel_by_name_and_by_alias(self):
        port = "<channel type='{}'><target type='virtio' name='{}'/></channel>".format
        domain = self.start('one', devices=port('pty', 'channel1') + port('unix', 'channel0') + port('unix', 'other'))
        for name, words in ((None, 'channel channel0 is not using a UNIX socket'), ('channel0', 'channel channel0 is not using a UNIX socket'),
                            ('channel1', 'channel channel1 is not using a UNIX socket'), ('nobody', 'cannot find channel nobody')):
            self.assertIn(words, str(self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.openChannel, name, self.conn.newStream(), 0)))
        for name in ('other', 'channel2'):
            stream = self.conn.newStream()
            domain.openChannel(name, stream, 0)
            stream.abort()

    def test_a_console_that_is_no_terminal(self):
        domain = self.start('one', devices="<serial type='file'><source path='/tmp/.world/console-file'/></serial>")
        for name, said in ((None, 'console0'), ('serial0', 'serial0'), ('console0', 'console0')):
            error = self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.open_console, domain, device=name)
            self.assertIn('character device %s is not using a PTY' % said, str(error))

    def test_one_at_a_time_unless_forced(self):
        domain = self.guest()
        first = self.open_console(domain, SAFE)
        error = self.refused(libvirt.VIR_ERR_OPERATION_FAILED, self.open_console, domain)
        self.assertIn('Active console session exists', error.get_error_message())
        second = self.open_console(domain, FORCE)
        self.until(lambda: self.ended(first), what='the first console to be taken away')
        second.abort()
        self.open_console(domain, SAFE).abort()

    def ended(self, stream):
        """Reads what is there; true once the other side has closed or broken the stream."""
        try:
            data = stream.recv(1024)
        except libvirt.libvirtError:
            return True
        return data in (b'', '') or data == 0

    def test_a_console_ends_with_its_guest(self):
        domain = self.guest()
        stream = self.open_console(domain)
        domain.destroy()
        self.until(lambda: self.ended(stream), what='the end of the stream')

    def test_a_client_that_leaves_frees_the_console(self):
        domain = self.guest()
        other = self.open()
        stream = other.newStream(libvirt.VIR_STREAM_NONBLOCK)
        other.lookupByName('one').openConsole(None, stream, SAFE)
        del stream
        other.close()
        self.until(lambda: self.try_open(domain), what='the console to be free')

    def try_open(self, domain):
        try:
            self.open_console(domain, SAFE).abort()
            return True
        except libvirt.libvirtError:
            return False

    @proves('domain_open_channel')
    def test_channel(self):
        domain = self.guest()
        stream = self.conn.newStream(libvirt.VIR_STREAM_NONBLOCK)
        domain.openChannel('test.0', stream, 0)
        stream.abort()

    def test_no_console_without_a_guest_or_a_device(self):
        domain = self.define('off')
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.open_console, domain)
        bare = self.start('bare')
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.open_console, bare)
