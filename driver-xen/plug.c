/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A device is in the live definition and on disk before the hypervisor has it: what a kill of the daemon cuts off leaves too much
 * there, which plug_learn() finds, and not too little. It leaves the definition when it is gone: libxl waits for the guest to let
 * go of it, ten seconds at most.
 */
#include "driver-xen/plug.h"

#include <string.h>

#include "driver-xen/complete.h"
#include "driver-xen/config.h"
#include "driver-xen/xen.h"
#include "lib/error.h"

#define UNSUPPORTED VIR_FROM_LIBXL, VIR_ERR_CONFIG_UNSUPPORTED
#define FAILED VIR_ERR_INTERNAL_ERROR

/* One device on its way. */
typedef struct {
    Xen *xen;
    Vm *vm;
    Guest *guest;
    Context *context;
    const Domain *live;
    const DomainDevice *kind;
    gpointer device; /* complete */
} Plug;

static gint64 deadline(void)
{
    return g_get_monotonic_time() + XEN_DEADLINE;
}

/* --- what Xen does --- */

static gboolean add_disk(const Plug *plug, GError **error)
{
    const Disk *disk = plug->device;
    libxl_device_disk config;

    libxl_device_disk_init(&config);
    gboolean done = config_disk(disk, &config, error);
    if (done) {
        int rc = libxl_device_disk_add(plug->context->libxl, plug->guest->domid, &config, context_how(plug->context));
        done = context_wait(plug->context, rc, deadline()) == 0 ||
               context_failed(plug->context, FAILED, error, "libxenlight failed to attach disk '%s'", disk->target->dev);
    }
    libxl_device_disk_dispose(&config);
    return done;
}

static gboolean remove_disk(const Plug *plug, GError **error)
{
    const Disk *disk = plug->device;
    libxl_device_disk config;

    libxl_device_disk_init(&config);
    int rc = libxl_vdev_to_device_disk(plug->context->libxl, plug->guest->domid, disk->target->dev, &config);
    if (rc == 0) {
        rc = libxl_device_disk_remove(plug->context->libxl, plug->guest->domid, &config, context_how(plug->context));
        rc = context_wait(plug->context, rc, deadline());
    }
    libxl_device_disk_dispose(&config);
    return rc == 0 || context_failed(plug->context, FAILED, error, "libxenlight failed to detach disk '%s'", disk->target->dev);
}

static int number_of(const Interface *interface)
{
    const char *dot = interface->target && interface->target->dev ? strrchr(interface->target->dev, '.') : NULL;

    return dot ? (int)g_ascii_strtoll(dot + 1, NULL, 10) : -1;
}

static gboolean add_nic(const Plug *plug, GError **error)
{
    const Interface *interface = plug->device;
    libxl_device_nic config;

    libxl_device_nic_init(&config);
    gboolean done = config_nic(plug->live, interface, TRUE, &config, error);
    if (done) {
        config.devid = config_is_generated(interface->target->dev) ? number_of(interface) : -1;
        int rc = libxl_device_nic_add(plug->context->libxl, plug->guest->domid, &config, context_how(plug->context));
        done = context_wait(plug->context, rc, deadline()) == 0 ||
               context_failed(plug->context, FAILED, error, "libxenlight failed to attach network device");
    }
    libxl_device_nic_dispose(&config);
    return done;
}

static gboolean remove_nic(const Plug *plug, GError **error)
{
    const Interface *interface = plug->device;
    libxl_device_nic config;

    libxl_device_nic_init(&config);
    int rc = libxl_mac_to_device_nic(plug->context->libxl, plug->guest->domid, interface->mac->address, &config);
    if (rc == 0) {
        rc = libxl_device_nic_remove(plug->context->libxl, plug->guest->domid, &config, context_how(plug->context));
        rc = context_wait(plug->context, rc, deadline());
    }
    libxl_device_nic_dispose(&config);
    return rc == 0 || context_failed(plug->context, FAILED, error, "libxenlight failed to detach network device");
}

/* --- what may come and go --- */

