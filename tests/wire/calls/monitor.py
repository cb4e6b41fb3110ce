# SPDX-License-Identifier: LGPL-2.1-or-later
"""The qemu program: a monitor's commands and its own events, as they are."""
import json
import os

import libvirt_qemu

from lib import guests
from lib.case import Case, libvirt, proves

HMP = libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP
REGEX = libvirt_qemu.VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX
NOCASE = libvirt_qemu.VIR_CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_NOCASE


class Monitor(Case):
    def ask(self, domain, text, flags=0):
        return json.loads(libvirt_qemu.qemuMonitorCommand(domain, text, flags))

    @proves('qemu.domain_monitor_command', 'domain_get_messages')
    def test_commands(self):
        domain = self.define('one')
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, self.ask, domain, '{"execute": "query-status"}')
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        self.assertEqual(domain.messages(), [])
        self.assertEqual(self.ask(domain, '{"execute": "query-status"}')['return']['running'], False)
        self.assertEqual(domain.messages(), ['tainted: custom monitor control commands issued'])
        self.assertEqual(domain.messages(libvirt.VIR_DOMAIN_MESSAGE_DEPRECATION), [])
        self.assertEqual(self.ask(domain, '{"execute": "nope"}')['error'],
                         {'class': 'CommandNotFound', 'desc': 'The command nope has not been found'})
        for text in ('[]', '""', '42'):
            self.assertEqual(self.ask(domain, text), {'error': {'class': 'GenericError', 'desc': 'QMP input must be a JSON object'}})
        self.assertEqual(self.ask(domain, '{}')['error']['desc'], "QMP input lacks member 'execute'")
        for text in ('query-status', '{"execute":', '{"execute": "query-status", "id": "mine"}'):
            self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, self.ask, domain, text)
        command = libvirt_qemu.qemuMonitorCommand
        self.assertEqual(command(domain, 'info status', HMP), 'VM status: paused (prelaunch)\r\n')
        self.assertEqual(command(domain, 'nope', HMP), "unknown command: 'nope'\r\n")
        self.assertEqual(command(domain, '', HMP), '')
        self.refused(libvirt.VIR_ERR_INVALID_ARG, command, domain, '{}', 2)
        domain.resume()
        self.assertEqual(self.ask(domain, '{"execute": "query-status"}')['return']['running'], True)
        domain.destroy()
        self.assertEqual(domain.messages(), [])

    def test_what_was_done_is_not_forgotten(self):
        """By the next daemon."""
        domain = self.start('one')
        self.ask(domain, '{"execute": "query-status"}')
        self.server.kill()
        self.server.start()
        conn = self.server.connect()
        self.assertEqual(conn.lookupByName('one').messages(), ['tainted: custom monitor control commands issued'])
        conn.close()

    def test_a_file_goes_along(self):
        self.start('one')
        conn = self.server.connect()  # not by the relay, which passes no descriptors
        domain = conn.lookupByName('one')
        send = libvirt_qemu.qemuMonitorCommandWithFiles
        fd = os.open('/dev/null', os.O_RDONLY)
        text, files = send(domain, '{"execute": "add-fd", "arguments": {"fdset-id": 7}}', [fd], 0)
        self.assertEqual((json.loads(text)['return']['fdset-id'], files), (7, []))
        text, files = send(domain, '{"execute": "query-fdsets"}', [], 0)
        self.assertIn(7, [one['fdset-id'] for one in json.loads(text)['return']])
        os.close(fd)
        conn.close()

    def listen(self, name=None, flags=0):
        heard = []
        number = libvirt_qemu.qemuMonitorEventRegister(
            self.conn, None, name, lambda conn, dom, event, seconds, micros, details, data: heard.append((dom.name(), event, details)), None, flags)
        return heard, number

    @proves('qemu.connect_domain_monitor_event_register', 'qemu.connect_domain_monitor_event_deregister', 'qemu.domain_monitor_event')
    def test_events(self):
        one, two = self.start('one'), self.start('two')
        everything, number = self.listen()
        right = [self.listen(*how)[0] for how in (('RESUME',), ('resume', NOCASE), ('R.*E', REGEX), ('r.*e$', REGEX | NOCASE), ('SUM', REGEX))]
        wrong = [self.listen(*how)[0] for how in (('resume',), ('R*',), ('SUM',), ('^SUM', REGEX))]
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.listen, '(', REGEX)
        self.assertEqual(self.refused(libvirt.VIR_ERR_INVALID_ARG, self.listen, 'RESUME', 4).get_error_domain(), libvirt.VIR_FROM_NONE)
        one.resume()
        two.resume()
        expected = [('one', 'RESUME', None), ('two', 'RESUME', None)]
        self.until(lambda: everything == expected and all(each == expected for each in right), what=lambda: (everything, right))
        self.assertEqual(wrong, [[]] * len(wrong))
        libvirt_qemu.qemuMonitorEventDeregister(self.conn, number)
        resets, _ = self.listen('RESET')
        one.reset()
        self.until(lambda: resets, what='the reset')
        self.assertEqual(json.loads(resets[0][2])['guest'], False)
        self.assertEqual(everything, expected)

    def test_who_may_only_look(self):
        self.start('one')
        looking = self.open_read_only()
        self.refused(libvirt.VIR_ERR_OPERATION_DENIED, libvirt_qemu.qemuMonitorEventRegister, looking, None, None, lambda *args: None, None, 0)
        self.refused(libvirt.VIR_ERR_OPERATION_DENIED, self.ask, looking.lookupByName('one'), '{}')
        looking.close()

    @proves('domain_get_messages')
    def test_what_a_definition_is_warned_of(self):
        own = "<qemu:commandline><qemu:arg value='-name'/><qemu:arg value='other'/></qemu:commandline>"
        xml = guests.tiny('one').replace("machine='q35'", "machine='pc-i440fx-1.4'").replace('</domain>', own + '</domain>')
        domain = self.conn.defineXML(xml.replace('<domain ', "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0' ", 1))
        self.assertEqual(domain.messages(), [])
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        libvirt_qemu.qemuMonitorCommand(domain, 'info version', 1)
        taints = ['tainted: custom configuration parameters specified', 'tainted: custom monitor control commands issued',
                  'tainted: use of deprecated configuration settings']
        old = ["deprecated configuration: machine type 'pc-i440fx-1.4'"]
        self.assertEqual(domain.messages(), taints + old)
        self.assertEqual(domain.messages(libvirt.VIR_DOMAIN_MESSAGE_TAINTING), taints)
        self.assertEqual(domain.messages(libvirt.VIR_DOMAIN_MESSAGE_DEPRECATION), old)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.messages, 4)
