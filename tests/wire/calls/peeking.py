# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looking into a guest's memory."""
import os

from lib.case import Case, libvirt, proves

PHYSICAL, VIRTUAL = libvirt.VIR_MEMORY_PHYSICAL, libvirt.VIR_MEMORY_VIRTUAL
INVALID, NOT_NOW = libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_OPERATION_INVALID
BIOS = 0xffff0000  # the firmware's last page, where a processor begins


class Peeking(Case):
    @proves('domain_memory_peek')
    def test_memory_is_seen(self):
        domain = self.start('one')
        page = domain.memoryPeek(BIOS, 65536, PHYSICAL)
        self.assertEqual(len(page), 65536)
        self.assertEqual(page[0xfff0], 0xea)  # the far jump of the reset vector
        self.assertRegex(page[0xfff5:0xfffd], rb'\d\d/\d\d/\d\d')
        self.assertEqual(domain.memoryPeek(BIOS + 0xfff0, 16, PHYSICAL), page[0xfff0:])
        self.assertEqual(domain.memoryPeek(BIOS + 0xfff0, 16, VIRTUAL), page[0xfff0:])
        self.assertEqual(domain.memoryPeek(0, 0, PHYSICAL), b'')
        self.assertEqual(domain.memoryPeek(1 << 40, 8, PHYSICAL), bytes(8))
        self.assertEqual(len(domain.memoryPeek(0, 4 << 20, PHYSICAL)), 4 << 20)

    def test_nothing_is_left_behind(self):
        domain = self.start('one')
        before = self.files()
        domain.memoryPeek(0, 4096, PHYSICAL)
        self.assertEqual(self.files(), before)

    def files(self):
        return sorted(os.path.join(folder, name) for tree in self.server.trees() for folder, _, names in os.walk(tree) for name in names)

    def test_what_is_refused(self):
        domain = self.define('one')
        self.refused(NOT_NOW, domain.memoryPeek, 0, 8, PHYSICAL)
        for flags in (0, PHYSICAL | VIRTUAL, 4):
            self.refused(INVALID, domain.memoryPeek, 0, 8, flags)
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
        error = self.refused(INVALID, domain.memoryPeek, 0, 8, 0)
        self.assertIn('flags parameter must be VIR_MEMORY_VIRTUAL or VIR_MEMORY_PHYSICAL', str(error))
        self.refused(libvirt.VIR_ERR_OPERATION_DENIED, self.open_read_only().lookupByName('one').memoryPeek, 0, 8, PHYSICAL)
