/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The marks in the description (what counts for the guest) are not asked: libvirt lets pass some of it, and has its own
 * words for the rest.
 */
#include "lib/model/domain-abi.h"

#include <string.h>

#include "lib/error.h"
#include "lib/model/domain-abi-rows.h"
#include "lib/model/domain-cpus.h"

static const AbiRow head_rows[] = {
    {"@type", "Target domain virt type", NONE, ABI_PLAIN},
    {"uuid", "Target domain uuid", NONE, ABI_PLAIN},
    {"genid", "Target domain requested genid does not match source", NULL, ABI_PRESENCE},
    {"genid/text()", "Target domain genid", NONE, ABI_PLAIN},
    {"name", "Target domain name", NONE, ABI_QUOTED},
    ABI_ROWS_END,
};
static const AbiRow os_rows[] = {
    {"os/type/text()", "Target domain OS type", NONE, ABI_PLAIN},
    {"os/type/@arch", "Target domain architecture", NONE, ABI_PLAIN},
    {"os/type/@machine", "Target domain machine type", NONE, ABI_PLAIN},
    {"os/smbios/@mode", "Target domain SMBIOS mode", "none", ABI_PLAIN},
    ABI_ROWS_END,
};
static const AbiRow timer_rows[] = {
    {"@name", "Target timer", NONE, ABI_PLAIN},
    {"@present", "Target timer presence", "default", ABI_QUOTED},
    {"@frequency", "Target TSC frequency", "0", ABI_PLAIN},
    {"@mode", "Target TSC mode", "auto", ABI_PLAIN},
    ABI_ROWS_END,
};
static const AbiRow cpu_rows[] = {
    {"@mode", "Target CPU mode", "custom", ABI_PLAIN},
    {"model/text()", "Target CPU model", NONE, ABI_PLAIN},
    {"vendor", "Target CPU vendor", NONE, ABI_PLAIN},
    {"model/@vendor_id", "Target CPU vendor id", NONE, ABI_PLAIN},
    {"topology/@sockets", "Target CPU sockets", "0", ABI_PLAIN},
    {"topology/@dies", "Target CPU dies", "0", ABI_PLAIN},
    {"topology/@cores", "Target CPU cores", "0", ABI_PLAIN},
    {"topology/@threads", "Target CPU threads", "0", ABI_PLAIN},
    ABI_ROWS_END,
};
static const AbiRow cpu_feature_rows[] = {
    {"@name", "Target CPU feature", NONE, ABI_PLAIN},
    {"@policy", "Target CPU feature policy", "require", ABI_PLAIN},
    ABI_ROWS_END,
};

static gboolean same_number(guint64 source, guint64 target, const char *text, GError **error)
{
    return source == target || error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, text, target, source);
}

static guint64 or_nothing(guint64 value, guint64 unset)
{
    return value == unset ? 0 : value;
}

static gboolean same_memory(const Domain *source, const Domain *target, GError **error)
{
    return same_number(source->memory, target->memory,
                       "Target domain max memory %" G_GUINT64_FORMAT " does not match source %" G_GUINT64_FORMAT,
                       error) &&
           same_number(or_nothing(source->max_memory_slots, UNSET32), or_nothing(target->max_memory_slots, UNSET32),
                       "Target domain memory slots count '%" G_GUINT64_FORMAT
                       "' doesn't match source '%" G_GUINT64_FORMAT "'",
                       error) &&
           same_number(or_nothing(source->max_memory, UNSET64), or_nothing(target->max_memory, UNSET64),
                       "Target maximum memory size '%" G_GUINT64_FORMAT "' doesn't match source '%" G_GUINT64_FORMAT
                       "'",
                       error);
}

static gboolean same_vcpus(const Domain *source, const Domain *target, GError **error)
{
    guint one = domain_vcpus(source), other = domain_vcpus(target);

    if (!same_number(domain_max_vcpus(source), domain_max_vcpus(target),
                     "Target domain vCPU max %" G_GUINT64_FORMAT " does not match source %" G_GUINT64_FORMAT, error))
        return FALSE;
    return one == other ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                     "State of vCPU '%u' differs between source and destination definitions", MIN(one, other));
}

/* Features in libvirt's order. Their state is an attribute, or that they are there. */
static const char *const features[] = {
    "acpi",         "apic", "pae",        "hap", "viridian", "privnet", "hyperv", "kvm",        "pvspinlock",
    "capabilities", "pmu",  "vmport",     "gic", "smm",      "ioapic",  "hpt",    "vmcoreinfo", "htm",
    "nested-hv",    "msrs", "ccf-assist", "xen", "cfpc",     "sbbc",    "ibs",    "tcg",        "async-teardown",
};