static gboolean check_disk(const Disk *disk, const char *verb, GError **error)
{
    if (disk->device != DISK_DEVICE_DISK)
        return error_set(error, UNSUPPORTED, "disk device type '%s' cannot be hot%s", disk_device_to_string(disk->device), verb);
    if (disk->target->bus != DISK_BUS_XEN)
        return error_set(error, UNSUPPORTED, "disk bus '%s' cannot be hot%s.", disk_bus_to_string(disk->target->bus), verb);
    return TRUE;
}

/* The number of a new interface: one above the highest there is. */
static int free_number(const Plug *plug)
{
    int n = 0, number = 0;
    libxl_device_nic *list = libxl_device_nic_list(plug->context->libxl, plug->guest->domid, &n);

    for (int i = 0; i < n; i++)
        number = MAX(number, list[i].devid + 1);
    libxl_device_nic_list_free(list, n);
    return number;
}

static void name_nic(const Plug *plug, Interface *interface)
{
    if (!interface->target)
        interface->target = interface_target_new();
    if (!config_is_generated(interface->target->dev))
        return;
    g_free(interface->target->dev);
    interface->target->dev = g_strdup_printf("vif%u.%d", plug->guest->domid, free_number(plug));
}

static const struct {
    const ModelType *type;
    gboolean (*add)(const Plug *plug, GError **error);
    gboolean (*remove)(const Plug *plug, GError **error);
} kinds[] = {
    {&disk_type, add_disk, remove_disk},
    {&interface_type, add_nic, remove_nic},
};

static int kind_of(const DomainDevice *device, const char *verb, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].type == device->type)
            return (int)i;
    error_set(error, UNSUPPORTED, "device type '%s' cannot be %s", device->name, verb);
    return -1;
}

/* --- what the live definition says --- */

/* DATA: the device. */
static gboolean edit_in(Domain *live, gpointer data, GError **error)
{
    const DomainDevice *device = data;

    return domain_device_add(live, device) ||
           error_set(error, VIR_FROM_LIBXL, VIR_ERR_OPERATION_INVALID, "the domain already has a %s device", device->name);
}

/* The device of LIVE that DEVICE is another view of. */
static gpointer same(const Domain *live, const DomainDevice *device)
{
    const Disk *disk = device->device;
    const Interface *interface = device->device;

    for (guint i = 0; i < domain_device_count(live, device); i++) {
        gpointer held = domain_device_at(live, device, i);

        if (device->type == &disk_type ? strcmp(((Disk *)held)->target->dev, disk->target->dev) == 0
                                       : g_ascii_strcasecmp(((Interface *)held)->mac->address, interface->mac->address) == 0)
            return held;
    }
    return NULL;
}

static gboolean edit_out(Domain *live, gpointer data, GError **error)
{
    const DomainDevice *device = data;
    gpointer held = same(live, device);

    if (held)
        domain_device_drop(live, device, held);
    return TRUE;
}

static gboolean tell(const Plug *plug, VmEdit edit, GError **error)
{
    DomainDevice device = *plug->kind;

    device.device = plug->device;
    return plug->xen->host->edit_live(plug->vm, edit, &device, error) && plug->xen->host->save_status(plug->vm, error);
}

/* --- coming --- */

static gboolean check_new(const Domain *live, const DomainDevice *wanted, GError **error)
{
    if (!same(live, wanted))
        return TRUE;
    if (wanted->type == &disk_type)
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_OPERATION_FAILED, "target %s already exists", ((Disk *)wanted->device)->target->dev);
    return error_set(error, VIR_FROM_LIBXL, VIR_ERR_INVALID_ARG, "network device with mac %s already exists",
                     ((Interface *)wanted->device)->mac->address);
}

static gboolean attach(Plug *plug, Domain *trial, int kind, GError **error)
{
    plug->device = domain_device_add(trial, plug->kind);
    if (!plug->device)
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_OPERATION_INVALID, "the domain already has a %s device", plug->kind->name);
    if (!complete_definition(trial, error))
        return FALSE;
    if (plug->kind->type == &disk_type) {
        const Disk *disk = plug->device;

        if (!check_disk(disk, "plugged", error))
            return FALSE;
        if (!disk->source)
            return error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "disk source path is missing");
    } else {
        name_nic(plug, plug->device);
    }
    if (!tell(plug, edit_in, error))
        return FALSE;
    if (kinds[kind].add(plug, error))
        return TRUE;
    tell(plug, edit_out, NULL);
    return FALSE;
}

