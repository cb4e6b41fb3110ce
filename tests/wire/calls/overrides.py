# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a document says in QEMU's own words."""
import json

import libvirt_qemu

from lib.case import Case, guests, libvirt, server

NAMESPACE = "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
DISK = "<disk type='file'><driver name='qemu' type='raw'/><source file='%s'/><target dev='vda' bus='virtio'/><alias name='ua-d'/></disk>"
OVERRIDE = "<qemu:override><qemu:device alias='ua-d'><qemu:frontend>%s</qemu:frontend></qemu:device></qemu:override>"
PROPERTY = "<qemu:property name='%s' type='%s'%s/>"
TAINT = 'tainted: custom device configuration'


def prop(name, kind, value=None):
    return PROPERTY % (name, kind, '' if value is None else f" value='{value}'")


class Overrides(Case):
    def document(self, words):
        text = guests.tiny('one', devices=DISK % guests.image('plain'))
        return text.replace("<domain type='qemu'>", NAMESPACE).replace('</domain>', words + '</domain>')

    def test_properties(self):
        words = OVERRIDE % (prop('serial', 'string', 'abc') + prop('num-queues', 'unsigned', 3) + prop('share-rw', 'bool', 'true')
                            + prop('bootindex', 'signed', 7) + prop('werror', 'string', 'stop') + prop('werror', 'remove'))
        domain = self.conn.defineXML(self.document(words))
        domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)

        def get(name):
            command = {'execute': 'qom-get', 'arguments': {'path': '/machine/peripheral/ua-d', 'property': name}}
            return json.loads(libvirt_qemu.qemuMonitorCommand(domain, json.dumps(command), 0))['return']
        self.assertEqual([get(name) for name in ('serial', 'num-queues', 'share-rw', 'bootindex', 'werror')], ['abc', 3, True, 7, 'auto'])
        self.assertIn(TAINT, domain.messages(libvirt.VIR_DOMAIN_MESSAGE_TAINTING))

    def test_values_of_other_types(self):
        for words in (prop('a', 'bool', 'yes'), prop('a', 'unsigned', -3), prop('a', 'unsigned', 'x'), prop('a', 'signed', ''), prop('a', 'string'),
                      prop('a', 'remove', 'x')):
            with self.subTest(words):
                self.refused(libvirt.VIR_ERR_XML_ERROR, self.conn.defineXML, self.document(OVERRIDE % words))

    def test_deprecation(self):
        said = {'none': [], 'nonsense': [], 'omit': ['{"deprecated-output":"hide"}'],
                'reject': ['{"deprecated-output":"hide","deprecated-input":"reject"}'],
                'crash': ['{"deprecated-output":"hide","deprecated-input":"crash"}']}
        for behavior, wanted in said.items():
            with self.subTest(behavior):
                domain = self.conn.createXML(self.document(f"<qemu:deprecation behavior='{behavior}'/>"), libvirt.VIR_DOMAIN_START_PAUSED)
                argv = server.processes(domain.UUIDString())[self.server.qemu(domain.UUIDString())]
                self.assertEqual([argv[i + 1] for i, word in enumerate(argv) if word == '-compat'], wanted)
                domain.destroy()
