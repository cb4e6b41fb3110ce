#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Linux guest with Debian's qemu-guest-agent: every call that goes through it, and what happens when it does not answer.

    agent.py [PART OF A TEST'S NAME ...]

DUOVIRT_TARGET=libvirtd runs the same on Debian's libvirtd.
"""
import json
import os
import sys
import threading
import time

import libvirt_qemu

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from guest.boot import BOOT, RUNNING, Guest  # noqa: E402
from lib import guests, server  # noqa: E402
from lib.case import libvirt, main, proves  # noqa: E402

CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
DISK = """<disk type='file' device='disk'><driver name='qemu' type='raw' discard='unmap'/><source file='%s'/>
    <target dev='vda' bus='virtio'/><serial>abc</serial></disk>"""
NIC = "<interface type='user'><mac address='52:54:00:aa:00:02'/><model type='virtio'/></interface>"
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGzsrXbnTQvZ8rVZ5oUyGHOyWyBA+rBnOIPZNwM1E9wE me@here'
CONNECTED = (libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED, libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL)
LEFT = (libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED, libvirt.VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL)


class Agent(Guest):
    def setUp(self):
        super().setUp()
        self.heard = []
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                                         lambda conn, domain, state, reason, data: self.heard.append((state, reason)), None)

    def boot_agent(self, devices=''):
        domain, console = self.boot(devices=CHANNEL + devices, initrd='agent', vcpus=2)
        self.until(lambda: CONNECTED in self.heard, BOOT, 'the agent')
        return domain, console

    def ask(self, domain, command, timeout=-1, **arguments):
        message = {'execute': command, 'arguments': arguments} if arguments else {'execute': command}
        return json.loads(libvirt_qemu.qemuAgentCommand(domain, json.dumps(message), timeout, 0))

    def unresponsive(self, text, call, *args):
        error = self.refused(libvirt.VIR_ERR_AGENT_UNRESPONSIVE, call, *args)
        self.assertEqual(error.get_error_message(), 'Guest agent is not responding: ' + text)

    @proves('qemu.domain_agent_command', 'domain_interface_addresses', 'domain_get_hostname', 'domain_get_guest_info', 'domain_get_time',
            'domain_set_time', 'domain_get_fsinfo', 'domain_fsfreeze', 'domain_fsthaw', 'domain_fstrim', 'domain_set_user_password',
            'domain_authorized_ssh_keys_get', 'domain_authorized_ssh_keys_set', 'domain_get_guest_vcpus', 'domain_set_guest_vcpus')
    def test_what_the_agent_is_asked(self):
        domain, console = self.boot_agent(DISK % guests.image('agent.img', '64M') + NIC)
        console.ask('modprobe -a crc32c_generic ext4; mke2fs /dev/vda >/dev/null 2>&1; mkdir -p /mnt; mount -t ext2 /dev/vda /mnt; ip addr add 10.0.2.15/24 dev eth0; '
                    'hostname small; echo m-done', 'm-done\r', 60)
        self.assertEqual(self.heard, [(2, 1), CONNECTED])
        self.commands(domain)
        self.guest_itself(domain)
        self.network(domain)
        self.disks(domain)
        self.users(domain, console)
        self.processors(domain)

    def commands(self, domain):
        self.assertEqual(self.ask(domain, 'guest-ping'), {'return': {}})
        self.assertEqual(self.ask(domain, 'guest-ping', libvirt_qemu.VIR_DOMAIN_QEMU_AGENT_COMMAND_BLOCK), {'return': {}})
        self.unresponsive('Guest agent not available for now', self.ask, domain, 'guest-ping', 0)
        for timeout, command, code, text in (
                (-3, '{}', libvirt.VIR_ERR_INVALID_ARG, "invalid argument: guest agent timeout '-3' is less than the minimum '-2'"),
                (3, '[]', libvirt.VIR_ERR_INTERNAL_ERROR, "internal error: unable to execute QEMU agent command '<unknown>': QMP input must be a JSON object"),
                (3, '{"execute": "guest-none"}', libvirt.VIR_ERR_INTERNAL_ERROR,
                 "internal error: unable to execute QEMU agent command 'guest-none': The command guest-none has not been found")):
            error = self.refused(code, libvirt_qemu.qemuAgentCommand, domain, command, timeout, 0)
            self.assertEqual((error.get_error_message(), error.get_error_domain()), (text, libvirt.VIR_FROM_QEMU))
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, libvirt_qemu.qemuAgentCommand, domain, 'guest-ping', 3, 0)

    def guest_itself(self, domain):
        self.assertEqual(domain.hostname(libvirt.VIR_DOMAIN_GET_HOSTNAME_AGENT), 'small')
        self.assertEqual(domain.hostname(), 'small')
        self.refused(libvirt.VIR_ERR_NO_HOSTNAME, domain.hostname, libvirt.VIR_DOMAIN_GET_HOSTNAME_LEASE)
        info = domain.guestInfo(0)
        self.assertEqual({name: info[name] for name in ('os.id', 'os.pretty-name', 'os.machine', 'timezone.name', 'timezone.offset', 'hostname',
                                                        'user.count', 'disk.count', 'disk.0.name', 'disk.0.partition', 'disk.0.alias')},
                         {'os.id': 'small', 'os.pretty-name': 'Small guest 1', 'os.machine': 'x86_64', 'timezone.name': 'UTC', 'timezone.offset': 0,
                          'hostname': 'small', 'user.count': 0, 'disk.count': 1, 'disk.0.name': '/dev/vda', 'disk.0.partition': False,
                          'disk.0.alias': 'vda'})
        file_systems = [info['fs.%d.mountpoint' % i] for i in range(info['fs.count'])]
        number = file_systems.index('/mnt')
        self.assertEqual((info['fs.%d.fstype' % number], info['fs.%d.disk.0.alias' % number]), ('ext2', 'vda'))
        self.assertGreater(info['fs.%d.total-bytes' % number], 1 << 20)
        self.assertEqual(domain.guestInfo(libvirt.VIR_DOMAIN_GUEST_INFO_HOSTNAME), {'hostname': 'small'})
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.guestInfo, 1 << 20)
        domain.setTime({'seconds': 1700000000, 'nseconds': 5})
        self.assertIn(domain.getTime()['seconds'], range(1700000000, 1700000060))
        domain.setTime(None, libvirt.VIR_DOMAIN_TIME_SYNC)

    def network(self, domain):
        found = domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
        self.assertEqual(found['eth0']['hwaddr'], '52:54:00:aa:00:02')
        self.assertIn({'addr': '10.0.2.15', 'prefix': 24, 'type': libvirt.VIR_IP_ADDR_TYPE_IPV4}, found['eth0']['addrs'])
        self.assertIn('lo', found)
        self.assertEqual(domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE), {})
        self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, domain.interfaceAddresses, 7)

    def disks(self, domain):
        mounted = {one[0]: one for one in domain.fsInfo()}
        self.assertEqual(tuple(mounted['/mnt'][2:]), ('ext2', ['vda']))
        self.assertEqual(domain.fsFreeze(['/mnt']), 1)
        self.assertEqual(self.ask(domain, 'guest-fsfreeze-status'), {'return': 'frozen'})
        self.assertEqual(domain.fsThaw(), 1)
        self.assertEqual((domain.fsFreeze(), domain.fsThaw()), (1, 1))
        domain.fSTrim(None, 0)
        self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, domain.fSTrim, '/mnt', 0)
        self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, domain.fsThaw, ['/mnt'])

    def users(self, domain, console):
        domain.setUserPassword('root', 'geheim')
        console.ask('cat /run/passwords', 'root:geheim')
        domain.setUserPassword('root', '$6$xx', libvirt.VIR_DOMAIN_PASSWORD_ENCRYPTED)
        console.ask('cat /run/passwords', r'root:\$6\$xx')
        other, append, remove = KEY + '2', libvirt.VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND, libvirt.VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE
        for keys, flags, now in (([KEY], 0, {KEY}), ([other], append, {KEY, other}), ([KEY], remove, {other}), ([KEY], 0, {KEY}), ([], 0, set())):
            domain.authorizedSSHKeysSet('guest', keys, flags)
            self.assertEqual(set(domain.authorizedSSHKeysGet('guest')), now)
        self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.authorizedSSHKeysGet, 'nobodyhere')
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.authorizedSSHKeysSet, 'guest', [], append)

    def processors(self, domain):
        guest, maximum = libvirt.VIR_DOMAIN_VCPU_GUEST, libvirt.VIR_DOMAIN_VCPU_MAXIMUM
        self.assertEqual(domain.guestVcpus(), {'vcpus': '0-1', 'online': '0-1', 'offlinable': '1'})
        domain.setGuestVcpus('1', 0)
        self.assertEqual(domain.guestVcpus()['online'], '0')
        self.assertEqual((domain.vcpusFlags(guest), domain.vcpusFlags(guest | maximum)), (1, 2))
        domain.setVcpusFlags(2, guest)
        self.assertEqual(domain.vcpusFlags(guest), 2)
        domain.setVcpusFlags(1, guest | libvirt.VIR_DOMAIN_AFFECT_LIVE)
        self.assertEqual(domain.vcpusFlags(guest), 1)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.setVcpusFlags, 9, guest)
        for cpus, state, code, text in (('0', 0, libvirt.VIR_ERR_OPERATION_UNSUPPORTED, "vCPU '0' is not offlinable"),
                                        ('9', 1, libvirt.VIR_ERR_INVALID_ARG, "guest is missing vCPUs '9'"),
                                        ('x', 1, libvirt.VIR_ERR_INVALID_ARG, "Failed to parse bitmap 'x'"),
                                        ('1', 2, libvirt.VIR_ERR_INVALID_ARG, 'unsupported state value')):
            self.assertIn(text, self.refused(code, domain.setGuestVcpus, cpus, state).get_error_message())

    @proves('domain_agent_set_response_timeout')
    def test_an_agent_that_does_not_answer(self):
        domain, console = self.boot_agent()
        console.ask('kill -STOP $(pidof qemu-ga); echo s-done', 's-done\r')
        late = 'Guest agent not available for now'
        waiting = threading.Thread(target=self.unresponsive, args=(late, self.open().lookupByName('linux').getTime))
        waiting.start()
        began = time.monotonic()
        domain.suspend()
        domain.resume()
        domain.XMLDesc()
        domain.memoryStats()
        if not server.on_oracle():
            self.assertLess(time.monotonic() - began, 3)
        waiting.join()
        domain.agentSetResponseTimeout(1)
        began = time.monotonic()
        self.unresponsive(late, domain.fsInfo)
        self.assertLess(time.monotonic() - began, 4)
        console.ask('kill -CONT $(pidof qemu-ga); echo s-done', 's-done\r')
        domain.agentSetResponseTimeout(libvirt.VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK)
        self.assertEqual(self.ask(domain, 'guest-ping'), {'return': {}})  # whatever it has answered meanwhile
        self.assertIn('seconds', domain.getTime())
        self.heard.clear()
        console.ask('mv /bin/agent /bin/agent2; kill -9 $(pidof qemu-ga); echo s-done', 's-done\r')
        self.until(lambda: LEFT in self.heard, 20, 'its end')
        self.unresponsive('QEMU guest agent is not connected', domain.getTime)
        console.ask('sleep 2; (/bin/agent2 >/dev/null 2>&1 &); echo s-done', 's-done\r')
        self.until(lambda: CONNECTED in self.heard, 20, 'its return')
        self.assertIn('seconds', domain.getTime())
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.agentSetResponseTimeout, -3)

    @proves('domain_shutdown_flags', 'domain_pm_suspend_for_duration', 'domain_pm_wakeup')
    def test_sleep_restart_of_the_daemon_and_shutdown(self):
        domain, console = self.boot_agent()
        console.close()
        self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, domain.pMSuspendForDuration, 0, 5)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.pMSuspendForDuration, 7, 0)
        self.assertIn('seconds', domain.getTime())
        self.conn.close()
        self.server.kill()
        self.server.start()
        self.conn = self.open()
        domain = self.conn.lookupByName('linux')
        self.until(lambda: "state='connected'" in domain.XMLDesc(), 10, 'the channel')
        self.assertIn('seconds', domain.getTime())
        domain.suspend()
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.getTime)
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.shutdownFlags, libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)
        domain.resume()
        domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)
        self.off(domain)
        self.assertEqual(domain.state()[1], libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)
        domain.create()
        self.until(lambda: "state='connected'" in domain.XMLDesc(), BOOT, 'the channel')
        domain.pMSuspendForDuration(libvirt.VIR_NODE_SUSPEND_TARGET_MEM, 0)
        self.until(lambda: domain.state()[0] == libvirt.VIR_DOMAIN_PMSUSPENDED, 20, domain.state)
        domain.pMWakeup()
        self.until(lambda: domain.state() == [RUNNING, libvirt.VIR_DOMAIN_RUNNING_WAKEUP], 20, domain.state)

    def test_no_agent(self):
        agent, both = libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT, libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT | libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN
        domain = self.start('none', flags=0)
        for call in (domain.getTime, domain.fsInfo, domain.hostname, lambda: domain.shutdownFlags(agent), lambda: domain.reboot(agent),
                     lambda: domain.vcpusFlags(libvirt.VIR_DOMAIN_VCPU_GUEST), lambda: self.ask(domain, 'guest-ping')):
            error = self.refused(libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, call)
            self.assertEqual(error.get_error_message(), 'argument unsupported: QEMU guest agent is not configured')
        domain.shutdownFlags(both)
        domain.destroy()
        domain = self.start('silent', flags=0, devices=CHANNEL)
        for call in (domain.getTime, lambda: domain.shutdownFlags(agent), lambda: self.ask(domain, 'guest-ping')):
            self.unresponsive('QEMU guest agent is not connected', call)
        error = self.refused(libvirt.VIR_ERR_INTERNAL_ERROR, domain.pMWakeup)
        self.assertIn('guest is not in suspended state', error.get_error_message())
        domain.destroy()
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.getTime)
        domain.agentSetResponseTimeout(5)


if __name__ == '__main__':
    main('guest/agent')
