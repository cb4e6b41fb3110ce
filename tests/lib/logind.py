# SPDX-License-Identifier: LGPL-2.1-or-later
"""A system bus with a logind of ours on it, at the place where world.enter() made room: what the host's shutdown looks like
to a daemon, without a host that goes down.

    logind.py serve      the service itself; it takes words on its standard input and answers each with a line:
                         going | staying (PrepareForShutdown) | state (who holds an inhibitor, or made the host sleep)
"""
import os
import select
import subprocess
import sys
import threading

CAN = {'CanSuspend': 'yes', 'CanHibernate': 'na', 'CanHybridSleep': 'challenge'}
BUS = '/run/dbus/system_bus_socket'
CONFIG = '/run/dbus/test.conf'
POLICY = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=%s</listen><servicedir>/run/dbus</servicedir>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>''' % BUS
SERVICE = '/run/dbus/org.freedesktop.login1.service'  # libvirtd asks only whom the bus could start
INTERFACE = '''<node><interface name="org.freedesktop.login1.Manager">
<method name="Inhibit"><arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="s" direction="in"/>
<arg type="s" direction="in"/><arg type="h" direction="out"/></method>
<signal name="PrepareForShutdown"><arg type="b"/></signal>
<method name="SuspendWithFlags"><arg type="t" direction="in"/></method>
<method name="CanSuspend"><arg type="s" direction="out"/></method>
<method name="CanHibernate"><arg type="s" direction="out"/></method>
<method name="CanHybridSleep"><arg type="s" direction="out"/></method>
<method name="Suspend"><arg type="b" direction="in"/></method>
<method name="HybridSleep"><arg type="b" direction="in"/></method>
<property name="PreparingForShutdown" type="b" access="read"/>
</interface></node>'''


class Logind:
    """For the test: bus and service as processes."""

    def __enter__(self):
        with open(CONFIG, 'w') as f:
            f.write(POLICY)
        with open(SERVICE, 'w') as f:
            f.write('[D-BUS Service]\nName=org.freedesktop.login1\nExec=/bin/false\nUser=root\n')
        self.bus = subprocess.Popen(['dbus-daemon', '--config-file', CONFIG, '--nofork', '--nopidfile', '--print-address=1'],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.bus.stdout.readline()
        self.service = subprocess.Popen(['/usr/bin/python3', os.path.abspath(__file__), 'serve'], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self.service.stdout.readline() == 'ready\n'
        return self

    def say(self, word):
        self.service.stdin.write(word + '\n')
        self.service.stdin.flush()
        return self.service.stdout.readline().strip()

    def held(self):
        """Who delays the shutdown, as text."""
        return self.say('state')

    def __exit__(self, *exc):
        for process in (self.service, self.bus):
            process.kill()
            process.wait()
        os.unlink(BUS)


class Service:
    def __init__(self, connection):
        self.connection = connection
        self.going = False
        self.slept = []  # methods that were called for it
        self.holders = {}  # our end of each inhibitor's pipe: who has the other
        node = Gio.DBusNodeInfo.new_for_xml(INTERFACE)
        connection.register_object('/org/freedesktop/login1', node.interfaces[0], self.on_call, self.on_get, None)

    def on_get(self, *_):
        return GLib.Variant('b', self.going)

    def on_call(self, connection, sender, path, interface, method, parameters, invocation):
        if method in CAN:
            invocation.return_value(GLib.Variant('(s)', (CAN[method],)))
            return
        if method != 'Inhibit':
            self.slept.append(method)
            invocation.return_value(None)
            return
        what, who, why, mode = parameters.unpack()
        ours, theirs = os.pipe()
        self.holders[ours] = '%s %s %s' % (what, who, mode)
        fds = Gio.UnixFDList.new_from_array([theirs])
        invocation.return_value_with_unix_fd_list(GLib.Variant('(h)', (0,)), fds)

    def forget(self):
        """Those who closed their end."""
        for fd in select.select(list(self.holders), [], [], 0)[0]:
            del self.holders[fd]
            os.close(fd)

    def on_word(self, word):
        self.forget()
        if word in ('going', 'staying'):
            self.going = word == 'going'
            self.connection.emit_signal(None, '/org/freedesktop/login1', 'org.freedesktop.login1.Manager', 'PrepareForShutdown',
                                        GLib.Variant('(b)', (self.going,)))
        print(', '.join([*self.holders.values(), *self.slept]), flush=True)
        return False


def serve():
    connection = Gio.DBusConnection.new_for_address_sync(
        'unix:path=' + BUS, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
    service = Service(connection)
    loop = GLib.MainLoop()

    def on_name(*_):
        print('ready', flush=True)

    Gio.bus_own_name_on_connection(connection, 'org.freedesktop.login1', Gio.BusNameOwnerFlags.NONE, on_name, None)

    def read():
        for line in sys.stdin:
            GLib.idle_add(service.on_word, line.strip())
        loop.quit()

    threading.Thread(target=read, daemon=True).start()
    loop.run()


if __name__ == '__main__':
    from gi.repository import Gio, GLib
    serve()
