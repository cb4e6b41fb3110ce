/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/daemon/rpc/front.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/loader.h"
#include "daemon/core/registry.h"
#include "lib/error.h"
#include "lib/log.h"

#define PATIENCE_MSEC 20000

/* What stands for daemon/core/. */

static const Driver driver = {.name = "test", .scheme = "test", .type = "TEST"};
static const DriverInstance instance = {.driver = &driver, .from = VIR_FROM_TEST};
static const DriverInstance *const instances[] = {&instance, NULL};
static Vm the_vm;

const DriverInstance *loader_find(const Loader *loader, const char *scheme)
{
    return g_str_equal(scheme, driver.scheme) ? &instance : NULL;
}

const DriverInstance *const *loader_all(const Loader *loader)
{
    return instances;
}

const char *loader_why_not(const Loader *loader, const char *scheme)
{
    return g_str_equal(scheme, "xen") ? "no Xen here" : NULL;
}

Vm *call_lookup(Call *call, const RemoteNonnullDomain *dom, GError **error)
{
    return &the_vm;
}

Vm *registry_find_uuid(Registry *registry, const guint8 uuid[16])
{
    return NULL;
}

Vm *vm_ref(Vm *vm)
{
    return vm;
}

VmView *vm_view(Vm *vm)
{
    return NULL;
}

void vm_unref(Vm *vm)
{
}

gboolean vm_check_guest(Vm *vm, GError **error)
{
    return TRUE;
}

void vm_set_operation(Vm *vm, const char *name)
{
}

typedef struct {
    QueueFunc fn;
    gpointer data;
} Item;

static gint running; /* atomic: items that are pushed and not done */

static gpointer run_item(gpointer data)
{
    g_autofree Item *item = data;

    item->fn(item->data);
    g_atomic_int_add(&running, -1);
    return NULL;
}

gboolean pool_push(Pool pool, QueueFunc fn, gpointer data, GError **error)
{
    Item *item = g_new(Item, 1);

    *item = (Item){fn, data};
    g_atomic_int_inc(&running);
    g_thread_unref(g_thread_new("pool", run_item, item));
    return TRUE;
}

/* As queue_drain(): a call that was answered may still be at its end. */
static void drain(void)
{
    while (g_atomic_int_get(&running) > 0)
        g_usleep(1000);
}

gboolean queue_push(Queue *queue, QueueFunc fn, gpointer data, GError **error)
{
    return pool_push(POOL_WORK, fn, data, error);
}

/* The front door. */

void front_setup(Front *front, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    log_set_level(LOG_ERR);
    front->io = loop_new("io", &error);
    g_assert_no_error(error);
    g_assert_true(loop_start(front->io, &error));
    front->server = server_new(front->io, NULL, NULL);
    front->limits = (ServerLimits){
        .max_clients = 10,
        .max_clients_per_user = 10,
        .max_calls = 128,
        .handshake_timeout = 30,
        .keepalive_count = 1,
        .group = (gid_t)-1,
    };
    server_set_limits(front->server, &front->limits);
}

void front_teardown(Front *front, gconstpointer data)
{
    server_stop(front->server, 5);
    drain();
    loop_free(front->io);
    server_free(front->server);
}

typedef struct {
    Server *server;
    int fd;
    gboolean read_only;
} Accept;

static void do_accept(gpointer data)
{
    Accept *accept = data;

    server_accept(accept->server, accept->fd, accept->read_only);
}

int front_connect(Front *front, gboolean read_only)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    Accept accept = {front->server, fds[1], read_only};
    loop_call(front->io, do_accept, &accept);
    return fds[0];
}

int front_open(Front *front, gboolean read_only)
{
    RemoteConnectOpenArgs args = {.name = (char *)"test:///default"};
    g_autoptr(Message) reply = NULL;
    int fd = front_connect(front, read_only);

    send_call(fd, PROC(CONNECT_OPEN), 1, &args);
    reply = receive(fd);
    assert_ok(reply, 1);
    return fd;
}

