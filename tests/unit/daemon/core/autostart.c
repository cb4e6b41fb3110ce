/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/autostart.h"

#include <glib/gstdio.h>
#include <string.h>

#include "daemon/core/store.h"
#include "lib/file.h"
#include "tests/unit/daemon/core/world.h"

#define HOST "<duovirt:host xmlns:duovirt='" HOST_POLICY_URI "'>%s</duovirt:host>"

static gboolean mark_autostart(Vm *vm, gpointer data, GError **error)
{
    return store_set_autostart(vm, TRUE, error);
}

static gboolean set_policy(Vm *vm, gpointer data, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Domain) next = domain_copy(view->next);

    g_free(next->metadata);
    next->metadata = g_strdup_printf("<metadata>" HOST "</metadata>", (const char *)data);
    if (!store_save(vm, next, error))
        return FALSE;
    vm_publish_next(vm, g_steal_pointer(&next));
    return TRUE;
}

/* A domain that starts with the host. POLICY: what is in its <host>. */
static void define(World *world, const char *name, guint last, const char *words, const char *policy)
{
    g_autoptr(Vm) vm = world_define(world, name, last, words);

    g_assert_true(world_on_queue(vm, mark_autostart, NULL, NULL));
    g_assert_true(world_on_queue(vm, set_policy, (gpointer)policy, NULL));
}

/* The daemon begins anew as after a boot. */
static void boot(World *world)
{
    g_autofree char *mark = g_build_filename(world->paths.run, "autostarted", NULL);

    world_close(world);
    g_unlink(mark);
    world_open(world);
}

static void wait_done(World *world)
{
    gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (!autostart_was_done(&world->paths) && g_get_monotonic_time() < end)
        g_usleep(5000);
    g_assert_true(autostart_was_done(&world->paths));
}

static int id_of(World *world, const char *name)
{
    g_autoptr(Vm) vm = registry_find_name(world->instance->registry, name);

    return world_id(vm);
}

/* What was left of the killed is found and put away on the domain's own queue. */
static void expect_off(World *world, const char *name)
{
    gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;

    while (id_of(world, name) != -1 && g_get_monotonic_time() < end)
        g_usleep(5000);
    g_assert_cmpint(id_of(world, name), ==, -1);
}

/* Names of the domains that were started, in their order. */
static void expect(World *world, const char *names)
{
    g_autoptr(GString) found = g_string_new(NULL);
    char *text;

    wait_done(world);
    while ((text = g_async_queue_timeout_pop(world->events, G_USEC_PER_SEC / 10))) {
        if (g_str_has_prefix(text, "started 0 "))
            g_string_append(found, text + strlen("started 0 "));
        g_free(text);
    }
    g_assert_cmpstr(found->str, ==, names);
}

static void expect_begun(World *world, const char *name)
{
    g_autofree char *wanted = g_strdup_printf("started 0 %s", name), *found = world_event(world);

    while (!g_str_equal(found, wanted)) {
        g_assert_cmpstr(found, !=, "nothing");
        g_free(found);
        found = world_event(world);
    }
}

static void test_once_a_boot(void)
{
    World *world = world_new();

    wait_done(world);
    define(world, "a", 1, "", "");
    world_restart(world);
    expect(world, "");
    boot(world);
    expect(world, "a");
    world_free(world);
}

static void test_order(void)
{
    World *world = world_new();

    define(world, "a", 1, "", "");
    define(world, "b", 2, "", "<duovirt:start order='20'/>");
    define(world, "c", 3, "start-ms=50", "<duovirt:start order='3'/>");
    define(world, "d", 4, "", "<duovirt:start order='3'><duovirt:after domain='c'/></duovirt:start>");
    boot(world);
    expect(world, "cdba");
    world_free(world);
}

static void test_delay(void)
{
    World *world = world_new();
    gint64 began;

    define(world, "a", 1, "", "<duovirt:start order='1' delay='1'/>");
    define(world, "b", 2, "", "<duovirt:start order='1'/>");
    define(world, "c", 3, "", "<duovirt:start order='2'/>");
    began = g_get_monotonic_time();
    boot(world);
    expect(world, "abc");
    g_assert_cmpint(g_get_monotonic_time() - began, >=, G_USEC_PER_SEC);
    world_free(world);
}

