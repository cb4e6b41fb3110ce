/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/keepalive.h"

#include "daemon/rpc/client-private.h"
#include "daemon/rpc/keepalive-gen.h"

static void send(Client *client, KeepaliveProc number)
{
    FrameHeader header = {KEEPALIVE_PROGRAM, KEEPALIVE_PROTOCOL_VERSION, number, NET_MESSAGE, 0, NET_OK};
    GByteArray *message = frame_begin(&header);

    frame_finish(message, NULL); /* a header alone fits */
    client_send(client, message, NULL);
}

gboolean keepalive_take(Client *client, const Frame *frame)
{
    const FrameHeader *header = &frame->header;

    if (header->program != KEEPALIVE_PROGRAM || header->version != KEEPALIVE_PROTOCOL_VERSION ||
        header->type != NET_MESSAGE)
        return FALSE;
    if (header->procedure == KEEPALIVE_PROC_PING)
        send(client, KEEPALIVE_PROC_PONG);
    return TRUE; /* that a pong came was noticed when its octets came */
}

void keepalive_start(Client *client, gint64 now)
{
    client->keepalive.started = TRUE;
    keepalive_heard(client, now);
}

void keepalive_heard(Client *client, gint64 now)
{
    client->keepalive.heard = now;
    client->keepalive.unheard = 0;
}

gboolean keepalive_tick(Client *client, gint64 now)
{
    ServerLimits limits = server_limits(client->server);
    gint64 interval = (gint64)limits.keepalive_interval * G_USEC_PER_SEC;
    Keepalive *keepalive = &client->keepalive;
    gint64 since = MAX(keepalive->heard, keepalive->unheard > 0 ? keepalive->asked : 0);

    if (!keepalive->started || interval == 0 || now - since < interval)
        return TRUE;
    if (keepalive->unheard >= limits.keepalive_count)
        return FALSE;
    keepalive->unheard++;
    keepalive->asked = now;
    send(client, KEEPALIVE_PROC_PING);
    return TRUE;
}
