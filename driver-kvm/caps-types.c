/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose properties we want to know: whatever the command line or hot plug makes a decision about. A type that is not
 * here has no properties as far as caps_device_has_property() knows. Not simply all that QEMU has: asking for a type makes one,
 * and some types (microvm-machine, virtio-gpu-gl-pci in QEMU 7.2) end the process when made on the machine "none".
 */
#include "driver-kvm/caps-probe.h"

const char *const caps_types[] = {
    /* machines and accelerators */
    "generic-pc-machine", "pc-q35-7.2-machine", "pc-i440fx-7.2-machine", "kvm-accel", "tcg-accel",
    /* memory, objects */
    "memory-backend-ram", "memory-backend-file", "memory-backend-memfd", "rng-random", "rng-egd", "rng-builtin", "iothread",
    "secret", "tls-creds-x509",
    /* buses */
    "pci-bridge", "pcie-root-port", "pcie-pci-bridge", "pxb", "pxb-pcie", "ioh3420", "x3130-upstream", "xio3130-downstream",
    "i82801b11-bridge", "ICH9-LPC", "PIIX4_PM",
    /* disks and their controllers */
    "virtio-blk-pci", "virtio-blk-pci-transitional", "virtio-blk-pci-non-transitional", "virtio-blk-device",
    "virtio-scsi-pci", "virtio-scsi-pci-transitional", "virtio-scsi-pci-non-transitional", "lsi53c895a", "megasas",
    "megasas-gen2", "mptsas1068", "pvscsi", "am53c974", "scsi-hd", "scsi-cd", "scsi-block", "ide-hd", "ide-cd", "ich9-ahci",
    "piix3-ide", "isa-fdc", "floppy", "usb-storage", "nvme", "nvme-ns",
    /* networks */
    "virtio-net-pci", "virtio-net-pci-transitional", "virtio-net-pci-non-transitional", "virtio-net-device", "e1000",
    "e1000e", "rtl8139", "vmxnet3", "ne2k_pci", "pcnet", "i82559er", "usb-net",
    /* character devices */
    "isa-serial", "pci-serial", "usb-serial", "isa-parallel", "isa-debugcon", "virtio-serial-pci", "virtio-serial-pci-transitional",
    "virtio-serial-pci-non-transitional", "virtserialport", "virtconsole",
    /* USB */
    "piix3-usb-uhci", "piix4-usb-uhci", "ich9-usb-ehci1", "ich9-usb-uhci1", "ich9-usb-uhci2", "ich9-usb-uhci3",
    "usb-ehci", "pci-ohci", "nec-usb-xhci", "qemu-xhci", "usb-hub", "usb-host", "usb-redir", "usb-kbd", "usb-mouse", "usb-tablet",
    "usb-ccid", "usb-audio",
    /* input, video, sound */
    "virtio-keyboard-pci", "virtio-mouse-pci", "virtio-tablet-pci", "virtio-input-host-pci", "VGA", "cirrus-vga",
    "vmware-svga", "qxl", "qxl-vga", "bochs-display", "secondary-vga", "ramfb", "virtio-gpu-pci", "virtio-vga",
    "ich9-intel-hda", "intel-hda", "hda-output", "hda-duplex", "hda-micro", "AC97", "ES1370", "sb16",
    /* the rest */
    "virtio-balloon-pci", "virtio-balloon-pci-transitional", "virtio-balloon-pci-non-transitional", "virtio-rng-pci",
    "virtio-rng-pci-transitional", "virtio-rng-pci-non-transitional", "virtio-mem-pci", "virtio-pmem-pci", "vhost-vsock-pci",
    "vhost-user-fs-pci", "virtio-9p-pci", "virtio-iommu-pci", "intel-iommu", "vfio-pci", "i6300esb", "ib700", "ivshmem-plain",
    "ivshmem-doorbell", "pc-dimm", "nvdimm", "tpm-tis", "tpm-crb", "pvpanic", "pvpanic-pci", "vmcoreinfo", "vmgenid", "fw_cfg",
    "mc146818rtc", "kvm-pit", "isa-pit", "hpet", "kvmclock", "cfi.pflash01",
    "max-x86_64-cpu",
    NULL,
};
