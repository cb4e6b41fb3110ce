/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/machine.h"
#include "lib/model/domain-address.h"
#include <string.h>

#define X86 "x86_64 i686"
#define ARM "armv6l armv7l aarch64"
#define PPC64 "ppc64 ppc64le"
#define RISCV "riscv64 riscv32"
#define MIPS "mips mipsel mips64 mips64el"
#define S390 "s390x s390"
#define STEP 1024 /* of most machines' memory, KiB */
#define PPC_STEP (256 * STEP)

#define PC .serial = CHARDEV_TARGET_TYPE_ISA_SERIAL, .panic = PANIC_MODEL_ISA, .memory_step = STEP
#define PLAIN .panic = PANIC_MODEL_ISA, .memory_step = STEP
#define VIRT .nic = "virtio", .video = VIDEO_TYPE_VIRTIO, .serial = CHARDEV_TARGET_TYPE_SYSTEM_SERIAL, PLAIN

/* The first row that fits counts. */
static const MachineKind machine_kinds[] = {
    {X86, "isapc", MACHINE_PS2 | MACHINE_BALLOON, PC},
    {X86, "q35 pc-q35*", MACHINE_PS2 | MACHINE_USB | MACHINE_SATA | MACHINE_BALLOON, CONTROLLER_MODEL_PCIE_ROOT, PC},
    {X86, "pc pc-0.* pc-1.* pc-i440* rhel*", MACHINE_PS2 | MACHINE_USB | MACHINE_BALLOON | MACHINE_IDE,
     CONTROLLER_MODEL_PCI_ROOT, PC},
    {X86, NULL, MACHINE_PS2 | MACHINE_USB | MACHINE_BALLOON, PC},
    {ARM, "virt virt-*", MACHINE_FIXED_VIRTIO | MACHINE_EMBEDDED | MACHINE_GIC, CONTROLLER_MODEL_PCIE_ROOT,
     "gpex-pcihost", .uart = CHARDEV_MODEL_PL011, VIRT},
    {"armv6l", "versatilepb", MACHINE_EMBEDDED, CONTROLLER_MODEL_PCI_ROOT, .nic = LIBVIRTS_SMC91C111, PLAIN},
    {ARM, "versatilepb", MACHINE_EMBEDDED, .nic = LIBVIRTS_SMC91C111, PLAIN},
    {ARM, "vexpress-*", MACHINE_FIXED_VIRTIO | MACHINE_EMBEDDED, .nic = "lan9118", PLAIN},
    {ARM, NULL, MACHINE_EMBEDDED, .nic = "lan9118", PLAIN},
    {PPC64, "pseries pseries-*", MACHINE_USB | MACHINE_BALLOON | MACHINE_USB_INPUTS | MACHINE_PANIC | MACHINE_SPAPR_VIO,
     CONTROLLER_MODEL_PCI_ROOT, .panic = PANIC_MODEL_PSERIES, .serial = CHARDEV_TARGET_TYPE_SPAPR_VIO_SERIAL,
     .video = VIDEO_TYPE_VGA, .scsi = CONTROLLER_MODEL_IBMVSCSI, .memory_step = PPC_STEP},
    {PPC64, NULL, MACHINE_USB | MACHINE_BALLOON | MACHINE_USB_INPUTS, CONTROLLER_MODEL_PCI_ROOT,
     .panic = PANIC_MODEL_ISA, .video = VIDEO_TYPE_VGA, .memory_step = PPC_STEP},
    {"ppc", "g3beige", MACHINE_USB | MACHINE_BALLOON | MACHINE_IDE, CONTROLLER_MODEL_PCI_ROOT, PLAIN},
    {"alpha ppc ppcemb sh4 sh4eb", NULL, MACHINE_USB | MACHINE_BALLOON, CONTROLLER_MODEL_PCI_ROOT, PLAIN},
    {RISCV, "virt virt-*", MACHINE_FIXED_VIRTIO | MACHINE_EMBEDDED | MACHINE_BALLOON, CONTROLLER_MODEL_PCIE_ROOT,
     "gpex-pcihost", .uart = CHARDEV_MODEL_16550A, VIRT},
    {RISCV, NULL, MACHINE_EMBEDDED | MACHINE_BALLOON, PLAIN},
    {S390, "s390-ccw*", MACHINE_BALLOON | MACHINE_PANIC | MACHINE_CCW, CONTROLLER_MODEL_PCI_ROOT, "zpci",
     .panic = PANIC_MODEL_S390, .serial = CHARDEV_TARGET_TYPE_SCLP_SERIAL, .nic = "virtio", .video = VIDEO_TYPE_VIRTIO,
     .scsi = CONTROLLER_MODEL_VIRTIO_SCSI, .memory_step = STEP},
    {S390, NULL, MACHINE_BALLOON | MACHINE_PANIC, CONTROLLER_MODEL_PCI_ROOT, "zpci", .panic = PANIC_MODEL_S390,
     .serial = CHARDEV_TARGET_TYPE_SCLP_SERIAL, .nic = "virtio", .video = VIDEO_TYPE_VIRTIO,
     .scsi = CONTROLLER_MODEL_VIRTIO_SCSI, .memory_step = STEP},
    {"sparc", NULL, 0, PLAIN},
    {"sparc64", "sun4u", MACHINE_USB | MACHINE_BALLOON | MACHINE_IDE, CONTROLLER_MODEL_PCI_ROOT, PLAIN},
    {"sparc64", NULL, MACHINE_USB | MACHINE_BALLOON, CONTROLLER_MODEL_PCI_ROOT, PLAIN},
    {MIPS, "malta", MACHINE_USB | MACHINE_BALLOON | MACHINE_IDE, CONTROLLER_MODEL_PCI_ROOT, PLAIN},
    {NULL, NULL, MACHINE_USB | MACHINE_BALLOON, PLAIN},
};

