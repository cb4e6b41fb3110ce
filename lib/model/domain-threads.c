/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-threads.h"

#include <string.h>

static GPtrArray *listed(const Domain *def)
{
    return def->iothreadids ? def->iothreadids->iothreads : NULL;
}

static guint n_listed(const Domain *def)
{
    return listed(def) ? listed(def)->len : 0;
}

const IothreadId *domain_iothread(const Domain *def, guint id)
{
    for (guint i = 0; i < n_listed(def); i++) {
        const IothreadId *one = listed(def)->pdata[i];
        if (one->id == id)
            return one;
    }
    return NULL;
}

/* Those that are listed, then as many more as there have to be, with the lowest free numbers. */
GArray *domain_iothread_ids(const Domain *def)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint));
    guint wanted = def->iothreads == UNSET32 ? 0 : def->iothreads;

    for (guint i = 0; i < n_listed(def); i++)
        g_array_append_val(ids, ((IothreadId *)listed(def)->pdata[i])->id);
    for (guint id = 1; ids->len < wanted; id++)
        if (!domain_iothread(def, id))
            g_array_append_val(ids, id);
    return ids;
}

gboolean domain_has_iothread(const Domain *def, guint id)
{
    g_autoptr(GArray) ids = domain_iothread_ids(def);

    for (guint i = 0; i < ids->len; i++)
        if (g_array_index(ids, guint, i) == id)
            return TRUE;
    return FALSE;
}

static void append(Domain *def, guint id)
{
    IothreadId *one = iothread_id_new();

    one->id = id;
    g_ptr_array_add(listed(def), one);
}

void domain_list_iothreads(Domain *def)
{
    g_autoptr(GArray) ids = domain_iothread_ids(def);

    if (!def->iothreadids)
        def->iothreadids = iothread_ids_new();
    for (guint i = n_listed(def); i < ids->len; i++)
        append(def, g_array_index(ids, guint, i));
    def->iothreads = n_listed(def) ? n_listed(def) : UNSET32;
}

IothreadId *domain_list_iothread(Domain *def, guint id)
{
    domain_list_iothreads(def);
    return (IothreadId *)domain_iothread(def, id);
}

void domain_add_iothread(Domain *def, guint id)
{
    domain_list_iothreads(def);
    append(def, id);
    def->iothreads = n_listed(def);
}

/* What goes without saying: 1, 2, ... and nothing else about them. */
static gboolean is_plain(const Domain *def)
{
    for (guint i = 0; i < n_listed(def); i++) {
        const IothreadId *one = listed(def)->pdata[i];
        if (one->id != i + 1 || one->thread_pool_min != UNSET32 || one->thread_pool_max != UNSET32)
            return FALSE;
    }
    return TRUE;
}

static void drop_tuning(Cputune *tune, guint id)
{
    for (guint i = tune->iothreadpins->len; i > 0; i--)
        if (((const IothreadPin *)tune->iothreadpins->pdata[i - 1])->iothread == id)
            iothread_pin_free(g_ptr_array_steal_index(tune->iothreadpins, i - 1));
    for (guint i = tune->iothreadscheds->len; i > 0; i--)
        if (g_ascii_strtoull(((const IothreadSched *)tune->iothreadscheds->pdata[i - 1])->iothreads, NULL, 10) == id)
            iothread_sched_free(g_ptr_array_steal_index(tune->iothreadscheds, i - 1));
}

void domain_del_iothread(Domain *def, guint id)
{
    domain_list_iothreads(def);
    for (guint i = n_listed(def); i > 0; i--)
        if (((const IothreadId *)listed(def)->pdata[i - 1])->id == id)
            iothread_id_free(g_ptr_array_steal_index(listed(def), i - 1));
    def->iothreads = n_listed(def) ? n_listed(def) : UNSET32;
    if (is_plain(def))
        g_clear_pointer(&def->iothreadids, iothread_ids_free);
    if (def->cputune)
        drop_tuning(def->cputune, id);
}

char *domain_iothread_user(const Domain *def, guint id)
{
    for (guint i = 0; i < def->devices->disks->len; i++) {
        const Disk *disk = def->devices->disks->pdata[i];
        if (disk->driver && disk->driver->iothread == id)
            return g_strdup_printf("%u since it is being used by disk '%s'", id, disk->target ? disk->target->dev : "");
    }
    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = def->devices->controllers->pdata[i];
        if (controller->driver && controller->driver->iothread == id)
            return g_strdup_printf("'%u' since it is being used by controller", id);
    }
    return NULL;
}

/* --- host CPUs --- */

static const char *of_all(const Domain *def)
{
    return def->vcpu ? def->vcpu->cpuset : NULL;
}

static VcpuPin *vcpu_pin(const Domain *def, guint vcpu)
{
    for (guint i = 0; def->cputune && i < def->cputune->vcpupins->len; i++) {
        VcpuPin *pin = def->cputune->vcpupins->pdata[i];
        if (pin->vcpu == vcpu)
            return pin;
    }
    return NULL;
}

static IothreadPin *iothread_pin(const Domain *def, guint id)
{
    for (guint i = 0; def->cputune && i < def->cputune->iothreadpins->len; i++) {
        IothreadPin *pin = def->cputune->iothreadpins->pdata[i];
        if (pin->iothread == id)
            return pin;
    }
    return NULL;
}

const char *domain_vcpu_cpus(const Domain *def, guint vcpu)
{
    const VcpuPin *pin = vcpu_pin(def, vcpu);

    return pin ? pin->cpuset : of_all(def);
}

const char *domain_emulator_cpus(const Domain *def)
{
    return def->cputune && def->cputune->emulatorpin ? def->cputune->emulatorpin->cpuset : of_all(def);
}

const char *domain_iothread_cpus(const Domain *def, guint id)
{
    const IothreadPin *pin = iothread_pin(def, id);

    return pin ? pin->cpuset : of_all(def);
}

static void need_cputune(Domain *def)
{
    if (!def->cputune)
        def->cputune = cputune_new();
}

static void replace(char **text, const char *with)
{
    g_free(*text);
    *text = g_strdup(with);
}

void domain_pin_vcpu(Domain *def, guint vcpu, const char *cpus)
{
    VcpuPin *pin = vcpu_pin(def, vcpu);

    need_cputune(def);
    if (!pin) {
        guint at = 0;
        GPtrArray *pins = def->cputune->vcpupins;
        while (at < pins->len && ((const VcpuPin *)pins->pdata[at])->vcpu < vcpu)
            at++;
        pin = vcpu_pin_new();
        pin->vcpu = vcpu;
        g_ptr_array_insert(pins, at, pin);
    }
    replace(&pin->cpuset, cpus);
}

void domain_pin_emulator(Domain *def, const char *cpus)
{
    need_cputune(def);
    if (!def->cputune->emulatorpin)
        def->cputune->emulatorpin = emulator_pin_new();
    replace(&def->cputune->emulatorpin->cpuset, cpus);
}

void domain_pin_iothread(Domain *def, guint id, const char *cpus)
{
    IothreadPin *pin = iothread_pin(def, id);

    need_cputune(def);
    if (!pin) {
        guint at = 0;
        GPtrArray *pins = def->cputune->iothreadpins;
        while (at < pins->len && ((const IothreadPin *)pins->pdata[at])->iothread < id)
            at++;
        pin = iothread_pin_new();
        pin->iothread = id;
        g_ptr_array_insert(pins, at, pin);
    }
    replace(&pin->cpuset, cpus);
}
