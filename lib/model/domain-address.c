/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-address.h"
#include "lib/error.h"
#include <string.h>

#define SCSI_UNITS 7

int domain_disk_number(const char *target)
{
    static const char *const prefixes[] = {"fd", "hd", "vd", "sd", "xvd", "ubd"};
    const char *letters = NULL;
    int number = 0;

    for (gsize i = 0; target && i < G_N_ELEMENTS(prefixes) && !letters; i++)
        if (g_str_has_prefix(target, prefixes[i]))
            letters = target + strlen(prefixes[i]);
    if (!letters || !g_ascii_islower(*letters))
        return -1;
    for (; g_ascii_islower(*letters); letters++) {
        if (number > 1000000)
            return -1;
        number = number * 26 + (*letters - 'a') + 1;
    }
    if (letters[0] == '0' && letters[1])
        return -1;
    for (; *letters; letters++)
        if (!g_ascii_isdigit(*letters))
            return -1;
    return number - 1;
}

static const struct {
    DiskBus bus;
    ControllerType controller;
    int units; /* of one bus of the controller */
    int buses; /* of the controller */
} buses[] = {
    /* In the order in which missing controllers are added. */
    {DISK_BUS_SCSI, CONTROLLER_TYPE_SCSI, SCSI_UNITS, 1},
    {DISK_BUS_FDC, CONTROLLER_TYPE_FDC, 2, 1},
    {DISK_BUS_IDE, CONTROLLER_TYPE_IDE, 2, 2},
    {DISK_BUS_SATA, CONTROLLER_TYPE_SATA, 6, 1},
};

gboolean domain_is_drive_at(const Address *address, guint controller, guint bus, guint target, guint unit)
{
    return address && address->type == ADDRESS_TYPE_DRIVE && address->controller == controller && address->bus == bus &&
           address->target == target && address->unit == unit;
}

static const struct {
    const char *prefix; /* of the target's name */
    DiskBus bus;
} guesses[] = {
    {"hd", DISK_BUS_IDE}, {"sd", DISK_BUS_SCSI}, {"vd", DISK_BUS_VIRTIO}, {"xvd", DISK_BUS_XEN}, {"ubd", DISK_BUS_UML},
};

DiskBus domain_disk_bus(const Disk *disk)
{
    if (disk->device == DISK_DEVICE_FLOPPY)
        return DISK_BUS_FDC;
    for (gsize i = 0; i < G_N_ELEMENTS(guesses); i++)
        if (g_str_has_prefix(disk->target->dev, guesses[i].prefix))
            return guesses[i].bus;
    return DISK_BUS_IDE;
}

gboolean domain_address_disk(Disk *disk, GError **error)
{
    int number = domain_disk_number(disk->target->dev);

    if (number < 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Unknown disk name '%s' and no address specified",
                         disk->target->dev);
    for (gsize i = 0; i < G_N_ELEMENTS(buses); i++) {
        int per_controller = buses[i].units * buses[i].buses;

        if (buses[i].bus != disk->target->bus)
            continue;
        address_free(disk->address);
        disk->address = address_new();
        disk->address->type = ADDRESS_TYPE_DRIVE;
        disk->address->controller = (guint32)(number / per_controller);
        disk->address->bus = (guint32)(number % per_controller / buses[i].units);
        disk->address->target = 0;
        disk->address->unit = (guint32)(number % buses[i].units);
    }
    return TRUE;
}

/* Where DISK goes among DISKS: before the first of its bus with a higher number, else after the last of its bus. */
static int disk_place(const GPtrArray *disks, const Disk *disk)
{
    int place = -1;

    for (int i = (int)disks->len - 1; i >= 0; i--) {
        const Disk *other = g_ptr_array_index(disks, i);

        if (other->target->bus != disk->target->bus)
            continue;
        if (domain_disk_number(other->target->dev) > domain_disk_number(disk->target->dev))
            place = i;
        else if (place == -1)
            place = i + 1;
    }
    return place;
}

