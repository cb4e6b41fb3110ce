/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which machine a definition asks for, and what such a machine is. Any thread; DEF has its architecture and machine
 * filled in.
 *
 * What differs from one family of machines to the next is a row of the table in machine.c, not a question about names
 * at the place where it matters. */
#include "driver-kvm/caps.h"
#include "lib/model/model.h"

/* What a machine has whether or not its document says so. */
enum {
    MACHINE_PS2 = 1 << 0,  /* keyboard and mouse */
    MACHINE_USB = 1 << 1,  /* a USB controller */
    MACHINE_SATA = 1 << 2, /* a SATA controller */
    MACHINE_BALLOON = 1 << 3,
    MACHINE_USB_INPUTS = 1 << 4, /* keyboard and mouse, where there is a display */
    MACHINE_PANIC = 1 << 5,
    MACHINE_IDE = 1 << 6,          /* an IDE controller on its board */
    MACHINE_FIXED_VIRTIO = 1 << 7, /* virtio-mmio slots */
    MACHINE_EMBEDDED = 1 << 8,     /* PCI only where `root` says so, no ISA */
    MACHINE_SPAPR_VIO = 1 << 9,    /* a bus of paravirtual devices, and several PCI roots */
    MACHINE_CCW = 1 << 10,         /* channel devices */
    MACHINE_GIC = 1 << 11,         /* ARM's generic interrupt controller */
};

#define LIBVIRTS_SMC91C111 "scm91c111" /* its word for a NIC that QEMU calls smc91c111 */

typedef struct {
    const char *archs;    /* names between spaces */
    const char *machines; /* between spaces; one that ends with '*' stands for all that begin so. NULL: any */
    guint has;
    ControllerModel root;  /* of PCI; CONTROLLER_MODEL_UNSET: it has none */
    const char *root_type; /* ... where the emulator has this type; NULL: always */
    PanicModel panic;
    ChardevTargetType serial; /* of a port that does not say; CHARDEV_TARGET_TYPE_UNSET: nothing is known of it */
    ChardevModel uart;        /* of its system's port */
    const char *nic;      /* model of an interface that does not say; NULL: the first usual one that the emulator has */
    VideoType video;      /* likewise of a card; VIDEO_TYPE_UNSET */
    ControllerModel scsi; /* likewise */
    guint memory_step;    /* KiB */
} MachineKind;

/* Never NULL. */
const MachineKind *machine_kind(const Domain *def);
#define machine_has(def, what) ((machine_kind(def)->has & (what)) != 0)

/* It has a PCI root, with this emulator. */
gboolean machine_offers_pci(const Domain *def, const Caps *caps);

gboolean machine_is_x86(const Domain *def);
gboolean machine_is_q35(const Domain *def);
gboolean machine_is_i440fx(const Domain *def);
gboolean machine_is_isapc(const Domain *def);
gboolean machine_is_arm(const Domain *def);   /* of 32 or 64 bits */
gboolean machine_is_ppc64(const Domain *def); /* of either order of bytes */
gboolean machine_is_s390(const Domain *def);
gboolean machine_has_pci(const Domain *def);       /* a controller of type pci with index 0 */
gboolean machine_has_pcie_root(const Domain *def); /* ... that is a pcie-root */
gboolean machine_has_pci_root(const Domain *def);

/* All of the guest's memory may be seen by other processes, as vhost-user and virtiofs need. */
gboolean machine_memory_is_shared(const Domain *def);
