#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virt-install, virt-clone and virt-xml as people type them: the guest starts, boots Linux where there is one, and its
definition is the one that libvirtd has after the same command line (UUIDs and MACs apart).

    install.py [NAME...]     on our daemon, held against install/NAME.xml
    install.py --record      on libvirtd, to record them anew"""
import difflib
import os
import re
import subprocess
import sys

import libvirt

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib import bootdisk, guests, server, tap, world  # noqa: E402
from lib.virsh import Console, virsh  # noqa: E402

RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'install')
BOOT_SECONDS = 150

# name: (does it boot?, command line); DISK has Linux, EMPTY nothing.
INSTALLS = {
    'import': (True, '--import --disk DISK --osinfo linux2022 --graphics none'),
    'kernel': (True, '--import --boot kernel=KERNEL,initrd=INITRD,cmdline=console=ttyS0 --disk EMPTY --osinfo generic --graphics none'),
    'uefi': (True, '--import --disk DISK --osinfo linux2022 --graphics none '
                   '--boot uefi,firmware.feature0.name=secure-boot,firmware.feature0.enabled=no'),
    'uefi-default': (False, '--import --disk EMPTY --osinfo linux2022 --graphics none --boot uefi'),
    'tpm': (True, '--import --disk DISK --osinfo generic --tpm emulator --graphics none'),
    'desktop': (True, '--import --disk DISK --osinfo linux2022'),
    'spice': (False, '--import --disk EMPTY --osinfo generic --graphics spice --video qxl --channel spicevmc --sound ich9 --redirdev usb,type=spicevmc'),
    'vnc': (False, '--import --disk EMPTY --osinfo debian11 --graphics vnc,listen=0.0.0.0,password=secret'),
    'windows': (False, '--import --disk EMPTY --osinfo win10'),
    'secure': (False, '--import --disk EMPTY --osinfo generic --machine q35 --boot uefi,firmware.feature0.name=secure-boot,firmware.feature0.enabled=yes'),
    'pxe': (False, '--pxe --disk none --osinfo generic'),
    'bridge': (False, '--import --disk EMPTY --osinfo linux2022 --network bridge=testbr0,model=virtio --graphics none'),
    'disks': (False, '--import --disk EMPTY,bus=scsi,cache=none,discard=unmap --disk EMPTY2,bus=sata,serial=abc --controller scsi,model=virtio-scsi '
                     '--disk device=cdrom --osinfo linux2022 --graphics none'),
    'tuned': (False, '--import --disk EMPTY --osinfo linux2022 --graphics none --vcpus 2,maxvcpus=4,sockets=2,cores=2,threads=1 --iothreads 2 '
                     '--cputune vcpupin0.vcpu=0,vcpupin0.cpuset=0 --memorybacking source.type=memfd,access.mode=shared --memory 64,maxmemory=96'),
    'devices': (False, '--import --disk EMPTY --osinfo linux2022 --graphics none --watchdog i6300esb,action=reset --rng /dev/urandom --panic default '
                       '--serial file,path=/tmp/.world/serial.log --channel unix,target.type=virtio,target.name=org.qemu.guest_agent.0 --input tablet,bus=usb '
                       '--sound ich6 --memballoon virtio,autodeflate=on'),
    'shared': (False, '--import --disk EMPTY --osinfo linux2022 --graphics none --memorybacking source.type=memfd,access.mode=shared '
                      '--filesystem /tmp/.world/shared,tag,driver.type=virtiofs'),
    'sysinfo': (False, '--import --disk EMPTY --osinfo generic --graphics none --sysinfo bios.vendor=Us,system.manufacturer=Them,system.serial=1'),
}

# After 'import' is there and off: (name, command line); G is the guest.
EDITS = {
    'edit-memory': 'virt-xml G --edit --memory 128,currentMemory=96',
    'edit-cpu': 'virt-xml G --edit --vcpus 3',
    'edit-metadata': 'virt-xml G --edit --metadata title=Edited',
    'add-disk': 'virt-xml G --add-device --disk EMPTY2,bus=virtio',
    'add-input': 'virt-xml G --add-device --input keyboard,bus=usb',
    'edit-boot': 'virt-xml G --edit --boot bootmenu.enable=on',
    'remove-disk': 'virt-xml G --remove-device --disk target=vdb',
    'clone': 'virt-clone --original G --name G-clone --auto-clone',
}


def scrub(xml):
    for pattern, becomes in ((r'<uuid>.*?</uuid>', '<uuid>UUID</uuid>'), (r"<mac address='.*?'/>", "<mac address='MAC'/>"),
                             (r"(<entry name='uuid'>).*?<", r'\1UUID<'), (r"(/tmp/dv-\w+)?/var/lib/(libvirt|duovirt)/[\w/.-]*?(?=[\w.-]+')", 'STATE/')):
        xml = re.sub(pattern, becomes, xml)
    return xml


class Client:
    def __init__(self, target, out, record):
        self.target, self.out, self.record = target, out, record
        self.words = {'KERNEL': guests.GUEST + '/vmlinuz', 'INITRD': guests.GUEST + '/initrd', 'DISK': bootdisk.make('boot.img'),
                      'EMPTY': guests.image('empty.qcow2', '1G', 'qcow2'), 'EMPTY2': guests.image('empty2.qcow2', '1G', 'qcow2')}
        os.makedirs('/tmp/.world/shared', exist_ok=True)
        os.environ['HOME'] = world.SCRATCH

    def say(self, line, seconds=180):
        argv = [re.sub(r'\b(KERNEL|INITRD|DISK|EMPTY2?)\b', lambda m: self.words[m[1]], word) for word in line.split()]
        done = subprocess.run(argv[:1] + ['--connect', self.target.uri] + argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds, env=dict(os.environ, LC_ALL='C.UTF-8'))
        return done.returncode, done.stdout

    def check(self, title, ok, why=''):
        self.out.case(title, ok, why.splitlines())
        return ok

    def compare(self, name, domain):
        """The definition against the recorded one."""
        with self.target.connect() as conn:
            text = scrub(conn.lookupByName(domain).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
        path = '%s/%s.xml' % (RECORDED, name)
        if self.record:
            os.makedirs(RECORDED, exist_ok=True)
            with open(path, 'w') as f:
                f.write(text)
        with open(path) as f:
            expected = f.read()
        self.check(name + ': the definition is libvirtd\'s', text == expected,
                   '\n'.join(difflib.unified_diff(expected.splitlines(), text.splitlines(), 'libvirtd', self.target.name, n=1, lineterm='')))

    def boots(self, name):
        try:
            console = Console(self.target.uri, name, '--force', seconds=BOOT_SECONDS)
            console.process.send('\r')
            console.process.expect('GUEST-READY|guest# ')
            console.close()
            return True, ''
        except Exception as error:  # what came instead is the reason
            return False, '%s\n%s' % (type(error).__name__, str(getattr(console.process, 'before', ''))[-2000:])

    def install(self, name, boots, line):
        network = '' if '--network' in line else ' --network user'
        memory = '' if '--memory ' in line else ' --memory %d' % (256 if boots else 64)
        code, text = self.say('virt-install --name %s --virt-type qemu --noautoconsole%s%s %s' % (name, memory, network, line))
        if not self.check(name + ': virt-install', code == 0, text):
            return False
        self.compare(name, name)
        state = virsh(self.target.uri, 'domstate', name)[0].strip()
        self.check(name + ': it runs', state == 'running', state)
        if boots:
            self.check(name + ': it boots', *self.boots(name))
        return True

    def remove(self, name):
        virsh(self.target.uri, 'destroy', name)
        virsh(self.target.uri, 'undefine', name, '--nvram')

    def edit(self, name, line):
        code, text = self.say(line.replace('G', 'import'))
        if self.check(name + ': ' + line.split()[0], code == 0, text):
            self.compare(name, 'import-clone' if name == 'clone' else 'import')


def main():
    world.enter()
    record = '--record' in sys.argv
    wanted = [word for word in sys.argv[1:] if not word.startswith('-')]
    out = tap.Lines()
    # SPICE asks for names as if there were a network; a host with loopback alone has none.
    subprocess.run(['ip', 'address', 'add', '192.0.2.1/24', 'dev', guests.bridge()], check=True)
    with server.Libvirtd() if record else server.target() as target:
        client = Client(target, out, record)
        for name, (boots, line) in INSTALLS.items():
            if wanted and name not in wanted:
                continue
            there = client.install(name, boots, line)
            if name == 'import' and there:
                virsh(target.uri, 'destroy', name)
                for edit, command in EDITS.items():
                    client.edit(edit, command)
                client.remove('import-clone')
            client.remove(name)
    sys.exit(out.end())


if __name__ == '__main__':
    main()
