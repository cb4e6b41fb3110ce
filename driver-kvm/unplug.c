/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/plug.h"

#include <syslog.h>

#include "driver-kvm/balloon.h"
#include "driver-kvm/caps-cache.h"
#include "driver-kvm/device.h"
#include "driver-kvm/part-live.h"
#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/side.h"
#include "driver-kvm/start-private.h"
#include "lib/error.h"
#include "lib/json-peek.h"
#include "lib/model/domain-defaults.h"
#include "lib/model/domain-device-find.h"

/* --- what stood behind it --- */

static gboolean edit_out(Domain *live, gpointer data, GError **error)
{
    DomainDevice kind;
    gpointer held = domain_device_by_alias(live, data, &kind);

    if (!held)
        return TRUE;
    if (kind.type == &memory_device_type)
        live->memory -= MIN(live->memory, ((const MemoryDevice *)held)->target->size);
    live->current_memory = MIN(live->current_memory, live->memory);
    domain_device_drop(live, &kind, held);
    domain_twin_consoles(live);
    return TRUE;
}

/* Whoever sees that a device is not there may see it before its end is told, when QEMU still has what stood behind it. */
#define LOST_PATIENCE (1 * G_USEC_PER_SEC)

/* QEMU does not have the device any more; of one that is not in the definition nobody is told. */
static gboolean finish(Guest *guest, const char *alias, gint64 patience, GError **error)
{
    Kvm *kvm = guest->kvm;
    g_autoptr(Domain) live = guest_live(guest);
    g_autoptr(Qmp) qmp = guest_qmp(guest, error);
    g_autoptr(Caps) caps = qmp ? caps_cache_get(kvm->caps, live->devices->emulator, error) : NULL;
    g_autoptr(ArgvContext) context = start_context(guest);
    g_autoptr(GPtrArray) parts = parts_new();
    gpointer device;
    DomainDevice gone;
    const DeviceKind *kind = device_find(live, alias, &device);

    context->live = TRUE;
    context->touch_host = FALSE;
    if (!caps || !kind)
        return caps != NULL;
    side_stop(guest, alias);
    if (device_build(live, kind, device, caps, context, parts, NULL))
        parts_undo_behind(qmp, parts, patience);
    if (kind->release)
        kind->release(live, device);
    if (!guest_edit(guest, edit_out, (gpointer)alias, error) ||
        (kind == &device_memory && !balloon_learn(guest, qmp, error)) || !kvm->host->save_status(guest->vm, error))
        return FALSE;
    gone.device = domain_device_by_alias(live, alias, &gone); /* as it was */
    if (gone.device)
        start_access_end(guest, &gone);
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, .device = {alias}};
    kvm->host->emit(guest->vm, &event);
    return TRUE;
}

typedef struct {
    Guest *guest;
    char *alias;
} Gone;

static gpointer finish_on_thread(gpointer data)
{
    Gone *gone = data;
    Guest *guest = gone->guest;
    Kvm *kvm = guest->kvm;
    g_autoptr(GError) error = NULL;

    if (!finish(guest, gone->alias, 0, &error))
        kvm->host->log(guest->vm, LOG_WARNING, error->message);
    g_mutex_lock(&guest->lock);
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
    guest_unref(guest);
    g_free(gone->alias);
    g_free(gone);
    g_mutex_lock(&kvm->lock);
    kvm->busy--;
    g_cond_broadcast(&kvm->idle);
    g_mutex_unlock(&kvm->lock);
    return NULL;
}

void unplug_gone(Guest *guest, const char *alias)
{
    Gone *gone = g_new(Gone, 1);
    Kvm *kvm = guest->kvm;

    *gone = (Gone){guest_ref(guest), g_strdup(alias)};
    g_mutex_lock(&kvm->lock);
    kvm->busy++;
    g_mutex_unlock(&kvm->lock);
    g_thread_unref(g_thread_new("unplug", finish_on_thread, gone));
}

void unplug_refused(Guest *guest, const char *alias)
{
    g_mutex_lock(&guest->lock);
    if (g_strcmp0(guest->leaving, alias) == 0)
        g_clear_pointer(&guest->leaving, g_free);
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
}

/* --- asking for it --- */

typedef enum { LEFT, STAYS, UNDECIDED } Outcome;

static gboolean has(const Domain *live, const char *alias)
{
    DomainDevice kind;

    return live && domain_device_by_alias(live, alias, &kind);
}

static Outcome wait_gone(Guest *guest, const char *alias)
{
    gint64 deadline = g_get_monotonic_time() + PLUG_PATIENCE;
    Outcome outcome = UNDECIDED;

    g_mutex_lock(&guest->lock);
    while (outcome == UNDECIDED) {
        if (guest->gone || !has(guest->live, alias))
            outcome = LEFT;
        else if (!guest->leaving)
            outcome = STAYS;
        else if (!g_cond_wait_until(&guest->changed, &guest->lock, deadline))
            break;
    }
    g_clear_pointer(&guest->leaving, g_free);
    g_mutex_unlock(&guest->lock);
    return outcome;
}

static gboolean is_listed(JsonArray *list, const char *alias)
{
    for (guint i = 0; i < json_peek_length(list); i++)
        if (g_strcmp0(json_peek_string(json_peek_object_at(list, i), "name"), alias) == 0)
            return TRUE;
    return FALSE;
}

