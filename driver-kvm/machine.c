/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/machine.h"
#include "lib/model/domain-address.h"

gboolean machine_is_x86(const Domain *def)
{
    return g_strcmp0(def->os->type->arch, "x86_64") == 0 || g_strcmp0(def->os->type->arch, "i686") == 0;
}

static gboolean begins_with(const Domain *def, const char *const *prefixes)
{
    const char *machine = def->os->type->machine;

    for (; machine && *prefixes; prefixes++)
        if (g_str_has_prefix(machine, *prefixes))
            return TRUE;
    return FALSE;
}

gboolean machine_is_q35(const Domain *def)
{
    static const char *const prefixes[] = {"pc-q35", NULL};

    return machine_is_x86(def) && (begins_with(def, prefixes) || g_strcmp0(def->os->type->machine, "q35") == 0);
}

gboolean machine_is_i440fx(const Domain *def)
{
    static const char *const prefixes[] = {"pc-0.", "pc-1.", "pc-i440", "rhel", NULL};

    return machine_is_x86(def) && (begins_with(def, prefixes) || g_strcmp0(def->os->type->machine, "pc") == 0);
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
