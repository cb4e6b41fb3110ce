/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/device-model.h"

#include <unistd.h>

#include "driver-xen/watch.h"
#include "driver-xen/xen.h"
#include "driver-xen/xenstore.h"
#include "lib/process.h"

static int on_death(sd_event_source *source, int fd, uint32_t events, void *data)
{
    Guest *guest = data;

    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    watch_lost(guest);
    return 0;
}

static void begin(gpointer data)
{
    Guest *guest = data;

    sd_event_add_io(loop_event(guest->xen->host->loop), &guest->model_death, guest->model, EPOLLIN, on_death, guest);
}

static void end(gpointer data)
{
    Guest *guest = data;

    guest->model_death = sd_event_source_disable_unref(guest->model_death);
}

void device_model_watch(Guest *guest)
{
    g_autofree char *path = g_strdup_printf("/local/domain/%u/image/device-model-pid", guest->domid);
    g_autofree char *text = xenstore_read(path);
    gint64 pid;

    if (!text || !g_ascii_string_to_signed(text, 10, 1, G_MAXINT32, &pid, NULL))
        return;
    guest->model = process_open((pid_t)pid);
    if (guest->model >= 0)
        loop_call(guest->xen->host->loop, begin, guest);
}

void device_model_unwatch(Guest *guest)
{
    if (guest->model < 0)
        return;
    loop_call(guest->xen->host->loop, end, guest);
    close(guest->model);
    guest->model = -1;
}