/* QEMU has a device of that name, or does not say. */
static gboolean is_known(Qmp *qmp, const char *alias)
{
    g_autoptr(JsonNode) answer =
        qmp_call(qmp, "qom-list", qmp_args("s:path", "/machine/peripheral", NULL), QMP_DEADLINE, NULL);

    return !answer || is_listed(json_peek_as_array(answer), alias);
}

static gboolean edit_forget(Domain *live, gpointer data, GError **error)
{
    gpointer held = domain_device_find(live, data, TRUE, error);

    if (held)
        domain_device_drop(live, data, held);
    return held != NULL;
}

/* What QEMU never knew of: a lease. */
static gboolean forget(Guest *guest, const DomainDevice *kind, GError **error)
{
    return guest_edit(guest, edit_forget, (gpointer)kind, error);
}

gboolean unplug_detach(gpointer self, Vm *vm, const DomainDevice *kind, const char *alias, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    g_autoptr(Domain) live = qmp ? guest_live(guest) : NULL;
    if (!qmp || !plug_check_out(live, kind, error))
        return FALSE;
    if (!alias)
        return forget(guest, kind, error);
    g_mutex_lock(&guest->lock);
    g_free(guest->leaving);
    guest->leaving = g_strdup(alias);
    g_mutex_unlock(&guest->lock);
    g_autoptr(GError) cause = NULL;
    if (!qmp_do(qmp, "device_del", qmp_args("s:id", alias, NULL), QMP_DEADLINE, &cause) && is_known(qmp, alias)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    if (cause) /* its end was told to nobody */
        return finish(guest, alias, LOST_PATIENCE, error);
    return wait_gone(guest, alias) != STAYS ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "unplug of device was rejected by the guest");
}

/* --- after a restart --- */

/* The live definition as it is at one moment, and what it is made with. */
typedef struct {
    Domain *live;
    Caps *caps;
    ArgvContext *context;
} Look;

static void look_clear(Look *look)
{
    domain_unref(look->live);
    caps_unref(look->caps);
    argv_context_free(look->context);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Look, look_clear)

/* Kinds that can come and go. */
static const DeviceKind *const leaving_kinds[] = {
    &device_disk,   &device_interface, &device_controller, &device_memory, &device_rng,      &device_shmem, &device_redirdev,
    &device_vsock,  &device_filesystem, &device_channel,   &device_console,    &device_serial, &device_watchdog, &device_input, NULL};

/* DEVICE is made as one of QEMU's with its own name, which some of a board's are not. */
static gboolean is_made(const Look *look, const DeviceKind *kind, gconstpointer device, const char *alias)
{
    g_autoptr(GPtrArray) parts = parts_new();

    if (!device_build(look->live, kind, device, look->caps, look->context, parts, NULL))
        return FALSE;
    for (guint i = 0; i < parts->len; i++) {
        const Part *part = parts->pdata[i];

        if (part->kind == PART_DEVICE && g_strcmp0(json_peek_string(part->props, "id"), alias) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean take_out_missing(Guest *guest, const Look *look, JsonArray *list, GError **error)
{
    for (const DeviceKind *const *kind = leaving_kinds; *kind; kind++)
        for (guint i = 0; i < device_count(*kind, look->live); i++) {
            gpointer device = device_at(*kind, look->live, i);
            const char *alias = device_alias(*kind, device);

            if (alias && !is_listed(list, alias) && is_made(look, *kind, device, alias) && !finish(guest, alias, LOST_PATIENCE, error))
                return FALSE;
        }
    return TRUE;
}

/* What is said of a device once it is there: the last daemon may not have come to it. */
static gboolean say_again(Qmp *qmp, const Look *look, GError **error)
{
    static const DeviceKind *const kinds[] = {&device_disk, &device_interface};
    g_autoptr(GPtrArray) parts = parts_new();

    for (gsize n = 0; n < G_N_ELEMENTS(kinds); n++)
        for (guint i = 0; i < device_count(kinds[n], look->live); i++)
            device_build(look->live, kinds[n], device_at(kinds[n], look->live, i), look->caps, look->context, parts, NULL);
    return parts_run_commands(qmp, look->context, error);
}

static gboolean look_at(Guest *guest, Look *look, GError **error)
{
    look->live = guest_live(guest);
    look->caps = caps_cache_get(guest->kvm->caps, look->live->devices->emulator, error);
    look->context = start_context(guest);
    look->context->live = TRUE;
    look->context->touch_host = FALSE;
    return look->caps != NULL;
}

gboolean unplug_learn(Guest *guest, Qmp *qmp, GError **error)
{
    g_autoptr(JsonNode) answer =
        qmp_call(qmp, "qom-list", qmp_args("s:path", "/machine/peripheral", NULL), QMP_DEADLINE, error);
    JsonArray *list = answer ? json_peek_as_array(answer) : NULL;
    g_auto(Look) before = {NULL}, after = {NULL};

    if (!list)
        return answer != NULL;
    parts_forget_fds(qmp, PLUG_FIRST_FD);
    return look_at(guest, &before, error) && take_out_missing(guest, &before, list, error) &&
           look_at(guest, &after, error) && say_again(qmp, &after, error);
}
