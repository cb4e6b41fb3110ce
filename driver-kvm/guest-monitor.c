/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's connection to QEMU's monitor: made, lost, made again; and who waits for what it tells. */
#include "driver-kvm/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <syslog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/error.h"

#define AGAIN_MAX (60 * G_USEC_PER_SEC)

static void on_ready(gpointer user)
{
    Guest *guest = user;

    g_mutex_lock(&guest->lock);
    guest->ready = TRUE;
    gboolean adopted = guest->adopted;
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
    guest->again_after = GUEST_AGAIN_FIRST;
    if (guest->lost)
        guest->kvm->host->set_responsive(guest->vm, TRUE);
    guest->lost = FALSE;
    if (adopted)
        guest_ask_state(guest);
}

static void on_responsive(gboolean responsive, gpointer user)
{
    Guest *guest = user;

    guest->kvm->host->set_responsive(guest->vm, responsive);
    guest->kvm->host->log(guest->vm, responsive ? LOG_NOTICE : LOG_WARNING,
                          responsive ? "QEMU's monitor answers again" : "QEMU's monitor does not answer");
}

static void connect_again(gpointer data);

static void later(Guest *guest)
{
    guest->again = loop_after(guest->kvm->host->loop, guest->again_after, connect_again, guest);
    guest->again_after = MIN(guest->again_after * 2, AGAIN_MAX);
}

static void tell_lost(Guest *guest)
{
    const DriverHost *host = guest->kvm->host;
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_CONTROL_ERROR};

    if (guest->lost)
        return;
    guest->lost = TRUE;
    g_mutex_lock(&guest->lock);
    g_autofree char *text = g_strconcat("the monitor is lost: ", guest->lost_why, NULL);
    g_mutex_unlock(&guest->lock);
    host->log(guest->vm, LOG_WARNING, text);
    host->set_responsive(guest->vm, FALSE);
    host->emit(guest->vm, &event);
}

/* QEMU is still there, without a monitor. It listens for the next who connects. */
static void connect_again(gpointer data)
{
    Guest *guest = data;

    guest->again = sd_event_source_disable_unref(guest->again);
    tell_lost(guest);
    if (!guest_connect(guest, QMP_DEADLINE, NULL))
        later(guest);
}

/* Most often QEMU is about to end: its process will tell, before we try again. */
static void on_closed(const GError *why, gpointer user)
{
    Guest *guest = user;

    g_mutex_lock(&guest->lock);
    g_autoptr(Qmp) qmp = g_steal_pointer(&guest->qmp);
    guest->adopted = TRUE;
    g_free(guest->lost_why);
    guest->lost_why = g_strdup(error_detail(why));
    gboolean dying = guest->gone || process_is_gone(guest->process.pidfd);
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
    if (dying || !guest->death)
        return;
    later(guest);
}

static const QmpHandler handler = {on_ready, guest_on_event, on_responsive, on_closed};

int guest_connect_below(const char *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, name);
    gboolean ok = dir >= 0 && fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    int errnum = errno;
    if (dir >= 0)
        close(dir);
    if (!ok && fd >= 0)
        close(fd);
    errno = errnum;
    return ok ? fd : -1;
}

gboolean guest_connect(Guest *guest, guint64 greeting, GError **error)
{
    int fd = guest_connect_below(guest->folder, "monitor.sock");

    if (fd < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "Failed to connect to QEMU's monitor");
    g_mutex_lock(&guest->lock);
    guest->ready = FALSE;
    guest->qmp = qmp_new(guest->kvm->host->loop, fd, greeting, &handler, guest);
    g_mutex_unlock(&guest->lock);
    return TRUE;
}

gboolean guest_wait_ready(Guest *guest, gint64 deadline, GError **error)
{
    gboolean in_time = TRUE;

    g_mutex_lock(&guest->lock);
    while (!guest->ready && !guest->gone && !guest->doomed && guest->qmp && in_time)
        in_time = g_cond_wait_until(&guest->changed, &guest->lock, deadline);
    gboolean ready = guest->ready && !guest->gone && !guest->doomed;
    gboolean late = !ready && !guest->gone && !guest->doomed && guest->qmp;
    g_mutex_unlock(&guest->lock);
    if (late)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "QEMU's monitor did not answer");
    return ready;
}

/* --- jobs --- */

void guest_set_job(Guest *guest, JobState *job, JobState state, const char *why)
{
    g_mutex_lock(&guest->lock);
    *job = state;
    g_free(guest->job_error);
    guest->job_error = g_strdup(why);
    g_cond_broadcast(&guest->changed);
    g_mutex_unlock(&guest->lock);
}

gboolean guest_wait_job(Guest *guest, const JobState *job, gint64 deadline, GError **error)
{
    gboolean in_time = TRUE;

    g_mutex_lock(&guest->lock);
    while (*job == JOB_UNDER_WAY && !guest->gone && in_time)
        in_time = g_cond_wait_until(&guest->changed, &guest->lock, deadline);
    JobState state = *job;
    g_autofree char *why = g_strdup(guest->job_error);
    gboolean gone = guest->gone;
    g_mutex_unlock(&guest->lock);
    if (state == JOB_DONE)
        return TRUE;
    if (state == JOB_FAILED)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "%s", why ? why : "job failed unexpectedly");
    if (gone)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "domain is no longer running");
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "QEMU does not come to an end with it");
}
