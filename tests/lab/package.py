#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian package of this tree, built and put into clean roots: what it brings, that it works, that it goes.

    package.py      DUOVIRT_DEBS=FOLDER: packages that were built before
"""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import debian  # noqa: E402
from lib import tap, world  # noqa: E402
from lib.server import wait_until  # noqa: E402

UNITS = ('duovirtd.service', 'duovirtd.socket', 'duovirtd-ro.socket')


class Package(unittest.TestCase):
    maxDiff = None
    debs = folder = None
    extra = []

    def setUp(self):
        scratch = tempfile.mkdtemp(dir=world.SCRATCH)
        self.root = debian.Root(debian.tree(debian.BASE + self.extra), scratch)
        self.addCleanup(self.root.leave)
        self.deb = self.debs['duovirt']

    def enabled(self, unit):
        done = subprocess.run(['chroot', self.root.path, 'systemctl', 'is-enabled', unit], capture_output=True, text=True)
        return done.stdout.strip()

    def purge(self):
        return self.root.run('dpkg', '--purge', 'duovirt')


class Clean(Package):
    def test_lintian_is_content(self):
        """But for the address that nobody has yet, and for a script of ours that looks at libvirtd's units."""
        known = 'bogus-mail-host,bogus-mail-host-in-debian-changelog,maintainer-script-calls-systemctl'
        debian.run('lintian', '--allow-root', '--fail-on', 'error,warning', '--suppress-tags', known, *self.debs.values())

    def test_comes_back_as_it_was(self):
        """Gone, but not its configuration, and installed again."""
        self.root.install(self.deb)
        self.root.run('dpkg', '--remove', 'duovirt')
        self.root.install(self.deb)
        self.assertEqual([self.enabled(unit) for unit in UNITS], ['enabled'] * 3)
        self.root.run('systemctl', 'disable', 'duovirtd.service')
        self.root.run('dpkg', '--remove', 'duovirt')
        self.root.install(self.deb)
        self.assertEqual([self.enabled(unit) for unit in UNITS], ['disabled'] * 3)

    def test_users_folders_units(self):
        self.root.install(self.deb)
        for name in ('libvirt', 'libvirt-qemu', 'kvm'):
            self.root.run('getent', 'group', name)
        self.assertIn('64055:64055', self.root.run('getent', 'passwd', 'libvirt-qemu'))
        self.assertIn('libvirt-qemu', self.root.run('getent', 'group', 'kvm'))
        for folder in ('/var/lib/duovirt', '/var/log/duovirt', '/var/cache/duovirt', '/etc/duovirt'):
            self.assertTrue(os.path.isdir(self.root.path + folder), folder)
        for unit in UNITS:
            self.assertEqual(self.enabled(unit), 'enabled', unit)
        self.root.run('systemd-analyze', 'verify', '--man=no', *UNITS)
        self.root.run('env', 'XDG_RUNTIME_DIR=/tmp', 'systemd-analyze', 'verify', '--user', '--man=no', 'duovirtd.socket')
        for path in ('/usr/share/polkit-1/actions/org.duovirt.policy', '/lib/systemd/user/duovirtd.service'):
            self.assertTrue(os.path.exists(self.root.path + path), path)
        for page in ('man8/duovirtd.8.gz', 'man5/duovirtd.conf.5.gz'):
            self.assertTrue(os.path.exists(self.root.path + '/usr/share/man/' + page), page)

    def test_daemon_answers(self):
        self.root.install(self.deb)
        daemon = subprocess.Popen(['chroot', self.root.path, '/usr/sbin/duovirtd'], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                  text=True)
        try:
            wait_until(lambda: os.path.exists(self.root.path + '/run/libvirt/libvirt-sock'), 30, 'the socket')
            said = self.root.run('virsh', '-c', 'qemu:///system', 'nodeinfo')
            self.assertIn('CPU model:', said)
            self.assertIn('duovirtd', self.root.run('/usr/sbin/duovirtd', '--version'))
            self.assertIn("<domain type='qemu'/>", self.root.run('virsh', '-c', 'qemu:///system', 'capabilities'))
        finally:
            daemon.terminate()
            complaints = daemon.communicate()[1]
        self.assertEqual(daemon.returncode, 0, complaints)

    def test_purge_leaves_nothing(self):
        before = self.root.files()
        self.root.install(self.deb)
        added = self.root.files() - before
        self.assertIn('/usr/sbin/duovirtd', added)
        self.purge()
        left = self.root.files() - before
        # users stay, as Debian has it: files may be theirs
        self.assertEqual({path for path in left if not path.startswith(('/etc/', '/usr/share/mime', '/var/lib/systemd'))}, set())
        self.assertEqual({path for path in left if 'duovirt' in path}, set())
        for folder in ('/var/log/duovirt', '/var/cache/duovirt', '/var/lib/duovirt'):
            self.assertFalse(os.path.exists(self.root.path + folder), folder)

    def test_upgrade(self):
        """Definitions and what the administrator changed stay."""
        self.root.install(self.deb)
        self.root.write('/etc/duovirt/duovirtd.conf', '[daemon]\nlog_level = debug\n')
        self.root.write('/var/lib/duovirt/mine', '')
        self.root.run('systemctl', 'disable', 'duovirtd.service')
        newer = debian.newer(self.deb, tempfile.mkdtemp(dir=self.folder))
        self.root.install(newer)
        self.assertIn('9.0.0', self.root.run('dpkg-query', '-W', 'duovirt'))
        with open(self.root.path + '/etc/duovirt/duovirtd.conf') as f:
            self.assertEqual(f.read(), '[daemon]\nlog_level = debug\n')
        self.assertTrue(os.path.exists(self.root.path + '/var/lib/duovirt/mine'))
        self.assertEqual(self.enabled('duovirtd.service'), 'disabled')


