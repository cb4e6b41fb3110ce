/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls of the read lane that turn out to take long. */
#include <string.h>
#include <unistd.h>

#include "tests/unit/daemon/rpc/front.h"

#define CALLS 32
#define LONG_USEC (25 * 1000)
#define ANSWER (2 * 1024 * 1024)
#define NAME "large"

static gint on_loop, elsewhere; /* calls of the handler below; atomic */
static gint quick;              /* atomic: it takes no time */

/* Lane read: takes long for the domain NAME. */
gboolean remote_domain_get_xml_desc(Call *call, const RemoteDomainGetXmlDescArgs *args,
                                    RemoteDomainGetXmlDescRet *ret, GError **error)
{
    gboolean large = g_str_equal(args->dom.name, NAME) && !g_atomic_int_get(&quick);
    gint64 end = g_get_monotonic_time() + LONG_USEC;

    g_atomic_int_inc(loop_is_current(server_loop(call->client->server)) ? &on_loop : &elsewhere);
    while (large && g_get_monotonic_time() < end)
        ;
    ret->xml = g_strnfill(large ? ANSWER : 10, 'x');
    return TRUE;
}

static void ask(int fd, guint32 serial, const char *name)
{
    RemoteDomainGetXmlDescArgs args = {.dom = {.name = (char *)name}};

    strncpy((char *)args.dom.uuid, name, sizeof(args.dom.uuid));
    send_call(fd, PROC(DOMAIN_GET_XML_DESC), serial, &args);
}

static gint64 no_op(int fd)
{
    gint64 began = g_get_monotonic_time();

    send_call(fd, PROC(CONNECT_GET_LIB_VERSION), 7, NULL);
    g_autoptr(Message) reply = receive(fd);
    assert_ok(reply, 7);
    return g_get_monotonic_time() - began;
}

static gpointer read_all(gpointer data)
{
    for (guint i = 0; i < CALLS; i++) {
        g_autoptr(Message) reply = receive(GPOINTER_TO_INT(data));
        assert_ok(reply, reply->header.serial);
        g_assert_cmpuint(reply->payload->len, ==, 4 + ANSWER);
    }
    return NULL;
}

static void test_long(Front *front, gconstpointer data)
{
    int fd = front_open(front, FALSE), other = front_open(front, FALSE);
    guint n = 0, slow = 0;
    GThread *reader;

    for (guint i = 0; i < CALLS; i++)
        ask(fd, i, NAME);
    reader = g_thread_new("reader", read_all, GINT_TO_POINTER(fd));
    do {
        slow += no_op(other) > LONG_USEC / 2; /* told, not judged: other tests run beside this one */
        n++;
        g_usleep(1000);
    } while (g_atomic_int_get(&on_loop) + g_atomic_int_get(&elsewhere) < CALLS);
    g_thread_join(reader);
    g_test_message("%u calls beside it, %u slow; %d on the loop", n, slow, on_loop);
    g_assert_cmpuint(n, >, CALLS);
    g_assert_cmpint(on_loop, <=, 2);

    /* What became quick comes back, and the other domains' were never away. */
    g_atomic_int_set(&quick, TRUE);
    g_atomic_int_set(&on_loop, 0);
    for (guint i = 0; i < 4; i++) {
        ask(fd, 100 + i, i == 0 ? "small" : NAME);
        g_autoptr(Message) reply = receive(fd);
        assert_ok(reply, 100 + i);
    }
    g_assert_cmpint(on_loop, ==, 3);
    close(fd);
    close(other);
}

/* Lane read: says that it has much to do. */
gboolean remote_domain_get_metadata(Call *call, const RemoteDomainGetMetadataArgs *args, RemoteDomainGetMetadataRet *ret,
                                    GError **error)
{
    gboolean here = loop_is_current(server_loop(call->client->server));

    if (call_defer(call, ANSWER))
        return FALSE;
    ret->metadata = g_strdup(here ? "loop" : "elsewhere");
    return TRUE;
}

static void test_defer(Front *front, gconstpointer data)
{
    RemoteDomainGetMetadataArgs args = {.dom = {.name = (char *)NAME}};
    RemoteDomainGetMetadataRet ret;
    int fd = front_open(front, FALSE);

    for (guint i = 0; i < CALLS; i++)
        send_call(fd, PROC(DOMAIN_GET_METADATA), i, &args);
    for (guint i = 0; i < CALLS; i++) {
        g_autoptr(Message) reply = receive(fd);
        assert_ok(reply, i); /* so much is expected that they come one after the other */
        g_assert_true(wire_decode(&remote_domain_get_metadata_ret_type, reply->payload->data, reply->payload->len, &ret,
                                  NULL));
        g_assert_cmpstr(ret.metadata, ==, "elsewhere");
        wire_clear(&remote_domain_get_metadata_ret_type, &ret);
    }
    close(fd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/lanes/long", Front, NULL, front_setup, test_long, front_teardown);
    g_test_add("/lanes/defer", Front, NULL, front_setup, test_defer, front_teardown);
    return g_test_run();
}
