# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is logged for a call says for which domain and which request: as the journal gets it, and on standard error."""
import os
import re
import socket
import unittest

from lib.case import Case, guests, libvirt, server, world

JOURNAL = '/run/systemd/journal'
BROKEN = "<disk type='file'><driver name='qemu' type='raw'/><source file='/nonexistent'/><target dev='vda' bus='virtio'/></disk>"


class Journalling(server.Duovirtd):
    """Its standard error is what the journal has connected it to, as far as it can see."""

    def environment(self):
        log = os.fstat(self.log.fileno())
        return dict(super().environment(), JOURNAL_STREAM='%d:%d' % (log.st_dev, log.st_ino))

    def command(self):
        return super().command() + ['--verbose']


class Verbose(server.Duovirtd):
    def command(self):
        return super().command() + ['--verbose']


@unittest.skipIf(server.on_oracle(), 'ours')
class LogLines(Case):
    def serve(self, daemon):
        """Calls of every lane, with and without success, each about the domain 'one'."""
        self.addCleanup(daemon.close)
        with daemon.start().connect() as conn:
            domain = conn.defineXML(guests.tiny('one', devices='<nonsense/>' + BROKEN))
            for call in (domain.create, domain.suspend, domain.destroy, domain.memoryStats, domain.vcpus,
                         lambda: domain.screenshot(conn.newStream(), 0), lambda: domain.rename('one'),
                         lambda: conn.createXML(guests.tiny('one', devices=BROKEN)),
                         lambda: conn.defineXML(guests.tiny('one', head='<title>a\nb</title>')),
                         lambda: domain.setMemory(1 << 40)):
                try:
                    call()
                except libvirt.libvirtError:
                    pass
            domain.undefine()

    def check(self, lines):
        """[(text, domain, request)]"""
        told = [line for line in lines if line[2]]
        self.assertGreater(len(told), 8, lines)
        for text, domain, request in told:
            self.assertRegex(request, r'^\d+\.\d+$', text)
            early = 'domain_define_xml' in text  # the document is wrong: it has no domain yet
            self.assertEqual(domain, None if early else 'one', text)
        for word in ('nonsense', 'domain_create_xml', '/nonexistent', 'domain_suspend', 'domain_rename'):
            self.assertTrue(any(word in line[0] for line in told), (word, told))
        for text, _, request in lines:
            self.assertTrue(request or re.search('connection|driver|ready|stopping|QEMU|emulator', text), text)

    def test_journal(self):
        os.makedirs(JOURNAL, exist_ok=True)
        world.run('mount', '-t', 'tmpfs', 'tmpfs', JOURNAL)
        self.addCleanup(world.run, 'umount', JOURNAL)
        lines = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
            journal.bind(JOURNAL + '/socket')
            journal.settimeout(0.5)
            import threading
            thread = threading.Thread(target=self.receive, args=[journal, lines])
            thread.start()
            self.serve(Journalling())
            thread.join()
        self.check(lines)
        self.assertTrue(all(fields['SYSLOG_IDENTIFIER'] == 'duovirtd' for fields in self.fields))

    def receive(self, journal, lines):
        self.fields = []
        quiet = 0
        while quiet < 6:
            try:
                record = journal.recv(65536).decode()
            except TimeoutError:
                quiet += 1
                continue
            quiet = 0
            fields = dict(line.split('=', 1) for line in record.splitlines())
            self.fields.append(fields)
            lines.append((fields['MESSAGE'], fields.get('DUOVIRT_DOMAIN'), fields.get('DUOVIRT_REQUEST')))

    def test_standard_error(self):
        daemon = Verbose()
        self.serve(daemon)
        form = re.compile(r'\S+ \S+ \w+: (?:\[(?P<domain>[^]]*)\] )?(?:\((?P<request>[\d.]+)\) )?(?P<text>.*)')
        found = [form.match(line) for line in daemon.tail(1000).splitlines()]
        self.check([(one['text'], one['domain'], one['request']) for one in found if one])
