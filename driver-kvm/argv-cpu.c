/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/argv-parts.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/cpu/x86.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-plug.h"
#include "lib/model/domain-threads.h"
#include <string.h>

static void option(GString *text, const char *key, const char *value)
{
    if (value)
        g_string_append_printf(text, ",%s=%s", key, value);
}

static gboolean is_word(const char *name)
{
    return name && *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == strlen(name);
}

static void add_cache(const CpuCache *cache, GString *text)
{
    if (!cache)
        return;
    switch (cache->mode) {
    case CPU_CACHE_MODE_EMULATE:
        option(text, "l3-cache", "on");
        break;
    case CPU_CACHE_MODE_DISABLE:
        option(text, "l3-cache", "off");
        break;
    default:
        break;
    }
}

/* On a CPU that is the host's, where the cache comes from is a choice; others have no host cache. */
static void add_host_cache(const Cpu *cpu, GString *text)
{
    gboolean of_host = cpu->mode == CPU_MODE_HOST_PASSTHROUGH || cpu->mode == CPU_MODE_MAXIMUM;

    if (!cpu->cache || !of_host) {
        add_cache(cpu->cache, text);
        return;
    }
    if (cpu->cache->mode == CPU_CACHE_MODE_PASSTHROUGH) {
        option(text, "host-cache-info", "on");
        option(text, "l3-cache", "off");
        return;
    }
    add_cache(cpu->cache, text);
    option(text, "host-cache-info", "off");
}

