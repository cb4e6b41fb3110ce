/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/device.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Watchdog *watchdog = device;
    const Watchdog *first = g_ptr_array_index(def->devices->watchdogs, 0);

    if (watchdog->model == WATCHDOG_MODEL_IB700 && watchdog->address && watchdog->address->type != ADDRESS_TYPE_UNSET)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "%s model of watchdog does not have any address",
                         watchdog_model_to_string(watchdog->model));
    if (watchdog->model == WATCHDOG_MODEL_DIAG288 && watchdog->address && watchdog->address->type != ADDRESS_TYPE_UNSET)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "%s model of watchdog is virtual and cannot go on any bus.",
                         watchdog_model_to_string(watchdog->model));
    if (watchdog->model == WATCHDOG_MODEL_DIAG288 && !machine_is_s390(def))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "%s model of watchdog is allowed for s390 and s390x only", watchdog_model_to_string(watchdog->model));
    if (watchdog->action != first->action)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                         "unable to run domain with watchdogs of different actions");
    return TRUE;
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Watchdog *watchdog = device;

    return watchdog->model == WATCHDOG_MODEL_I6300ESB ? PCI_CONNECT_DEVICE : 0;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Watchdog *watchdog = device;
    const GPtrArray *all = live->devices->watchdogs;
    /* QEMU pauses, so that the dump shows the guest as it hung. */
    WatchdogAction action = watchdog->action == WATCHDOG_ACTION_DUMP ? WATCHDOG_ACTION_PAUSE : watchdog->action;
    g_autoptr(JsonObject) props = NULL;

    if (watchdog->model != WATCHDOG_MODEL_I6300ESB && watchdog->model != WATCHDOG_MODEL_IB700 &&
        watchdog->model != WATCHDOG_MODEL_DIAG288)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "<watchdog model='%s'> is not supported by this driver", watchdog_model_to_string(watchdog->model));
    props = props_new("driver", watchdog_model_to_string(watchdog->model));
    props_string(props, "id", watchdog->alias->name);
    if (!device_address_props(live, watchdog->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    if (g_ptr_array_index(all, all->len - 1) == watchdog) /* one action for all */
        parts_add_option(parts, "-watchdog-action", g_strdup(watchdog_action_to_string(action)));
    return TRUE;
}

const DeviceKind device_watchdog = {
    .name = "watchdog", .offset = offsetof(Devices, watchdogs), .alias = offsetof(Watchdog, alias),
    .address = offsetof(Watchdog, address), .prefix = "watchdog", .validate = validate, .connect = connect_pci,
    .build = build,
};
