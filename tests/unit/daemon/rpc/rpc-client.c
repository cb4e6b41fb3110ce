/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The blocking client against a peer that sends what each test wrote down beforehand. */
#include "daemon/rpc/rpc-client.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/rpc/keepalive-gen.h"
#include "daemon/rpc/netmsg-gen.h"
#include "daemon/rpc/remote-client-gen.h"
#include "daemon/rpc/xdr.h"
#include "lib/error.h"

typedef struct Fixture {
    int peer;
    RpcClient *client;
    GByteArray *script;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    fixture->peer = fds[0];
    fixture->client = rpc_client_new(fds[1], 200 * 1000);
    fixture->script = g_byte_array_new();
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    rpc_client_free(fixture->client);
    g_byte_array_unref(fixture->script);
    close(fixture->peer);
}

static void put(Fixture *fixture, const NetMessageHeader *header, const WireType *type, gconstpointer value)
{
    guint start = fixture->script->len;
    guint32 length;

    xdr_write_u32(fixture->script, 0);
    g_assert_true(wire_encode(&net_message_header_type, header, fixture->script, NULL));
    if (type)
        g_assert_true(wire_encode(type, value, fixture->script, NULL));
    length = GUINT32_TO_BE(fixture->script->len - start);
    memcpy(fixture->script->data + start, &length, sizeof(length));
}

static void put_reply(Fixture *fixture, gint32 proc, guint32 serial, gint32 status, const WireType *type,
                      gconstpointer value)
{
    NetMessageHeader header = {REMOTE_PROGRAM, REMOTE_PROTOCOL_VERSION, proc, NET_REPLY, serial, status};

    put(fixture, &header, type, value);
}

static void put_event(Fixture *fixture, gint32 proc, const WireType *type, gconstpointer value)
{
    NetMessageHeader header = {REMOTE_PROGRAM, REMOTE_PROTOCOL_VERSION, proc, NET_MESSAGE, 0, NET_OK};

    put(fixture, &header, type, value);
}

static void play(Fixture *fixture)
{
    g_assert_cmpint(write(fixture->peer, fixture->script->data, fixture->script->len), ==, fixture->script->len);
    g_byte_array_set_size(fixture->script, 0);
}

/* What the client has sent and nobody read yet. */
static GByteArray *sent(Fixture *fixture)
{
    guint8 bytes[4096];
    ssize_t n = recv(fixture->peer, bytes, sizeof(bytes), MSG_DONTWAIT);

    g_assert_cmpint(n, >, 0);
    return g_byte_array_new_take(g_memdup2(bytes, n), n);
}

static gboolean get_hostname(Fixture *fixture, RemoteConnectGetHostnameRet *ret, GError **error)
{
    return remote_client_connect_get_hostname(fixture->client, ret, error);
}

static void test_reply(Fixture *fixture, gconstpointer data)
{
    static const guint8 expected[] = {0, 0, 0, 28, 0x20, 0, 0x80, 0x86, 0, 0, 0, 1, 0, 0, 0, 59,
                                      0, 0, 0, 0,  0,    0, 0,    1,    0, 0, 0, 0};
    RemoteConnectGetHostnameRet answer = {(char *)"host"}, ret;
    g_autoptr(GByteArray) request = NULL;
    g_autoptr(GError) error = NULL;

    put_reply(fixture, REMOTE_PROC_CONNECT_GET_HOSTNAME, 1, NET_OK, &remote_connect_get_hostname_ret_type, &answer);
    play(fixture);
    get_hostname(fixture, &ret, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(ret.hostname, ==, "host");
    wire_clear(&remote_connect_get_hostname_ret_type, &ret);
    request = sent(fixture);
    g_assert_cmpmem(request->data, request->len, expected, sizeof(expected));
}

static void test_error(Fixture *fixture, gconstpointer data)
{
    NetMessageError answer = {.code = VIR_ERR_NO_DOMAIN,
                              .domain = VIR_FROM_QEMU,
                              .message = (char *)"Domain not found: x",
                              .level = VIR_ERR_ERROR,
                              .str1 = (char *)"Domain not found: %s",
                              .str2 = (char *)"x"};
    NetMessageError strange = {.code = 12345, .domain = -7};
    RemoteConnectGetHostnameRet ret;
    g_autoptr(GError) error = NULL;

    put_reply(fixture, REMOTE_PROC_CONNECT_GET_HOSTNAME, 1, NET_ERROR, &net_message_error_type, &answer);
    put_reply(fixture, REMOTE_PROC_CONNECT_GET_HOSTNAME, 2, NET_ERROR, &net_message_error_type, &strange);
    play(fixture);
    g_assert_false(get_hostname(fixture, &ret, &error));
    g_assert_cmpint(error_code(error), ==, VIR_ERR_NO_DOMAIN);
    g_assert_cmpint(error_from(error), ==, VIR_FROM_QEMU);
    g_assert_cmpstr(error->message, ==, "Domain not found: x");
    g_clear_error(&error);
    g_assert_false(get_hostname(fixture, &ret, &error));
    g_assert_cmpint(error_from(error), ==, VIR_FROM_NONE);
    g_assert_cmpint(error->code, ==, 12345);
}

static void take_event(const WireProc *event, gconstpointer msg, gpointer data)
{
    const RemoteDomainEventCallbackRebootMsg *reboot = msg;

    g_assert_cmpuint(event->number, ==, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_REBOOT);
    g_assert_cmpstr(reboot->msg.dom.name, ==, "guest");
    *(int *)data = reboot->callback_id;
}

/* A late answer, a ping, an event, an event nobody knows; then the answer. */
static void test_others(Fixture *fixture, gconstpointer data)
{
    static const guint8 pong[] = {0, 0, 0, 28, 'k', 'e', 'e', 'p', 0, 0, 0, 1, 0, 0, 0, 2,
                                  0, 0, 0, 2,  0,   0,   0,   0,   0, 0, 0, 0};
    NetMessageHeader ping = {.prog = KEEPALIVE_PROGRAM,
                             .vers = KEEPALIVE_PROTOCOL_VERSION,
                             .proc = KEEPALIVE_PROC_PING,
                             .type = NET_MESSAGE};
    RemoteDomainEventCallbackRebootMsg reboot = {.callback_id = 4, .msg.dom.name = (char *)"guest"};
    RemoteConnectGetHostnameRet answer = {(char *)"host"}, ret;
    g_autoptr(GByteArray) request = NULL;
    g_autoptr(GError) error = NULL;
    int callback = 0;

    rpc_client_listen(fixture->client, &remote_program, take_event, &callback);
    put_reply(fixture, REMOTE_PROC_CONNECT_GET_HOSTNAME, 0, NET_OK, &remote_connect_get_hostname_ret_type, &answer);
    put(fixture, &ping, NULL, NULL);
    put_event(fixture, REMOTE_PROC_DOMAIN_EVENT_CALLBACK_REBOOT, &remote_domain_event_callback_reboot_msg_type,
              &reboot);
    put_event(fixture, 999, NULL, NULL);
    put_event(fixture, REMOTE_PROC_DOMAIN_CREATE, NULL, NULL);
    put_reply(fixture, REMOTE_PROC_CONNECT_GET_HOSTNAME, 1, NET_OK, &remote_connect_get_hostname_ret_type, &answer);
    play(fixture);
    get_hostname(fixture, &ret, &error);
    g_assert_no_error(error);
    wire_clear(&remote_connect_get_hostname_ret_type, &ret);
    g_assert_cmpint(callback, ==, 4);
    request = sent(fixture);
    g_assert_cmpmem(request->data + 28, request->len - 28, pong, sizeof(pong));
}

static void assert_broken(Fixture *fixture)
{
    RemoteConnectGetHostnameRet ret;
    g_autoptr(GError) error = NULL;

    g_assert_false(get_hostname(fixture, &ret, &error));
    g_assert_cmpstr(error->message, ==, "connect_get_hostname: the connection is broken");
}

static void test_silence(Fixture *fixture, gconstpointer data)
{
    gint64 start = g_get_monotonic_time();
    RemoteConnectGetHostnameRet ret;
    g_autoptr(GError) error = NULL;

    g_byte_array_append(fixture->script, (const guint8 *)"\0\0\0\x40 and no more", 15);
    play(fixture);
    g_assert_false(get_hostname(fixture, &ret, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_TIMEOUT));
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 200 * 1000);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
    assert_broken(fixture);
}