gboolean domain_is_ich9_usb(const Controller *controller)
{
    return controller->type == CONTROLLER_TYPE_USB &&
           (controller->model == CONTROLLER_MODEL_ICH9_EHCI1 || controller->model == CONTROLLER_MODEL_ICH9_UHCI1 ||
            controller->model == CONTROLLER_MODEL_ICH9_UHCI2 || controller->model == CONTROLLER_MODEL_ICH9_UHCI3);
}

static int controller_place(const GPtrArray *controllers, const Controller *controller)
{
    int place = -1;

    for (int i = (int)controllers->len - 1; i >= 0; i--) {
        const Controller *other = g_ptr_array_index(controllers, i);

        if (other->type != controller->type)
            continue;
        if (controller->index == UNSET32)
            return i + 1;
        if (other->index != UNSET32 && other->index > controller->index)
            place = i;
        else if (!controller->master && other->master && other->index == controller->index)
            place = i;
        else if (place == -1)
            place = i + 1;
    }
    return place;
}

/* Rebuilds LIST by inserting its members one after the other where PLACE says (-1: at the end). */
#define RESORT(list, type, place)                                          \
    do {                                                                   \
        gsize n_;                                                          \
        g_autofree gpointer *members_ = g_ptr_array_steal((list), &n_);    \
        for (gsize i_ = 0; i_ < n_; i_++)                                  \
            g_ptr_array_insert((list), place((list), (const type *)members_[i_]), members_[i_]); \
    } while (0)

void domain_sort_disks(Domain *def)
{
    RESORT(def->devices->disks, Disk, disk_place);
}

/* The companions of an ICH9 controller serve two ports each. */
static void complete_companion(Controller *controller)
{
    static const ControllerModel models[] = {CONTROLLER_MODEL_ICH9_UHCI1, CONTROLLER_MODEL_ICH9_UHCI2,
                                             CONTROLLER_MODEL_ICH9_UHCI3};

    for (guint i = 0; i < G_N_ELEMENTS(models) && controller->type == CONTROLLER_TYPE_USB && !controller->master; i++)
        if (models[i] == controller->model) {
            controller->master = controller_master_new();
            controller->master->startport = 2 * i;
        }
}

void domain_sort_controllers(Domain *def)
{
    for (guint i = 0; i < def->devices->controllers->len; i++)
        complete_companion(g_ptr_array_index(def->devices->controllers, i));
    RESORT(def->devices->controllers, Controller, controller_place);
}

Controller *domain_controller(const Domain *def, ControllerType type, guint index)
{
    for (guint i = 0; i < def->devices->controllers->len; i++) {
        Controller *controller = g_ptr_array_index(def->devices->controllers, i);

        if (controller->type == type && controller->index == index)
            return controller;
    }
    return NULL;
}

Controller *domain_add_controller(Domain *def, ControllerType type, guint index, ControllerModel model)
{
    Controller *controller = controller_new();

    controller->type = type;
    controller->index = index;
    controller->model = model;
    g_ptr_array_add(def->devices->controllers, controller);
    return controller;
}

void domain_want_controller(Domain *def, ControllerType type, guint index, ControllerModel model)
{
    if (!domain_controller(def, type, index))
        domain_add_controller(def, type, index, model);
}

/* A companion without a number belongs to the USB controller before it, if that is ICH9's and has no such companion. */
static const Controller *companion_of(const Domain *def, guint position)
{
    const GPtrArray *all = def->devices->controllers;
    const Controller *controller = g_ptr_array_index(all, position);
    const Controller *before = NULL;

    if (!domain_is_ich9_usb(controller))
        return NULL;
    for (guint i = 0; i < position; i++) {
        const Controller *other = g_ptr_array_index(all, i);

        if (other->type == CONTROLLER_TYPE_USB)
            before = other;
    }
    if (!before || !domain_is_ich9_usb(before))
        return NULL;
    for (guint i = 0; i < all->len; i++) {
        const Controller *other = g_ptr_array_index(all, i);

        if (other->type == CONTROLLER_TYPE_USB && other->index == before->index && other->model == controller->model)
            return NULL;
    }
    return before;
}

