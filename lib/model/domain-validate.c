/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-validate.h"
#include "lib/error.h"
#include "lib/model/domain-hostdev.h"

#define UNSUPPORTED VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED

/* An input device must have its bus. */
static gboolean validate_inputs(const Domain *def, gboolean usb_is_off, GError **error)
{
    for (guint i = 0; usb_is_off && i < def->devices->inputs->len; i++)
        if (((const Input *)g_ptr_array_index(def->devices->inputs, i))->bus == INPUT_BUS_USB)
            return error_set(error, UNSUPPORTED, "Can't add USB input device. USB bus is disabled");
    return TRUE;
}

static gboolean validate_usb(const Domain *def, GError **error)
{
    gboolean master = FALSE, companion = FALSE, none = FALSE, other = FALSE;

    for (guint i = 0; i < def->devices->controllers->len; i++) {
        const Controller *controller = g_ptr_array_index(def->devices->controllers, i);
        gboolean usb = controller->type == CONTROLLER_TYPE_USB;

        none |= usb && controller->model == CONTROLLER_MODEL_NONE;
        other |= usb && controller->model != CONTROLLER_MODEL_NONE;
        companion |= usb && controller->master;
        master |= usb && !controller->master;
    }
    if (none && other)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL,
                         "Can't add another USB controller: USB is disabled for this domain");
    if (companion && !master)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL, "No master USB controller specified");
    return validate_inputs(def, none, error);
}

gboolean domain_validate_controllers(const Domain *def, GError **error)
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
    return validate_usb(def, error);
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

/* The states of single CPUs, which QEMU wants in an order. */
static gboolean validate_vcpus(const Domain *def, GError **error)
{
    gboolean ordered = FALSE, unordered = FALSE;

    for (guint i = 0; def->vcpus && i < def->vcpus->vcpus->len; i++) {
        const VcpuState *state = g_ptr_array_index(def->vcpus->vcpus, i);

        if (state->id == 0 && state->enabled == TOGGLE_OFF)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "vcpu 0 can't be offline");
        if (state->id == 0 && state->hotpluggable == TOGGLE_ON)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "vcpu0 can't be hotpluggable");
        if (state->enabled == TOGGLE_OFF && state->hotpluggable == TOGGLE_OFF)
            return error_set(error, UNSUPPORTED, "vcpu '%u' is both offline and not hotpluggable", state->id);
        ordered |= state->enabled == TOGGLE_ON && state->order != UNSET32;
        unordered |= state->enabled == TOGGLE_ON && state->order == UNSET32;
    }
    for (guint i = 0, hot = 0; def->vcpus && i < def->vcpus->vcpus->len; i++) {
        const VcpuState *state = g_ptr_array_index(def->vcpus->vcpus, i);

        if (!ordered && state->enabled == TOGGLE_ON && state->hotpluggable != TOGGLE_ON && hot)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "online non-hotpluggable vcpus need to be ordered prior to hotplugable vcpus");
        hot |= state->enabled == TOGGLE_ON && state->hotpluggable == TOGGLE_ON;
    }
    return !(ordered && unordered) || error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                                                "all vcpus must have either set or unset order");
}

gboolean domain_validate_no_virtio(Toggle iommu, Toggle ats, Toggle packed, Toggle page_per_vq, GError **error)
{
    const char *name = iommu != TOGGLE_UNSET    ? "iommu driver"
                       : ats != TOGGLE_UNSET    ? "ats driver"
                       : packed != TOGGLE_UNSET ? "packed driver"
                       : page_per_vq != TOGGLE_UNSET ? "page_per_vq"
                                                     : NULL;

    return !name || error_set(error, UNSUPPORTED, "%s option is only supported for virtio devices", name);
}

gboolean domain_validate_rom(const Rom *rom, GError **error)
{
    return !rom || rom->enabled != TOGGLE_OFF || (rom->bar == TOGGLE_UNSET && !rom->file) ||
           error_set(error, UNSUPPORTED, "ROM tuning is not supported when ROM is disabled");
}

gboolean domain_validate(const Domain *def, GError **error)
{
    return validate_clock(def, error) && domain_validate_disks(def, error) && domain_validate_hostdevs(def, error) && validate_vcpus(def, error) &&
           domain_validate_devices(def, error) && domain_validate_tuning(def, error);
}