static gboolean device_attach(gpointer self, Vm *vm, const DomainDevice *wanted, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);
    g_autoptr(VmView) view = xen->host->view(vm);
    int kind = kind_of(wanted, "attached", guest ? error : NULL);

    if (!guest || kind < 0 || !check_new(view->live, wanted, error))
        return FALSE;
    g_autoptr(Domain) trial = domain_copy(view->live);
    Plug plug = {xen, vm, guest, context, trial, wanted, NULL};
    return attach(&plug, trial, kind, error);
}

/* --- going --- */

static gboolean device_detach(gpointer self, Vm *vm, const DomainDevice *which, const char *alias, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);
    g_autoptr(VmView) view = xen->host->view(vm);
    int kind = kind_of(which, "detached", guest ? error : NULL);

    if (!guest || kind < 0 || (which->type == &disk_type && !check_disk(which->device, " unplugged", error)))
        return FALSE;
    Plug plug = {xen, vm, guest, context, view->live, which, which->device};
    return kinds[kind].remove(&plug, error) && tell(&plug, edit_out, error);
}

/* --- media --- */

static gboolean edit_medium(Domain *live, gpointer data, GError **error)
{
    const DomainDevice *device = data;
    gpointer held = same(live, device);

    if (held)
        domain_device_replace(live, device, held);
    return TRUE;
}

static gboolean device_set_medium(gpointer self, Vm *vm, const Disk *wanted, gboolean force, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);
    g_autoptr(Disk) disk = disk_copy(wanted);
    DomainDevice device = {"disk", &disk_type, offsetof(Devices, disks), FALSE, disk};
    libxl_device_disk config;

    if (!guest)
        return FALSE;
    if (disk->device != DISK_DEVICE_CDROM)
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "Removable media not supported for %s device",
                         disk_device_to_string(disk->device));
    libxl_device_disk_init(&config);
    gboolean done = config_disk(disk, &config, error);
    if (done) {
        int rc = libxl_cdrom_insert(context->libxl, guest->domid, &config, context_how(context));
        done = context_wait(context, rc, deadline()) == 0 ||
               context_failed(context, FAILED, error, "libxenlight failed to change media for disk '%s'", disk->target->dev);
    }
    libxl_device_disk_dispose(&config);
    return done && xen->host->edit_live(vm, edit_medium, &device, error) && xen->host->save_status(vm, error);
}

const DriverDeviceOps device_ops = {.attach = device_attach, .detach = device_detach, .set_medium = device_set_medium};

/* --- the next daemon --- */

static gboolean has_disk(Context *context, guint32 domid, const Disk *disk)
{
    libxl_device_disk config;

    libxl_device_disk_init(&config);
    int rc = libxl_vdev_to_device_disk(context->libxl, domid, disk->target->dev, &config);
    libxl_device_disk_dispose(&config);
    return rc == 0;
}

static gboolean has_nic(Context *context, guint32 domid, const Interface *interface)
{
    libxl_device_nic config;

    libxl_device_nic_init(&config);
    int rc = libxl_mac_to_device_nic(context->libxl, domid, interface->mac->address, &config);
    libxl_device_nic_dispose(&config);
    return rc == 0;
}

gboolean plug_learn(Xen *xen, Context *context, Vm *vm, guint32 domid, GError **error)
{
    g_autoptr(VmView) view = xen->host->view(vm);
    const Devices *devices = view->live->devices;
    DomainDevice disk = {"disk", &disk_type, offsetof(Devices, disks), FALSE, NULL};
    DomainDevice interface = {"interface", &interface_type, offsetof(Devices, interfaces), FALSE, NULL};

    for (guint i = 0; i < devices->disks->len; i++) {
        disk.device = devices->disks->pdata[i];
        if (!has_disk(context, domid, disk.device) && !xen->host->edit_live(vm, edit_out, &disk, error))
            return FALSE;
    }
    for (guint i = 0; i < devices->interfaces->len; i++) {
        interface.device = devices->interfaces->pdata[i];
        if (!has_nic(context, domid, interface.device) && !xen->host->edit_live(vm, edit_out, &interface, error))
            return FALSE;
    }
    return TRUE;
}
