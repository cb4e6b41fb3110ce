#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest small enough to boot in seconds without KVM: Debian's kernel and an initrd of busybox.
#
#   make-guest.sh [DIR]      makes DIR/vmlinuz, DIR/vmlinux, DIR/initrd, DIR/agent and DIR/lab, unless they are there; prints DIR
#
# DIR defaults to $DUOVIRT_GUEST, else /var/cache/duovirt-guest: a place that QEMU's own user can read, which a home
# folder is not. vmlinux is the same kernel without its compression: TCG saves three seconds of unpacking.
#
# The guest writes GUEST-READY to its serial console (on Xen without one: to Xen's), gives a shell there, loads drivers for the hardware it finds, and
# powers off on the ACPI button. ttyS0 is read only by the shell, so what a test types arrives as it was typed.
#
# agent is the same initrd with Debian's qemu-guest-agent in it, which runs as soon as there is a channel for it.
#
# lab is the initrd of a lab machine (tests/lab): it shows this host's files, and what the program does to them is forgotten. It
# may be Xen's dom0.
#
# disk is the initrd of a machine that has a whole Debian on its first disk (tests/lab/systemd.py).
set -euo pipefail

dir=${1:-${DUOVIRT_GUEST:-/var/cache/duovirt-guest}}
# What the guest can drive; what these depend on follows by itself.
modules="virtio_pci virtio_blk virtio_scsi virtio_net virtio_balloon virtio_console virtio_rng virtio_input
         ahci sd_mod sr_mod e1000e xhci_pci uhci_hcd ehci_pci usbhid usb_storage evdev button psmouse i6300esb ext4 crc32c_generic
         9pnet_virtio 9p virtiofs tpm_tis tpm_crb virtio_mem xen_blkfront xen_netfront"
lab_modules="virtio_pci 9pnet_virtio 9p overlay dm_mod dm_zero tun loop bridge
             xen_evtchn xen_gntdev xen_gntalloc xen_privcmd xenfs xen_blkback xen_netback"
disk_modules="virtio_pci virtio_blk ext4 crc32c_generic autofs4"
recipe=$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-16)

mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9
if [ "$(cat "$dir/recipe" 2>/dev/null)" = "$recipe" ] && [ -s "$dir/vmlinux" ] && [ -s "$dir/initrd" ] && [ -s "$dir/agent" ] &&
    [ -s "$dir/lab" ] && [ -s "$dir/disk" ]; then
    echo "$dir"
    exit
fi

work=$(mktemp -d /tmp/make-guest.XXXXXX)
trap 'rm -rf "$work"' EXIT

fetch_kernel() {
    local package
    package=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -1)
    [ -n "$package" ] && (cd "$work" && apt-get -q download "$package" >"$work/log" 2>&1)
}

fetch_agent() {
    (cd "$work" && apt-get -q download qemu-guest-agent >"$work/log" 2>&1)
}

# A fresh machine knows no packages, an old one knows some that are gone.
(fetch_kernel && fetch_agent) || { apt-get -q update >/dev/null && fetch_kernel && fetch_agent; } || { cat "$work/log" >&2; exit 1; }
dpkg-deb -x "$work"/linux-image-*.deb "$work/kernel"
version=$(basename "$work"/kernel/lib/modules/*)
depmod -b "$work/kernel" "$version"

# furnish ROOT MODULE...: busybox, modules and what they depend on
furnish() {
    local root=$1 applet module file
    shift
    mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,root,lib/modules/"$version"}
    cp /bin/busybox "$root/bin/"
    for applet in $(busybox --list); do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done
    for module in "$@"; do
        modprobe -d "$work/kernel" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
    done | sort -u | while read -r file; do
        install -D -m 644 "$file" "$root/${file#"$work/kernel/"}"
    done
    cp "$work/kernel/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} "$root/lib/modules/$version/"
    depmod -b "$root" "$version"
    mknod -m 600 "$root/dev/console" c 5 1
}

# pack ROOT FILE
pack() {
    (cd "$1" && find . | LC_ALL=C sort | cpio --quiet -o -H newc | gzip -9n) >"$2"
}

root=$work/root
# shellcheck disable=SC2086
furnish "$root" $modules
mkdir -p "$root/etc/acpi/PWRF"

cat >"$root/init" <<'INIT'
#!/bin/sh
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
# Twice: what a bus driver finds, its own drivers want in turn.
for turn in 1 2; do
    find /sys/devices -name modalias -exec cat {} + 2>/dev/null | sort -u | xargs modprobe -qa 2>/dev/null
done
modprobe -qa sd_mod sr_mod evdev button 2>/dev/null
for nic in /sys/class/net/*; do ip link set "${nic##*/}" up; done
acpid -f -l /dev/null >/dev/null 2>&1 &
(n=0; while :; do n=$((n + 1)); echo $n >/run/counter; sleep 0.1; done) &
console=/dev/ttyS0
case "$(cat /sys/hypervisor/guest_type 2>/dev/null)" in PV | PVH)
    console=/dev/hvc0
    modprobe -qa xen_blkfront xen_netfront
    ;;
esac
echo "GUEST-READY" >$console
# A shell without line editing: it would ask the terminal where its cursor is.
while :; do
    setsid -c sh -c 'printf "guest# "; while read -r line; do eval "$line"; printf "guest# "; done' <$console >$console 2>&1
done
INIT
cat >"$root/etc/acpi/PWRF/00000080" <<'POWER'
#!/bin/sh
echo "GUEST-POWEROFF" >/dev/ttyS0
poweroff -f
POWER
chmod 755 "$root/init" "$root/etc/acpi/PWRF/00000080"
pack "$root" "$work/initrd"