class BesideLibvirtd(Package):
    extra = ['libvirt-daemon-system']

    def test_libvirtd_keeps_its_place(self):
        self.assertEqual(self.enabled('libvirtd.socket'), 'enabled')
        said = self.root.install(self.deb)
        self.assertIn('libvirtd is at work here', said)
        self.assertEqual(self.enabled('duovirtd.service'), 'disabled')
        self.assertEqual(self.enabled('duovirtd.socket'), 'disabled')
        self.assertEqual(self.enabled('libvirtd.socket'), 'enabled')
        self.assertIn('install ok installed', self.root.run('dpkg-query', '-W', '-f', '${Status}', 'libvirt-daemon-system'))
        # either can be chosen; systemd knows that one ends the other
        self.assertIn('libvirtd.socket', self.root.run('cat', '/lib/systemd/system/duovirtd.socket'))
        self.purge()
        self.assertEqual(self.enabled('libvirtd.socket'), 'enabled')
        self.root.run('getent', 'passwd', 'libvirt-qemu')

    def test_its_place_is_free(self):
        """Both are installed; libvirtd is masked, so duovirtd is the one that runs."""
        self.root.run('systemctl', 'mask', 'libvirtd.service', 'libvirtd.socket', 'libvirtd-ro.socket', 'libvirtd-admin.socket')
        self.assertNotIn('libvirtd is at work here', self.root.install(self.deb))
        self.assertEqual([self.enabled(unit) for unit in UNITS], ['enabled'] * 3)
        both = self.root.run('dpkg-query', '-W', '-f', '${Status}\n', 'libvirt-daemon-system', 'duovirt')
        self.assertEqual(both.splitlines(), ['install ok installed'] * 2)
        self.assertEqual(self.root.run('dpkg-query', '-W', '-f', '${Conflicts}${Breaks}', 'duovirt'), '')
        self.root.run('systemd-analyze', 'verify', '--man=no', *UNITS)


if __name__ == '__main__':
    debian.need('mmdebstrap', 'dpkg-buildpackage', 'dh', 'lintian')
    made = os.environ.get('DUOVIRT_DEBS')
    debian.tree(debian.BASE)
    debian.tree(debian.BASE + BesideLibvirtd.extra)
    with tempfile.TemporaryDirectory(prefix='deb-') as Package.folder:
        if not made and not os.environ.get(world.INSIDE):
            debian.packages(Package.folder)
            os.environ['DUOVIRT_DEBS'] = Package.folder
            sys.exit(subprocess.run([sys.executable] + sys.argv).returncode)
        world.enter()
        Package.debs = {file.split('_')[0]: os.path.join(made, file) for file in os.listdir(made)
                        if file.endswith('.deb') and '-dbgsym' not in file}
        outcome = tap.run()
    sys.exit(outcome.end())
