/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hypervisor's own stream (libxl's second version of it). The guest's kernel takes part: it is told to suspend itself, and
 * stays like that until it is destroyed or told to go on.
 */
#include "driver-xen/save.h"

#include <errno.h>
#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include "driver-xen/guest.h"
#include "driver-xen/xen.h"
#include "lib/error.h"

#define PUMP_OCTETS 65536
#define SAVE_DEADLINE (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

/* Who wants it to end may ask for that from now on; NULL: there is nothing to end any more. */
static void set_saver(Guest *guest, Context *context)
{
    g_mutex_lock(&guest->xen->lock);
    guest->saver = context;
    g_mutex_unlock(&guest->xen->lock);
}

/* After a save that failed. */
static void go_on(Guest *guest)
{
    const DriverHost *host = guest->xen->host;
    g_autoptr(GError) error = NULL;
    g_autoptr(Context) context = context_new(host, &error);

    if (!context || (guest_is_suspended(context, guest->domid) && !guest_unpause(context, guest->domid, &error)))
        host->log(guest->vm, LOG_ERR, error->message);
}

static gboolean save(gpointer self, Vm *vm, int fd, const char *path, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);

    if (!guest)
        return FALSE;
    int rc = libxl_domain_suspend(context->libxl, guest->domid, fd, 0, context_how(context));
    if (rc == 0)
        set_saver(guest, context);
    if (xen->host->aborted(vm))
        libxl_ao_abort(context->libxl, &context->how);
    rc = context_wait(context, rc, g_get_monotonic_time() + SAVE_DEADLINE);
    set_saver(guest, NULL);
    if (rc != 0)
        go_on(guest);
    if (rc != 0)
        return context_failed(context, rc == ERROR_ABORTED ? VIR_ERR_OPERATION_ABORTED : VIR_ERR_INTERNAL_ERROR, error,
                              "Failed to save domain '%u' with libxenlight", guest->domid);
    xen->host->set_state(vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE);
    return TRUE;
}

static gboolean save_abort(gpointer self, Vm *vm, GError **error)
{
    Xen *xen = self;
    g_autoptr(Guest) guest = guest_of(xen, vm);

    if (!guest)
        return TRUE;
    g_mutex_lock(&xen->lock);
    if (guest->saver)
        libxl_ao_abort(guest->saver->libxl, &guest->saver->how);
    g_mutex_unlock(&xen->lock);
    return TRUE;
}

/* --- a dump of its memory --- */

static gboolean pause_for_dump(Guest *guest, Context *context, GError **error)
{
    int rc = libxl_domain_pause(context->libxl, guest->domid, context_how(context));

    if (context_wait(context, rc, g_get_monotonic_time() + XEN_DEADLINE) != 0)
        return context_failed(context, VIR_ERR_INTERNAL_ERROR, error,
                              "Before dumping core, failed to suspend domain '%u' with libxenlight", guest->domid);
    guest->xen->host->set_state(guest->vm, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_DUMP);
    return TRUE;
}

/* Carries what libxl writes into a pipe to where it shall go. */
typedef struct {
    int from, to; /* `from` is its own */
    int error;    /* of a write; 0: all is well */
} Pump;

static gpointer pump_run(gpointer data)
{
    Pump *pump = data;
    g_autofree char *buffer = g_malloc(PUMP_OCTETS);
    gssize n;

    while (pump->error == 0 && (n = read(pump->from, buffer, PUMP_OCTETS)) != 0) {
        if (n < 0 && errno != EINTR)
            pump->error = errno;
        for (gssize done = 0, w; done < n && pump->error == 0; done += MAX(w, 0)) {
            w = write(pump->to, buffer + done, (gsize)(n - done));
            if (w < 0 && errno != EINTR)
                pump->error = errno;
        }
    }
    close(pump->from); /* libxl's next write fails */
    return NULL;
}

static int dump_to(Context *context, guint32 domid, int fd)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return ERROR_FAIL;
    Pump pump = {ends[0], fd, 0};
    GThread *thread = g_thread_new("dump", pump_run, &pump);
    g_autofree char *name = g_strdup_printf("/proc/self/fd/%d", ends[1]);
    int rc = libxl_domain_core_dump(context->libxl, domid, name, context_how(context));
    rc = context_wait(context, rc, g_get_monotonic_time() + SAVE_DEADLINE);
    close(ends[1]);
    g_thread_join(thread);
    return rc == 0 && pump.error ? ERROR_FAIL : rc;
}

/* libxl takes the name of a file, which the daemon's descriptor has not: it may be a socket. And libxl
 * writes the whole of it before it returns, whatever it is given to be stopped by. */
static gboolean dump(gpointer self, Vm *vm, int fd, const char *path, guint format, guint flags, GError **error)
{
    Xen *xen = self;
    g_autoptr(Context) context = NULL;
    g_autoptr(Guest) guest = guest_need(xen, vm, &context, error);
    g_autoptr(VmView) view = xen->host->view(vm);

    if (!guest)
        return FALSE;
    if (format != VIR_DOMAIN_CORE_DUMP_FORMAT_RAW)
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_OPERATION_UNSUPPORTED, "a Xen guest's memory is dumped in Xen's own format only");
    if (!(flags & VIR_DUMP_LIVE) && view->state == VIR_DOMAIN_RUNNING && !pause_for_dump(guest, context, error))
        return FALSE;
    return dump_to(context, guest->domid, fd) == 0 ||
           context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "Failed to dump core of domain '%u' with libxenlight", guest->domid);
}

const DriverSaveOps save_ops = {.save = save, .dump = dump, .abort = save_abort};
