/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections and dispatch, through a socket. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/rpc/qemu-gen.h"
#include "lib/error.h"
#include "tests/unit/daemon/rpc/front.h"

#define SLOW_CALLS 100

static GMutex gate;     /* held: slow calls do not end */
static gint slow_calls; /* that have begun; atomic */
static gsize big_reply; /* octets that connect_get_sysinfo answers */

/* Lane work: waits for the gate. */
gboolean remote_connect_get_hostname(Call *call, RemoteConnectGetHostnameRet *ret, GError **error)
{
    g_atomic_int_inc(&slow_calls);
    g_mutex_lock(&gate);
    g_mutex_unlock(&gate);
    ret->hostname = g_strdup("slow");
    return TRUE;
}

gboolean remote_connect_get_sysinfo(Call *call, const RemoteConnectGetSysinfoArgs *args,
                                    RemoteConnectGetSysinfoRet *ret, GError **error)
{
    ret->sysinfo = g_strnfill(big_reply, 'x');
    return TRUE;
}

gboolean remote_domain_get_xml_desc(Call *call, const RemoteDomainGetXmlDescArgs *args,
                                    RemoteDomainGetXmlDescRet *ret, GError **error)
{
    ret->xml = g_strdup("<domain/>");
    return TRUE;
}

static FrameHeader call_header(const WireProc *proc, guint32 serial)
{
    return (FrameHeader){proc->program->id, proc->program->version, proc->number, NET_CALL, serial, NET_OK};
}

static void test_open(Front *front, gconstpointer data)
{
    RemoteConnectOpenArgs nowhere = {.name = (char *)"nowhere:///system"}, here = {.name = (char *)"test:/default"};
    g_autoptr(Message) before = NULL, wrong = NULL, right = NULL, again = NULL, uri = NULL, feature = NULL;
    RemoteConnectSupportsFeatureArgs keepalive = {.feature = 10};
    RemoteConnectGetUriRet ret;
    int fd = front_connect(front, FALSE);

    send_call(fd, PROC(CONNECT_GET_URI), 1, NULL);
    before = receive(fd);
    assert_refused(before, 1, VIR_ERR_INTERNAL_ERROR, "hypervisor connection not open");
    send_call(fd, PROC(CONNECT_SUPPORTS_FEATURE), 2, &keepalive);
    feature = receive(fd);
    assert_ok(feature, 2);
    send_call(fd, PROC(CONNECT_OPEN), 3, &nowhere);
    wrong = receive(fd);
    assert_refused(wrong, 3, VIR_ERR_NO_CONNECT, "nowhere:///system");
    send_call(fd, PROC(CONNECT_OPEN), 4, &here);
    right = receive(fd);
    assert_ok(right, 4);
    send_call(fd, PROC(CONNECT_OPEN), 5, &here);
    again = receive(fd);
    assert_refused(again, 5, VIR_ERR_INTERNAL_ERROR, "connection already open");
    send_call(fd, PROC(CONNECT_GET_URI), 6, NULL);
    uri = receive(fd);
    assert_ok(uri, 6);
    g_assert_true(wire_decode(&remote_connect_get_uri_ret_type, uri->payload->data, uri->payload->len, &ret, NULL));
    g_assert_cmpstr(ret.uri, ==, "test:///default");
    wire_clear(&remote_connect_get_uri_ret_type, &ret);
    close(fd);
}

static void test_close(Front *front, gconstpointer data)
{
    g_autoptr(Message) reply = NULL;
    int fd = front_open(front, FALSE);

    send_call(fd, PROC(CONNECT_CLOSE), 2, NULL);
    reply = receive(fd);
    assert_ok(reply, 2);
    g_assert_true(has_ended(fd));
    close(fd);
}

