/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-validate.h"
#include "lib/error.h"
#include "lib/model/domain-threads.h"

#define UNSUPPORTED VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED
#define WRONG VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR
#define PERIOD_MIN 1000 /* the kernel's own limits */
#define PERIOD_MAX 1000000
#define QUOTA_MAX 17592186044415
#define SHARES_MIN 2
#define SHARES_MAX 262144
#define REBOOT_TIMEOUT_MAX 65535

/* VALUE is unset, or up to FREE ("as you like"), or between LOW and HIGH. */
static gboolean check_range(const char *name, gint64 value, gint64 free, gint64 low, gint64 high, GError **error)
{
    return value == (gint64)UNSET64 || value <= free || (value >= low && value <= high) ||
           error_set(error, UNSUPPORTED,
                     "Value of cputune '%s' must be in range [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT "]", name, low, high);
}

static gboolean validate_pins(const GPtrArray *pins, GError **error)
{
    for (guint i = 1; i < pins->len; i++) {
        const VcpuPin *one = g_ptr_array_index(pins, i - 1), *two = g_ptr_array_index(pins, i);

        if (one->vcpu == two->vcpu) /* they are in order */
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "duplicate vcpupin for vcpu '%u'", two->vcpu);
    }
    return TRUE;
}

static gboolean validate_thread_pins(const Domain *def, GError **error)
{
    for (guint i = 0; i < def->cputune->iothreadpins->len; i++) {
        const IothreadPin *pin = g_ptr_array_index(def->cputune->iothreadpins, i);

        if (!domain_has_iothread(def, pin->iothread))
            return error_set(error, UNSUPPORTED, "Cannot find 'iothread' : %u", pin->iothread);
    }
    return TRUE;
}

static gboolean validate_cputune(const Domain *def, GError **error)
{
    const Cputune *tune = def->cputune;
    const struct {
        const char *period_name, *quota_name;
        guint64 period;
        gint64 quota;
    } limits[] = {
        {"period", "quota", tune->period, tune->quota},
        {"global_period", "global_quota", tune->global_period, tune->global_quota},
        {"emulator_period", "emulator_quota", tune->emulator_period, tune->emulator_quota},
        {"iothread_period", "iothread_quota", tune->iothread_period, tune->iothread_quota},
    };

    if (!check_range("shares", (gint64)tune->shares, 0, SHARES_MIN, SHARES_MAX, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(limits); i++)
        if (!check_range(limits[i].period_name, (gint64)limits[i].period, 0, PERIOD_MIN, PERIOD_MAX, error) ||
            !check_range(limits[i].quota_name, limits[i].quota, 0, PERIOD_MIN, QUOTA_MAX, error))
            return FALSE;
    return validate_pins(tune->vcpupins, error) && validate_thread_pins(def, error);
}

static gboolean validate_iothreads(const IothreadIds *ids, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < ids->iothreads->len; i++) {
        guint32 id = ((const IothreadId *)g_ptr_array_index(ids->iothreads, i))->id;

        if (!g_hash_table_add(seen, GUINT_TO_POINTER(id)))
            return error_set(error, WRONG, "duplicate iothread id '%u' found", id);
    }
    return TRUE;
}

static gboolean validate_controllers(const Domain *def, GError **error)
{
    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);
        guint32 id = controller->driver ? controller->driver->iothread : UNSET32;

        if (id != UNSET32 && !domain_has_iothread(def, id))
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "controller iothread '%u' not defined in iothreadid", id);
    }
    return TRUE;
}

static gboolean validate_cpu(const Cpu *cpu, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < cpu->features->len; i++) {
        CpuFeature *feature = g_ptr_array_index(cpu->features, i);

        if (feature->name && !g_hash_table_add(seen, feature->name))
            return error_set(error, VIR_FROM_CPU, VIR_ERR_XML_ERROR, "CPU feature '%s' specified more than once",
                             feature->name);
    }
    return TRUE;
}

static gboolean validate_bios(const OsBios *bios, GError **error)
{
    gint64 timeout = bios->reboot_timeout ? g_ascii_strtoll(bios->reboot_timeout, NULL, 10) : 0;

    return (timeout >= -1 && timeout <= REBOOT_TIMEOUT_MAX) ||
           error_set(error, UNSUPPORTED, "invalid value for rebootTimeout, must be in range [-1,%d]", REBOOT_TIMEOUT_MAX);
}

static gboolean validate_labels(const GPtrArray *labels, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < labels->len; i++) {
        const Seclabel *label = g_ptr_array_index(labels, i);

        if (label->type == SECLABEL_TYPE_STATIC && !label->label)
            return error_set(error, WRONG, "security label is missing");
        if (label->type == SECLABEL_TYPE_DYNAMIC && label->relabel == TOGGLE_OFF)
            return error_set(error, UNSUPPORTED, "dynamic label type must use resource relabeling");
        if (label->type == SECLABEL_TYPE_STATIC && !label->model)
            return error_set(error, WRONG, "missing security model in domain seclabel");
        if (label->model && !g_hash_table_add(seen, label->model))
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL, "seclabel for model %s is already provided",
                             label->model);
    }
    return TRUE;
}

static gboolean validate_memory(const Domain *def, GError **error)
{
    gboolean most = def->max_memory != UNSET64 && def->max_memory, slots = def->max_memory_slots != UNSET32 && def->max_memory_slots;

    return most == slots ||
           error_set(error, WRONG, "both maximum memory size and memory slot count must be specified");
}

gboolean domain_validate_tuning(const Domain *def, GError **error)
{
    return validate_memory(def, error) && (!def->cputune || validate_cputune(def, error)) &&
           (!def->iothreadids || validate_iothreads(def->iothreadids, error)) && validate_controllers(def, error) &&
           (!def->cpu || validate_cpu(def->cpu, error)) && (!def->os->bios || validate_bios(def->os->bios, error)) &&
           validate_labels(def->seclabels, error);
}
