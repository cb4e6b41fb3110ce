# SPDX-License-Identifier: LGPL-2.1-or-later
"""Configurations of xl and xm, and one document for both hypervisors."""
import os
import unittest

from dom0.case import KINDS, Case, document, run, xen
from dom0.devices import BRIDGE, NIC, image, raw
from dom0.hvm import hvm
from lib import server, world
from lib.server import libvirt

CONFIG = '''name = "fromxl"
uuid = "c7a5fdb2-cdaf-9455-926a-d65c16db1809"
type = "pvh"
memory = 128
vcpus = 2
kernel = "/boot/vmlinuz"
extra = "console=hvc0"
disk = [ "/tmp/a.img,raw,xvda,rw", "format=qcow2,vdev=xvdb,access=ro,target=/tmp/b.qcow2" ]
vif = [ "mac=00:16:3e:66:12:b4,bridge=br0,rate=10MB/s" ]
vfb = [ "type=vnc,vncunused=1,vnclisten=0.0.0.0,keymap=de" ]
on_crash = "preserve"
'''
SAID = ("machine='xenpvh'>xenpvh<", '<cmdline>console=hvc0</cmdline>', "<driver name='qemu' type='qcow2'/>", "<source file='/tmp/b.qcow2'/>",
        "<outbound average='10240'/>", "<graphics type='vnc' port='-1' autoport='yes' listen='0.0.0.0' keymap='de'>",
        "<on_crash>preserve</on_crash>", "<vcpu placement='static'>2</vcpu>")


class Native(Case):
    def refused(self, code, ask, *arguments):
        with self.assertRaises(libvirt.libvirtError) as caught:
            ask(*arguments)
        self.assertEqual(caught.exception.get_error_code(), code, caught.exception)

    def test_xl_reads_what_is_written(self):
        disk = raw(image('plain'), 'xvda', "<driver name='qemu' type='raw'/>")
        for kind in KINDS + ('hvm',):
            with self.subTest(kind):
                made = hvm('one') if kind == 'hvm' else document('one', kind, devices=disk + NIC % 1)
                path = os.path.join(world.SCRATCH, 'one.cfg')
                with open(path, 'w') as f:
                    f.write(self.conn.domainXMLToNative('xen-xl', made, 0))
                done = run('xl', 'create', '-n', path)
                self.assertEqual(done.returncode, 0, done.stdout)
                again = self.conn.domainXMLFromNative('xen-xl', open(path).read(), 0)
                self.assertEqual(self.conn.domainXMLToNative('xen-xl', again, 0), open(path).read())

    def test_what_xl_has(self):
        said = self.conn.domainXMLFromNative('xen-xl', CONFIG, 0)
        for part in SAID:
            self.assertIn(part, said)

    def test_what_is_none(self):
        for text, code in (('name = "x\n', libvirt.VIR_ERR_CONF_SYNTAX), ('name = "x"\ntype = "foo"\n', libvirt.VIR_ERR_CONFIG_UNSUPPORTED),
                           ('', libvirt.VIR_ERR_INTERNAL_ERROR)):
            self.refused(code, self.conn.domainXMLFromNative, 'xen-xl', text, 0)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.conn.domainXMLFromNative, 'wrong', CONFIG, 0)
        self.refused(libvirt.VIR_ERR_INVALID_ARG, self.conn.domainXMLToNative, 'wrong', document('one'), 0)

    @unittest.skipIf(server.on_oracle(), 'libvirtd does not take a type of the other')
    def test_one_document_for_both(self):
        """Type apart, with buses and models left to the driver."""
        run('ip', 'link', 'add', BRIDGE, 'type', 'bridge')
        self.addCleanup(run, 'ip', 'link', 'del', BRIDGE)
        devices = "<disk type='file'><source file='%s'/><target dev='hda'/></disk>%s<graphics type='vnc' autoport='yes'/>" % (image('both'), NIC % 1)
        made = hvm('both', devices)
        kvm = libvirt.open('qemu+unix:///system?socket=' + xen.daemon.socket)
        self.addCleanup(kvm.close)
        for conn, kind in ((self.conn, 'xen'), (kvm, 'qemu')):
            domain = conn.createXML(made.replace("<domain type='xen'", "<domain type='%s'" % kind), libvirt.VIR_DOMAIN_START_PAUSED)
            self.assertEqual(domain.state()[0], libvirt.VIR_DOMAIN_PAUSED)
            self.assertRegex(domain.XMLDesc(), r"<graphics type='vnc' port='59\d\d'")
            domain.destroy()