/* One of the names in LIST, between spaces, is NAME or begins it and ends with '*'. */
static gboolean listed(const char *list, const char *name)
{
    while (name && *list) {
        gsize length = strcspn(list, " ");
        gboolean begins = list[length - 1] == '*';

        if (begins ? strncmp(list, name, length - 1) == 0 : strncmp(list, name, length) == 0 && name[length] == '\0')
            return TRUE;
        list += length + strspn(list + length, " ");
    }
    return FALSE;
}

const MachineKind *machine_kind(const Domain *def)
{
    const MachineKind *kind = machine_kinds;

    while (kind->archs && !(listed(kind->archs, def->os->type->arch) &&
                            (!kind->machines || listed(kind->machines, def->os->type->machine))))
        kind++;
    return kind;
}

gboolean machine_offers_pci(const Domain *def, const Caps *caps)
{
    const MachineKind *kind = machine_kind(def);

    return kind->root != CONTROLLER_MODEL_UNSET && (!kind->root_type || caps_has_type(caps, kind->root_type));
}

gboolean machine_is_x86(const Domain *def)
{
    return listed(X86, def->os->type->arch);
}

gboolean machine_is_arm(const Domain *def)
{
    return listed(ARM, def->os->type->arch);
}

gboolean machine_is_ppc64(const Domain *def)
{
    return listed(PPC64, def->os->type->arch);
}

gboolean machine_is_s390(const Domain *def)
{
    return listed(S390, def->os->type->arch);
}

gboolean machine_is_q35(const Domain *def)
{
    return machine_is_x86(def) && listed("q35 pc-q35*", def->os->type->machine);
}

gboolean machine_is_i440fx(const Domain *def)
{
    return machine_is_x86(def) && machine_has(def, MACHINE_IDE);
}

gboolean machine_is_isapc(const Domain *def)
{
    return g_strcmp0(def->os->type->machine, "isapc") == 0;
}

static ControllerModel root_model(const Domain *def)
{
    const Controller *root = domain_controller(def, CONTROLLER_TYPE_PCI, 0);

    return root ? root->model : CONTROLLER_MODEL_UNSET;
}

gboolean machine_has_pci(const Domain *def)
{
    return domain_controller(def, CONTROLLER_TYPE_PCI, 0) != NULL;
}

gboolean machine_has_pcie_root(const Domain *def)
{
    return root_model(def) == CONTROLLER_MODEL_PCIE_ROOT;
}

gboolean machine_has_pci_root(const Domain *def)
{
    return root_model(def) == CONTROLLER_MODEL_PCI_ROOT;
}

gboolean machine_memory_is_shared(const Domain *def)
{
    const MemoryBacking *backing = def->memory_backing;
    const GPtrArray *cells = def->cpu && def->cpu->numa ? def->cpu->numa->cells : NULL;
    gboolean whole = backing && backing->access && backing->access->mode == MEMORY_ACCESS_SHARED;

    if (!cells || cells->len == 0)
        return whole;
    for (guint i = 0; i < cells->len; i++) {
        const NumaCell *cell = g_ptr_array_index(cells, i);

        if (cell->mem_access != MEMORY_ACCESS_SHARED && !(cell->mem_access == MEMORY_ACCESS_UNSET && whole))
            return FALSE;
    }
    return TRUE;
}
