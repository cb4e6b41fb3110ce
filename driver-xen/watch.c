/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The thread is the only one to touch its context. Others leave an errand (add, drop, end) and wake it; add and drop wait
 * until it has done it.
 *
 * A domain that has shut down is still there, with its memory, until it is destroyed: that takes up to seconds and is done on
 * a thread of its own, and only then the daemon is told.
 */
#include "driver-xen/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <syslog.h>
#include <unistd.h>

#include "driver-xen/xen.h"
#include "lib/error.h"

#define LOST_PATIENCE (2 * G_USEC_PER_SEC)

typedef enum { ERRAND_ADD, ERRAND_DROP } ErrandKind;

typedef struct {
    ErrandKind kind;
    Guest *guest;
    int rc;
    gboolean done;
} Errand;

struct Watch {
    Context *context; /* the thread's */
    GThread *thread;
    int wake;
    GMutex lock;
    GCond changed;
    GSList *errands; /* of those who wait; the newest first */
    guint ends;      /* threads that are at a domain's end */
    gboolean stop;
};

/* --- the end of a domain --- */

typedef struct {
    Guest *guest;
    gboolean gone;      /* it is not there any more */
    int detail, reason; /* of host->stopped */
} End;

static void thread_begins(Watch *watch)
{
    g_mutex_lock(&watch->lock);
    watch->ends++;
    g_mutex_unlock(&watch->lock);
}

static void thread_over(Watch *watch)
{
    g_mutex_lock(&watch->lock);
    watch->ends--;
    g_cond_broadcast(&watch->changed);
    g_mutex_unlock(&watch->lock);
}

static void tell_crash(Guest *guest)
{
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_LIFECYCLE, .lifecycle = {VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED}};

    guest->xen->host->emit(guest->vm, &event);
}

static gpointer end_on_thread(gpointer data)
{
    End *end = data;
    Guest *guest = end->guest;
    const DriverHost *host = guest->xen->host;
    Watch *watch = guest->xen->watch;
    g_autoptr(GError) error = NULL;
    g_autoptr(Context) context = end->gone ? NULL : context_new(host, &error);

    if (!end->gone && (!context || !guest_destroy(context, guest->domid, &error)))
        host->log(guest->vm, LOG_ERR, error->message);
    if (end->reason == VIR_DOMAIN_SHUTOFF_CRASHED)
        tell_crash(guest);
    host->stopped(guest->vm, end->detail, end->reason);
    guest_unref(guest);
    g_free(end);
    thread_over(watch);
    return NULL;
}

static void begin_end(Guest *guest, gboolean gone, int detail, int reason)
{
    Watch *watch = guest->xen->watch;
    End *end = g_new(End, 1);

    if (!g_atomic_int_compare_and_exchange(&guest->ending, FALSE, TRUE)) {
        g_free(end);
        return;
    }
    *end = (End){guest_ref(guest), gone, detail, reason};
    thread_begins(watch);
    g_thread_unref(g_thread_new("xen-end", end_on_thread, end));
}

/* A guest that ends by itself takes its hardware along, and is told of a little later. */
static gpointer lost_on_thread(gpointer data)
{
    Guest *guest = data;
    Watch *watch = guest->xen->watch;
    gint64 deadline = g_get_monotonic_time() + LOST_PATIENCE;

    g_mutex_lock(&watch->lock);
    while (!watch->stop && !g_atomic_int_get(&guest->ending) && g_cond_wait_until(&watch->changed, &watch->lock, deadline))
        ;
    gboolean stop = watch->stop;
    g_mutex_unlock(&watch->lock);
    if (!stop && !g_atomic_int_get(&guest->ending)) {
        guest->xen->host->log(guest->vm, LOG_ERR, "the process that is its hardware has ended: the guest cannot go on");
        begin_end(guest, FALSE, VIR_DOMAIN_EVENT_STOPPED_FAILED, VIR_DOMAIN_SHUTOFF_FAILED);
    }
    guest_unref(guest);
    thread_over(watch);
    return NULL;
}

void watch_lost(Guest *guest)
{
    Watch *watch = guest->xen->watch;

    thread_begins(watch);
    g_thread_unref(g_thread_new("xen-lost", lost_on_thread, guest_ref(guest)));
}

static gboolean restarts(Lifecycle action)
{
    return action == LIFECYCLE_RESTART || action == LIFECYCLE_RENAME_RESTART;
}

static void preserve(Guest *guest, int state, int reason)
{
    guest->xen->host->set_state(guest->vm, state, reason);
}