void domain_number_controllers(Domain *def)
{
    gboolean resort = FALSE;

    for (guint i = 0; i < def->devices->controllers->len; i++) {
        Controller *controller = g_ptr_array_index(def->devices->controllers, i);
        const Controller *master;
        guint index = 0;

        if (controller->index != UNSET32)
            continue;
        master = companion_of(def, i);
        if (i > 0 && domain_is_ich9_usb(controller))
            resort = TRUE;
        while (!master && domain_controller(def, controller->type, index))
            index++;
        controller->index = master ? master->index : index;
    }
    if (resort)
        domain_sort_controllers(def);
}

void domain_want_disk_controllers(Domain *def)
{
    for (gsize i = 0; i < G_N_ELEMENTS(buses); i++) {
        gint64 last = -1;

        for (guint n = 0; n < def->devices->disks->len; n++) {
            const Disk *disk = g_ptr_array_index(def->devices->disks, n);

            if (disk->target->bus == buses[i].bus && disk->address && disk->address->type == ADDRESS_TYPE_DRIVE)
                last = MAX(last, (gint64)disk->address->controller);
        }
        for (guint index = 0; last >= 0 && index <= MIN(last, CONTROLLERS_MAX); index++)
            domain_want_controller(def, buses[i].controller, index, CONTROLLER_MODEL_UNSET);
    }
}

static gboolean on_virtio_serial(const Chardev *chardev)
{
    return chardev->target && chardev->target->type == CHARDEV_TARGET_TYPE_VIRTIO;
}

static void want_serial_for(Domain *def, const GPtrArray *chardevs)
{
    for (guint i = 0; i < chardevs->len; i++) {
        const Chardev *chardev = g_ptr_array_index(chardevs, i);
        guint index = 0;

        if (!on_virtio_serial(chardev))
            continue;
        if (chardev->address && chardev->address->type == ADDRESS_TYPE_VIRTIO_SERIAL)
            index = chardev->address->controller;
        domain_want_controller(def, CONTROLLER_TYPE_VIRTIO_SERIAL, index, CONTROLLER_MODEL_UNSET);
    }
}

void domain_want_serial_controllers(Domain *def)
{
    want_serial_for(def, def->devices->channels);
    want_serial_for(def, def->devices->consoles);
}

void domain_want_card_controllers(Domain *def)
{
    const GPtrArray *cards = def->devices->smartcards;

    for (guint i = 0; i < cards->len; i++) {
        Smartcard *card = g_ptr_array_index(cards, i);
        guint slot = 0;

        if (!card->address) {
            for (guint k = 0; k < cards->len; k++) {
                const Address *other = ((const Smartcard *)g_ptr_array_index(cards, k))->address;

                if (other && other->type == ADDRESS_TYPE_CCID && other->controller == 0)
                    slot = MAX(slot, other->slot + 1);
            }
            card->address = address_new();
            card->address->type = ADDRESS_TYPE_CCID;
            card->address->controller = 0;
            card->address->slot = slot;
        }
        if (card->address->type == ADDRESS_TYPE_CCID && card->address->controller < CONTROLLERS_MAX &&
            !domain_controller(def, CONTROLLER_TYPE_CCID, card->address->controller))
            domain_add_controller(def, CONTROLLER_TYPE_CCID, card->address->controller, CONTROLLER_MODEL_UNSET);
    }
}

static guint port_number(const Address *address)
{
    return address->port ? (guint)MIN(g_ascii_strtoull(address->port, NULL, 10), G_MAXUINT32) : 0;
}

static gboolean has_port(const Chardev *chardev)
{
    return chardev->address && chardev->address->type == ADDRESS_TYPE_VIRTIO_SERIAL && port_number(chardev->address) != 0;
}

static guint n_ports(const Controller *controller)
{
    return controller->ports == UNSET32 ? VIRTIO_SERIAL_PORTS : controller->ports;
}

/* Key of a port in a set. */
static gpointer port_key(guint controller, guint port)
{
    return GSIZE_TO_POINTER(((gsize)controller << 32) | port);
}

