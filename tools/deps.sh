#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What duovirt is built, run and tested with, as Debian 12 packages. Installs what is missing; as root.
#
#   deps.sh build | run | test ...   these groups (default: all)
set -euo pipefail

# compiler, generator (python3, libvirt-dev's public constants) and the libraries of ARCHITECTURE.md
build=(gcc meson ninja-build pkg-config python3 libglib2.0-dev libjson-glib-dev libxml2-dev libvirt-dev libsystemd-dev
       libseccomp-dev libcap-ng-dev libxen-dev)
# the hypervisor and its image tool; libvirt's own client, which ours is driven by
run=(qemu-system-x86 qemu-utils seabios ipxe-qemu ovmf libvirt-clients)
# stock clients and the oracle; what the small guest is made of; namespaces; fuzzing
test=(python3-libvirt python3-pexpect libvirt-daemon libvirt-daemon-system libvirt-daemon-driver-qemu dbus busybox-static
      cpio file kmod xz-utils iproute2 procps libxml2-utils clang libclang-rt-14-dev)

wanted=()
for group in "${@:-build run test}"; do
    for name in $group; do
        declare -n list=$name
        wanted+=("${list[@]}")
    done
done

missing=()
for package in "${wanted[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# Daemons that packages bring are not to start by themselves on a test machine.
apt-get -q update >/dev/null
apt-get -q -y install --no-install-recommends "${missing[@]}" >/dev/null