static void on_crash(Guest *guest, CrashAction action)
{
    switch (action) {
    case CRASH_ACTION_PRESERVE:
        preserve(guest, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
        return;
    case CRASH_ACTION_RESTART:
    case CRASH_ACTION_RENAME_RESTART:
    case CRASH_ACTION_COREDUMP_RESTART:
        begin_end(guest, FALSE, HOST_STOPPED_REBOOT, VIR_DOMAIN_SHUTOFF_CRASHED);
        return;
    default:
        begin_end(guest, FALSE, VIR_DOMAIN_EVENT_STOPPED_CRASHED, VIR_DOMAIN_SHUTOFF_CRASHED);
    }
}

static void on_stop(Guest *guest, Lifecycle action)
{
    if (action == LIFECYCLE_PRESERVE)
        preserve(guest, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_USER);
    else
        begin_end(guest, FALSE, restarts(action) ? HOST_STOPPED_REBOOT : VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN, VIR_DOMAIN_SHUTOFF_SHUTDOWN);
}

static void on_shutdown(Guest *guest, libxl_shutdown_reason reason)
{
    g_autoptr(VmView) view = guest->xen->host->view(guest->vm);
    const Domain *live = vm_view_def(view);

    switch (reason) {
    case LIBXL_SHUTDOWN_REASON_POWEROFF:
        on_stop(guest, live->on_poweroff);
        return;
    case LIBXL_SHUTDOWN_REASON_REBOOT:
        on_stop(guest, live->on_reboot == LIFECYCLE_UNSET ? LIFECYCLE_RESTART : live->on_reboot);
        return;
    case LIBXL_SHUTDOWN_REASON_CRASH:
    case LIBXL_SHUTDOWN_REASON_WATCHDOG:
        on_crash(guest, live->on_crash);
        return;
    default: /* a save is under way */
        return;
    }
}

static void on_event(void *user, libxl_event *event)
{
    Watch *watch = user;
    Guest *guest = (Guest *)(uintptr_t)event->for_user;

    if (event->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN)
        on_shutdown(guest, event->u.domain_shutdown.shutdown_reason);
    else if (event->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH)
        begin_end(guest, TRUE, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED);
    libxl_event_free(watch->context->libxl, event);
}

static void on_disaster(void *user, libxl_event_type type, const char *message, int errnum)
{
    Watch *watch = user;
    g_autofree char *text = g_strdup_printf("libxl sees events no more: %s: %s", message, g_strerror(errnum));

    watch->context->host->log(NULL, LOG_ERR, text);
}

/* --- the thread --- */

static void run_errand(Watch *watch, Errand *errand)
{
    Guest *guest = errand->guest;

    if (errand->kind == ERRAND_ADD) {
        errand->rc = libxl_evenable_domain_death(watch->context->libxl, guest->domid, (libxl_ev_user)(uintptr_t)guest, &guest->death);
        if (errand->rc == 0)
            guest_ref(guest);
    } else if (guest->death) {
        libxl_evdisable_domain_death(watch->context->libxl, guest->death);
        guest->death = NULL;
        guest_unref(guest);
    }
}

/* FALSE: it is over. */
static gboolean run_errands(Watch *watch)
{
    g_mutex_lock(&watch->lock);
    g_autoptr(GSList) errands = g_slist_reverse(g_steal_pointer(&watch->errands));
    gboolean stop = watch->stop;
    g_mutex_unlock(&watch->lock);
    for (GSList *at = errands; at; at = at->next)
        run_errand(watch, at->data);
    g_mutex_lock(&watch->lock);
    for (GSList *at = errands; at; at = at->next)
        ((Errand *)at->data)->done = TRUE;
    g_cond_broadcast(&watch->changed);
    g_mutex_unlock(&watch->lock);
    return !stop;
}

static gpointer work(gpointer data)
{
    Watch *watch = data;
    eventfd_t count;

    while (run_errands(watch)) {
        context_run(watch->context, NULL, watch->wake, G_MAXINT64);
        eventfd_read(watch->wake, &count);
    }
    return NULL;
}

static int send_errand(Watch *watch, ErrandKind kind, Guest *guest)
{
    Errand errand = {.kind = kind, .guest = guest};

    g_mutex_lock(&watch->lock);
    watch->errands = g_slist_prepend(watch->errands, &errand);
    eventfd_write(watch->wake, 1);
    while (!errand.done)
        g_cond_wait(&watch->changed, &watch->lock);
    g_mutex_unlock(&watch->lock);
    return errand.rc;
}

gboolean watch_add(Watch *watch, Guest *guest, GError **error)
{
    return send_errand(watch, ERRAND_ADD, guest) == 0 ||
           error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "cannot watch domain %u", guest->domid);
}

void watch_drop(Watch *watch, Guest *guest)
{
    send_errand(watch, ERRAND_DROP, guest);
}

static const libxl_event_hooks hooks = {.event_occurs_mask = LIBXL_EVENTMASK_ALL, .event_occurs = on_event, .disaster = on_disaster};

Watch *watch_new(const DriverHost *host, GError **error)
{
    Context *context = context_new(host, error);

    if (!context)
        return NULL;
    Watch *watch = g_new0(Watch, 1);
    g_mutex_init(&watch->lock);
    g_cond_init(&watch->changed);
    watch->context = context;
    watch->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    libxl_event_register_callbacks(context->libxl, &hooks, watch);
    watch->thread = g_thread_new("xen-watch", work, watch);
    return watch;
}

void watch_free(Watch *watch)
{
    g_mutex_lock(&watch->lock);
    watch->stop = TRUE;
    g_cond_broadcast(&watch->changed);
    eventfd_write(watch->wake, 1);
    while (watch->ends > 0)
        g_cond_wait(&watch->changed, &watch->lock);
    g_mutex_unlock(&watch->lock);
    g_thread_join(watch->thread);
    context_free(watch->context);
    close(watch->wake);
    g_mutex_clear(&watch->lock);
    g_cond_clear(&watch->changed);
    g_free(watch);
}