static gboolean reserve_port(const Domain *def, GHashTable *taken, const Address *address, GError **error)
{
    const Controller *controller = domain_controller(def, CONTROLLER_TYPE_VIRTIO_SERIAL, address->controller);
    guint port = port_number(address);

    if (!controller)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "virtio serial controller %u is missing",
                         address->controller);
    if (port >= n_ports(controller))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "virtio serial controller %u does not have port %u",
                         address->controller, port);
    if (!g_hash_table_add(taken, port_key(address->controller, port)))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "virtio serial port %u on controller %u is already occupied", port, address->controller);
    return TRUE;
}

/* The first free port from FIRST on; G_MAXUINT if there is none. */
static guint free_port(GHashTable *taken, const Controller *controller, guint first)
{
    for (guint port = first; port < n_ports(controller); port++)
        if (!g_hash_table_contains(taken, port_key(controller->index, port)))
            return port;
    return G_MAXUINT;
}

static gint by_index(gconstpointer a, gconstpointer b)
{
    const Controller *one = *(Controller *const *)a, *two = *(Controller *const *)b;

    return one->index < two->index ? -1 : one->index > two->index;
}

/* Port 0 is for a console alone. */
static gboolean assign_port(Domain *def, GHashTable *taken, Chardev *chardev, gboolean is_console, GError **error)
{
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    gboolean fixed = chardev->address && chardev->address->type == ADDRESS_TYPE_VIRTIO_SERIAL;
    guint first = is_console ? 0 : 1;
    g_autoptr(Address) found = address_new();
    guint port = G_MAXUINT;
    guint index = 0;

    for (guint i = 0; i < def->devices->controllers->len; i++) {
        Controller *controller = g_ptr_array_index(def->devices->controllers, i);

        if (controller->type == CONTROLLER_TYPE_VIRTIO_SERIAL &&
            (!fixed || controller->index == chardev->address->controller))
            g_ptr_array_add(candidates, controller);
    }
    g_ptr_array_sort(candidates, by_index);
    for (guint i = 0; i < candidates->len && port == G_MAXUINT; i++) {
        const Controller *controller = g_ptr_array_index(candidates, i);

        port = free_port(taken, controller, first);
        index = controller->index;
    }
    if (port == G_MAXUINT && fixed)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "Unable to find a free port on virtio-serial controller %u", chardev->address->controller);
    if (port == G_MAXUINT) {
        for (index = 0; domain_controller(def, CONTROLLER_TYPE_VIRTIO_SERIAL, index);)
            index++;
        domain_add_controller(def, CONTROLLER_TYPE_VIRTIO_SERIAL, index, CONTROLLER_MODEL_UNSET);
        port = first;
    }
    found->type = ADDRESS_TYPE_VIRTIO_SERIAL;
    found->controller = index;
    found->bus = 0;
    found->port = g_strdup_printf("%u", port);
    if (!reserve_port(def, taken, found, error))
        return FALSE;
    address_free(chardev->address);
    chardev->address = g_steal_pointer(&found);
    return TRUE;
}

static gboolean each_virtio_serial(Domain *def, GHashTable *taken, GPtrArray *list, gboolean assign, GError **error)
{
    for (guint i = 0; i < list->len; i++) {
        Chardev *chardev = g_ptr_array_index(list, i);

        gboolean is_console = list == def->devices->consoles;

        /* a console without an address gets none: QEMU finds it a port, after the channels have theirs */
        if (!on_virtio_serial(chardev) || (is_console && !chardev->address))
            continue;
        if (!assign && has_port(chardev) && !reserve_port(def, taken, chardev->address, error))
            return FALSE;
        if (assign && !has_port(chardev) && !assign_port(def, taken, chardev, is_console, error))
            return FALSE;
    }
    return TRUE;
}

gboolean domain_address_virtio_serial(Domain *def, GError **error)
{
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);
    Devices *devices = def->devices;

    return each_virtio_serial(def, taken, devices->consoles, FALSE, error) &&
           each_virtio_serial(def, taken, devices->channels, FALSE, error) &&
           each_virtio_serial(def, taken, devices->consoles, TRUE, error) &&
           each_virtio_serial(def, taken, devices->channels, TRUE, error);
}