static gboolean add_features(const Cpu *cpu, GString *text, GError **error)
{
    for (guint i = 0; i < cpu->features->len; i++) {
        const CpuFeature *feature = g_ptr_array_index(cpu->features, i);
        const char *name = x86_to_qemu(feature->name);

        if (!is_word(name))
            return error_set(error, VIR_FROM_CPU, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown CPU feature %s", feature->name);
        /* whether the host has it was asked before (cpu-start.c) */
        if (feature->policy == CPU_POLICY_FORCE || feature->policy == CPU_POLICY_REQUIRE)
            option(text, name, "on");
        else if (feature->policy == CPU_POLICY_DISABLE || feature->policy == CPU_POLICY_FORBID)
            option(text, name, "off");
    }
    return TRUE;
}

static gboolean add_model(const Domain *live, const Caps *caps, GString *text, GError **error)
{
    const Cpu *cpu = live->cpu;

    switch (cpu->mode) {
    case CPU_MODE_HOST_PASSTHROUGH:
        g_string_append(text, "host");
        break;
    case CPU_MODE_MAXIMUM:
        g_string_append(text, "max");
        break;
    default:
        if (!cpu->model || !is_word(cpu->model->name))
            return error_set(error, VIR_FROM_CPU, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown CPU model %s",
                             cpu->model && cpu->model->name ? cpu->model->name : "(none)");
        g_string_append(text, cpu->model->name);
        break;
    }
    if ((cpu->mode == CPU_MODE_HOST_PASSTHROUGH || cpu->mode == CPU_MODE_MAXIMUM) && g_strcmp0(caps_arch(caps), "x86_64") == 0)
        option(text, "migratable", toggle_words(cpu->migratable));
    if (cpu->model && cpu->model->vendor_id)
        option(text, "vendor", cpu->model->vendor_id);
    return add_features(cpu, text, error);
}

#define STATE(feature) ((feature) ? (feature)->state : TOGGLE_UNSET)

/* For a feature whose absence from the command line means off. */
static void on(GString *text, const char *key, Toggle state)
{
    if (state == TOGGLE_ON)
        option(text, key, "on");
}

static void add_hyperv(const Hyperv *hyperv, GString *text)
{
    if (!hyperv)
        return;
    if (hyperv->mode == HYPERV_MODE_PASSTHROUGH) {
        option(text, "hv-passthrough", "on");
        return;
    }
    on(text, "hv-relaxed", STATE(hyperv->relaxed));
    on(text, "hv-vapic", STATE(hyperv->vapic));
    if (hyperv->spinlocks && hyperv->spinlocks->state == TOGGLE_ON && hyperv->spinlocks->retries != UNSET32)
        g_string_append_printf(text, ",hv-spinlocks=0x%x", hyperv->spinlocks->retries);
    on(text, "hv-vpindex", STATE(hyperv->vpindex));
    on(text, "hv-runtime", STATE(hyperv->runtime));
    on(text, "hv-synic", STATE(hyperv->synic));
    if (hyperv->stimer && hyperv->stimer->state == TOGGLE_ON)
        option(text, "hv-stimer", "on");
    if (hyperv->stimer && hyperv->stimer->state == TOGGLE_ON && hyperv->stimer->direct)
        on(text, "hv-stimer-direct", STATE(hyperv->stimer->direct));
    on(text, "hv-reset", STATE(hyperv->reset));
    if (hyperv->vendor_id && hyperv->vendor_id->state == TOGGLE_ON && hyperv->vendor_id->value)
        option(text, "hv-vendor-id", hyperv->vendor_id->value);
    on(text, "hv-frequencies", STATE(hyperv->frequencies));
    on(text, "hv-reenlightenment", STATE(hyperv->reenlightenment));
    on(text, "hv-tlbflush", STATE(hyperv->tlbflush));
    if (hyperv->tlbflush && hyperv->tlbflush->state == TOGGLE_ON) {
        on(text, "hv-tlbflush-direct", STATE(hyperv->tlbflush->direct));
        on(text, "hv-tlbflush-ext", STATE(hyperv->tlbflush->extended));
    }
    on(text, "hv-ipi", STATE(hyperv->ipi));
    on(text, "hv-evmcs", STATE(hyperv->evmcs));
    on(text, "hv-avic", STATE(hyperv->avic));
    on(text, "hv-emsr-bitmap", STATE(hyperv->emsr_bitmap));
    on(text, "hv-xmm-input", STATE(hyperv->xmm_input));
}

static void add_kvm(const FeatureKvm *kvm, GString *text)
{
    if (!kvm)
        return;
    if (kvm->hidden && kvm->hidden->state == TOGGLE_ON)
        option(text, "kvm", "off");
    on(text, "kvm-hint-dedicated", STATE(kvm->hint_dedicated));
    on(text, "kvm-poll-control", STATE(kvm->poll_control));
    if (kvm->pv_ipi && kvm->pv_ipi->state == TOGGLE_OFF) /* on goes without saying */
        option(text, "kvm-pv-ipi", "off");
}

static void add_timers(const Domain *live, GString *text)
{
    for (guint i = 0; i < live->clock->timers->len; i++) {
        const Timer *timer = g_ptr_array_index(live->clock->timers, i);

        if (timer->name == TIMER_NAME_KVMCLOCK && timer->present != TOGGLE_UNSET)
            option(text, "kvmclock", toggle_words(timer->present));
        if (timer->name == TIMER_NAME_HYPERVCLOCK && timer->present == TOGGLE_ON)
            option(text, "hv-time", "on");
        if (timer->name == TIMER_NAME_TSC && timer->frequency != UNSET64 && timer->frequency > 0)
            g_string_append_printf(text, ",tsc-frequency=%" G_GUINT64_FORMAT, timer->frequency);
    }
}

static void add_width(const CpuMaxPhys *width, GString *text)
{
    if (!width)
        return;
    if (width->mode == CPU_MAX_PHYS_MODE_PASSTHROUGH) {
        option(text, "host-phys-bits", "on");
        if (width->limit != UNSET32)
            g_string_append_printf(text, ",host-phys-bits-limit=%u", width->limit);
    }
    else if (width->bits != UNSET32)
        g_string_append_printf(text, ",phys-bits=%u", width->bits);
}

void argv_cpu_prepare(Domain *live)
{
    if (live->cpu && live->cpu->mode == CPU_MODE_CUSTOM && live->cpu->model)
        live->cpu->model->fallback = CPU_FALLBACK_FORBID;
    for (guint i = 0; live->vcpus && i < live->vcpus->vcpus->len; i++) {
        VcpuState *vcpu = g_ptr_array_index(live->vcpus->vcpus, i);

        if (vcpu->enabled == TOGGLE_ON && vcpu->hotpluggable != TOGGLE_ON)
            vcpu->order = vcpu->id + 1;
    }
}

static void add_panic(const Domain *live, GString *text)
{
    for (guint i = 0; i < live->devices->panics->len; i++)
        if (((const Panic *)live->devices->panics->pdata[i])->model == PANIC_MODEL_HYPERV) {
            g_string_append(text, ",hv-crash");
            return;
        }
}

gboolean argv_cpu(const Domain *live, const Caps *caps, GPtrArray *parts, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const Features *features = live->features;

    if (!live->cpu)
        return TRUE;
    if (!add_model(live, caps, text, error))
        return FALSE;
    add_timers(live, text);
    if (features && features->apic)
        option(text, "kvm-pv-eoi", toggle_words(features->apic->eoi));
    if (features) {
        option(text, "kvm-pv-unhalt", toggle_words(STATE(features->pvspinlock)));
        add_hyperv(features->hyperv, text);
    }
    add_panic(live, text);
    if (features) {
        add_kvm(features->kvm, text);
        option(text, "pmu", toggle_words(STATE(features->pmu)));
    }
    add_host_cache(live->cpu, text);
    add_width(live->cpu->maxphysaddr, text);
    parts_add_option(parts, "-cpu", g_string_free(g_steal_pointer(&text), FALSE));
    return TRUE;
}

void argv_vcpus(const Domain *live, GPtrArray *parts)
{
    const CpuTopology *topology = live->cpu ? live->cpu->topology : NULL;
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%u", domain_boot_vcpus(live));
    if (domain_boot_vcpus(live) != domain_max_vcpus(live))
        g_string_append_printf(text, ",maxcpus=%u", domain_max_vcpus(live));
    if (topology) {
        g_string_append_printf(text, ",sockets=%u,dies=%u", topology->sockets, topology->dies);
        if (topology->clusters > 1)
            g_string_append_printf(text, ",clusters=%u", topology->clusters);
        g_string_append_printf(text, ",cores=%u,threads=%u", topology->cores, topology->threads);
    }
    else
        g_string_append_printf(text, ",sockets=%u,cores=1,threads=1", domain_max_vcpus(live));
    parts_add_option(parts, "-smp", g_string_free(text, FALSE));
}

static void add_poll(const IothreadPoll *poll, JsonObject *props)
{
    if (poll && poll->max != UNSET64)
        props_int(props, "poll-max-ns", (gint64)MIN(poll->max, G_MAXINT64));
    if (poll && poll->grow != UNSET64)
        props_int(props, "poll-grow", (gint64)MIN(poll->grow, G_MAXINT64));
    if (poll && poll->shrink != UNSET64)
        props_int(props, "poll-shrink", (gint64)MIN(poll->shrink, G_MAXINT64));
}

static void add_iothread(guint id, const IothreadId *options, GPtrArray *parts)
{
    JsonObject *props = props_new("qom-type", "iothread");

    props_format(props, "id", "iothread%u", id);
    if (options) {
        props_uint(props, "thread-pool-min", options->thread_pool_min);
        props_uint(props, "thread-pool-max", options->thread_pool_max);
        add_poll(options->poll, props);
    }
    parts_add(parts, PART_OBJECT, props);
}

void argv_iothreads(const Domain *live, GPtrArray *parts)
{
    g_autoptr(GArray) ids = domain_iothread_ids(live);

    for (guint i = 0; i < ids->len; i++) {
        guint id = g_array_index(ids, guint, i);

        add_iothread(id, domain_iothread(live, id), parts);
    }
    if (live->defaultiothread) {
        JsonObject *props = props_new("qom-type", "main-loop");

        props_string(props, "id", "main-loop");
        props_uint(props, "thread-pool-min", live->defaultiothread->thread_pool_min);
        props_uint(props, "thread-pool-max", live->defaultiothread->thread_pool_max);
        parts_add(parts, PART_OBJECT, props);
    }
}
