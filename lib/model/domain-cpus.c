/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-cpus.h"
#include "lib/cpuset.h"
#include "lib/error.h"
#include "lib/model/domain-numa.h"
#include "lib/model/domain-threads.h"

guint domain_max_vcpus(const Domain *def)
{
    return def->vcpu->count;
}

guint domain_vcpus(const Domain *def)
{
    return def->vcpu->current == UNSET32 ? def->vcpu->count : def->vcpu->current;
}

static gboolean normalize_vcpu(Domain *def, GError **error)
{
    if (!def->vcpu)
        def->vcpu = vcpu_new();
    if (def->vcpu->count == UNSET32)
        def->vcpu->count = 1;
    if (def->vcpu->count == 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "invalid maximum number of vCPUs '%u'", def->vcpu->count);
    if (def->vcpu->current != UNSET32 && def->vcpu->current > def->vcpu->count)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "maximum vCPU count must not be less than current vCPU count");
    if (def->vcpu->current == 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "vcpu 0 can't be offline");
    if (def->vcpu->current == def->vcpu->count && !def->vcpus)
        def->vcpu->current = UNSET32;
    return TRUE;
}

static gint by_cell_id(gconstpointer a, gconstpointer b)
{
    const NumaCell *one = *(NumaCell *const *)a, *two = *(NumaCell *const *)b;

    return one->id < two->id ? -1 : one->id > two->id;
}

/* CPU of the cell INDEX is in one before it, too. */
static gboolean overlap(const GPtrArray *cells, guint index, guint cpu, GError **error)
{
    guint other = 0;

    for (guint i = 0; i < index; i++) {
        const NumaCell *cell = g_ptr_array_index(cells, i);
        g_autoptr(CpuSet) cpus = cpuset_parse(cell->cpus ? cell->cpus : "", NULL);

        if (cpus && cpuset_has(cpus, cpu))
            other = i;
    }
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "NUMA cells %u and %u have overlapping vCPU ids", index, other);
}

/* Cells are numbered from 0 without a gap; CPUs that are in none belong to the first. */
static gboolean normalize_numa(Domain *def, GError **error)
{
    GPtrArray *cells = def->cpu && def->cpu->numa ? def->cpu->numa->cells : NULL;
    g_autoptr(CpuSet) all = cpuset_new();
    g_autofree char *first_cpus = NULL;
    NumaCell *first;

    if (!cells || cells->len == 0)
        return TRUE;
    for (guint i = 0; i < cells->len; i++) {
        NumaCell *cell = g_ptr_array_index(cells, i);

        if (cell->id == UNSET32)
            cell->id = i;
    }
    g_ptr_array_sort(cells, by_cell_id);
    for (guint i = 0; i < cells->len; i++) {
        const NumaCell *cell = g_ptr_array_index(cells, i);
        g_autoptr(CpuSet) cpus = cpuset_parse(cell->cpus ? cell->cpus : "", error);

        if (!cpus)
            return FALSE;
        if (i > 0 && cell->id == ((const NumaCell *)g_ptr_array_index(cells, i - 1))->id)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Duplicate NUMA cell info for cell id '%u'", cell->id);
        if (cell->id != i)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                             "Exactly one 'cell' element per guest NUMA cell allowed, non-contiguous ranges or ranges not "
                             "starting from 0 are not allowed");
        for (int cpu = cpuset_next(cpus, -1); cpu >= 0; cpu = cpuset_next(cpus, cpu)) {
            if (cpuset_has(all, (guint)cpu))
                return overlap(cells, i, (guint)cpu, error);
            cpuset_add(all, (guint)cpu);
        }
    }
    if (cpuset_last(all) >= 0 && (guint)cpuset_last(all) >= def->vcpu->count)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "Number of CPUs in <numa> exceeds the <vcpu> count");
    if (cpuset_count(all) >= def->vcpu->count || def->vcpu->count > CPUSET_MAX)
        return TRUE;
    first = g_ptr_array_index(cells, 0);
    first_cpus = g_steal_pointer(&first->cpus);
    {
        g_autoptr(CpuSet) cpus = cpuset_parse(first_cpus ? first_cpus : "", error);

        for (guint cpu = 0; cpu < def->vcpu->count; cpu++)
            if (!cpuset_has(all, cpu))
                cpuset_add(cpus, cpu);
        first->cpus = cpuset_format(cpus);
    }
    return TRUE;
}

