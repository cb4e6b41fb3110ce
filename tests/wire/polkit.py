#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sockets where polkit decides who gets in: a real bus, a real polkitd, rules of this test, users that are not root.

DUOVIRT_TARGET=libvirtd asks libvirtd the same."""
import os
import pwd
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from lib import server, tap, world  # noqa: E402

# The actions are ours, the rules this test's.
FOLDERS = ('/usr/share/polkit-1/actions', '/etc/polkit-1')
BUS = '/run/dbus/system_bus_socket'
RULES = '''
polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.libvirt.unix.") != 0)
        return polkit.Result.NOT_HANDLED;
    if (subject.user == "nobody")
        return polkit.Result.YES;
    if (subject.user == "games")
        return polkit.Result.NO;
    if (subject.user == "news")
        return polkit.Result.AUTH_ADMIN;
});
'''
CLIENT = '''
import libvirt, sys
libvirt.registerErrorHandler(lambda context, error: None, None)
try:
    conn = getattr(libvirt, sys.argv[1])(sys.argv[2])
    print("in", conn.getURI())
except libvirt.libvirtError as error:
    print(error.get_error_code(), error.get_error_domain(), error)
'''


def as_user(name, *argv):
    user = pwd.getpwnam(name)
    return ['setpriv', '--reuid', str(user.pw_uid), '--regid', str(user.pw_gid), '--clear-groups', *argv]


class Services:
    """The bus and polkitd, at their usual places, which world.enter() made private."""

    def __init__(self):
        for folder in FOLDERS:
            subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder], check=True)
        shutil.copy(os.path.join(server.SOURCE, 'daemon/data/org.duovirt.policy'), FOLDERS[0])
        os.mkdir('/etc/polkit-1/rules.d')
        with open('/etc/polkit-1/rules.d/10-test.rules', 'w') as f:
            f.write(RULES)
        self.bus = self.spawn('dbus-daemon', '--system', '--nofork', '--nopidfile')
        server.wait_until(lambda: os.path.exists(BUS), what='the bus')
        self.polkitd = self.spawn('/usr/lib/polkit-1/polkitd', '--no-debug')
        server.wait_until(self.polkit_owns_its_name, 30, 'polkitd on the bus')

    @staticmethod
    def spawn(*argv):
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @staticmethod
    def polkit_owns_its_name():
        said = subprocess.run(['dbus-send', '--system', '--print-reply', '--dest=org.freedesktop.DBus', '/',
                               'org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.PolicyKit1'],
                              capture_output=True, text=True)
        return 'boolean true' in said.stdout

    def end(self):
        """As if they had never been there."""
        for process in (self.polkitd, self.bus):
            process.kill()
            process.wait()
        os.unlink(BUS)
        for folder in FOLDERS:
            subprocess.run(['umount', folder], check=True)


def polkit_server():
    """The server under test, both sockets open to everybody and guarded by polkit."""
    if server.on_oracle():
        server.LIBVIRTD_CONF = server.LIBVIRTD_CONF.replace('"none"', '"polkit"').replace('0770', '0777')
        return server.Libvirtd()
    return server.Duovirtd(config='[daemon]\nauth_unix_rw = polkit\nauth_unix_ro = polkit\nsocket_mode = 0777\n')


class Guarded(unittest.TestCase):
    maxDiff = None

    services = server = None

    def ask(self, user, how='open'):
        uri = self.server.uri_read_only if how == 'openReadOnly' else self.server.uri
        argv = [sys.executable, '-c', CLIENT, how, uri]
        said = subprocess.run(as_user(user, *argv) if user else argv, capture_output=True, text=True, timeout=60)
        self.assertEqual(said.stderr, '')
        return said.stdout.strip()


class Answers(Guarded):
    def test_who_may_is_let_in(self):
        self.assertEqual(self.ask('nobody'), 'in ' + self.server.uri)
        self.assertTrue(self.ask('nobody', 'openReadOnly').startswith('in '))

    def test_who_may_not_is_told(self):
        for how in ('open', 'openReadOnly'):
            self.assertEqual(self.ask('games', how), '45 60 authentication failed: access denied by policy')

    def test_who_would_have_to_prove_it_and_cannot(self):
        self.assertEqual(self.ask('news'), '94 60 authentication unavailable: no polkit agent available to authenticate '
                                           "action 'org.libvirt.unix.manage'")
        self.assertEqual(self.ask('news', 'openReadOnly'), '94 60 authentication unavailable: no polkit agent available '
                                                           "to authenticate action 'org.libvirt.unix.monitor'")

    def test_what_the_action_itself_says(self):
        """No rule knows him: looking is free, managing is not."""
        self.assertTrue(self.ask('mail', 'openReadOnly').startswith('in '))
        self.assertTrue(self.ask('mail').startswith('94 60 '))


class Absence(Guarded):
    """The daemon outlives bus and polkitd, refuses meanwhile, and finds them again."""

    def test_root_is_never_asked(self):
        self.services.end()
        try:
            self.assertTrue(self.ask(None).startswith('in '))
        finally:
            Guarded.services = Services()

    def test_bus_is_gone_and_comes_back(self):
        self.assertTrue(self.ask('nobody').startswith('in '))
        self.services.end()
        try:
            said = self.ask('nobody')
            self.assertTrue(self.server.alive())
            self.assertRegex(said, '^(38|45) ')
        finally:
            Guarded.services = Services()
        self.assertTrue(self.ask('nobody').startswith('in '))

    def test_polkit_that_does_not_answer(self):
        """Who waits for it delays nobody, and when he leaves the question goes with him."""
        self.services.polkitd.send_signal(19)
        try:
            waiting = [subprocess.Popen(as_user('nobody', sys.executable, '-c', CLIENT, 'open', self.server.uri),
                                        stdout=subprocess.PIPE, text=True) for _ in range(12)]
            with self.server.connect() as conn:
                began = time.monotonic()
                self.assertEqual(conn.listAllDomains(), [])
                self.assertLess(time.monotonic() - began, 5)
            # eight of a user may wait; the others are refused at once
            refused = server.wait_until(lambda: [p for p in waiting if p.poll() is not None][3:], 20, 'four are refused')
            self.assertTrue(refused)
            for process in waiting:
                process.kill()
                said = process.communicate()[0]
                self.assertTrue(said == '' or 'wait for its answer already' in said, said)
        finally:
            self.services.polkitd.send_signal(18)
        self.assertTrue(self.ask('nobody').startswith('in '))


if __name__ == '__main__':
    world.enter()
    Guarded.services = Services()
    with polkit_server() as Guarded.server:
        outcome = tap.run()
    sys.exit(outcome.end())
