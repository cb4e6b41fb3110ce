/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Kinds of devices are rows; what is done with devices is loops over rows. One kind is one file, device-KIND.c, with its
 * row at the end. Adding a kind: its file, and its name in device.c.
 *
 * A row whose `build` is NULL is a kind that can be defined (it has its place among the others) but not started yet:
 * device_build() refuses it by name.
 */
#include "driver-kvm/argv.h"
#include "lib/driver/driver.h"

typedef struct DeviceKind {
    const char *name;       /* its element: "disk" */
    gsize offset;           /* in Devices */
    gboolean single;        /* a pointer there, not a list */
    gssize alias, address;  /* of Alias * and Address * in the struct; -1: it has none */
    const char *prefix;     /* of its alias, a number follows: "net"; NULL: it has none but the user's */
    char *(*make_alias)(const Domain *def, gconstpointer device, guint index); /* in place of prefix and number */

    /* All slots below may be NULL. `complete` and `prepare` may change DEVICE and DEF. */
    gboolean (*complete)(Domain *def, gpointer device, const Caps *caps, GError **error);
    gboolean (*validate)(const Domain *def, gconstpointer device, const Caps *caps, GError **error);
    guint (*connect)(const Domain *def, gconstpointer device); /* PciConnect it needs; NULL or 0: it is not on PCI */
    gboolean (*is_usb)(gconstpointer device);
    guint (*rank)(gconstpointer device); /* devices of lower rank are built first */
    gboolean backwards; /* `prepare` begins with the last device */
    gboolean (*prepare)(Domain *live, gpointer device, const Caps *caps, ArgvContext *context, GError **error);
    void (*release)(const Domain *live, gconstpointer device);
    gboolean (*build)(const Domain *live, gconstpointer device, const Caps *caps, ArgvContext *context, GPtrArray *parts,
                      GError **error);
} DeviceKind;

/* In the order in which QEMU gets them; NULL terminated. */
extern const DeviceKind *const device_kinds[];

extern const DeviceKind device_controller, device_hub, device_memory, device_disk, device_filesystem, device_interface,
    device_smartcard, device_serial, device_parallel, device_channel, device_console, device_tpm, device_input,
    device_audio, device_graphics, device_video, device_sound, device_watchdog, device_redirdev, device_hostdev,
    device_memballoon, device_rng, device_nvram, device_shmem, device_vsock, device_panic, device_iommu, device_lease,
    device_crypto, device_pstore;

guint device_count(const DeviceKind *kind, const Domain *def);
gpointer device_at(const DeviceKind *kind, const Domain *def, guint index);

/* A device's alias and address; NULL if it has none. */
const char *device_alias(const DeviceKind *kind, gconstpointer device);
Address **device_address(const DeviceKind *kind, gpointer device); /* NULL if the kind has none */

/* FN for each device until it returns FALSE. */
typedef gboolean (*DeviceFunc)(const DeviceKind *kind, gpointer device, gpointer data, GError **error);
gboolean device_each(const Domain *def, DeviceFunc fn, gpointer data, GError **error);

gboolean device_complete_all(Domain *def, const Caps *caps, GError **error);
gboolean device_validate_all(const Domain *def, const Caps *caps, GError **error);

/* Names each device that has no name of the user's. Two devices of one name are VIR_ERR_XML_ERROR. */
gboolean device_assign_aliases(Domain *live, GError **error);

/* The same for one that comes to a guest that runs: a name that no other has. */
void device_assign_alias(const DeviceKind *kind, Domain *live, gpointer device);

/* The kind of a device by its element; NULL if there is none. */
const DeviceKind *device_kind(const char *name);

gboolean device_prepare_all(Domain *live, const Caps *caps, ArgvContext *context, GError **error);
void device_release_all(const Domain *live);

/* Appends the parts of one device, or of all. */
gboolean device_build(const Domain *live, const DeviceKind *kind, gconstpointer device, const Caps *caps,
                      ArgvContext *context, GPtrArray *parts, GError **error);
gboolean device_build_all(const Domain *live, const Caps *caps, ArgvContext *context, GPtrArray *parts, GError **error);

/* The kind and struct of the device with ALIAS; NULL if there is none. */
const DeviceKind *device_find(const Domain *live, const char *alias, gpointer *ret_device);

/* device-memory.c: whether DEF has a module of MODEL. */
gboolean device_memory_any(const Domain *def, MemoryDeviceModel model);

/* Where QEMU finds a device: "bus" and "addr", "port" or the like. */
gboolean device_address_props(const Domain *live, const Address *address, JsonObject *props, GError **error);
