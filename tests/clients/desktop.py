#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virt-manager and virt-viewer on a screen of their own: the window has the guest's name, the guest's picture is in it, no
dialog complains; the menu stops and starts the guest.

    desktop.py [--pictures FOLDER]      keeps what was on the screen as FOLDER/NAME.png

That a picture is live is proved by the guest's own screen: a row of its text, as the hypervisor dumps it, is on ours."""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402
from lib.virsh import virsh  # noqa: E402

SECONDS = 90
USUAL = '/run/libvirt'  # where clients look for sockets by themselves; private to this world
MENU = ('97', '12')     # where "Virtual Machine" is in the window
STOP = ('Down', 'Down', 'Right', 'Down', 'Down', 'Down', 'Return')  # past Pause; of Shut Down past Reboot, Shut Down, Force Reset
START = ('Down', 'Return')
ADDRESS = '192.0.2.1'
TEXT_ROW = 10           # of the firmware's first line, in the guest's pixels


class Screen:
    def __init__(self):
        home = world.SCRATCH + '/home'
        os.makedirs(home + '/run', 0o700)
        read, write = os.pipe()
        self.process = subprocess.Popen(['Xvfb', '-displayfd', str(write), '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], pass_fds=[write],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as f:
            number = f.readline().strip()
        self.environment = dict(os.environ, DISPLAY=':' + number, HOME=home, XDG_RUNTIME_DIR=home + '/run', GDK_BACKEND='x11', NO_AT_BRIDGE='1',
                                GSETTINGS_BACKEND='memory', LIBGL_ALWAYS_SOFTWARE='1', LC_ALL='C.UTF-8')

    def run(self, *argv):
        return subprocess.run(argv, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def start(self, log, *argv):
        with open(log, 'w') as f:
            return subprocess.Popen(['dbus-run-session', '--'] + list(argv), env=self.environment, stdin=subprocess.DEVNULL, stdout=f,
                                    stderr=subprocess.STDOUT, start_new_session=True)

    def windows(self):
        """{id: title} of what is to be seen."""
        ids = self.run('xdotool', 'search', '--onlyvisible', '--name', '.').decode().split()
        return {id: self.run('xdotool', 'getwindowname', id).decode().strip() for id in ids}

    def window(self, title):
        """The window whose title matches, once it is there."""
        def found():
            return next((id for id, name in self.windows().items() if re.search(title, name)), None)
        return server.wait_until(found, SECONDS, lambda: 'a window %s; there are %s' % (title, self.windows()), 0.5)

    def keys(self, window, *keys):
        self.run('xdotool', 'windowfocus', '--sync', window)
        for key in keys:
            self.run('xdotool', 'key', key)
            time.sleep(1)  # a menu needs its time to open

    def menu(self, window, *keys):
        """An item of the menu "Virtual Machine". It is opened by the mouse, as the keyboard may be the guest's, and a menu that
        the mouse opened has no letters."""
        self.run('xdotool', 'windowfocus', '--sync', window, 'mousemove', '--window', window, *MENU, 'click', '1')
        time.sleep(1)
        for key in keys:
            self.run('xdotool', 'key', key)
            time.sleep(0.5)
        time.sleep(1)

    def rows(self):
        """The picture as rows of RGB."""
        return ppm_rows(self.run('import', '-window', 'root', '-depth', '8', 'ppm:-'))

    def shows(self, row):
        return any(row in line for line in self.rows())

    def keep(self, folder, name):
        if folder:
            self.run('import', '-window', 'root', os.path.join(folder, name + '.png'))


def ppm_rows(data):
    """Of a P6 file without comments."""
    match = re.match(rb'P6\s+(\d+)\s+(\d+)\s+255\s', data)
    width, height = int(match[1]), int(match[2])
    return [data[match.end() + 3 * width * y:match.end() + 3 * width * (y + 1)] for y in range(height)]


def end(process):
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(20)


class Tests:
    def __init__(self, target, conn, screen, out, folder):
        self.target, self.conn, self.screen, self.out, self.folder = target, conn, screen, out, folder

    def check(self, title, true, *why):
        """TRUE() comes true in time."""
        try:
            server.wait_until(true, SECONDS, title, 0.5)
            self.out.case(title, True)
        except AssertionError as error:
            self.out.case(title, False, [str(error), str(self.screen.windows()), *(str(one) for one in why)])

    def row(self, domain):
        """A row of text on DOMAIN's own screen, once there is one."""
        path = world.SCRATCH + '/screen'

        def dumped():
            text, code = virsh(self.target.uri, 'screenshot', domain.name(), path)
            if code:
                raise AssertionError(text)
            row = ppm_rows(self.screen.run('convert', path, '-depth', '8', 'ppm:-'))[TEXT_ROW]
            return row if len(set(row)) > 1 else None
        return server.wait_until(dumped, SECONDS, 'a text on the screen of the guest', 0.5)

    def quiet(self, title):
        """No window but those of the guest."""
        others = [name for name in self.screen.windows().values() if not re.search(r'seen|Virtual Machine Manager|virt-manager|virt-viewer|^$', name)]
        self.out.case(title, not others, others)

    def manager(self, uri, domain, name):
        log = '%s/%s.log' % (world.SCRATCH, name)
        process = self.screen.start(log, 'virt-manager', '--debug', '--no-fork', '--connect', uri, '--show-domain-console', 'seen')
        try:
            window = self.screen.window('^seen on QEMU/KVM')
            self.out.case(name + ': the window has the name of the guest', True)
            row = self.row(domain)
            self.check(name + ': the guest\'s screen is in it', lambda: self.screen.shows(row))
            self.screen.keep(self.folder, name)
            self.quiet(name + ': no dialog')
            self.screen.menu(window, *STOP)
            self.screen.keep(self.folder, name + '-stop')
            dialog = next((id for id in self.screen.windows() if id != window), window)
            self.screen.keys(dialog, 'alt+y')
            self.check(name + ': its menu stops the guest', lambda: not domain.isActive())
            self.screen.menu(window, *START)
            self.check(name + ': its menu starts the guest', domain.isActive)
            row = self.row(domain)
            self.check(name + ': the screen is back', lambda: self.screen.shows(row))
            self.quiet(name + ': still no dialog')
        except AssertionError as error:
            self.screen.keep(self.folder, name + '-failed')
            with open(log, errors='replace') as f:
                self.out.case(name, False, str(error).splitlines() + f.read().splitlines()[-30:])
        finally:
            end(process)

    def viewer(self, uri, domain, name):
        log = '%s/%s.log' % (world.SCRATCH, name)
        process = self.screen.start(log, 'virt-viewer', '--connect', uri, 'seen')
        try:
            self.screen.window(r'^seen \(1\)')
            self.out.case(name + ': the window has the name of the guest', True)
            row = self.row(domain)
            self.check(name + ': the guest\'s screen is in it', lambda: self.screen.shows(row))
            self.screen.keep(self.folder, name)
        except AssertionError as error:
            self.screen.keep(self.folder, name + '-failed')
            with open(log, errors='replace') as f:
                self.out.case(name, False, str(error).splitlines() + f.read().splitlines()[-30:])
        finally:
            end(process)


def main():
    world.enter()
    folder = sys.argv[sys.argv.index('--pictures') + 1] if '--pictures' in sys.argv else None
    out = tap.Lines()
    subprocess.run(['ip', 'address', 'add', ADDRESS + '/24', 'dev', guests.bridge()], check=True)
    screen = Screen()
    with server.target() as target, target.connect() as conn:
        if not server.on_oracle():
            for name in os.listdir(os.path.dirname(target.socket)):
                os.symlink(os.path.join(os.path.dirname(target.socket), name), os.path.join(USUAL, name))
        tests = Tests(target, conn, screen, out, folder)
        for kind in ('vnc', 'spice'):
            # Behind a URI with a socket virt-manager takes the host for another one: it wants an address to be reached at.
            graphics = "<graphics type='%s' autoport='yes' listen='%s'/>" % (kind, ADDRESS)
            domain = conn.defineXML(guests.minimal('seen').replace("<graphics type='vnc' autoport='yes'/>", graphics))
            domain.create()
            for where, uri in (('unix', 'qemu:///system'), ('socket URI', 'qemu+unix:///system?socket=' + target.socket)):
                tests.manager(uri, domain, 'virt-manager, %s, %s' % (kind, where))
                tests.viewer(uri, domain, 'virt-viewer, %s, %s' % (kind, where))
            domain.destroy()
            domain.undefine()
    screen.process.terminate()
    sys.exit(out.end())


if __name__ == '__main__':
    main()
