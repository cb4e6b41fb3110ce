# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many procedures there are for Xen: each is called with the emptiest arguments that the protocol has for it, about a guest that
runs. What answers "not supported" is not there; whatever else is said, somebody has looked."""
import os
import re
import struct
import sys

from dom0.case import Case, document, xen
from lib import guests, server
from lib.server import libvirt

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path[:0] = [os.path.join(ROOT, 'tools/gen'), os.path.join(ROOT, 'tests/wire')]
import idl  # noqa: E402
from raw import Connection, string  # noqa: E402

NO_SUPPORT = libvirt.VIR_ERR_NO_SUPPORT
NOT_HERE = ('connect_open', 'connect_close', 'auth_', 'node_suspend_for_duration', 'migrate', 'connect_set_identity',
            'connect_supports_feature')
OTHERS = re.compile('network|interfaces|^interface|nwfilter|node_device|node_num_of|node_list')
SIZES = {'char': 4, 'uchar': 4, 'short': 4, 'ushort': 4, 'int': 4, 'uint': 4, 'hyper': 8, 'uhyper': 8, 'double': 8}


def emptiest(field):
    if field.repeat in ('optional', 'list'):
        return bytes(4)
    count = int(field.c_bound) if field.repeat == 'fixed' and field.c_bound.isdigit() else 1
    return count * one(field)


def one(field):
    if field.struct is not None:
        return form(field.struct)
    return {'string': bytes(4), 'opaque': b'', 'uuid': bytes(16)}.get(field.type, bytes(SIZES.get(field.type, 4)))


def form(args):
    if args.name == 'nonnull_domain':
        return string('one') + bytes.fromhex(guests.uuid_of('one').replace('-', '')) + struct.pack('>i', 1)
    if args.discriminant:
        return bytes(4) + b''.join(emptiest(field) for field in args.fields[:1])
    return b''.join(emptiest(field) for field in args.fields)


def described():
    program = next(one for one in idl.load([os.path.join(ROOT, 'daemon/rpc/remote.idl')]) if one.name == 'remote')
    return [proc for proc in program.procs if not proc.is_event and not any(name in proc.name for name in NOT_HERE)]


class Procedures(Case):
    def guest(self):
        """There is one that runs, whatever the last call has done to it."""
        try:
            if self.conn.lookupByName('one').isActive():
                return
        except libvirt.libvirtError:
            pass
        self.until(self.begun, 'a guest')

    def begun(self):
        try:
            return self.conn.createXML(document('one'), libvirt.VIR_DOMAIN_START_PAUSED)
        except libvirt.libvirtError:
            return None  # the last one is not quite over

    def answer(self, proc):
        connection = Connection(xen.daemon.socket)
        try:
            connection.open('xen:///system')
            return connection.call(proc.number, form(proc.args) if proc.args else b'')
        except (TimeoutError, EOFError):
            return None  # it is at work, or waits for what a stream should bring
        finally:
            connection.close()

    def test_how_many(self):
        missing, there = [], []
        for proc in described():
            self.guest()
            message = self.answer(proc)
            refused = message and message.status and message.error.code == NO_SUPPORT
            (missing if refused else there).append(proc.name)
        who = 'libvirtd' if server.on_oracle() else 'duovirtd'
        for what, names in (('of all', lambda name: True), ('but for networks, interfaces, filters and node devices', lambda name: not OTHERS.search(name))):
            yes, no = [list(filter(names, part)) for part in (there, missing)]
            print('# %d of %d procedures on Xen by %s, %s' % (len(yes), len(yes) + len(no), who, what))
        print('# not there: ' + ' '.join(missing))
        self.assertGreater(len(there), 100)