void send_frame(int fd, FrameHeader header, gconstpointer payload, gsize n)
{
    g_autoptr(GByteArray) frame = frame_begin(&header);

    if (n > 0)
        g_byte_array_append(frame, payload, n);
    g_assert_true(frame_finish(frame, NULL));
    for (gsize sent = 0; sent < frame->len;) {
        gssize part = send(fd, frame->data + sent, frame->len - sent, MSG_NOSIGNAL);
        g_assert_cmpint(part, >, 0);
        sent += part;
    }
}

void send_call(int fd, const WireProc *proc, guint32 serial, gconstpointer args)
{
    FrameHeader header = {proc->program->id, proc->program->version, proc->number, NET_CALL, serial, NET_OK};
    g_autoptr(GByteArray) payload = g_byte_array_new();

    if (args)
        g_assert_true(wire_encode(proc->args, args, payload, NULL));
    send_frame(fd, header, payload->data, payload->len);
}

void send_ping(int fd)
{
    send_frame(fd, (FrameHeader){0x6b656570, 1, 1, NET_MESSAGE, 0, NET_OK}, NULL, 0);
}

static gboolean wait_readable(int fd, int msec)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    return poll(&pollfd, 1, msec) > 0;
}

static gboolean receive_bytes(int fd, GByteArray *bytes, gsize n)
{
    while (bytes->len < n) {
        guint8 buffer[4096];
        g_assert_true(wait_readable(fd, PATIENCE_MSEC));
        gssize part = recv(fd, buffer, MIN(sizeof(buffer), n - bytes->len), 0);
        if (part <= 0)
            return FALSE;
        g_byte_array_append(bytes, buffer, part);
    }
    return TRUE;
}

Message *receive(int fd)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    Message *message;
    guint32 length;
    Frame frame;

    if (!receive_bytes(fd, bytes, sizeof(length)))
        return NULL;
    memcpy(&length, bytes->data, sizeof(length));
    if (!receive_bytes(fd, bytes, GUINT32_FROM_BE(length)))
        return NULL;
    g_assert_cmpint(frame_cut(bytes->data, bytes->len, &frame, NULL), ==, FRAME_READY);
    message = g_new(Message, 1);
    message->header = frame.header;
    message->payload = g_byte_array_new();
    g_byte_array_append(message->payload, frame.payload, frame.n_payload);
    return message;
}

void message_free(Message *message)
{
    if (!message)
        return;
    g_byte_array_unref(message->payload);
    g_free(message);
}

gboolean has_ended(int fd)
{
    char octet;

    return wait_readable(fd, PATIENCE_MSEC) && recv(fd, &octet, 1, 0) <= 0;
}

gboolean is_quiet(int fd, guint msec)
{
    return !wait_readable(fd, msec);
}

void assert_ok(const Message *message, guint32 serial)
{
    g_assert_nonnull(message);
    g_assert_cmpuint(message->header.type, ==, NET_REPLY);
    g_assert_cmpuint(message->header.serial, ==, serial);
    g_assert_cmpuint(message->header.status, ==, NET_OK);
}

void assert_refused(const Message *message, guint32 serial, int code, const char *text)
{
    NetMessageError wire;

    g_assert_nonnull(message);
    g_assert_cmpuint(message->header.serial, ==, serial);
    g_assert_cmpuint(message->header.status, ==, NET_ERROR);
    g_assert_true(wire_decode(&net_message_error_type, message->payload->data, message->payload->len, &wire, NULL));
    g_assert_cmpint(wire.code, ==, code);
    g_assert_cmpint(wire.level, ==, VIR_ERR_ERROR);
    if (!strstr(wire.message, text))
        g_error("'%s' is not in '%s'", text, wire.message);
    wire_clear(&net_message_error_type, &wire);
}
