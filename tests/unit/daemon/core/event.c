/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/event.h"

#include <string.h>

static const Driver driver = {.name = "none"};
static const DriverInstance instance = {.driver = &driver}, other = {.driver = &driver};
static Loop *loop;
static GString *seen;

static Vm *make(const DriverInstance *of, const char *name, guint last)
{
    Domain *def = domain_new();
    def->name = g_strdup(name);
    def->uuid.set = TRUE;
    def->uuid.bytes[15] = (guint8)last;
    return vm_new(of, def, TRUE);
}

static void sink(const EventSource *source, const VmEvent *event, gpointer data)
{
    g_assert_true(loop_is_current(loop));
    g_string_append_printf(seen, "%s%s:%d ", (const char *)data, source->name, event->id);
}

static void nothing(gpointer data)
{
}

static void flush(const char *expected)
{
    loop_call(loop, nothing, NULL);
    g_assert_cmpstr(seen->str, ==, expected);
    g_string_truncate(seen, 0);
}

static void emit(Vm *vm, int id)
{
    VmEvent event = {.id = id};
    event_emit(vm, &event);
}

static void test_filters(void)
{
    g_autoptr(Vm) a = make(&instance, "a", 1), b = make(&instance, "b", 2), c = make(&other, "c", 1);
    int all = event_subscribe(&instance, VIR_DOMAIN_EVENT_ID_REBOOT, NULL, sink, "all-", NULL);
    int one = event_subscribe(&instance, VIR_DOMAIN_EVENT_ID_REBOOT, b->uuid, sink, "one-", NULL);
    int life = event_subscribe(&instance, VIR_DOMAIN_EVENT_ID_LIFECYCLE, NULL, sink, "life-", NULL);
    emit(a, VIR_DOMAIN_EVENT_ID_REBOOT);
    emit(b, VIR_DOMAIN_EVENT_ID_REBOOT);
    emit(c, VIR_DOMAIN_EVENT_ID_REBOOT);
    event_emit_lifecycle(a, VIR_DOMAIN_EVENT_STARTED, 0);
    event_emit_lifecycle_as(a, "old", VIR_DOMAIN_EVENT_UNDEFINED, 0);
    flush("all-a:1 all-b:1 one-b:1 life-a:0 life-old:0 ");
    g_assert_true(event_unsubscribe(all));
    g_assert_false(event_unsubscribe(all));
    emit(b, VIR_DOMAIN_EVENT_ID_REBOOT);
    flush("one-b:1 ");
    g_assert_true(event_unsubscribe(one) && event_unsubscribe(life));
}

static gint freed;

static void note_freed(gpointer data)
{
    g_atomic_int_inc(&freed);
}

static void test_destroy(void)
{
    int number = event_subscribe(&instance, VIR_DOMAIN_EVENT_ID_REBOOT, NULL, sink, "", note_freed);
    g_assert_cmpint(number, >, 0);
    g_assert_true(event_unsubscribe(number));
    g_assert_cmpint(freed, ==, 1);
}

static void check_strings(const EventSource *source, const VmEvent *event, gpointer data)
{
    g_string_append_printf(seen, "%s %s %s %s %s %d", event->graphics.local_node, event->graphics.auth_scheme,
                           event->graphics.identities[0], event->graphics.identities[1],
                           event->graphics.remote_node ? "?" : "null", event->graphics.identities[2] == NULL);
}

/* The event is the emitter's only as long as the call lasts. */
static void test_strings(void)
{
    g_autoptr(Vm) a = make(&instance, "a", 1);
    int number = event_subscribe(&instance, VIR_DOMAIN_EVENT_ID_GRAPHICS, NULL, check_strings, NULL, NULL);
    char node[] = "node", scheme[] = "vnc", type[] = "type", name[] = "name";
    const char *identities[] = {type, name, NULL};
    VmEvent event = {.id = VIR_DOMAIN_EVENT_ID_GRAPHICS,
                     .graphics = {.local_node = node, .auth_scheme = scheme, .identities = identities}};
    event_emit(a, &event);
    memset(node, 'x', 4), memset(scheme, 'x', 3), memset(type, 'x', 4), memset(name, 'x', 4);
    flush("node vnc type name null 1");
    event_unsubscribe(number);
}

static gpointer emit_many(gpointer vm)
{
    for (guint i = 0; i < 1000; i++)
        emit(vm, VIR_DOMAIN_EVENT_ID_REBOOT);
    return NULL;
}

static void count(const EventSource *source, const VmEvent *event, gpointer data)
{
    ++*(guint *)data;
}

static void test_threads(void)
{
    g_autoptr(Vm) a = make(&instance, "a", 1);
    guint n = 0;
    GThread *threads[4];
    int number = event_subscribe(&instance, VIR_DOMAIN_EVENT_ID_REBOOT, NULL, count, &n, NULL);
    for (guint i = 0; i < 4; i++)
        threads[i] = g_thread_new("emit", emit_many, a);
    for (guint i = 0; i < 4; i++)
        g_thread_join(threads[i]);
    flush("");
    g_assert_cmpuint(n, ==, 4000);
    event_unsubscribe(number);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop = loop_new("event", NULL);
    loop_start(loop, NULL);
    event_open(loop);
    seen = g_string_new(NULL);
    g_test_add_func("/event/filters", test_filters);
    g_test_add_func("/event/destroy", test_destroy);
    g_test_add_func("/event/strings", test_strings);
    g_test_add_func("/event/threads", test_threads);
    int result = g_test_run();
    loop_free(loop);
    g_string_free(seen, TRUE);
    return result;
}
