# SPDX-License-Identifier: LGPL-2.1-or-later
"""A definition as the command that would start its guest."""
import os
import re
import shlex
import signal
import subprocess

from lib import guests
from lib.case import Case, libvirt, proves
from lib.virsh import virsh

FORMAT = 'qemu-argv'
QUOTED = "it's $x \"a\" \\ `b`"
INVALID, NO_SUPPORT, XML_DETAIL = libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_XML_DETAIL


def words(command):
    """(environment, arguments)"""
    all_words = shlex.split(command)
    first = next(i for i, word in enumerate(all_words) if word.startswith('/'))
    return dict(word.split('=', 1) for word in all_words[:first]), all_words[first:]


def plain(arguments, home):
    """Without what differs between a command and a process that was started: the monitor's place, a run's number."""
    arguments = [re.sub(r'domain-(-1|\d+)-', 'domain-N-', word.replace(home, 'HOME')) for word in arguments]
    return [re.sub(r'(id=charmonitor),(fd|path)=[^,]*', r'\1', word) for word in arguments]


def without_key(arguments):
    """Without the key of the run, which a command of ours has not."""
    keys = [at for at, word in enumerate(arguments) if 'masterKey0' in word]
    return [word for at, word in enumerate(arguments) if at not in keys and at + 1 not in keys]


class Native(Case):
    def native(self, xml, flags=0):
        return self.conn.domainXMLToNative(FORMAT, xml, flags)

    @proves('connect_domain_xml_to_native')
    def test_the_command_is_that_of_a_start(self):
        disk = f"<disk type='file'><driver name='qemu' type='raw'/><source file='{guests.image('native.img')}'/><target dev='vda'/></disk>"
        domain = self.define('native', devices=disk)
        environment, arguments = words(self.native(domain.XMLDesc()))
        self.assertEqual(list(environment), ['LC_ALL', 'PATH', 'HOME', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME'])
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        with open(self.server.guest_log('native')) as log:
            line = log.read().replace('\\\n', ' ')
        home, started = words(line[line.index('LC_ALL='):])
        ours, theirs = without_key(plain(arguments, environment['HOME'])), without_key(plain(started, home['HOME']))
        self.assertEqual(ours, theirs[:len(ours)])

    def test_the_command_runs(self):
        command = self.native(guests.linux('runs', devices="<graphics type='vnc' autoport='yes'/>").replace('quiet', QUOTED))
        environment, arguments = words(command)
        self.assertIn('console=ttyS0 %s mitigations=off panic=-1' % QUOTED, arguments)
        os.makedirs(environment['HOME'])
        with open(environment['HOME'] + '/master-key.aes', 'wb') as key:
            key.write(os.urandom(32))
        process = subprocess.Popen(['sh', '-c', 'exec env ' + command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            self.until(lambda: os.path.exists(environment['HOME'] + '/monitor.sock'), 30, 'the monitor of what was run by hand')
            self.assertIsNone(process.poll())
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def test_nothing_is_taken_of_the_host(self):
        disk = "<disk type='file'><driver name='qemu' type='qcow2'/><source file='/nonexistent.img'/><target dev='vda'/></disk>"
        tap = "<interface type='bridge'><source bridge='nobridge0'/><target dev='nativetap0'/></interface>"
        _, arguments = words(self.native(guests.tiny('one', devices=disk + tap)))
        self.assertTrue(any('"filename":"/nonexistent.img"' in word for word in arguments))
        self.assertFalse(os.path.exists('/sys/class/net/nativetap0'))
        self.assertEqual(self.names(), [])

    def test_what_is_refused(self):
        xml = guests.tiny('one')
        self.assertIn('unsupported config type xen-xm', str(self.refused(INVALID, self.conn.domainXMLToNative, 'xen-xm', '<domain', 0)))
        self.refused(INVALID, self.conn.domainXMLToNative, '', xml, 0)
        self.refused(INVALID, self.native, xml, 1)
        self.refused(XML_DETAIL, self.native, '<domain')
        error = self.refused(libvirt.VIR_ERR_SYSTEM_ERROR, self.native, xml.replace('qemu-system-x86_64', 'qemu-none'))
        self.assertIn('Cannot check QEMU binary /usr/bin/qemu-none', str(error))
        for form in (FORMAT, 'nonsense'):
            self.refused(NO_SUPPORT, self.conn.domainXMLFromNative, form, '/usr/bin/qemu-system-x86_64', 0)
        self.refused(libvirt.VIR_ERR_OPERATION_DENIED, self.open_read_only().domainXMLToNative, FORMAT, xml, 0)

    def test_virsh_says_it_of_a_domain(self):
        domain = self.define('one')
        text, code = virsh(self.uri, 'domxml-to-native', FORMAT, '--domain', 'one')
        self.assertEqual((text.strip(), code), (self.native(domain.XMLDesc()).strip(), 0))
        text, code = virsh(self.uri, 'domxml-from-native', FORMAT, '/dev/null')
        self.assertEqual(code, 1)
        self.assertIn('this function is not supported by the connection driver: virConnectDomainXMLFromNative', text)