/* What libvirtd answers; the connection lives on. */
static void test_errors(Front *front, gconstpointer data)
{
    const WireProc *version = PROC(CONNECT_GET_LIB_VERSION);
    const struct {
        FrameHeader header;
        int code;
        const char *text;
    } cases[] = {
        {{0x1234, 1, 1, NET_CALL, 0, NET_OK}, VIR_ERR_RPC, "Cannot find program 4660 version 1"},
        {{REMOTE_PROGRAM, 2, 157, NET_CALL, 0, NET_OK}, VIR_ERR_RPC, "Cannot find program 536903814 version 2"},
        {{0x6b656570, 1, 1, NET_CALL, 0, NET_OK}, VIR_ERR_RPC, "Cannot find program 1801807216 version 1"},
        {{REMOTE_PROGRAM, 1, 9999, NET_CALL, 0, NET_OK}, VIR_ERR_RPC, "unknown procedure: 9999"},
        {{REMOTE_PROGRAM, 1, 0, NET_CALL, 0, NET_OK}, VIR_ERR_RPC, "unknown procedure: 0"},
        {{REMOTE_PROGRAM, 1, -1, NET_CALL, 0, NET_OK}, VIR_ERR_RPC, "unknown procedure: -1"},
        {{REMOTE_PROGRAM, 1, REMOTE_PROC_DOMAIN_EVENT_LIFECYCLE, NET_CALL, 0, NET_OK}, VIR_ERR_RPC,
         "unknown procedure: 107"},
        {{REMOTE_PROGRAM, 1, 157, NET_CALL, 0, NET_ERROR}, VIR_ERR_RPC, "Unexpected message status 1"},
        {{REMOTE_PROGRAM, 1, REMOTE_PROC_DOMAIN_LOOKUP_BY_NAME, NET_CALL, 0, NET_OK}, VIR_ERR_RPC,
         "Unable to decode message payload"},
        {{REMOTE_PROGRAM, 1, REMOTE_PROC_CONNECT_NUM_OF_NWFILTERS, NET_CALL, 0, NET_OK}, VIR_ERR_NO_SUPPORT,
         "this function is not supported by the connection driver: virConnectNumOfNWFilters"},
    };
    int fd = front_open(front, FALSE);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        FrameHeader header = cases[i].header;
        header.serial = 100 + i;
        send_frame(fd, header, NULL, 0);
        g_autoptr(Message) reply = receive(fd);
        assert_refused(reply, 100 + i, cases[i].code, cases[i].text);
        g_assert_cmpuint(reply->header.type, ==, NET_REPLY);
        g_assert_cmpuint(reply->header.program, ==, header.program);
        g_assert_cmpint(reply->header.procedure, ==, header.procedure);
    }
    send_frame(fd, call_header(version, 7), "trailing", 8);
    g_autoptr(Message) reply = receive(fd);
    assert_ok(reply, 7);
    close(fd);
}

static void test_flags(Front *front, gconstpointer data)
{
    RemoteDomainGetXmlDescArgs args = {.dom = {.name = (char *)"x"}, .flags = 0x40000000};
    g_autoptr(Message) refused = NULL;
    int fd = front_open(front, FALSE);

    send_call(fd, PROC(DOMAIN_GET_XML_DESC), 2, &args);
    refused = receive(fd);
    assert_refused(refused, 2, VIR_ERR_INVALID_ARG, "unsupported flags (0x40000000) in function virDomainGetXMLDesc");
    close(fd);
}

/* The connection ends, and only that one. */
static void test_foreign(Front *front, gconstpointer data)
{
    const struct {
        const char *bytes;
        gsize n;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
        {"\0\0\0\3", 4},
        {"\x02\0\0\5", 4},
        {"\0\0\0\x1c\x20\0\x80\x86\0\0\0\1\0\0\0\x9d\0\0\0\1\0\0\0\1\0\0\0\0", 28}, /* a reply */
        {"\0\0\0\x1c\x20\0\x80\x86\0\0\0\1\0\0\0\x9d\0\0\0\7\0\0\0\1\0\0\0\0", 28}, /* no such type */
        {"\0\0\0\x1c\x20\0\x80\x86\0\0\0\1\0\0\0\x9d\0\0\0\4\0\0\0\1\0\0\0\0", 28}, /* descriptors, but how many? */
    };
    int other = front_open(front, FALSE);

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        int fd = front_open(front, FALSE);
        g_assert_cmpint(send(fd, cases[i].bytes, cases[i].n, MSG_NOSIGNAL), ==, cases[i].n);
        g_assert_true(has_ended(fd));
        close(fd);
    }
    send_call(other, PROC(CONNECT_GET_LIB_VERSION), 2, NULL);
    g_autoptr(Message) reply = receive(other);
    assert_ok(reply, 2);
    close(other);
}

