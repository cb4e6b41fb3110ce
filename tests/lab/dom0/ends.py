# SPDX-License-Identifier: LGPL-2.1-or-later
"""How guests end."""
import threading
import time

from dom0.case import Case, document, listed, run, xen
from lib.server import libvirt


class Ends(Case):
    """However a guest ends, that is told once, and nothing of it is left in the hypervisor."""

    def boot(self, kind='xen', **more):
        self.forget_console('one')
        domain = self.conn.defineXML(document('one', kind, **more))
        domain.create()
        self.said('one', 'guest# ')
        del self.events[:]
        return domain

    def over(self, domain, detail, reason):
        self.until(lambda: not domain.isActive(), lambda: domain.state())
        self.assertEqual(domain.state(), [libvirt.VIR_DOMAIN_SHUTOFF, reason])
        self.until(lambda: [one[1:] for one in self.events if one[1] == libvirt.VIR_DOMAIN_EVENT_STOPPED] ==
                   [(libvirt.VIR_DOMAIN_EVENT_STOPPED, detail)], lambda: self.events)
        self.assertEqual(listed(), {})

    def test_the_guest_powers_off(self):
        domain = self.boot()
        self.typed(domain, 'poweroff -f')
        self.over(domain, libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)

    def test_the_guest_is_asked_to_power_off(self):
        """By xenbus: what listens there is the guest's kernel, which calls /sbin/poweroff."""
        domain = self.boot()
        self.typed(domain, "mkdir -p /sbin; printf '#!/bin/sh\\nexec /bin/poweroff -f\\n' >/sbin/poweroff; chmod 755 /sbin/poweroff; echo rea''dy")
        self.said('one', 'ready')
        domain.shutdown()
        self.over(domain, libvirt.VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN)

    def test_the_guest_reboots(self):
        domain = self.boot()
        before = domain.ID()
        self.forget_console('one')
        self.typed(domain, 'reboot -f')
        self.until(lambda: self.number('one') not in (-1, before), lambda: domain.state())
        self.said('one', 'GUEST-READY')
        self.assertEqual(listed(), {'one': self.number('one')})
        domain.destroy()

    def test_the_guest_crashes(self):
        domain = self.boot()
        self.typed(domain, 'echo c >/proc/sysrq-trigger')
        self.over(domain, libvirt.VIR_DOMAIN_EVENT_STOPPED_CRASHED, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED)

    def test_somebody_else_destroys_it(self):
        domain = self.boot()
        self.assertEqual(run('xl', 'destroy', 'one').returncode, 0)
        self.over(domain, libvirt.VIR_DOMAIN_EVENT_STOPPED_DESTROYED, libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED)

    def test_destroyed_while_it_starts(self):
        domain = self.conn.defineXML(document('one'))
        other = xen.daemon.connect()
        thread = threading.Thread(target=lambda: time.sleep(1) or other.lookupByName('one').destroy())
        thread.start()
        try:
            domain.create()
        except libvirt.libvirtError:
            pass
        thread.join()
        other.close()
        self.until(lambda: not domain.isActive() and not listed(), lambda: (domain.state(), listed()))
        domain.create()
        self.assertEqual(listed(), {'one': domain.ID()})

    def test_a_start_that_fails(self):
        domain = self.conn.defineXML(document('one').replace('vmlinux<', 'nothing<'))
        with self.assertRaises(libvirt.libvirtError) as caught:
            domain.create()
        self.assertEqual(caught.exception.get_error_code(), libvirt.VIR_ERR_INTERNAL_ERROR)
        self.assertIn("libxenlight failed to create new domain 'one'", str(caught.exception))
        self.assertEqual((domain.isActive(), listed()), (0, {}))
