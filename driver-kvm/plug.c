/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/plug.h"

#include "driver-kvm/balloon.h"
#include "driver-kvm/block.h"
#include "driver-kvm/complete.h"
#include "driver-kvm/device.h"
#include "driver-kvm/labels.h"
#include "driver-kvm/memory-live.h"
#include "driver-kvm/part-live.h"
#include "driver-kvm/side.h"
#include "driver-kvm/start-private.h"
#include "driver-kvm/support.h"
#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/domain-defaults.h"
#include "lib/model/domain-device-find.h"

/* One device on its way. */
typedef struct {
    Guest *guest;
    const DomainDevice *wanted;
    const DeviceKind *kind;
    Caps *caps;
    Domain *trial;     /* the live definition with it */
    DomainDevice made; /* borrowed from `trial` */
    ArgvContext *context;
    GPtrArray *parts;
} Plug;

static void plug_clear(Plug *plug)
{
    caps_unref(plug->caps);
    domain_unref(plug->trial);
    argv_context_free(plug->context);
    g_clear_pointer(&plug->parts, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Plug, plug_clear)

static gboolean complete(Plug *plug, GError **error)
{
    gpointer held = domain_device_add(plug->trial, plug->wanted);

    if (!held)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "the domain already has a %s device",
                         plug->wanted->name);
    plug->made = *plug->wanted;
    plug->made.device = held;
    return complete_plugged(plug->trial, plug->wanted, held, plug->caps, error) &&
           plug_check_in(plug->trial, &plug->made, error) && support_check(plug->trial, error) &&
           labels_check(plug->trial, user_ids(plug->guest->kvm->user), error);
}

static gboolean prepare(Plug *plug, GError **error)
{
    gpointer device = plug->made.device;
    guint next = block_highest(plug->trial) + 1;

    plug->context = start_context(plug->guest);
    plug->context->live = TRUE;
    plug->context->first_fd = PLUG_FIRST_FD;
    if (plug->kind == &device_disk)
        block_number_new(device, next);
    if (plug->kind->prepare && !plug->kind->prepare(plug->trial, device, plug->caps, plug->context, error))
        return FALSE;
    if (plug->kind == &device_disk)
        block_number_new(device, block_highest(plug->trial) + 1);
    plug->parts = parts_new();
    return start_access_device(plug->guest, &plug->made, error) &&
           device_build(plug->trial, plug->kind, device, plug->caps, plug->context, plug->parts, error);
}

static guint64 size_of(const DomainDevice *device)
{
    return device->type == &memory_device_type ? ((const MemoryDevice *)device->device)->target->size : 0;
}

/* DATA: the device. */
static gboolean edit_in(Domain *live, gpointer data, GError **error)
{
    const DomainDevice *made = data;

    if (!domain_device_add(live, made))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "the domain already has a %s device",
                         made->name);
    live->memory += size_of(made);
    domain_sort_disks(live);
    domain_sort_controllers(live);
    domain_twin_consoles(live);
    return TRUE;
}

static gboolean edit_out(Domain *live, gpointer data, GError **error)
{
    const DomainDevice *made = data;
    DomainDevice kind;
    gpointer held = domain_device_by_alias(live, domain_device_alias(made, made->device), &kind);

    if (!held)
        return TRUE;
    live->memory -= MIN(live->memory, size_of(made));
    domain_device_drop(live, &kind, held);
    return TRUE;
}

static gboolean publish(Plug *plug, GError **error)
{
    return guest_edit(plug->guest, edit_in, &plug->made, error) &&
           plug->guest->kvm->host->save_status(plug->guest->vm, error);
}

static void end_side(Guest *guest, const DomainDevice *device)
{
    const char *alias = domain_device_alias(device, device->device);

    if (alias)
        side_stop(guest, alias);
}

static void take_back(Plug *plug)
{
    guest_edit(plug->guest, edit_out, &plug->made, NULL);
    plug->guest->kvm->host->save_status(plug->guest->vm, NULL);
    if (plug->kind->release)
        plug->kind->release(plug->trial, plug->made.device);
    start_access_end(plug->guest, &plug->made);
    end_side(plug->guest, &plug->made);
}

typedef struct {
    const char *command;
    JsonNode *answer;
    const char *alias;
} Lesson;

