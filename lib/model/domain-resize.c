/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-resize.h"

#include "lib/cpuset.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"

/* Members are in the order of their numbers. */
static GPtrArray *states_of(const Domain *def)
{
    return def->vcpus ? def->vcpus->vcpus : NULL;
}

static void plug(VcpuState *state, gboolean in)
{
    state->enabled = in ? TOGGLE_ON : TOGGLE_OFF;
    state->hotpluggable = in ? TOGGLE_OFF : TOGGLE_ON; /* plugged in by its definition: there from the start */
}

/* The first free ones come, the last ones go; the others stay what they were. */
static void plug_states(GPtrArray *states, guint plugged, guint count)
{
    for (guint i = 0; i < states->len; i++)
        ((VcpuState *)states->pdata[i])->order = UNSET32;
    for (guint i = 0; i < states->len && plugged < count; i++) {
        VcpuState *state = states->pdata[i];
        if (state->enabled != TOGGLE_ON)
            plug(state, TRUE), plugged++;
    }
    for (guint i = states->len; i > 0 && plugged > count; i--) {
        VcpuState *state = states->pdata[i - 1];
        if (state->enabled == TOGGLE_ON)
            plug(state, FALSE), plugged--;
    }
}

void domain_set_vcpus(Domain *def, guint count)
{
    if (states_of(def))
        plug_states(states_of(def), domain_vcpus(def), count);
    def->vcpu->current = count == def->vcpu->count ? UNSET32 : count;
}

static void resize_states(GPtrArray *states, guint count)
{
    for (guint i = states->len; i < count; i++) {
        VcpuState *state = vcpu_state_new();
        state->id = i;
        state->enabled = TOGGLE_OFF;
        g_ptr_array_add(states, state);
    }
    for (; states->len > count; )
        vcpu_state_free(g_ptr_array_steal_index(states, states->len - 1));
}

static void drop_pins(GPtrArray *pins, guint count)
{
    for (guint i = pins->len; i > 0; i--) {
        if (((const VcpuPin *)pins->pdata[i - 1])->vcpu >= count)
            vcpu_pin_free(g_ptr_array_steal_index(pins, i - 1));
    }
}

/* Each has one number in a normalized definition. */
static void drop_schedulers(GPtrArray *schedulers, guint count)
{
    for (guint i = schedulers->len; i > 0; i--) {
        if (g_ascii_strtoull(((const VcpuSched *)schedulers->pdata[i - 1])->vcpus, NULL, 10) >= count)
            vcpu_sched_free(g_ptr_array_steal_index(schedulers, i - 1));
    }
}

static gboolean check_topology(const Domain *def, guint count, GError **error)
{
    const CpuTopology *topology = def->cpu ? def->cpu->topology : NULL;

    return !topology || (guint64)topology->sockets * topology->dies * topology->clusters * topology->cores * topology->threads == count ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "CPU topology doesn't match the desired vcpu count");
}

static gboolean check_cells(const Domain *def, guint count, GError **error)
{
    const GPtrArray *cells = def->cpu && def->cpu->numa ? def->cpu->numa->cells : NULL;
    guint n = 0;

    for (guint i = 0; cells && i < cells->len; i++) {
        const NumaCell *cell = cells->pdata[i];
        g_autoptr(CpuSet) cpus = cpuset_parse(cell->cpus ? cell->cpus : "", error);
        if (!cpus)
            return FALSE;
        n += cpuset_count(cpus);
    }
    return n <= count || error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                                   "Number of CPUs in <numa> exceeds the desired maximum vcpu count");
}

gboolean domain_set_max_vcpus(Domain *def, guint count, GError **error)
{
    guint plugged = domain_vcpus(def);

    if (!check_topology(def, count, error) || !check_cells(def, count, error))
        return FALSE;
    def->vcpu->count = count;
    def->vcpu->current = plugged < count ? plugged : UNSET32;
    if (states_of(def))
        resize_states(states_of(def), count);
    if (def->cputune) {
        drop_pins(def->cputune->vcpupins, count);
        drop_schedulers(def->cputune->vcpuscheds, count);
    }
    return domain_normalize_cpus(def, error); /* new CPUs belong to a NUMA cell */
}

guint64 domain_balloon_max(const Domain *def)
{
    guint64 kib = def->memory;

    for (guint i = 0; i < def->devices->memories->len; i++) {
        const MemoryDevice *module = def->devices->memories->pdata[i];

        if (module->model == MEMORY_DEVICE_MODEL_VIRTIO_MEM)
            kib -= MIN(kib, module->target->size);
    }
    return kib;
}

void domain_set_stats_period(Domain *def, int seconds)
{
    Memballoon *memballoon = def->devices->memballoon;

    g_clear_pointer(&memballoon->stats, memballoon_stats_free);
    if (seconds > 0) {
        memballoon->stats = memballoon_stats_new();
        memballoon->stats->period = seconds;
    }
}
