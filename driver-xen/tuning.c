/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/tuning.h"

#include "driver-xen/guest.h"
#include "driver-xen/xen.h"
#include "lib/error.h"

/* --- where --- */

static gboolean pin_vcpu(Context *context, guint32 domid, guint vcpu, const CpuSet *cpus, GError **error)
{
    libxl_bitmap map;

    libxl_bitmap_init(&map);
    gboolean done = libxl_cpu_bitmap_alloc(context->libxl, &map, 0) == 0;
    if (done) {
        for (int cpu = cpuset_next(cpus, -1); cpu >= 0 && (guint)cpu < map.size * 8; cpu = cpuset_next(cpus, cpu))
            libxl_bitmap_set(&map, cpu);
        done = libxl_set_vcpuaffinity(context->libxl, domid, vcpu, &map, NULL) == 0;
    }
    libxl_bitmap_dispose(&map);
    return done || context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "Failed to pin vcpu '%u' with libxenlight", vcpu);
}

static gboolean tuning_pin(gpointer self, Vm *vm, DriverThread kind, guint number, const CpuSet *cpus, GError **error)
{
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(self, vm, &context, error);

    if (!guest)
        return FALSE;
    if (kind != DRIVER_THREAD_VCPU)
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_NO_SUPPORT, "a Xen guest has virtual CPUs to pin and no other threads");
    return pin_vcpu(context, guest->domid, number, cpus, error);
}

const DriverTuningOps tuning_ops = {.pin = tuning_pin};

/* --- how much --- */

/* The name of the scheduler, if it is one that knows weights and caps. */
static const char *scheduler_of(Context *context, GError **error)
{
    int scheduler = libxl_get_scheduler(context->libxl);

    if (scheduler == LIBXL_SCHEDULER_CREDIT || scheduler == LIBXL_SCHEDULER_CREDIT2)
        return scheduler == LIBXL_SCHEDULER_CREDIT ? "credit" : "credit2";
    error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "Only 'credit' and 'credit2' schedulers are supported");
    return NULL;
}

static gboolean ask(Context *context, guint32 domid, libxl_domain_sched_params *ret_values, GError **error)
{
    return libxl_domain_sched_params_get(context->libxl, domid, ret_values) == 0 ||
           context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "Failed to get scheduler parameters for domain '%u' with libxenlight", domid);
}

static gboolean scheduler_get(gpointer self, Vm *vm, const char **ret_name, Params *params, GError **error)
{
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(self, vm, &context, error);
    const char *name = guest ? scheduler_of(context, error) : NULL;
    libxl_domain_sched_params values;

    if (!name)
        return FALSE;
    libxl_domain_sched_params_init(&values);
    gboolean known = ask(context, guest->domid, &values, error);
    if (known) {
        params_uint(params, (guint32)values.weight, "%s", VIR_DOMAIN_SCHEDULER_WEIGHT);
        params_uint(params, (guint32)values.cap, "%s", VIR_DOMAIN_SCHEDULER_CAP);
        *ret_name = name;
    }
    libxl_domain_sched_params_dispose(&values);
    return known;
}

static gboolean scheduler_set(gpointer self, Vm *vm, const Params *wanted, GError **error)
{
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(self, vm, &context, error);
    const Param *weight = params_find(wanted, VIR_DOMAIN_SCHEDULER_WEIGHT), *cap = params_find(wanted, VIR_DOMAIN_SCHEDULER_CAP);
    libxl_domain_sched_params values;

    if (!guest || !scheduler_of(context, error))
        return FALSE;
    libxl_domain_sched_params_init(&values);
    gboolean done = ask(context, guest->domid, &values, error);
    if (done) {
        values.weight = weight ? (int)MIN(weight->value.ui, (guint32)G_MAXINT) : values.weight;
        values.cap = cap ? (int)MIN(cap->value.ui, (guint32)G_MAXINT) : values.cap;
        done = libxl_domain_sched_params_set(context->libxl, guest->domid, &values) == 0 ||
               context_failed(context, VIR_ERR_INTERNAL_ERROR, error,
                              "Failed to set scheduler parameters for domain '%u' with libxenlight", guest->domid);
    }
    libxl_domain_sched_params_dispose(&values);
    return done;
}

const DriverSchedulerOps scheduler_ops = {.get = scheduler_get, .set = scheduler_set};
