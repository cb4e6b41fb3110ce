#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Saves and dumps of a Linux guest, watched and ended while they are under way.

    jobs.py [PART OF A TEST'S NAME ...]

The process that writes the file is stopped (SIGSTOP), so that there is time to look. DUOVIRT_TARGET=libvirtd runs the same
on Debian's libvirtd.
"""
import os
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from guest.boot import Guest  # noqa: E402
from lib import server, world  # noqa: E402
from lib.case import libvirt, main, proves  # noqa: E402

RUNNING, PAUSED = libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_PAUSED
COMPLETED, KEEP = libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED, libvirt.VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED
LIFECYCLE = {libvirt.VIR_DOMAIN_EVENT_SUSPENDED: 'SUSPENDED', libvirt.VIR_DOMAIN_EVENT_RESUMED: 'RESUMED', libvirt.VIR_DOMAIN_EVENT_STOPPED: 'STOPPED',
             libvirt.VIR_DOMAIN_EVENT_STARTED: 'STARTED'}
UNDER_WAY = {'type', 'operation', 'time_elapsed', 'downtime', 'setup_time', 'data_total', 'data_processed', 'data_remaining', 'memory_total',
             'memory_processed', 'memory_remaining', 'memory_constant', 'memory_normal', 'memory_normal_bytes', 'memory_dirty_rate',
             'memory_iteration', 'memory_postcopy_requests', 'memory_page_size'}
DONE = UNDER_WAY | {'memory_bps'}


class Writer:
    """The process that has the file of a save or dump: libvirtd's helper, or a copy of our daemon."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.before = self.children()
        self.stopped = set()

    def children(self):
        found = set()
        for entry in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open('/proc/%s/stat' % entry) as f:
                    parent = int(f.read().rpartition(')')[2].split()[1])
                with open('/proc/%s/cmdline' % entry) as f:
                    line = f.read()
            except OSError:
                continue
            if parent == self.daemon and ('libvirt_iohelper' in line or 'duovirtd' in line):
                found.add(int(entry))
        return found

    def stop(self):
        """True once there is one, and it stands still."""
        for pid in self.children() - self.before - self.stopped:
            os.kill(pid, signal.SIGSTOP)
            self.stopped.add(pid)
        return bool(self.stopped)

    def go_on(self):
        for pid in self.stopped:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass


class Jobs(Guest):
    def setUp(self):
        super().setUp()
        self.folder = world.SCRATCH + '/jobs'
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o777)
        self.path = self.folder + '/file'
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.heard = []

    def full(self):
        """A guest with some 50 MB that cannot be compressed away."""
        domain, console = self.boot(memory=160)
        console.ask('dd if=/dev/urandom of=/run/x bs=1M count=50 2>/dev/null; echo dd-done', 'dd-done\r', 120)
        console.close()
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         lambda conn, domain, event, detail, data: self.heard.append(LIFECYCLE.get(event, event)), None)
        self.conn.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_JOB_COMPLETED,
                                         lambda conn, domain, params, data: self.heard.append(params), None)
        return domain

    def begin(self, call, *args):
        """CALL(ARGS) on a thread, held up when the first octets are written: (its writer, what to call for its end). That answers with
        the error, or None."""
        writer, result = Writer(self.server.process.pid), []

        def run():
            try:
                call(*args)
                result.append(None)
            except libvirt.libvirtError as error:
                result.append(error)
        thread = threading.Thread(target=run)
        watched = self.open().lookupByName('linux')
        thread.start()

        def end(seconds=60):
            thread.join(seconds)
            self.assertFalse(thread.is_alive(), 'the call does not end')
            return result[0]
        self.addCleanup(writer.go_on)
        self.until(lambda: watched.jobStats().get('memory_processed', 0) > 0, 20, 'the first octets')
        self.until(writer.stop, 20, 'a writer')
        return writer, end

    def under_way(self, domain, operation):
        stats = domain.jobStats()
        self.assertEqual(set(stats), UNDER_WAY)
        self.assertEqual((stats['type'], stats['operation']), (libvirt.VIR_DOMAIN_JOB_UNBOUNDED, operation))
        self.assertGreater(stats['memory_remaining'], 0)
        self.assertEqual(stats['memory_page_size'], 4096)
        info = domain.jobInfo()
        self.assertEqual(info[0], libvirt.VIR_DOMAIN_JOB_UNBOUNDED)
        self.assertEqual(info[3:6], info[6:9])
        self.assertEqual((info[6], info[9:]), (stats['memory_total'], [0, 0, 0]))
        self.assertEqual(domain.jobStats(COMPLETED), {'type': 0})

    def idle(self, domain):
        self.assertEqual((domain.jobInfo()[0], domain.jobStats()), (0, {'type': 0}))
        error = self.refused(libvirt.VIR_ERR_OPERATION_INVALID, domain.abortJob)
        self.assertEqual(error.get_error_message(), 'Requested operation is not valid: no job is active on the domain')

    @proves('domain_get_job_info', 'domain_get_job_stats', 'domain_abort_job')
    def test_a_save_that_a_client_ends(self):
        domain = self.full()
        self.idle(domain)
        other = self.open().lookupByName('linux')
        for call, operation, reason, paused, name in (
                (lambda: domain.save(self.path), libvirt.VIR_DOMAIN_JOB_OPERATION_SAVE, libvirt.VIR_DOMAIN_RUNNING_SAVE_CANCELED,
                 libvirt.VIR_DOMAIN_PAUSED_SAVE, 'domain save'),
                (lambda: domain.managedSave(), libvirt.VIR_DOMAIN_JOB_OPERATION_SAVE, libvirt.VIR_DOMAIN_RUNNING_SAVE_CANCELED,
                 libvirt.VIR_DOMAIN_PAUSED_SAVE, 'domain save'),
                (lambda: domain.coreDump(self.path), libvirt.VIR_DOMAIN_JOB_OPERATION_DUMP, libvirt.VIR_DOMAIN_RUNNING_UNPAUSED,
                 libvirt.VIR_DOMAIN_PAUSED_DUMP, 'domain core dump')):
            self.heard.clear()
            writer, end = self.begin(call)
            self.under_way(other, operation)
            self.assertEqual(other.state(), [PAUSED, paused])
            other.abortJob()
            if server.on_oracle():
                writer.go_on()  # ours does not wait for a disk that hangs
            error = end()
            self.assertEqual((error.get_error_code(), error.get_error_message()),
                             (libvirt.VIR_ERR_OPERATION_ABORTED, "operation aborted: job '%s' canceled by client" % name))
            writer.go_on()
            self.assertEqual(domain.state(), [RUNNING, reason])
            self.assertEqual((os.listdir(self.folder), domain.hasManagedSaveImage()), ([], 0))
            self.idle(domain)
            self.assertEqual(domain.jobStats(COMPLETED), {'type': 0})
            self.until(lambda: self.heard == ['SUSPENDED', 'RESUMED'], what=lambda: self.heard)

    @proves('domain_event_callback_job_completed')
    def test_what_is_told_at_the_end(self):
        domain = self.full()
        other = self.open().lookupByName('linux')
        for call, last in ((lambda: domain.coreDump(self.path), 'RESUMED'), (lambda: domain.save(self.path), 'STOPPED')):
            self.heard.clear()
            writer, end = self.begin(call)
            writer.go_on()
            self.assertIsNone(end())
            self.until(lambda: self.heard and self.heard[-1] == last, what=lambda: self.heard)
            self.assertEqual([what if isinstance(what, str) else 'job' for what in self.heard], ['SUSPENDED', 'job', last])
            stats = other.jobStats(COMPLETED | KEEP)
            self.assertEqual(stats, dict(self.heard[1], type=libvirt.VIR_DOMAIN_JOB_COMPLETED))
            self.assertEqual(set(stats), DONE)
            self.assertEqual((stats['memory_remaining'], stats['data_total']), (0, stats['memory_total']))
            self.assertGreater(stats['memory_processed'], 50 << 20)
            self.assertGreater(stats['downtime'], 0)
            self.assertLessEqual(stats['downtime'], stats['time_elapsed'])
        self.refused(libvirt.VIR_ERR_OPERATION_INVALID, other.jobStats)
        self.assertEqual(other.jobStats(COMPLETED), stats)
        self.assertEqual(other.jobStats(COMPLETED), {'type': 0})

    @proves('domain_abort_job_flags')
    def test_a_dump_of_memory_alone(self):
        domain = self.full()
        other = self.open().lookupByName('linux')
        kdump = libvirt.VIR_DOMAIN_CORE_DUMP_FORMAT_RAW
        writer, end = self.begin(domain.coreDumpWithFormat, self.path, kdump, libvirt.VIR_DUMP_MEMORY_ONLY)
        stats = other.jobStats()
        self.assertEqual(set(stats), {'type', 'operation', 'time_elapsed', 'memory_total', 'memory_processed', 'memory_remaining'})
        self.assertEqual(stats['memory_processed'] + stats['memory_remaining'], stats['memory_total'])
        error = self.refused(libvirt.VIR_ERR_OPERATION_INVALID, other.abortJob)
        self.assertIn('cannot abort memory-only dump', error.get_error_message())
        error = self.refused(libvirt.VIR_ERR_OPERATION_INVALID, other.abortJobFlags, libvirt.VIR_DOMAIN_ABORT_JOB_POSTCOPY)
        self.assertIn('not outgoing migration in post-copy mode', error.get_error_message())
        writer.go_on()
        self.assertIsNone(end())
        self.assertEqual(other.jobStats(COMPLETED), {'type': 0})
        writer, end = self.begin(domain.coreDump, self.path)
        other.abortJobFlags(0)
        writer.go_on()
        self.assertEqual(end().get_error_code(), libvirt.VIR_ERR_OPERATION_ABORTED)
        self.until(lambda: self.heard == ['SUSPENDED', 'RESUMED'] * 2, what=lambda: self.heard)


if __name__ == '__main__':
    main('guest/jobs')
