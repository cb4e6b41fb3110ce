# SPDX-License-Identifier: LGPL-2.1-or-later
"""Guests on disk: saved, restored, dumped."""
import ctypes
import os
import signal
import threading
import time

from lib.case import Case, guests, libvirt, proves, world

PAUSED = libvirt.VIR_DOMAIN_START_PAUSED
SUSPENDED = (libvirt.VIR_DOMAIN_EVENT_SUSPENDED, libvirt.VIR_DOMAIN_EVENT_SUSPENDED_PAUSED)
RESUMED = (libvirt.VIR_DOMAIN_EVENT_RESUMED, libvirt.VIR_DOMAIN_EVENT_RESUMED_UNPAUSED)


class Saving(Case):
    def setUp(self):
        super().setUp()
        self.folder = world.SCRATCH + '/save'
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o777)
        self.path = self.folder + '/one.save'
        if os.path.exists(self.path):
            os.unlink(self.path)

    @proves('domain_save', 'domain_restore')
    def test_save_and_restore(self):
        domain = self.start('one', flags=0)
        domain.save(self.path)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_SAVED])
        with open(self.path, 'rb') as f:
            self.assertEqual(f.read(16), b'LibvirtQemudSave')
        self.conn.restore(self.path)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_RESTORED])

    def test_what_a_guest_that_is_saved_is_busy_with(self):
        domain = self.start('one', flags=0)
        pid = self.server.qemu(domain.UUIDString())
        other = self.open()
        save = threading.Thread(target=other.lookupByName('one').save, args=(self.path,))
        os.kill(pid, signal.SIGSTOP)
        try:
            save.start()
            self.until(lambda: domain.controlInfo()[0] == libvirt.VIR_DOMAIN_CONTROL_JOB, what='the save to have begun')
        finally:
            os.kill(pid, signal.SIGCONT)
            save.join()
        other.close()
        self.assertFalse(domain.isActive())

    def test_passes_over_the_memory_are_told(self):
        passes, other = [], []
        domain = self.start('one', flags=0)
        other_domain = self.define('other')
        kind = libvirt.VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION
        self.conn.domainEventRegisterAny(None, kind, lambda conn, dom, number, opaque: passes.append((dom.name(), number)), None)
        self.conn.domainEventRegisterAny(other_domain, kind, lambda *args: other.append(args), None)
        domain.save(self.path)
        self.until(lambda: passes, what='the first pass')
        self.assertEqual(passes, [('one', number) for number in range(1, len(passes) + 1)])
        self.assertEqual(other, [])

    @proves('domain_save_flags', 'domain_restore_flags')
    def test_save_and_restore_with_flags(self):
        domain = self.start('one', flags=0)
        domain.saveFlags(self.path, None, libvirt.VIR_DOMAIN_SAVE_PAUSED)
        self.conn.restoreFlags(self.path)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)
        self.assertEqual(domain.state()[1], libvirt.VIR_DOMAIN_PAUSED_MIGRATION)
        domain.resume()
        domain.saveFlags(self.path, None, libvirt.VIR_DOMAIN_SAVE_RUNNING)
        self.conn.restoreFlags(self.path, None, libvirt.VIR_DOMAIN_SAVE_PAUSED)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)

    def test_a_saved_transient_guest_comes_back(self):
        domain = self.conn.createXML(guests.tiny('one'), PAUSED)
        domain.save(self.path)
        self.assertEqual(self.names(), [])
        self.conn.restore(self.path)
        self.assertEqual(self.names(), ['one'])
        self.assertEqual(self.conn.lookupByName('one').isPersistent(), 0)

    def test_restore_refuses_what_is_no_save_file(self):
        for content in (b'', b'LibvirtQemudSave', b'x' * 4096):
            with open(self.path, 'wb') as f:
                f.write(content)
            with self.assertRaises(libvirt.libvirtError):
                self.conn.restore(self.path)
        self.assertEqual(self.names(), [])

    @proves('domain_save_image_get_xml_desc')
    def test_definition_inside_a_save_file(self):
        self.start('one').save(self.path)
        self.assertIn('<name>one</name>', self.conn.saveImageGetXMLDesc(self.path))

    @proves('domain_managed_save', 'domain_has_managed_save_image', 'domain_managed_save_remove')
    def test_managed_save(self):
        domain = self.start('one', flags=0)
        self.assertEqual(domain.hasManagedSaveImage(), 0)
        domain.managedSave()
        self.assertEqual((domain.hasManagedSaveImage(), domain.isActive()), (1, 0))
        domain.create()
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_RESTORED])
        self.assertEqual(domain.hasManagedSaveImage(), 0)
        domain.managedSave()
        domain.managedSaveRemove()
        self.assertEqual(domain.hasManagedSaveImage(), 0)
        domain.create()
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED])

    def managed_file(self):
        """Where the server keeps what it saved."""
        files = [os.path.join(folder, file) for folder, _, files in os.walk(self.server.trees()[1]) for file in files]
        found = [file for file in files if os.path.isfile(file) and open(file, 'rb').read(16) == b'LibvirtQemudSave']
        self.assertEqual(len(found), 1)
        return found[0]

    def test_managed_save_that_never_ended(self):
        """What a crash of the host leaves: there is nothing to go on from, so the guest boots."""
        domain = self.start('one', flags=0)
        for spoil in (lambda f: f.write(b'LibvirtQemudPart'), lambda f: f.truncate(50)):
            domain.managedSave()
            with open(self.managed_file(), 'r+b') as f:
                spoil(f)
            domain.create()
            self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED])
            self.assertEqual(domain.hasManagedSaveImage(), 0)
        domain.managedSave()
        with open(self.managed_file(), 'r+b') as f:
            f.write(b'something foreign')
        self.refused(libvirt.VIR_ERR_OPERATION_FAILED, domain.create)
        self.assertEqual(domain.hasManagedSaveImage(), 1)

    @proves('domain_core_dump', 'domain_core_dump_with_format')
    def test_dump(self):
        domain = self.start('one', flags=0)
        path = self.folder + '/core'
        domain.coreDumpWithFormat(path, libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_RAW, libvirt.VIR_DUMP_MEMORY_ONLY)
        with open(path, 'rb') as f:
            self.assertEqual(f.read(4), b'\x7fELF')
        os.unlink(path)
        self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
        domain.coreDump(path, libvirt.VIR_DUMP_CRASH | libvirt.VIR_DUMP_MEMORY_ONLY)
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED])
        self.assertGreater(os.path.getsize(path), 1 << 20)

    def test_dumps_that_qemu_cannot_make(self):
        domain = self.start('one', flags=0)
        path = self.folder + '/core'
        for kind, name in ((libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_LZO, 'kdump-lzo'),
                           (libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_SNAPPY, 'kdump-snappy')):
            error = self.refused(libvirt.VIR_ERR_INVALID_ARG, domain.coreDumpWithFormat, path, kind, libvirt.VIR_DUMP_MEMORY_ONLY)
            self.assertEqual(error.get_error_message(),
                             "invalid argument: unsupported dumpformat '%s' for this QEMU binary" % name)
            self.assertEqual(error.get_error_domain(), libvirt.VIR_FROM_QEMU)
        error = self.refused(libvirt.VIR_ERR_OPERATION_FAILED, domain.coreDumpWithFormat, path,
                             libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP, libvirt.VIR_DUMP_MEMORY_ONLY)
        self.assertEqual(error.get_error_message(),
                         'operation failed: memory-only dump failed: win-dump: invalid vmcoreinfo note size')
        domain.coreDumpWithFormat(path, libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB, libvirt.VIR_DUMP_MEMORY_ONLY)
        with open(path, 'rb') as f:
            self.assertEqual(f.read(12), b'makedumpfile')
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED])

    def pauses_during(self, domain, call, *args):
        """How often the guest was told to be paused while CALL(ARGS) was under way."""
        told = []
        number = self.conn.domainEventRegisterAny(domain, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                                  lambda conn, domain, event, detail, data: told.append((event, detail)), None)
        call(*args)
        # An event that comes after all others.
        domain.suspend()
        domain.resume()
        self.until(lambda: told[-2:] == [SUSPENDED, RESUMED], what=lambda: told)
        self.conn.domainEventDeregisterAny(number)
        return told.count(SUSPENDED) - 1

    def states_during(self, domain, call, *args):
        """States that a second connection sees while CALL(ARGS) is under way; it may miss one."""
        seen, over = set(), threading.Event()
        other = self.open().lookupByName(domain.name())

        def look():
            while not over.is_set():
                seen.add(tuple(other.state()))
        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            call(*args)
        finally:
            over.set()
            watcher.join()
        return seen

    def test_live_dump(self):
        """It is left to QEMU how long the guest stands still: nobody pauses it for the dump."""
        domain = self.start('one', flags=0)
        paused_for_dump = (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_DUMP)
        for flags in (0, libvirt.VIR_DUMP_MEMORY_ONLY):
            path = '%s/core.%d' % (self.folder, flags)
            self.assertEqual(self.pauses_during(domain, domain.coreDump, path, flags), 1)
            self.assertNotIn(paused_for_dump, self.states_during(domain, domain.coreDump, path, flags | libvirt.VIR_DUMP_LIVE))
            self.assertGreater(os.path.getsize(path), 1 << 16)
            self.until(lambda: domain.state() == [libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED])

    def test_what_runs_after_a_failure(self):
        domain = self.start('one', flags=0)
        for target in ('/nonexistent/x', self.folder):
            for call, reason in ((domain.save, libvirt.VIR_DOMAIN_RUNNING_SAVE_CANCELED),
                                 (domain.coreDump, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED)):
                self.refused(libvirt.VIR_ERR_SYSTEM_ERROR, call, target)
                self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_RUNNING, reason])

    def test_a_path_that_hangs(self):
        """A file system whose program never answers: the call ends, and the guest goes on."""
        if not os.path.exists('/dev/fuse'):
            self.skipTest('no FUSE here')
        folder = self.folder + '/dead'
        os.makedirs(folder, exist_ok=True)
        fuse = os.open('/dev/fuse', os.O_RDWR)
        options = 'fd=%d,rootmode=40000,user_id=0,group_id=0' % fuse
        c = ctypes.CDLL(None, use_errno=True)
        self.assertEqual(c.mount(b'dead', folder.encode(), b'fuse', 0, options.encode()), 0, os.strerror(ctypes.get_errno()))
        try:
            domain = self.start('one', flags=0)
            began = time.monotonic()
            self.refused(libvirt.VIR_ERR_SYSTEM_ERROR, domain.save, folder + '/x')
            self.assertLess(time.monotonic() - began, 15)
            self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_RUNNING)
            self.refused(libvirt.VIR_ERR_SYSTEM_ERROR, self.conn.restore, folder + '/x')
            serial = "<serial type='file'><source path='%s/log'/></serial>" % folder
            self.refused(libvirt.VIR_ERR_SYSTEM_ERROR, self.conn.createXML, guests.tiny('two', devices=serial))
        finally:
            os.close(fuse)
            c.umount2(folder.encode(), 2)
