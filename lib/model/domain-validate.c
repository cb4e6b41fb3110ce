/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-validate.h"
#include "lib/error.h"

#define UNSUPPORTED VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED

static gboolean validate_controllers(const Domain *def, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);
        gsize key = (gsize)controller->type << 32 | controller->index;

        /* The parts of a USB 2 controller share a number. */
        if (controller->type != CONTROLLER_TYPE_USB && !g_hash_table_add(seen, GSIZE_TO_POINTER(key)))
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "Multiple '%s' controllers with index '%u'",
                             controller_type_to_string(controller->type), controller->index);
    }
    return TRUE;
}

static const char *source_of(const Disk *disk)
{
    const DiskSource *source = disk->source;
    const char *path = !source ? NULL : source->file ? source->file : source->dev ? source->dev : source->dir;

    return path ? path : "";
}

static gboolean same_place(const Disk *a, const Disk *b)
{
    return a->address && b->address && a->address->type == ADDRESS_TYPE_DRIVE && b->address->type == ADDRESS_TYPE_DRIVE &&
           a->target->bus == b->target->bus && a->address->controller == b->address->controller &&
           a->address->bus == b->address->bus && a->address->target == b->address->target &&
           a->address->unit == b->address->unit;
}

static gboolean validate_disk_pair(const Disk *a, const Disk *b, GError **error)
{
    if (same_place(a, b))
        return error_set(error, UNSUPPORTED,
                         "Found duplicate drive address for disk with target name '%s' controller='%u' bus='%u' target='%u' "
                         "unit='%u'", a->target->dev, a->address->controller, a->address->bus, a->address->target,
                         a->address->unit);
    if (g_strcmp0(a->target->dev, b->target->dev) == 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "target '%s' duplicated for disk sources '%s' and '%s'",
                         a->target->dev, source_of(a), source_of(b));
    return TRUE;
}

static gboolean validate_disk(const Disk *disk, GError **error)
{
    DiskBus bus = disk->target->bus;
    gboolean driven = bus == DISK_BUS_IDE || bus == DISK_BUS_SCSI || bus == DISK_BUS_FDC || bus == DISK_BUS_SATA;

    if (driven && disk->address && disk->address->type != ADDRESS_TYPE_DRIVE && disk->address->type != ADDRESS_TYPE_UNSET)
        return error_set(error, UNSUPPORTED, "Invalid address type '%s' for the disk '%s' with the bus type '%s'",
                         address_type_to_string(disk->address->type), disk->target->dev, disk_bus_to_string(bus));
    return TRUE;
}

/* A domain may have many disks: names and places are compared by key, and the slow comparison finds the words. */
static gboolean validate_disks(const Domain *def, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const GPtrArray *disks = def->devices->disks;

    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = g_ptr_array_index(disks, i);
        gboolean fresh = g_hash_table_add(seen, g_strdup(disk->target->dev));

        if (!validate_disk(disk, error))
            return FALSE;
        if (disk->address && disk->address->type == ADDRESS_TYPE_DRIVE)
            fresh &= g_hash_table_add(seen, g_strdup_printf("%d %u:%u:%u:%u", disk->target->bus, disk->address->controller,
                                                            disk->address->bus, disk->address->target, disk->address->unit));
        for (guint n = 0; !fresh && n < i; n++)
            if (!validate_disk_pair(g_ptr_array_index(disks, n), disk, error))
                return FALSE;
    }
    return TRUE;
}

/* An input device must have its bus. */
static gboolean validate_inputs(const Domain *def, GError **error)
{
    gboolean none = FALSE;

    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);

        none = none || (controller->type == CONTROLLER_TYPE_USB && controller->model == CONTROLLER_MODEL_NONE);
    }
    for (guint i = 0; none && i < def->devices->inputs->len; i++)
        if (((const Input *)g_ptr_array_index(def->devices->inputs, i))->bus == INPUT_BUS_USB)
            return error_set(error, UNSUPPORTED, "Can't add USB input device. USB bus is disabled");
    return TRUE;
}

static gboolean validate_timer(const Timer *timer, GError **error)
{
    const TimerCatchup *catchup = timer->catchup;
    const char *name = timer_name_to_string(timer->name);

    if ((timer->name == TIMER_NAME_KVMCLOCK || timer->name == TIMER_NAME_HYPERVCLOCK) &&
        timer->tickpolicy != TIMER_TICK_POLICY_UNSET)
        return error_set(error, UNSUPPORTED, "timer %s doesn't support setting of timer tickpolicy", name);
    if (timer->tickpolicy != TIMER_TICK_POLICY_CATCHUP && catchup &&
        (catchup->threshold != UNSET32 || catchup->slew != UNSET32 || catchup->limit != UNSET32))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                         "setting of timer catchup policies is only supported with tickpolicy='catchup'");
    if (timer->name != TIMER_NAME_TSC && timer->frequency != UNSET64 && timer->frequency != 0)
        return error_set(error, UNSUPPORTED, "timer %s doesn't support setting of timer frequency", name);
    if (timer->name != TIMER_NAME_TSC && timer->mode != TIMER_MODE_UNSET)
        return error_set(error, UNSUPPORTED, "timer %s doesn't support setting of timer mode", name);
    if (timer->name != TIMER_NAME_PLATFORM && timer->name != TIMER_NAME_RTC && timer->track != TIMER_TRACK_UNSET)
        return error_set(error, UNSUPPORTED, "timer %s doesn't support setting of timer track", name);
    return TRUE;
}

static gboolean validate_clock(const Domain *def, GError **error)
{
    for (guint i = 0; i < def->clock->timers->len; i++)
        if (!validate_timer(g_ptr_array_index(def->clock->timers, i), error))
            return FALSE;
    return TRUE;
}

gboolean domain_validate(const Domain *def, GError **error)
{
    return validate_controllers(def, error) && validate_clock(def, error) && validate_disks(def, error) &&
           validate_inputs(def, error);
}
