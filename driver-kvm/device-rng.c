/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/chardev.h"
#include "driver-kvm/device.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

#define PERIOD 1000 /* milliseconds, where a limit names none */

static gboolean complete(Domain *def, gpointer device, const Caps *caps, GError **error)
{
    Rng *rng = device;

    if (rng->backend->model == RNG_BACKEND_MODEL_RANDOM && (!rng->backend->value || !*rng->backend->value)) {
        g_free(rng->backend->value);
        rng->backend->value = g_strdup("/dev/random");
    }
    if (rng->backend->model == RNG_BACKEND_MODEL_EGD)
        CHARDEV_COMPLETE(rng->backend);
    if (rng->rate && (rng->rate->bytes == UNSET32 || rng->rate->bytes == 0))
        g_clear_pointer(&rng->rate, rng_rate_free);
    return TRUE;
}

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Rng *rng = device;
    ChardevView view = CHARDEV_VIEW(rng->backend);

    if (rng->backend->model != RNG_BACKEND_MODEL_EGD)
        return TRUE;
    return chardev_validate(def, &view, error);
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    const Rng *rng = device;

    return rng->model == RNG_MODEL_VIRTIO_TRANSITIONAL ? PCI_CONNECT_DEVICE : PCI_CONNECT_EXPRESS;
}

static gboolean prepare(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error)
{
    const Rng *rng = device;
    ChardevView view = CHARDEV_VIEW(rng->backend);

    return rng->backend->model != RNG_BACKEND_MODEL_EGD || chardev_prepare(&view, rng->alias->name, context, error);
}

static gboolean build_backend(const Rng *rng, ArgvContext *context, GPtrArray *parts, GError **error)
{
    static const char *const types[] = {
        [RNG_BACKEND_MODEL_RANDOM] = "rng-random",
        [RNG_BACKEND_MODEL_EGD] = "rng-egd",
        [RNG_BACKEND_MODEL_BUILTIN] = "rng-builtin",
    };
    ChardevView view = CHARDEV_VIEW(rng->backend);
    JsonObject *props;

    if (rng->backend->model == RNG_BACKEND_MODEL_EGD && !chardev_build(&view, rng->alias->name, context, parts, error))
        return FALSE;
    props = props_new("qom-type", types[rng->backend->model]);
    props_format(props, "id", "obj%s", rng->alias->name);
    if (rng->backend->model == RNG_BACKEND_MODEL_RANDOM)
        props_string(props, "filename", rng->backend->value);
    if (rng->backend->model == RNG_BACKEND_MODEL_EGD)
        props_format(props, "chardev", "char%s", rng->alias->name);
    parts_add(parts, PART_OBJECT, props);
    return TRUE;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Rng *rng = device;
    g_autoptr(JsonObject) props = NULL;

    if (!build_backend(rng, context, parts, error))
        return FALSE;
    props = props_new("driver", rng->model == RNG_MODEL_VIRTIO_TRANSITIONAL       ? "virtio-rng-pci-transitional"
                                : rng->model == RNG_MODEL_VIRTIO_NON_TRANSITIONAL ? "virtio-rng-pci-non-transitional"
                                                                                  : "virtio-rng-pci");
    props_virtio(props, rng->driver);
    props_format(props, "rng", "obj%s", rng->alias->name);
    props_string(props, "id", rng->alias->name);
    if (rng->rate) {
        props_uint(props, "max-bytes", rng->rate->bytes);
        props_int(props, "period", rng->rate->period == UNSET32 ? PERIOD : rng->rate->period);
    }
    if (!device_address_props(live, rng->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_rng = {
    .name = "rng", .offset = offsetof(Devices, rngs), .alias = offsetof(Rng, alias), .address = offsetof(Rng, address),
    .prefix = "rng", .complete = complete, .validate = validate, .connect = connect_pci, .prepare = prepare, .build = build,
};