static gint by_vcpu(gconstpointer a, gconstpointer b)
{
    const VcpuPin *one = *(VcpuPin *const *)a, *two = *(VcpuPin *const *)b;

    return one->vcpu < two->vcpu ? -1 : one->vcpu > two->vcpu;
}

static gint by_iothread(gconstpointer a, gconstpointer b)
{
    const IothreadPin *one = *(IothreadPin *const *)a, *two = *(IothreadPin *const *)b;

    return one->iothread < two->iothread ? -1 : one->iothread > two->iothread;
}

/* Makes one element for each number in the set of numbers at OFFSET of LIST's members, in order. WHAT and WHICH name them. */
static gboolean split_by_number(GPtrArray *list, const ModelType *type, gsize offset, const char *what, const char *which,
                                GError **error)
{
    g_autofree gpointer *found = g_new0(gpointer, CPUSET_MAX);
    gsize n = 0;
    g_autofree gpointer *members = NULL;

    for (guint i = 0; i < list->len; i++) {
        const char *text = *(char **)((char *)g_ptr_array_index(list, i) + offset);
        g_autoptr(CpuSet) set = cpuset_parse(text, error);

        if (!set)
            return FALSE;
        for (int number = cpuset_next(set, -1); number >= 0; number = cpuset_next(set, number)) {
            if (found[number])
                return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL, "'%s' attributes '%s' must not overlap", what, which);
            found[number] = g_ptr_array_index(list, i);
        }
    }
    members = g_ptr_array_steal(list, &n);
    for (guint number = 0; number < CPUSET_MAX; number++) {
        gpointer copy = found[number] ? model_copy(type, found[number]) : NULL;
        char **text = copy ? (char **)((char *)copy + offset) : NULL;

        if (!copy)
            continue;
        g_free(*text);
        *text = g_strdup_printf("%u", number);
        g_ptr_array_add(list, copy);
    }
    for (gsize i = 0; i < n; i++)
        model_free(type, members[i]);
    return TRUE;
}

/* Those of CPUs that there are not mean nothing. */
static void drop_pins(Domain *def)
{
    GPtrArray *pins = def->cputune->vcpupins;

    for (guint i = pins->len; i > 0; i--)
        if (((const VcpuPin *)pins->pdata[i - 1])->vcpu >= def->vcpu->count)
            vcpu_pin_free(g_ptr_array_steal_index(pins, i - 1));
}

static gboolean check_vcpu_scheds(const Domain *def, GError **error)
{
    for (guint i = 0; i < def->cputune->vcpuscheds->len; i++) {
        const VcpuSched *one = def->cputune->vcpuscheds->pdata[i];

        if (g_ascii_strtoull(one->vcpus, NULL, 10) >= def->vcpu->count)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "vCPU '%s' is not present in domain definition",
                             one->vcpus);
    }
    return TRUE;
}

static gboolean check_memnodes(const Domain *def, GError **error)
{
    const Numatune *tune = def->numatune;
    guint cells = def->cpu && def->cpu->numa ? def->cpu->numa->cells->len : 0;
    gboolean restrictive = tune->memory && tune->memory->mode == NUMATUNE_MODE_RESTRICTIVE;

    for (guint i = 0; i < tune->memnodes->len; i++) {
        const NumatuneMemnode *one = tune->memnodes->pdata[i];

        if (!cells)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Element 'memnode' is invalid without any guest NUMA cells");
        if (one->cellid >= cells)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                             "Argument 'cellid' in memnode element must correspond to existing guest's NUMA cell");
        for (guint other = 0; other < i; other++)
            if (((const NumatuneMemnode *)tune->memnodes->pdata[other])->cellid == one->cellid)
                return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Multiple memnode elements with cellid %u", one->cellid);
        if (restrictive && one->mode != NUMATUNE_MODE_RESTRICTIVE)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                             "'restrictive' mode is required in memnode element when mode is 'restrictive' in memory element");
    }
    return TRUE;
}

