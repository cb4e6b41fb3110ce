/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A device that encrypts for the guest; what it does that with is an object of QEMU's. */
#include "driver-kvm/caps.h"
#include "driver-kvm/device.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/pci-map.h"

static const char *const backends[] = {
    [CRYPTO_BACKEND_MODEL_BUILTIN] = "cryptodev-backend-builtin",
    [CRYPTO_BACKEND_MODEL_LKCF] = "cryptodev-backend-lkcf",
};

static gboolean validate(const Domain *def, gconstpointer device, const Caps *caps, GError **error)
{
    const Crypto *crypto = device;

    return (caps_has_device(caps, "virtio-crypto-pci") && caps_has_type(caps, backends[crypto->backend->model])) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "crypto device with back end '%s' is not supported by this QEMU binary",
                     crypto_backend_model_to_string(crypto->backend->model));
}

static guint connect_pci(const Domain *def, gconstpointer device)
{
    return PCI_CONNECT_EXPRESS;
}

static gboolean build(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error)
{
    const Crypto *crypto = device;
    JsonObject *backend = props_new("qom-type", backends[crypto->backend->model]);
    g_autoptr(JsonObject) props = props_new("driver", "virtio-crypto-pci");

    props_format(backend, "id", "obj%s", crypto->alias->name);
    props_positive(backend, "queues", crypto->backend->queues);
    parts_add(parts, PART_OBJECT, backend);
    props_virtio(props, crypto->driver);
    props_format(props, "cryptodev", "obj%s", crypto->alias->name);
    props_string(props, "id", crypto->alias->name);
    if (!device_address_props(live, crypto->address, props, error))
        return FALSE;
    parts_add(parts, PART_DEVICE, g_steal_pointer(&props));
    return TRUE;
}

const DeviceKind device_crypto = {
    .name = "crypto", .offset = offsetof(Devices, cryptos), .alias = offsetof(Crypto, alias), .address = offsetof(Crypto, address),
    .prefix = "crypto", .validate = validate, .connect = connect_pci, .build = build,
};