static void test_read_only(Front *front, gconstpointer data)
{
    RemoteDomainCreateArgs create = {.dom = {.name = (char *)"x"}};
    RemoteDomainGetXmlDescArgs xml = {.dom = {.name = (char *)"x"}}, secure = xml;
    RemoteConnectOpenArgs open = {.name = (char *)"test:///default", .flags = VIR_CONNECT_RO};
    int fd = front_open(front, TRUE), chosen = front_connect(front, FALSE);

    secure.flags = VIR_DOMAIN_XML_SECURE;
    send_call(chosen, PROC(CONNECT_OPEN), 1, &open);
    g_autoptr(Message) opened = receive(chosen);
    assert_ok(opened, 1);
    for (guint i = 0; i < 2; i++) {
        int one = i == 0 ? fd : chosen;
        send_call(one, PROC(DOMAIN_CREATE), 2, &create);
        g_autoptr(Message) denied = receive(one);
        assert_refused(denied, 2, VIR_ERR_OPERATION_DENIED, "read only access prevents virDomainCreate");
        send_call(one, PROC(DOMAIN_GET_XML_DESC), 3, &secure);
        g_autoptr(Message) secret = receive(one);
        assert_refused(secret, 3, VIR_ERR_OPERATION_DENIED, "virDomainGetXMLDesc with secure flag");
        send_call(one, PROC(DOMAIN_GET_XML_DESC), 4, &xml);
        g_autoptr(Message) allowed = receive(one);
        assert_ok(allowed, 4);
        close(one);
    }
}

static void start_slow_calls(int fd, guint n)
{
    g_atomic_int_set(&slow_calls, 0);
    g_mutex_lock(&gate);
    for (guint i = 0; i < n; i++)
        send_call(fd, PROC(CONNECT_GET_HOSTNAME), 1000 + i, NULL);
}

static void assert_slow_replies(int fd, guint n)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    g_mutex_unlock(&gate);
    for (guint i = 0; i < n; i++) {
        g_autoptr(Message) reply = receive(fd);
        assert_ok(reply, reply->header.serial);
        g_assert_true(g_hash_table_add(seen, GUINT_TO_POINTER(reply->header.serial)));
    }
}

static void test_ping_beside_slow_calls(Front *front, gconstpointer data)
{
    g_autoptr(Message) pong = NULL, quick = NULL;
    int fd = front_open(front, FALSE);

    start_slow_calls(fd, SLOW_CALLS);
    send_ping(fd);
    pong = receive(fd);
    g_assert_cmpuint(pong->header.program, ==, 0x6b656570);
    g_assert_cmpint(pong->header.procedure, ==, 2);
    send_call(fd, PROC(CONNECT_GET_LIB_VERSION), 2, NULL);
    quick = receive(fd);
    assert_ok(quick, 2);
    assert_slow_replies(fd, SLOW_CALLS);
    close(fd);
}

/* Above the bound the socket is not read, and nothing is lost. */
static void test_calls_bound(Front *front, gconstpointer data)
{
    int fd;

    front->limits.max_calls = 8;
    server_set_limits(front->server, &front->limits);
    fd = front_open(front, FALSE);
    start_slow_calls(fd, 50);
    g_assert_true(is_quiet(fd, 300));
    g_assert_cmpint(g_atomic_int_get(&slow_calls), ==, 8);
    assert_slow_replies(fd, 50);
    close(fd);
}

static void test_pipelined(Front *front, gconstpointer data)
{
    const guint n = 5000;
    int fd = front_open(front, FALSE);

    for (guint i = 0; i < n; i++) {
        send_call(fd, PROC(CONNECT_GET_LIB_VERSION), i, NULL);
        if (i < 100) /* far enough ahead that much waits, not so far that both sides wait to write */
            continue;
        g_autoptr(Message) reply = receive(fd);
        assert_ok(reply, i - 100);
    }
    close(fd);
}

/* Answers that are not read: the socket is not read either, then everything comes. */
static void test_backlog(Front *front, gconstpointer data)
{
    RemoteConnectGetSysinfoArgs args = {0};
    int fd = front_open(front, FALSE);

    big_reply = 700 * 1024;
    for (guint i = 0; i < 40; i++)
        send_call(fd, PROC(CONNECT_GET_SYSINFO), i, &args);
    g_usleep(300 * 1000);
    for (guint i = 0; i < 40; i++) {
        g_autoptr(Message) reply = receive(fd);
        assert_ok(reply, reply->header.serial);
        g_assert_cmpuint(reply->payload->len, ==, 4 + big_reply);
    }
    close(fd);
}

static void test_too_long_answer(Front *front, gconstpointer data)
{
    RemoteConnectGetSysinfoArgs args = {0};
    int fd = front_open(front, FALSE);

    big_reply = REMOTE_STRING_MAX + 1;
    send_call(fd, PROC(CONNECT_GET_SYSINFO), 2, &args);
    g_autoptr(Message) reply = receive(fd);
    assert_refused(reply, 2, VIR_ERR_RPC, "");
    close(fd);
}