/* As libvirt tells it; to free. */
static char *feature_state(const Domain *def, const char *name)
{
    g_autofree char *path = g_strdup_printf("features/%s", name),
                    *attribute = g_strdup_printf("features/%s/@state", name);
    g_autofree char *present = abi_value(&domain_type, def, path), *state = abi_value(&domain_type, def, attribute);
    const char *is = state ? state : present ? "on" : "default";

    if (g_str_equal(name, "apic")) {
        g_autofree char *eoi = abi_value(&domain_type, def, "features/apic/@eoi");
        return g_strdup_printf("%s,eoi=%s", is, eoi ? eoi : "default");
    }
    if (g_str_equal(name, "ioapic")) {
        g_autofree char *driver = abi_value(&domain_type, def, "features/ioapic/@driver");
        return g_strdup_printf("driver=%s", driver ? driver : "none");
    }
    return g_strdup(is);
}

static gboolean same_feature(const Domain *source, const Domain *target, const char *name, const char *what,
                             GError **error)
{
    g_autofree char *one = feature_state(source, name), *other = feature_state(target, name);
    const char *last = strrchr(name, '/');

    return g_str_equal(one, other) || error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                                                "State of %s '%s' differs: source: '%s', destination: '%s'", what,
                                                last ? last + 1 : name, one, other);
}

/* What a group of features has in it. */
static gboolean same_group(const Domain *source, const Domain *target, const char *group, const char *what,
                           GError **error)
{
    g_autofree char *path = g_strdup_printf("features/%s", group);
    gconstpointer object = NULL;
    const ModelField *field = abi_find(&domain_type, source, path, &object);

    for (guint i = 0; field && i < field->type->n_fields; i++) {
        const ModelField *member = &field->type->fields[i];
        g_autofree char *name = g_strdup_printf("%s/%s", group, member->xml);
        if (member->place != MODEL_ATTRIBUTE && !same_feature(source, target, name, what, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean same_features(const Domain *source, const Domain *target, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(features); i++)
        if (!same_feature(source, target, features[i], "feature", error))
            return FALSE;
    return same_group(source, target, "hyperv", "HyperV enlightenment feature", error) &&
           same_group(source, target, "kvm", "KVM feature", error);
}

static gboolean same_timers(const Domain *source, const Domain *target, GError **error)
{
    const GPtrArray *one = source->clock ? source->clock->timers : NULL,
                    *other = target->clock ? target->clock->timers : NULL;

    if ((one ? one->len : 0) != (other ? other->len : 0))
        return abi_differ(error, "Target domain timers do not match source");
    for (guint i = 0; one && i < one->len; i++)
        if (!abi_same_rows(timer_rows, &timer_type, one->pdata[i], other->pdata[i], error))
            return FALSE;
    return TRUE;
}

static gboolean same_cpu_features(const Cpu *source, const Cpu *target, GError **error)
{
    guint one = source->features->len, other = target->features->len;

    if (one != other)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Target CPU feature count %u does not match source %u", other, one);
    for (guint i = 0; i < one; i++)
        if (!abi_same_rows(cpu_feature_rows, &cpu_feature_type, source->features->pdata[i], target->features->pdata[i],
                           error))
            return FALSE;
    return TRUE;
}

static gboolean equal_cpus(const Cpu *source, const Cpu *target, GError **error)
{
    if (!source && !target)
        return TRUE;
    if (!source || !target)
        return abi_differ(error, "Target CPU does not match source");
    return abi_same_rows(cpu_rows, &cpu_type, source, target, error) && same_cpu_features(source, target, error);
}

/* The CPU that was asked for, or what became of it: a document may have either. */
static gboolean same_cpu(const Domain *source, const Domain *target, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (equal_cpus(source->asked_cpu ? source->asked_cpu : source->cpu, target->asked_cpu ? target->asked_cpu : target->cpu,
                   &cause) ||
        (source->asked_cpu && equal_cpus(source->cpu, target->cpu, NULL)))
        return TRUE;
    return error_set(error, VIR_FROM_CPU, VIR_ERR_CONFIG_UNSUPPORTED, "%s", error_detail(cause));
}

static gboolean same_sysinfo(const Domain *source, const Domain *target, GError **error)
{
    if (source->sysinfo->len != target->sysinfo->len)
        return abi_differ(error, "Target domain count of sysinfo does not match source");
    for (guint i = 0; i < source->sysinfo->len; i++)
        if (!model_equal(&sysinfo_type, source->sysinfo->pdata[i], target->sysinfo->pdata[i]))
            return abi_differ(error, "Target sysinfo does not match source");
    return TRUE;
}

gboolean domain_abi_check(const Domain *source, const Domain *target, GError **error)
{
    return abi_same_rows(head_rows, &domain_type, source, target, error) && same_memory(source, target, error) &&
           same_vcpus(source, target, error) && abi_same_rows(os_rows, &domain_type, source, target, error) &&
           same_features(source, target, error) && same_timers(source, target, error) &&
           same_cpu(source, target, error) && same_sysinfo(source, target, error) &&
           abi_same_devices(source->devices, target->devices, error);
}
