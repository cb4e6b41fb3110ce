# SPDX-License-Identifier: LGPL-2.1-or-later
"""What becomes of a domain whose guest powers off, reboots or crashes."""
import re

from lib import starts
from lib.case import Case, libvirt, proves

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG
OFF, REBOOT, CRASH = range(3)
DESTROY, RESTART, RENAME, PRESERVE, DUMP_DESTROY, DUMP_RESTART = range(6)
UNSUPPORTED, INVALID, NOT_NOW = libvirt.VIR_ERR_CONFIG_UNSUPPORTED, libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_OPERATION_INVALID
# Refused for a domain that is off and would power off and reboot as usual: type, action, flags, code, words.
REFUSED = (
    (OFF, RESTART, LIVE, NOT_NOW, 'domain is not running'), (OFF, PRESERVE, CONFIG, UNSUPPORTED, "the 'preserve' action"),
    (CRASH, RENAME, CONFIG, UNSUPPORTED, "the 'rename-restart' action"), (OFF, 9, 0, INVALID, "invalid lifecycle action '9'"),
    (5, DESTROY, 0, INVALID, "invalid lifecycle type '5'"), (OFF, DUMP_DESTROY, CONFIG, UNSUPPORTED, "Lifecycle event 'poweroff' doesn't support"),
    (REBOOT, DUMP_RESTART, CONFIG, UNSUPPORTED, "Lifecycle event 'reboot' doesn't support 'coredump-restart' action"),
    (OFF, DESTROY, 4, INVALID, 'unsupported flags (0x4)'))


def actions(domain, flags=0):
    return [re.search('<on_%s>(.*)</' % name, domain.XMLDesc(flags))[1] for name in ('poweroff', 'reboot', 'crash')]


class Lifecycle(Case):
    def test_what_a_document_may_say(self):
        for off, reboot, crash in (('rename-restart', 'restart', 'destroy'), ('preserve', 'restart', 'destroy'), ('destroy', 'preserve', 'destroy'),
                                   ('destroy', 'restart', 'rename-restart'), ('restart', 'destroy', 'destroy')):
            said = f'<on_poweroff>{off}</on_poweroff><on_reboot>{reboot}</on_reboot><on_crash>{crash}</on_crash>'
            self.refused(UNSUPPORTED, self.conn.defineXML, starts.bare('one', extra=said))

    @proves('domain_set_lifecycle_action')
    def test_actions_change(self):
        domain = self.define('one')
        for kind, action, flags, code, words in REFUSED:
            self.assertIn(words, str(self.refused(code, domain.setLifecycleAction, kind, action, flags)))
        self.assertEqual(actions(domain), ['destroy', 'restart', 'destroy'])
        domain.setLifecycleAction(OFF, RESTART, CONFIG)
        self.refused(UNSUPPORTED, domain.setLifecycleAction, REBOOT, DESTROY, 0)
        domain.setLifecycleAction(CRASH, PRESERVE, 0)
        self.assertEqual(actions(domain), ['restart', 'restart', 'preserve'])
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        domain.setLifecycleAction(CRASH, DUMP_RESTART, LIVE)
        domain.setLifecycleAction(OFF, DESTROY, LIVE | CONFIG)
        self.assertEqual(actions(domain), ['destroy', 'restart', 'coredump-restart'])
        self.assertEqual(actions(domain, libvirt.VIR_DOMAIN_XML_INACTIVE), ['destroy', 'restart', 'preserve'])

    def test_a_reboot_that_is_to_end_the_guest_ends_it(self):
        domain = self.start('one', flags=0)
        domain.setLifecycleAction(REBOOT, DESTROY, LIVE)
        domain.reset()
        self.until(lambda: not domain.isActive(), 60, 'the end of a guest that begins again')
