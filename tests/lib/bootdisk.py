# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk with the small guest of tools/make-guest.sh that BIOS and UEFI both boot: one FAT file system, syslinux in its boot
sector, systemd-boot where UEFI looks. Its console is the serial port."""
import os
import subprocess

from . import guests

SIZE = 48 << 20
BOOTLOADER = '/usr/lib/systemd/boot/efi/systemd-bootx64.efi'
SYSLINUX = 'DEFAULT guest\nLABEL guest\n  KERNEL vmlinuz\n  INITRD initrd\n  APPEND console=ttyS0 quiet\n'
ENTRY = 'title guest\nlinux /vmlinuz\ninitrd /initrd\noptions console=ttyS0 quiet\n'


def make(name):
    """Its path."""
    os.makedirs(guests.IMAGES, exist_ok=True)
    os.chmod(guests.IMAGES, 0o755)
    path = '%s/%s' % (guests.IMAGES, name)

    def run(*argv, text=None):
        subprocess.run(argv, check=True, input=text, text=True, stdout=subprocess.DEVNULL, env=dict(os.environ, MTOOLS_SKIP_CHECK='1'))

    with open(path, 'wb') as f:
        f.truncate(SIZE)
    run('mkfs.fat', '-F', '32', path)
    run('syslinux', '--install', path)
    for folder in ('EFI', 'EFI/BOOT', 'loader', 'loader/entries'):
        run('mmd', '-i', path, '::' + folder)
    for file, place in ((guests.GUEST + '/vmlinuz', 'vmlinuz'), (guests.GUEST + '/initrd', 'initrd'), (BOOTLOADER, 'EFI/BOOT/BOOTX64.EFI')):
        run('mcopy', '-i', path, file, '::' + place)
    for text, place in ((SYSLINUX, 'syslinux.cfg'), (ENTRY, 'loader/entries/guest.conf'), ('timeout 0\n', 'loader/loader.conf')):
        run('mcopy', '-i', path, '-', '::' + place, text=text)
    os.chmod(path, 0o666)
    return path