static void test_limits(Front *front, gconstpointer data)
{
    int fds[10], more;

    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = front_open(front, FALSE);
    more = front_connect(front, FALSE);
    g_assert_true(has_ended(more));
    close(more);
    for (guint i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
}

static void test_handshake(Front *front, gconstpointer data)
{
    int opened, silent;

    front->limits.handshake_timeout = 1;
    server_set_limits(front->server, &front->limits);
    opened = front_open(front, FALSE);
    silent = front_connect(front, FALSE);
    g_assert_true(has_ended(silent));
    g_assert_true(is_quiet(opened, 1500));
    close(opened);
    close(silent);
}

static void test_keepalive(Front *front, gconstpointer data)
{
    RemoteConnectSupportsFeatureArgs keepalive = {.feature = 10};
    g_autoptr(Message) reply = NULL, ping = NULL;
    int fd;

    front->limits.keepalive_interval = 1;
    server_set_limits(front->server, &front->limits);
    fd = front_open(front, FALSE);
    g_assert_true(is_quiet(fd, 2500)); /* it did not say that it knows pings */
    send_call(fd, PROC(CONNECT_SUPPORTS_FEATURE), 2, &keepalive);
    reply = receive(fd);
    assert_ok(reply, 2);
    ping = receive(fd);
    g_assert_cmpuint(ping->header.program, ==, 0x6b656570);
    g_assert_cmpint(ping->header.procedure, ==, 1);
    g_assert_true(has_ended(fd));
    close(fd);
}

/* Who answers our pings lives on, however many of his calls are open. */
static void test_pinged_beside_slow_calls(Front *front, gconstpointer data)
{
    RemoteConnectSupportsFeatureArgs keepalive = {.feature = 10};
    int fd;

    front->limits.keepalive_interval = 1;
    server_set_limits(front->server, &front->limits);
    fd = front_open(front, FALSE);
    send_call(fd, PROC(CONNECT_SUPPORTS_FEATURE), 2, &keepalive);
    g_autoptr(Message) reply = receive(fd);
    assert_ok(reply, 2);
    start_slow_calls(fd, SLOW_CALLS);
    for (guint i = 0; i < 3; i++) {
        g_autoptr(Message) ping = receive(fd);
        g_assert_cmpuint(ping->header.program, ==, 0x6b656570);
        g_assert_cmpint(ping->header.procedure, ==, 1);
        send_frame(fd, (FrameHeader){0x6b656570, 1, 2, NET_MESSAGE, 0, NET_OK}, NULL, 0);
    }
    assert_slow_replies(fd, SLOW_CALLS);
    close(fd);
}

typedef struct {
    GString *order;
    gint left;
} Hooks;

static void note_first(gpointer data)
{
    g_string_append(((Hooks *)data)->order, "1");
    g_atomic_int_dec_and_test(&((Hooks *)data)->left);
}

static void note_second(gpointer data)
{
    g_string_append(((Hooks *)data)->order, "2");
    g_atomic_int_dec_and_test(&((Hooks *)data)->left);
}

static Client *last_client;

gboolean remote_node_get_free_memory(Call *call, RemoteNodeGetFreeMemoryRet *ret, GError **error)
{
    last_client = client_ref(call->client);
    return TRUE;
}

/* The server's idea of the connection. */
static Client *client_of(int fd)
{
    send_call(fd, PROC(NODE_GET_FREE_MEMORY), 77, NULL);
    g_autoptr(Message) reply = receive(fd);
    assert_ok(reply, 77);
    return g_steal_pointer(&last_client);
}

static void test_hooks(Front *front, gconstpointer data)
{
    Hooks hooks = {g_string_new(NULL), 2};
    int fd = front_open(front, FALSE);
    g_autoptr(Client) client = client_of(fd);
    guint removed;

    g_assert_cmpuint(client_add_close_hook(client, note_first, &hooks), >, 0);
    removed = client_add_close_hook(client, note_first, &hooks);
    g_assert_cmpuint(client_add_close_hook(client, note_second, &hooks), >, 0);
    g_assert_true(client_remove_close_hook(client, removed));
    g_assert_false(client_remove_close_hook(client, removed));
    close(fd);
    while (g_atomic_int_get(&hooks.left) > 0)
        g_usleep(1000);
    g_assert_cmpstr(hooks.order->str, ==, "21");
    g_assert_cmpuint(client_add_close_hook(client, note_first, &hooks), ==, 0);
    g_string_free(hooks.order, TRUE);
}

/* What a connection made us hold is given back, whatever it was. */
static void test_account(Front *front, gconstpointer data)
{
    RemoteConnectGetSysinfoArgs args = {0};
    int fd = front_open(front, FALSE);
    g_autoptr(Client) client = client_of(fd);
    const Account *account = client->account;

    g_assert_cmpuint(account->connections, ==, 1);
    start_slow_calls(fd, 3);
    while (g_atomic_int_get(&slow_calls) < 3)
        g_usleep(1000);
    big_reply = 700 * 1024;
    for (guint i = 0; i < 4; i++)
        send_call(fd, PROC(CONNECT_GET_SYSINFO), i, &args);
    g_assert_cmpint(send(fd, "\0\0\x10\0half a message", 18, 0), ==, 18);
    g_assert_cmpint(g_atomic_pointer_get((gssize *)&account->octets), >, 0);
    close(fd);
    g_mutex_unlock(&gate);
    while (g_atomic_pointer_get((gssize *)&account->octets) != 0)
        g_usleep(1000); /* or the test's time is over */
}

/* One user's connections hold too much: the one that adds much to it is closed, and who holds little goes on. */
static void test_account_over(Front *front, gconstpointer data)
{
    int small = front_open(front, FALSE), large = front_open(front, FALSE);
    g_autoptr(Client) client = client_of(small);
    g_autofree char *part = g_malloc0(2 * CLIENT_HOLDS_LITTLE);
    guint32 length = GUINT32_TO_BE(4 * CLIENT_HOLDS_LITTLE);

    account_charge(client->account, 2 * (gssize)ACCOUNT_OCTETS_MAX_ROOT);
    send_call(small, PROC(CONNECT_GET_LIB_VERSION), 2, NULL);
    g_autoptr(Message) reply = receive(small);
    assert_ok(reply, 2);
    memcpy(part, &length, sizeof(length));
    part[11] = 1; /* the rest of the header may be anything */
    for (gsize sent = 0; sent < 2 * CLIENT_HOLDS_LITTLE;) {
        gssize n = send(large, part + sent, 2 * CLIENT_HOLDS_LITTLE - sent, MSG_NOSIGNAL);
        if (n < 0)
            break;
        sent += n;
    }
    g_assert_true(has_ended(large));
    send_call(small, PROC(CONNECT_GET_LIB_VERSION), 3, NULL);
    g_autoptr(Message) again = receive(small);
    assert_ok(again, 3);
    account_charge(client->account, -2 * (gssize)ACCOUNT_OCTETS_MAX_ROOT);
    close(small);
    close(large);
}

/* Events: delivered from any thread; one who does not read them is closed. */
static void test_events(Front *front, gconstpointer data)
{
    RemoteDomainEventLifecycleMsg msg = {.dom = {.name = g_strnfill(100000, 'n')}, .event = 5, .detail = 6};
    int fd = front_open(front, FALSE);
    g_autoptr(Client) client = client_of(fd);
    guint sent = 0;

    g_assert_true(client_send_message(client, PROC(DOMAIN_EVENT_LIFECYCLE), &msg));
    g_autoptr(Message) event = receive(fd);
    g_assert_cmpuint(event->header.type, ==, NET_MESSAGE);
    g_assert_cmpint(event->header.procedure, ==, REMOTE_PROC_DOMAIN_EVENT_LIFECYCLE);
    while (client_send_message(client, PROC(DOMAIN_EVENT_LIFECYCLE), &msg))
        sent++;
    g_assert_cmpuint(sent * 100000, >=, CLIENT_BACKLOG_EVENTS - 100000);
    g_assert_cmpuint(sent * 100000, <=, CLIENT_BACKLOG_EVENTS + 1000000); /* and what the socket took */
    g_assert_false(client_send_message(client, PROC(DOMAIN_EVENT_LIFECYCLE), &msg));
    g_free(msg.dom.name);
    close(fd);
}

int main(int argc, char **argv)
{
    const struct {
        const char *path;
        void (*fn)(Front *front, gconstpointer data);
    } tests[] = {
        {"/server/open", test_open},
        {"/server/close", test_close},
        {"/server/errors", test_errors},
        {"/server/flags", test_flags},
        {"/server/foreign", test_foreign},
        {"/server/read-only", test_read_only},
        {"/server/ping-beside-slow-calls", test_ping_beside_slow_calls},
        {"/server/calls-bound", test_calls_bound},
        {"/server/pipelined", test_pipelined},
        {"/server/backlog", test_backlog},
        {"/server/too-long-answer", test_too_long_answer},
        {"/server/limits", test_limits},
        {"/server/handshake", test_handshake},
        {"/server/keepalive", test_keepalive},
        {"/server/pinged-beside-slow-calls", test_pinged_beside_slow_calls},
        {"/server/hooks", test_hooks},
        {"/server/account", test_account},
        {"/server/account-over", test_account_over},
        {"/server/events", test_events},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Front, NULL, front_setup, tests[i].fn, front_teardown);
    return g_test_run();
}