/* Who leaves the choice of nodes to the host leaves that of CPUs, and the other way round. */
static gboolean normalize_placement(Domain *def, GError **error)
{
    NumatuneMemory *memory = def->numatune ? def->numatune->memory : NULL;
    gboolean automatic = def->vcpu->placement == VCPU_PLACEMENT_AUTO;

    if (def->numatune && !check_memnodes(def, error))
        return FALSE;
    if (memory && memory->placement == NUMATUNE_PLACEMENT_UNSET)
        memory->placement = memory->nodeset || !automatic ? NUMATUNE_PLACEMENT_STATIC : NUMATUNE_PLACEMENT_AUTO;
    if (memory && memory->placement == NUMATUNE_PLACEMENT_STATIC && !memory->nodeset)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "nodeset for NUMA memory tuning must be set if 'placement' is 'static'");
    if (automatic && !memory) {
        if (!def->numatune)
            def->numatune = numatune_new();
        memory = def->numatune->memory = numatune_memory_new();
        memory->mode = NUMATUNE_MODE_STRICT;
        memory->placement = NUMATUNE_PLACEMENT_AUTO;
    }
    if (memory && memory->placement == NUMATUNE_PLACEMENT_AUTO) {
        if (def->numatune->memnodes->len)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                             "Per-node binding is not compatible with automatic NUMA placement.");
        g_clear_pointer(&memory->nodeset, g_free);
        if (def->vcpu->placement == VCPU_PLACEMENT_UNSET && !def->vcpu->cpuset)
            def->vcpu->placement = VCPU_PLACEMENT_AUTO;
    }
    if (def->vcpu->placement == VCPU_PLACEMENT_UNSET)
        def->vcpu->placement = VCPU_PLACEMENT_STATIC;
    if (def->vcpu->placement == VCPU_PLACEMENT_AUTO)
        g_clear_pointer(&def->vcpu->cpuset, g_free);
    /* what is static goes without saying */
    if (memory && memory->placement == NUMATUNE_PLACEMENT_STATIC)
        memory->placement = NUMATUNE_PLACEMENT_UNSET;
    return TRUE;
}

/* Where one is listed, all are. */
static gboolean normalize_iothreads(Domain *def, GError **error)
{
    for (guint i = 0; def->iothreadids && i < def->iothreadids->iothreads->len; i++) {
        const IothreadId *one = def->iothreadids->iothreads->pdata[i];

        if (one->thread_pool_min != UNSET32 && one->thread_pool_max != UNSET32 && one->thread_pool_min > one->thread_pool_max)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                             "thread_pool_min must be smaller or equal to thread_pool_max");
    }
    if (def->iothreadids)
        domain_list_iothreads(def);
    return TRUE;
}

/* Settings of single CPUs and threads, each with its own element, in order. */
static gboolean normalize_cputune(Domain *def, GError **error)
{
    GPtrArray *threads = def->cputune ? def->cputune->iothreadscheds : NULL;
    const IothreadSched *last;

    if (!def->cputune)
        return TRUE;
    drop_pins(def);
    g_ptr_array_sort(def->cputune->vcpupins, by_vcpu);
    g_ptr_array_sort(def->cputune->iothreadpins, by_iothread);
    if (!split_by_number(def->cputune->vcpuscheds, &vcpu_sched_type, offsetof(VcpuSched, vcpus), "vcpusched", "vcpus",
                         error) ||
        !split_by_number(threads, &iothread_sched_type, offsetof(IothreadSched, iothreads), "iothreadsched",
                         "iothreads", error))
        return FALSE;
    if (!check_vcpu_scheds(def, error))
        return FALSE;
    last = threads->len ? g_ptr_array_index(threads, threads->len - 1) : NULL;
    if (last && g_ascii_strtoull(last->iothreads, NULL, 10) > (def->iothreads == UNSET32 ? 0 : def->iothreads))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "Cannot find 'iothread' : %s", last->iothreads);
    return TRUE;
}

gboolean domain_normalize_cpus(Domain *def, GError **error)
{
    return normalize_vcpu(def, error) && normalize_numa(def, error) && domain_normalize_nodes(def, error) &&
           domain_normalize_pages(def, error) && normalize_placement(def, error) &&
           normalize_iothreads(def, error) && normalize_cputune(def, error);
}