static void test_closed(Fixture *fixture, gconstpointer data)
{
    RemoteConnectGetHostnameRet ret;
    g_autoptr(GError) error = NULL;

    shutdown(fixture->peer, SHUT_WR);
    g_assert_false(get_hostname(fixture, &ret, &error));
    g_assert_true(error_is(error, VIR_ERR_SYSTEM_ERROR));
    assert_broken(fixture);
}

static void test_lengths(Fixture *fixture, gconstpointer data)
{
    const guint32 *length = data;
    guint32 word = GUINT32_TO_BE(*length);
    RemoteConnectGetHostnameRet ret;
    g_autoptr(GError) error = NULL;

    g_byte_array_append(fixture->script, (const guint8 *)&word, sizeof(word));
    play(fixture);
    g_assert_false(get_hostname(fixture, &ret, &error));
    g_assert_true(error_is(error, VIR_ERR_RPC));
    assert_broken(fixture);
}

/* An answer that is not what the row says harms only its own call. */
static void test_nonsense(Fixture *fixture, gconstpointer data)
{
    RemoteConnectGetHostnameRet answer = {(char *)"host"}, ret;
    g_autoptr(GError) error = NULL;

    put_reply(fixture, REMOTE_PROC_CONNECT_GET_HOSTNAME, 1, NET_OK, NULL, NULL);
    put_reply(fixture, REMOTE_PROC_CONNECT_GET_HOSTNAME, 2, NET_OK, &remote_connect_get_hostname_ret_type, &answer);
    play(fixture);
    g_assert_false(get_hostname(fixture, &ret, &error));
    g_assert_true(error_is(error, VIR_ERR_RPC));
    g_clear_error(&error);
    get_hostname(fixture, &ret, &error);
    g_assert_no_error(error);
    wire_clear(&remote_connect_get_hostname_ret_type, &ret);
}

int main(int argc, char **argv)
{
    static const guint32 too_short = 27, too_long = NET_MESSAGE_MAX + 1;

    g_test_init(&argc, &argv, NULL);
    g_test_add("/rpc-client/reply", Fixture, NULL, set_up, test_reply, tear_down);
    g_test_add("/rpc-client/error", Fixture, NULL, set_up, test_error, tear_down);
    g_test_add("/rpc-client/others", Fixture, NULL, set_up, test_others, tear_down);
    g_test_add("/rpc-client/silence", Fixture, NULL, set_up, test_silence, tear_down);
    g_test_add("/rpc-client/closed", Fixture, NULL, set_up, test_closed, tear_down);
    g_test_add("/rpc-client/too-short", Fixture, &too_short, set_up, test_lengths, tear_down);
    g_test_add("/rpc-client/too-long", Fixture, &too_long, set_up, test_lengths, tear_down);
    g_test_add("/rpc-client/nonsense", Fixture, NULL, set_up, test_nonsense, tear_down);
    return g_test_run();
}
