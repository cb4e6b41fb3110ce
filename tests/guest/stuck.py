#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Most guests hang; nobody else may notice.

    stuck.py              50 guests, 48 of them stopped by SIGSTOP, 200 calls waiting on those over one connection
    stuck.py --oracle     the same questions to libvirtd with one guest of ten stopped, for comparison; minutes

The calls that are measured go over the same connection as those that hang.
"""
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import guests, server, tap, world  # noqa: E402
from lib.server import libvirt  # noqa: E402

GUESTS, STOPPED, QUEUED, CALLS = 50, 48, 200, 200
LIMIT = 0.1  # seconds, 95 of 100 calls
PAUSED = libvirt.VIR_DOMAIN_START_PAUSED
BALLOON = "<memballoon model='virtio'/>"


def document(name):
    return guests.tiny(name).replace("<memballoon model='none'/>", BALLOON)


def timed(call, *args):
    """(seconds, outcome)."""
    begin = time.monotonic()
    try:
        call(*args)
        outcome = 'ok'
    except libvirt.libvirtError as error:
        outcome = 'error %d' % error.get_error_code()
    return time.monotonic() - begin, outcome


def p95(times):
    return sorted(times)[len(times) * 95 // 100]


class Stuck:
    def __init__(self, target):
        self.target = target
        self.lines = tap.Lines()
        self.random = random.Random(1)
        self.conn = target.connect()
        self.stopped = []
        self.outcomes = []

    def start(self):
        domains = [self.conn.createXML(document('g%d' % number), PAUSED) for number in range(GUESTS)]
        self.stuck, self.well = domains[:STOPPED], domains[STOPPED:]
        self.lines.case('%d guests run' % GUESTS, len(self.conn.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED)) == GUESTS)

    def life_of_the_well(self):
        """Seconds for one of the guests that are well to end, begin and be listed again."""
        domain = self.well[0]
        begin = time.monotonic()
        domain.destroy()
        self.well[0] = self.conn.createXML(document(domain.name()), PAUSED)
        self.well[0].resume()
        self.well[0].suspend()
        assert len(self.conn.listAllDomains()) == GUESTS
        return time.monotonic() - begin

    def stop_most(self):
        for domain in self.stuck:
            pid = self.target.qemu(domain.UUIDString())
            os.kill(pid, signal.SIGSTOP)
            self.stopped.append(pid)

    def queue_calls(self):
        """200 threads, each with one call that needs the monitor of a stopped guest."""
        def call(number):
            domain = self.stuck[number % STOPPED]
            self.outcomes.append(timed(*[(domain.resume,), (domain.suspend,), (domain.reset,)][number % 3]))
        self.waiting = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(QUEUED)]
        for thread in self.waiting:
            thread.start()
        time.sleep(0.2)

    def measure(self, name, call):
        times, outcomes = [], set()
        for _ in range(CALLS):
            seconds, outcome = timed(call)
            times.append(seconds)
            outcomes.add(outcome)
        worst = p95(times)
        print('# %-28s p50 %6.1f ms  p95 %6.1f ms  max %6.1f ms  %s' % (
            name, sorted(times)[CALLS // 2] * 1e3, worst * 1e3, max(times) * 1e3, ' '.join(sorted(outcomes))))
        self.lines.case('%s: p95 within %d ms' % (name, LIMIT * 1000), worst <= LIMIT and outcomes == {'ok'},
                        ['p95 %.1f ms, outcomes %s' % (worst * 1e3, outcomes)])

    def any(self):
        return self.random.choice(self.stuck + self.well)

    def run(self):
        self.start()
        before = self.life_of_the_well()
        self.stop_most()
        self.queue_calls()
        waiting = sum(thread.is_alive() for thread in self.waiting)
        self.lines.case('calls wait', waiting >= STOPPED, ['only %d' % waiting])
        print('# %d of %d calls wait' % (waiting, QUEUED))
        self.measure('list', lambda: self.conn.listAllDomains())
        self.measure('state of any', lambda: self.any().state())
        self.measure('dumpxml of any', lambda: self.any().XMLDesc(0))
        self.measure('statistics of all', lambda: self.conn.getAllDomainStats())
        self.lines.case('statistics name all', len(self.conn.getAllDomainStats()) == GUESTS)
        after = self.life_of_the_well()
        print('# destroy, start, resume, suspend and list of a guest that is well: %.0f ms before, %.0f ms now' % (before * 1e3, after * 1e3))
        self.lines.case('the others live as usual', after < 2 * before + 0.5, ['%.2f s before, %.2f s now' % (before, after)])
        ends = [timed(domain.destroy) for domain in self.stuck[:10]]
        print('# destroy of a stopped one: max %.0f ms' % (max(seconds for seconds, _ in ends) * 1e3))
        self.lines.case('destroy of a stopped one within a second', all(seconds < 1 and outcome == 'ok' for seconds, outcome in ends), [str(ends)])
        for thread in self.waiting:
            thread.join(60)
        self.lines.case('every waiting call came back', not any(thread.is_alive() for thread in self.waiting))
        print('# the waiting calls: %s' % {outcome: sum(1 for _, o in self.outcomes if o == outcome) for _, outcome in self.outcomes})
        again = [timed(domain.reset) for domain in self.stuck[10:20]]
        self.lines.case('a further call on a stopped one fails at once', all(seconds < 1 and outcome != 'ok' for seconds, outcome in again), [str(again)])
        for pid in self.stopped[10:]:
            os.kill(pid, signal.SIGCONT)
        last = self.stuck[20]
        why = None
        try:
            server.wait_until(lambda: timed(last.reset)[1] == 'ok', 10)
        except AssertionError as error:
            why = [str(error)]
        self.lines.case('a guest that goes on is served again', why is None, why or [])
        for domain in self.conn.listAllDomains():
            domain.destroy()
        return self.lines.end()


def oracle():
    """What libvirtd does with one of ten stopped. Nothing is asserted: these are the figures to beat."""
    with server.Libvirtd() as target:
        conn = target.connect()
        domains = [conn.createXML(document('g%d' % number), PAUSED) for number in range(10)]
        os.kill(target.qemu(domains[0].UUIDString()), signal.SIGSTOP)
        for name, call in (('list', lambda c: c.listAllDomains()), ('state of the stopped', lambda c: c.lookupByName('g0').state()),
                           ('dumpxml of the stopped', lambda c: c.lookupByName('g0').XMLDesc(0)),
                           ('memory statistics of the stopped', lambda c: c.lookupByName('g0').memoryStats()),
                           ('statistics of all', lambda c: c.getAllDomainStats()), ('destroy of the stopped', lambda c: c.lookupByName('g0').destroy())):
            outcome = []
            thread = threading.Thread(target=lambda: outcome.append(timed(call, libvirt.open(target.uri))), daemon=True)
            thread.start()
            thread.join(40)
            print('# libvirtd: %-34s %s' % (name, '%8.1f ms %s' % (outcome[0][0] * 1e3, outcome[0][1]) if outcome else '> 40 s'), flush=True)


def main():
    world.enter()
    if '--oracle' in sys.argv:
        oracle()
    with server.target() as target:
        code = Stuck(target).run()
    sys.stdout.flush()
    os._exit(code)  # threads that still wait would keep Python here


if __name__ == '__main__':
    main()
