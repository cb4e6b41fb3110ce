/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/idle.h"

#include "lib/log.h"

struct Idle {
    Loop *loop;
    const Server *server;
    Core *core;
    guint seconds, so_far;
    sd_event_source *tick;
};

static void look(gpointer data)
{
    Idle *idle = data;

    sd_event_source_unref(idle->tick);
    idle->so_far = server_is_idle(idle->server) && core_is_idle(idle->core) ? idle->so_far + 1 : 0;
    if (idle->so_far > idle->seconds) {
        idle->tick = NULL;
        log_line(LOG_INFO, "stopping: nobody needed it for %u seconds", idle->seconds);
        loop_quit(idle->loop);
        return;
    }
    idle->tick = loop_after(idle->loop, G_USEC_PER_SEC, look, idle);
}

Idle *idle_new(Loop *loop, const Server *server, Core *core, guint seconds)
{
    Idle *idle = g_new0(Idle, 1);

    *idle = (Idle){.loop = loop, .server = server, .core = core, .seconds = seconds};
    idle->tick = loop_after(loop, G_USEC_PER_SEC, look, idle);
    return idle;
}

void idle_free(Idle *idle)
{
    if (!idle)
        return;
    sd_event_source_unref(idle->tick);
    g_free(idle);
}
