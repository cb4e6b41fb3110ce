#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What duovirt is built, run and tested with, as Debian 12 packages. Installs what is missing; as root.
#
#   deps.sh GROUP...      build run others demo test clients lab oracle; default: build run test
set -euo pipefail

# compiler, generator (python3; libvirt-dev's public constants) and the libraries of ARCHITECTURE.md
build=(gcc libc6-dev meson ninja-build pkg-config python3 libglib2.0-dev libjson-glib-dev libxml2-dev libvirt-dev libsystemd-dev libgnutls28-dev
       libxen-dev)
# the hypervisor with its firmware and image tool
run=(qemu-system-x86 qemu-utils seabios ipxe-qemu)
# hypervisors of other architectures, which only the tests ask for: seconds to install, 290 MB on the disk
others=(qemu-system-arm qemu-system-ppc qemu-system-misc)
# stock virsh, a terminal to type into, and what tools/make-guest.sh makes its guest of
demo=(libvirt-clients python3-pexpect busybox-static cpio kmod)
# stock Python bindings, bridges and taps, schema checks, a bus with polkit, QEMU's audio back ends, libFuzzer
test=("${demo[@]}" python3-libvirt python3-gi iproute2 libxml2-utils polkitd dbus-daemon dbus-bin qemu-system-gui
      clang libclang-rt-14-dev)
# what people use with libvirt, and what it takes to show it working: a screen, disks that boot, firmware, a TPM
clients=(virtinst virt-manager virt-viewer gir1.2-spiceclientgtk-3.0 gir1.2-gtk-vnc-2.0 xvfb xdotool imagemagick dbus-daemon
         libsys-virt-perl ruby-libvirt golang-go golang-github-libvirt-libvirt-go-dev gir1.2-libvirt-glib-1.0 python3-gi
         prometheus-libvirt-exporter collectd-core munin-libvirt-plugins osinfo-db libosinfo-bin
         ovmf swtpm swtpm-tools syslinux syslinux-common mtools dosfstools systemd-boot-efi)
# a Xen to boot, and what runs in its dom0
xen=(xen-hypervisor-4.17-amd64 xen-utils-4.17 xenstore-utils qemu-system-xen libvirt-daemon-driver-xen)
# Debian's package of this tree, and roots and disks to put it in (tests/lab)
lab=(mmdebstrap dpkg-dev debhelper e2fsprogs lintian "${xen[@]}")
# Debian's libvirtd to compare with, only its programs and its user: libvirt-daemon-system would start it on this machine
oracle=(libvirt-daemon libvirt-daemon-driver-qemu)

[ $# -gt 0 ] || set -- build run test
wanted=()
for name in "$@"; do
    declare -n list=$name
    wanted+=("${list[@]}")
done

# The user that libvirt-daemon-system makes, with the number that Debian gives it.
oracle_user() {
    id libvirt-qemu >/dev/null 2>&1 && return
    getent group kvm >/dev/null || groupadd --system kvm
    getent group libvirt-qemu >/dev/null || groupadd --system --gid 64055 libvirt-qemu
    useradd --system --uid 64055 --gid kvm --groups libvirt-qemu --home-dir /var/lib/libvirt --no-create-home \
        --shell /usr/sbin/nologin libvirt-qemu
}

missing=()
for package in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[[ " $* " != *" oracle "* ]] || oracle_user
if [ ${#missing[@]} -eq 0 ]; then
    echo "nothing to install"
    exit
fi

echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt-get -q -o Acquire::Retries=3 update >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
# In runlevel 1 nothing is started that a package brings along (exporters, collectd).
RUNLEVEL=1 apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }
