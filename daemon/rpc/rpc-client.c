/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define VIR_ENUM_SENTINELS
#include "daemon/rpc/rpc-client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/rpc/keepalive-gen.h"
#include "daemon/rpc/netmsg-gen.h"
#include "daemon/rpc/xdr.h"
#include "lib/error.h"

struct RpcClient {
    int fd;
    gint64 timeout;
    guint32 serial;
    gboolean broken; /* the octets in the socket no longer begin with a message */
    const WireProgram *program;
    RpcClientEvent event;
    gpointer data;
};

typedef struct Incoming {
    GByteArray *bytes; /* without the length word */
    NetMessageHeader header;
    const guint8 *payload;
    gsize n_payload;
} Incoming;

RpcClient *rpc_client_new(int fd, gint64 timeout)
{
    RpcClient *client = g_new0(RpcClient, 1);

    client->fd = fd;
    client->timeout = timeout;
    return client;
}

void rpc_client_free(RpcClient *client)
{
    if (!client)
        return;
    close(client->fd);
    g_free(client);
}

void rpc_client_listen(RpcClient *client, const WireProgram *program, RpcClientEvent fn, gpointer data)
{
    client->program = program;
    client->event = fn;
    client->data = data;
}

/* Waits for EVENTS; FALSE if DEADLINE passes first. */
static gboolean wait_for(int fd, short events, gint64 deadline, GError **error)
{
    struct pollfd slot = {.fd = fd, .events = events};

    for (;;) {
        gint64 left = deadline - g_get_monotonic_time();
        int n;

        if (left <= 0)
            return error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_TIMEOUT, "no answer from the other side in time");
        n = poll(&slot, 1, MIN(left / 1000 + 1, G_MAXINT));
        if (n > 0)
            return TRUE;
        if (n < 0 && errno != EINTR)
            return error_set_errno(error, VIR_FROM_RPC, errno, "cannot wait for the other side");
    }
}

/* Sends or receives all of BYTES. */
static gboolean transfer(int fd, guint8 *bytes, gsize n, gboolean out, gint64 deadline, GError **error)
{
    while (n > 0) {
        ssize_t done = out ? send(fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) : recv(fd, bytes, n, MSG_DONTWAIT);

        if (done > 0) {
            bytes += done;
            n -= done;
        } else if (done == 0) {
            return error_set(error, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR, "the other side closed the connection");
        } else if (errno != EAGAIN && errno != EINTR) {
            return error_set_errno(error, VIR_FROM_RPC, errno, "cannot talk to the other side");
        } else if (errno == EAGAIN && !wait_for(fd, out ? POLLOUT : POLLIN, deadline, error)) {
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean send_message(RpcClient *client, const NetMessageHeader *header, const WireType *type,
                             gconstpointer value, gint64 deadline, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    guint32 length;

    xdr_write_u32(out, 0);
    if (!wire_encode(&net_message_header_type, header, out, error))
        return FALSE;
    if (type && !wire_encode(type, value, out, error))
        return FALSE;
    length = GUINT32_TO_BE(out->len);
    memcpy(out->data, &length, sizeof(length));
    client->broken = !transfer(client->fd, out->data, out->len, TRUE, deadline, error);
    return !client->broken;
}

static void incoming_clear(Incoming *incoming)
{
    g_clear_pointer(&incoming->bytes, g_byte_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Incoming, incoming_clear)

static gboolean receive_bytes(RpcClient *client, Incoming *incoming, gint64 deadline, GError **error)
{
    guint8 word[NET_MESSAGE_LEN_MAX];
    XdrReader reader = {word, sizeof(word)};
    guint32 length;

    if (!transfer(client->fd, word, sizeof(word), FALSE, deadline, error))
        return FALSE;
    xdr_read_u32(&reader, &length);
    if (length < NET_MESSAGE_LEN_MAX + NET_MESSAGE_HEADER_MAX || length > NET_MESSAGE_MAX)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "the other side sent a message of %u octets", length);
    incoming->bytes = g_byte_array_new();
    g_byte_array_set_size(incoming->bytes, length - NET_MESSAGE_LEN_MAX);
    return transfer(client->fd, incoming->bytes->data, incoming->bytes->len, FALSE, deadline, error);
}

static gboolean receive_message(RpcClient *client, Incoming *incoming, gint64 deadline, GError **error)
{
    client->broken = !receive_bytes(client, incoming, deadline, error) ||
                     !wire_decode(&net_message_header_type, incoming->bytes->data, incoming->bytes->len,
                                  &incoming->header, error);
    if (client->broken)
        return FALSE;
    incoming->payload = incoming->bytes->data + NET_MESSAGE_HEADER_MAX;
    incoming->n_payload = incoming->bytes->len - NET_MESSAGE_HEADER_MAX;
    return TRUE;
}

static gboolean answer_ping(RpcClient *client, gint64 deadline, GError **error)
{
    NetMessageHeader pong = {
        .prog = KEEPALIVE_PROGRAM,
        .vers = KEEPALIVE_PROTOCOL_VERSION,
        .proc = KEEPALIVE_PROC_PONG,
        .type = NET_MESSAGE,
    };

    return send_message(client, &pong, NULL, NULL, deadline, error);
}

static gboolean deliver_event(RpcClient *client, const Incoming *incoming, GError **error)
{
    const WireProc *row = wire_proc(client->program, incoming->header.proc);
    g_autofree gpointer msg = NULL;

    if (!row || !row->is_event)
        return TRUE;
    msg = g_malloc0(row->msg->size);
    if (!wire_decode(row->msg, incoming->payload, incoming->n_payload, msg, error))
        return FALSE;
    client->event(row, msg, client->data);
    wire_clear(row->msg, msg);
    return TRUE;
}

/* A message that is no reply. */
static gboolean receive_other(RpcClient *client, const Incoming *incoming, gint64 deadline, GError **error)
{
    if (incoming->header.type != NET_MESSAGE)
        return TRUE;
    if (incoming->header.prog == KEEPALIVE_PROGRAM)
        return incoming->header.proc != KEEPALIVE_PROC_PING || answer_ping(client, deadline, error);
    if (client->program && incoming->header.prog == client->program->id)
        return deliver_event(client, incoming, error);
    return TRUE;
}

/* The error that the other side answered; returns FALSE. */
static gboolean take_error(const Incoming *incoming, GError **error)
{
    NetMessageError sent;
    virErrorDomain from;

    if (!wire_decode(&net_message_error_type, incoming->payload, incoming->n_payload, &sent, error))
        return FALSE;
    from = sent.domain >= 0 && sent.domain < VIR_ERR_DOMAIN_LAST ? sent.domain : VIR_FROM_NONE;
    g_set_error_literal(error, error_domain(from), sent.code, sent.message ? sent.message : "unknown error");
    wire_clear(&net_message_error_type, &sent);
    return FALSE;
}

static gboolean take_reply(const WireProc *proc, const Incoming *incoming, gpointer ret, GError **error)
{
    if (incoming->header.status == NET_ERROR)
        return take_error(incoming, error);
    return !proc->ret || wire_decode(proc->ret, incoming->payload, incoming->n_payload, ret, error);
}

gboolean rpc_client_call(RpcClient *client, const WireProc *proc, gconstpointer args, gpointer ret, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + client->timeout;
    NetMessageHeader header = {
        .prog = proc->program->id,
        .vers = proc->program->version,
        .proc = proc->number,
        .type = NET_CALL,
        .serial = ++client->serial,
    };

    if (client->broken)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s: the connection is broken", proc->name);
    if (!send_message(client, &header, proc->args, args, deadline, error))
        return FALSE;
    for (;;) {
        g_auto(Incoming) incoming = {0};

        if (!receive_message(client, &incoming, deadline, error))
            return FALSE;
        if (incoming.header.type == NET_REPLY_WITH_FDS) { /* one octet follows for each, which nobody would read */
            client->broken = TRUE;
            return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s: descriptors came with the reply", proc->name);
        }
        if (incoming.header.serial == header.serial && incoming.header.prog == header.prog &&
            incoming.header.type == NET_REPLY)
            return take_reply(proc, &incoming, ret, error);
        if (!receive_other(client, &incoming, deadline, error))
            return FALSE;
    }
}