# What is in a later archive replaces what an earlier one has.
agent=$work/agent-root
mkdir -p "$agent"/{etc,home/guest}
dpkg-deb --fsys-tarfile "$work"/qemu-guest-agent_*.deb | tar -x -C "$agent" ./usr/sbin/qemu-ga
ldd "$agent/usr/sbin/qemu-ga" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/lib64[^ ]*\).*/\1/p' | while read -r file; do
    install -D -m 755 "$file" "$agent/$file"
done
printf 'root:x:0:0::/root:/bin/sh\nguest:x:1000:1000::/home/guest:/bin/sh\n' >"$agent/etc/passwd"
printf 'root::19000::::::\nguest::19000::::::\n' >"$agent/etc/shadow"
printf 'root:x:0:\nguest:x:1000:\n' >"$agent/etc/group"
printf 'NAME="Small"\nID=small\nVERSION_ID="1"\nPRETTY_NAME="Small guest 1"\n' >"$agent/etc/os-release"
sed 's/^echo "GUEST-READY"/\/bin\/agent \&\n&/' "$root/init" >"$agent/init"
mkdir "$agent/bin"
cat >"$agent/bin/agent" <<'AGENT'
#!/bin/sh
# A channel that comes later is found as well; an agent that ends comes back.
while :; do
    for port in $(grep -lx org.qemu.guest_agent.0 /sys/class/virtio-ports/*/name 2>/dev/null); do
        port=${port%/name}
        /usr/sbin/qemu-ga -p "/dev/${port##*/}" -t /run -f /run/qemu-ga.pid </dev/null >/run/agent.log 2>&1
    done
    sleep 1
done
AGENT
# What the agent calls, and busybox has in other places or not at all.
mkdir "$agent/sbin"
ln -s /bin/busybox "$agent/sbin/hwclock"
cat >"$agent/sbin/shutdown" <<'SHUTDOWN'
#!/bin/sh
case "$*" in *-r*) exec reboot -f ;; esac
echo "GUEST-POWEROFF" >/dev/ttyS0
exec poweroff -f
SHUTDOWN
cat >"$agent/bin/chpasswd" <<'CHPASSWD'
#!/bin/sh
echo "$*" >/run/passwords
exec cat >>/run/passwords
CHPASSWD
chmod 755 "$agent/init" "$agent/bin/agent" "$agent/bin/chpasswd" "$agent/sbin/shutdown"
pack "$agent" "$work/more"
cat "$work/initrd" "$work/more" >"$work/agent"

# shellcheck disable=SC2086
furnish "$work/lab-root" $lab_modules
cat >"$work/lab-root/init" <<'INIT'
#!/bin/sh
# LAB_RUN and the rest of the kernel's command line come as environment.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
modprobe -a virtio_pci 9pnet_virtio 9p overlay dm_mod dm_zero tun
mkdir -p /host /over /new
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose host /host
mount -t tmpfs over /over
mkdir /over/up /over/work
mount -t overlay -o lowerdir=/host,upperdir=/over/up,workdir=/over/work root /new
mount -t proc proc /new/proc
mount -t sysfs sys /new/sys
mount -t devtmpfs dev /new/dev
mkdir -p /new/dev/pts /new/dev/shm
mount -t devpts devpts /new/dev/pts
mount -t tmpfs shm /new/dev/shm
mount -t tmpfs run /new/run
mount -t cgroup2 cgroup /new/sys/fs/cgroup
if [ "$(cat /sys/hypervisor/type 2>/dev/null)" = xen ]; then
    modprobe -a loop bridge xen_evtchn xen_gntdev xen_gntalloc xen_privcmd xenfs xen_blkback xen_netback
    mount -t xenfs xenfs /new/proc/xen
fi
# scripts of Xen's wait for ever without these
ln -s /proc/self/fd /new/dev/fd
ln -s fd/0 /new/dev/stdin
ln -s fd/1 /new/dev/stdout
ln -s fd/2 /new/dev/stderr
ip link set lo up
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
chroot /new "$LAB_RUN" >/dev/ttyS1 2>&1
echo "LAB-CODE $?" >/dev/ttyS1
sleep 1
poweroff -f
INIT
chmod 755 "$work/lab-root/init"
pack "$work/lab-root" "$work/lab"

# shellcheck disable=SC2086
furnish "$work/disk-root" $disk_modules
cat >"$work/disk-root/init" <<'INIT'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
modprobe -a virtio_pci virtio_blk crc32c_generic ext4 autofs4
while [ ! -b /dev/vda ]; do sleep 0.1; done
mkdir -p /new
mount -t ext4 /dev/vda /new
umount /sys /proc
mount --move /dev /new/dev
exec switch_root /new /sbin/init
INIT
chmod 755 "$work/disk-root/init"
pack "$work/disk-root" "$work/disk"

/usr/bin/python3 - "$work/kernel/boot/vmlinuz-$version" "$work/vmlinux" <<'UNPACK'
import lzma, sys
image = open(sys.argv[1], 'rb').read()
kernel = lzma.LZMADecompressor().decompress(image[image.index(b'\xfd7zXZ\x00'):])
assert kernel[:4] == b'\x7fELF'
open(sys.argv[2], 'wb').write(kernel)
UNPACK

install -m 644 "$work/kernel/boot/vmlinuz-$version" "$dir/vmlinuz"
install -m 644 "$work/vmlinux" "$dir/vmlinux"
install -m 644 "$work/initrd" "$dir/initrd"
install -m 644 "$work/agent" "$dir/agent"
install -m 644 "$work/lab" "$dir/lab"
install -m 644 "$work/disk" "$dir/disk"
echo "$recipe" >"$dir/recipe"
echo "$dir"