/* A new channel has no state until the guest opens it. */
static gboolean edit_learn(Domain *live, gpointer data, GError **error)
{
    const Lesson *lesson = data;
    DomainDevice kind;
    Chardev *channel = domain_device_by_alias(live, lesson->alias, &kind);

    if (!argv_learn(live, lesson->command, lesson->answer, error))
        return FALSE;
    if (channel && kind.type == &chardev_type && channel->target)
        channel->target->state = CHANNEL_STATE_UNSET;
    return TRUE;
}

/* What only QEMU knows of it, and what is said of it once it is there. */
static gboolean settle(Plug *plug, Qmp *qmp, GError **error)
{
    if (!parts_run_commands(qmp, plug->context, error))
        return FALSE;
    for (guint i = 0; argv_questions[i]; i++) {
        g_autoptr(JsonNode) answer = qmp_call(qmp, argv_questions[i], NULL, QMP_DEADLINE, error);
        Lesson lesson = {argv_questions[i], answer, domain_device_alias(&plug->made, plug->made.device)};

        if (!answer || !guest_edit(plug->guest, edit_learn, &lesson, error))
            return FALSE;
    }
    return plug->kind != &device_memory ||
           (memory_learn(plug->guest, qmp, error) && balloon_learn(plug->guest, qmp, error));
}

/* The first number of a SCSI controller that DISK lies behind and LIVE lacks; FALSE if there is none. */
static gboolean lacks_controller(const Domain *live, const DomainDevice *device, guint *ret_index)
{
    const Disk *disk = device->device;
    const Address *address = device->type == &disk_type && disk->target->bus == DISK_BUS_SCSI ? disk->address : NULL;

    for (guint i = 0; address && i <= MIN(address->controller, CONTROLLERS_MAX); i++)
        if (!domain_controller(live, CONTROLLER_TYPE_SCSI, i)) {
            *ret_index = i;
            return TRUE;
        }
    return FALSE;
}

static gboolean attach(Guest *guest, const DomainDevice *wanted, gboolean told, GError **error);

/* Like the one there is, or of the usual kind. */
static gboolean add_controller(Plug *plug, guint index, GError **error)
{
    const Controller *first = domain_controller(plug->trial, CONTROLLER_TYPE_SCSI, 0);
    g_autoptr(Controller) controller = controller_new();
    DomainDevice wanted = {"controller", &controller_type, offsetof(Devices, controllers), FALSE, controller};

    controller->type = CONTROLLER_TYPE_SCSI;
    controller->index = index;
    controller->model = first ? first->model : CONTROLLER_MODEL_UNSET;
    return attach(plug->guest, &wanted, FALSE, error);
}

/* TOLD: clients hear of it. */
static gboolean attach(Guest *guest, const DomainDevice *wanted, gboolean told, GError **error)
{
    Kvm *kvm = guest->kvm;
    g_autoptr(Domain) live = guest_live(guest);
    g_auto(Plug) plug = {.guest = guest, .wanted = wanted, .kind = device_kind(wanted->name)};
    g_autoptr(Qmp) qmp = guest_qmp(guest, error);
    guint index;

    plug.caps = qmp ? caps_cache_get(kvm->caps, live->devices->emulator, error) : NULL;
    if (!plug.caps)
        return FALSE;
    plug.trial = domain_copy(live);
    if (!plug_check_kind(wanted, error) || !domain_device_check_new(live, wanted, error) || !complete(&plug, error))
        return FALSE;
    if (lacks_controller(plug.trial, &plug.made, &index))
        return add_controller(&plug, index, error) && attach(guest, wanted, told, error);
    if (!prepare(&plug, error))
        return FALSE;
    if (!publish(&plug, error) || !start_side_device(guest, &plug.made, error) ||
        !parts_make(qmp, plug.parts, plug.context, error)) {
        take_back(&plug);
        return FALSE;
    }
    if (!settle(&plug, qmp, error))
        return FALSE;
    /* of a module libvirt tells the name of what is behind it */
    g_autofree char *name =
        g_strconcat(plug.kind == &device_memory ? "mem" : "", domain_device_alias(&plug.made, plug.made.device), NULL);
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, .device = {name}};
    if (told)
        kvm->host->emit(guest->vm, &event);
    return kvm->host->save_status(guest->vm, error);
}

gboolean plug_attach(gpointer self, Vm *vm, const DomainDevice *wanted, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);

    return guest && attach(guest, wanted, TRUE, error);
}
