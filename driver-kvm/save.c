/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest's state into a file, by QEMU's own migration stream; its memory into a dump. QEMU gets the open file; how far it
 * is it tells by events. Each leaves the guest paused if it ran, and says beforehand why.
 */
#include "driver-kvm/guest.h"

#include "driver-kvm/peek.h"
#include "driver-kvm/progress.h"
#include "driver-kvm/qmp-commands.h"
#include "lib/error.h"
#include "lib/json-peek.h"

#define SAVE_DEADLINE (G_GUINT64_CONSTANT(3600) * G_USEC_PER_SEC)
#define SETTLE_INTERVAL 1000
#define NO_LIMIT G_GINT64_CONSTANT(9007199254740991) /* bytes a second; the largest whole number of JSON's everywhere */

/* What came before is nothing that anybody asks for now. */
static void begin(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    guest->migration = guest->dump = JOB_NONE;
    guest->job_stopped = 0;
    g_mutex_unlock(&guest->lock);
}

static gboolean pause_for(Guest *guest, Qmp *qmp, int reason, GError **error)
{
    g_autoptr(VmView) view = guest->kvm->host->view(guest->vm);

    if (view->state != VIR_DOMAIN_RUNNING)
        return TRUE;
    g_mutex_lock(&guest->lock);
    guest->pause_reason = reason;
    guest->job_stopped = g_get_monotonic_time();
    g_mutex_unlock(&guest->lock);
    /* a daemon that restarts in between must know why the guest stands still */
    return guest->kvm->host->save_status(guest->vm, error) && qmp_stop(qmp, error);
}

/* A destroy overtakes us; what it interrupts must not go on in QEMU alone. */
static void cancel(Qmp *qmp)
{
    qmp_do(qmp, "migrate_cancel", NULL, QMP_DEADLINE, NULL);
}

static gboolean enable_events(Qmp *qmp, GError **error)
{
    JsonArray *capabilities = json_array_new();
    JsonObject *arguments = json_object_new();

    json_array_add_object_element(capabilities, qmp_args("s:capability", "events", "b:state", TRUE, NULL));
    json_object_set_array_member(arguments, "capabilities", capabilities);
    return qmp_do(qmp, "migrate-set-capabilities", arguments, QMP_DEADLINE, error);
}

/* QEMU tells that a migration is complete a moment before it calls itself migrated. A guest that was let go on in between
 * would run under that name for ever, and could not be saved again. */
static gboolean settle(Qmp *qmp, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + QMP_DEADLINE;
    gboolean running;

    do {
        g_autofree char *status = NULL;
        if (!qmp_query_status(qmp, &running, &status, error))
            return FALSE;
        if (!g_str_equal(status, "finish-migrate"))
            return TRUE;
        g_usleep(SETTLE_INTERVAL);
    } while (g_get_monotonic_time() < deadline);
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "QEMU does not come to an end with it");
}

/* Writes the stream to FD. */
static gboolean migrate_to(Guest *guest, Qmp *qmp, int fd, GError **error)
{
    if (!enable_events(qmp, error) ||
        !qmp_do(qmp, "migrate-set-parameters", qmp_args("i:max-bandwidth", NO_LIMIT, NULL), QMP_DEADLINE, error) ||
        !qmp_getfd(qmp, "save", fd, error))
        return FALSE;
    guest_set_job(guest, &guest->migration, JOB_UNDER_WAY, NULL);
    if (!qmp_do(qmp, "migrate", qmp_args("s:uri", "fd:save", NULL), QMP_DEADLINE, error))
        return FALSE;
    if (guest->kvm->host->aborted(guest->vm))
        cancel(qmp);
    if (guest_wait_job(guest, &guest->migration, g_get_monotonic_time() + SAVE_DEADLINE, error))
        return settle(qmp, error);
    cancel(qmp);
    return FALSE;
}

/* What comes after is a silent end: all that the guest wrote is on its disks. */
static void mark_finished(Guest *guest)
{
    g_mutex_lock(&guest->lock);
    guest->finished = TRUE;
    g_mutex_unlock(&guest->lock);
}

static gboolean save_to_fd(gpointer self, Vm *vm, int fd, const char *path, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    if (!qmp)
        return FALSE;
    begin(guest);
    if (!pause_for(guest, qmp, VIR_DOMAIN_PAUSED_SAVE, error) || !migrate_to(guest, qmp, fd, error))
        return FALSE;
    mark_finished(guest);
    return TRUE;
}

/* --- dump --- */

static const char *format_name(guint format)
{
    static const char *const names[] = {
        [VIR_DOMAIN_CORE_DUMP_FORMAT_RAW] = NULL, /* QEMU's default, "elf" */
        [VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB] = "kdump-zlib",
        [VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_LZO] = "kdump-lzo",
        [VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_SNAPPY] = "kdump-snappy",
        [VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP] = "win-dmp",
    };

    return format < G_N_ELEMENTS(names) ? names[format] : NULL;
}

/* What QEMU's binary was built with. */
static gboolean check_format(Qmp *qmp, const char *name, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call(qmp, "query-dump-guest-memory-capability", NULL, QMP_DEADLINE, error);
    gboolean found = FALSE;

    if (!answer)
        return FALSE;
    JsonArray *formats = json_peek_array(json_peek_as_object(answer), "formats");
    for (guint i = 0; i < json_peek_length(formats) && !found; i++)
        found = g_strcmp0(json_peek_string_at(formats, i), name) == 0;
    return found || error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG,
                              "unsupported dumpformat '%s' for this QEMU binary", name);
}

static gboolean wait_dump(Guest *guest, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (guest_wait_job(guest, &guest->dump, g_get_monotonic_time() + SAVE_DEADLINE, &cause))
        return TRUE;
    if (error_is(cause, VIR_ERR_OPERATION_FAILED))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "memory-only dump failed: %s", error_detail(cause));
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

static gboolean dump_memory(Guest *guest, Qmp *qmp, int fd, guint format, GError **error)
{
    const char *name = format_name(format);

    if (name && !check_format(qmp, name, error))
        return FALSE;
    JsonObject *arguments = qmp_args("b:paging", FALSE, "s:protocol", "fd:dump", "b:detach", TRUE, "s:format", name, NULL);

    guest_set_job(guest, &guest->dump, JOB_UNDER_WAY, NULL);
    if (!qmp_getfd(qmp, "dump", fd, error) || !qmp_do(qmp, "dump-guest-memory", arguments, QMP_DEADLINE, error))
        return FALSE;
    return wait_dump(guest, error);
}

/* Without MEMORY_ONLY a dump is a save. QEMU stops the guest while it dumps its memory, or when it is through with a save;
 * it goes on when the daemon says so. VIR_DUMP_LIVE: it is left to QEMU how long the guest stands still. */
static gboolean dump_to_fd(gpointer self, Vm *vm, int fd, const char *path, guint format, guint flags, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    if (!qmp)
        return FALSE;
    begin(guest);
    if (!(flags & VIR_DUMP_LIVE) && !pause_for(guest, qmp, VIR_DOMAIN_PAUSED_DUMP, error))
        return FALSE;
    gboolean dumped = flags & VIR_DUMP_MEMORY_ONLY ? dump_memory(guest, qmp, fd, format, error)
                                                   : migrate_to(guest, qmp, fd, error);
    if (dumped && (flags & VIR_DUMP_CRASH))
        mark_finished(guest);
    return dumped;
}

const DriverSaveOps kvm_save_ops = {
    .save = save_to_fd,
    .dump = dump_to_fd,
    .progress = progress_of,
    .abort = progress_abort,
    .peek = peek_memory,
};