/* Who cannot be started keeps nobody back but those that require it, and those that require these. */
static void test_failure(void)
{
    World *world = world_new();

    define(world, "a", 1, "start-fail", "<duovirt:start order='1'/>");
    define(world, "b", 2, "", "<duovirt:start order='2'/>");
    define(world, "c", 3, "", "<duovirt:start><duovirt:after domain='a' required='yes'/></duovirt:start>");
    define(world, "d", 4, "", "<duovirt:start><duovirt:after domain='c' required='yes'/></duovirt:start>");
    define(world, "e", 5, "", "<duovirt:start><duovirt:after domain='a'/></duovirt:start>");
    define(world, "f", 6, "", "<duovirt:start><duovirt:after domain='nobody'/></duovirt:start>");
    define(world, "g", 7, "", "<duovirt:start><duovirt:after domain='nobody' required='yes'/></duovirt:start>");
    boot(world);
    expect(world, "bef");
    g_assert_cmpint(id_of(world, "c"), ==, -1);
    world_free(world);
}

static void test_circle(void)
{
    World *world = world_new();

    define(world, "a", 1, "", "<duovirt:start><duovirt:after domain='b'/></duovirt:start>");
    define(world, "b", 2, "", "<duovirt:start><duovirt:after domain='a'/></duovirt:start>");
    define(world, "c", 3, "", "<duovirt:start order='7'><duovirt:after domain='c'/></duovirt:start>");
    boot(world);
    expect(world, "cab");
    world_free(world);
}

/* The daemon ends in the middle: the next one goes on with the rest, and nobody is started twice. */
static void test_in_the_middle(void)
{
    World *world = world_new();

    define(world, "a", 1, "", "<duovirt:start order='1'/>");
    define(world, "b", 2, "", "<duovirt:start order='2' delay='30'/>");
    define(world, "c", 3, "", "");
    boot(world);
    expect_begun(world, "a");
    expect_begun(world, "b");
    world_close(world);
    g_assert_false(autostart_was_done(&world->paths));
    world_kill_guests(world);
    world_open(world);
    wait_done(world);
    expect_off(world, "a");
    expect_off(world, "b");
    g_assert_cmpint(id_of(world, "c"), >=, 0);
    world_free(world);
}

static void expect_policy(const char *policy, guint order, guint delay, guint stop, guint timeout, const char *complaint)
{
    const HostRules rules = {.delay = 3, .stop = HOST_STOP_LEAVE};
    g_autoptr(Domain) definition = domain_new();
    g_autofree char *text = g_strdup_printf(HOST, policy), *why = NULL;

    definition->metadata = g_strdup_printf("<metadata><a:host xmlns:a='urn:other'/>%s</metadata>", text);
    g_autoptr(HostPolicy) found = host_policy_new(definition, &rules, &why);
    g_assert_cmpuint(found->order, ==, order);
    g_assert_cmpuint(found->delay, ==, delay);
    g_assert_cmpuint(found->stop, ==, stop);
    g_assert_cmpuint(found->stop_timeout, ==, timeout);
    if (complaint)
        g_assert_nonnull(strstr(why, complaint));
    else
        g_assert_null(why);
}

static void test_policy(void)
{
    expect_policy("", HOST_ORDER_LAST, 3, HOST_STOP_LEAVE, 0, NULL);
    expect_policy("<duovirt:start order='0' delay='0'/>", 0, 0, HOST_STOP_LEAVE, 0, NULL);
    expect_policy("<start order='0' delay='0'/>", HOST_ORDER_LAST, 3, HOST_STOP_LEAVE, 0, NULL); /* in nobody's namespace */
    expect_policy("<duovirt:stop action='save' timeout='9'/>", HOST_ORDER_LAST, 3, HOST_STOP_SAVE, 9, NULL);
    expect_policy("<duovirt:stop action='saved' timeout='9'/>", HOST_ORDER_LAST, 3, HOST_STOP_LEAVE, 9, "action='saved'");
    expect_policy("<duovirt:start order='-1' delay='2'/>", HOST_ORDER_LAST, 2, HOST_STOP_LEAVE, 0, "order='-1'");
    expect_policy("<duovirt:start delay='99999999999'/>", HOST_ORDER_LAST, 3, HOST_STOP_LEAVE, 0, "delay=");
    expect_policy("<duovirt:start><duovirt:after/></duovirt:start>", HOST_ORDER_LAST, 3, HOST_STOP_LEAVE, 0, "domain=''");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/autostart/once-a-boot", test_once_a_boot);
    g_test_add_func("/autostart/order", test_order);
    g_test_add_func("/autostart/delay", test_delay);
    g_test_add_func("/autostart/failure", test_failure);
    g_test_add_func("/autostart/circle", test_circle);
    g_test_add_func("/autostart/in-the-middle", test_in_the_middle);
    g_test_add_func("/autostart/policy", test_policy);
    return g_test_run();
}
