/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs, from start to cleanup, with the fake driver's real processes. */
#include "daemon/core/run-parts.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#include "daemon/core/record.h"
#include "daemon/core/store.h"
#include "lib/file.h"
#include "tests/unit/daemon/core/world.h"

#define OFF (VIR_DOMAIN_SHUTOFF * 100)
#define RUNS (VIR_DOMAIN_RUNNING * 100 + VIR_DOMAIN_RUNNING_BOOTED)

static gboolean destroy(Vm *vm, GError **error)
{
    return run_kill(vm, FALSE, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED, error);
}

static gboolean has_record(World *world, Vm *vm)
{
    g_autofree char *path = g_strdup_printf("%s/domains/%s", world->paths.run, vm->uuid_text);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void test_life(void)
{
    World *world = world_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Vm) vm = world_define(world, "a", 1, "");
    g_assert_cmpint(world_state(vm), ==, OFF);
    world_start(vm, &error);
    g_assert_no_error(error);
    g_assert_cmpint(world_id(vm), ==, 1);
    g_assert_cmpint(world_state(vm), ==, RUNS);
    g_assert_true(has_record(world, vm));
    g_assert_cmpuint(world_processes(world), ==, 1);
    world_expect(world, "resumed 0 a");
    world_expect(world, "started 0 a");
    g_assert_true(destroy(vm, &error));
    g_assert_cmpint(world_id(vm), ==, -1);
    g_assert_cmpint(world_state(vm), ==, OFF + VIR_DOMAIN_SHUTOFF_DESTROYED);
    world_expect(world, "shutdown 2 a");
    world_expect(world, "stopped 1 a");
    world_settle(vm);
    g_assert_false(has_record(world, vm));
    g_assert_cmpuint(world_processes(world), ==, 0);
    g_assert_false(destroy(vm, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_INVALID));
    g_assert_true(world_start(vm, NULL));
    g_assert_cmpint(world_id(vm), ==, 2);
    world_free(world);
}

static void test_paused(void)
{
    World *world = world_new();
    g_autoptr(Vm) vm = world_define(world, "a", 1, "");
    g_assert_true(world_start_as(vm, NULL, TRUE, NULL));
    g_assert_cmpint(world_state(vm), ==, VIR_DOMAIN_PAUSED * 100 + VIR_DOMAIN_PAUSED_USER);
    world_expect(world, "started 0 a");
    world_expect(world, "suspended 0 a");
    world_free(world);
}

static void test_start_fails(void)
{
    World *world = world_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Vm) vm = world_define(world, "a", 1, "start-fail");
    g_assert_false(world_start(vm, &error));
    g_assert_nonnull(strstr(error->message, "told to fail"));
    g_assert_cmpint(world_state(vm), ==, OFF + VIR_DOMAIN_SHUTOFF_FAILED);
    g_assert_cmpuint(world_processes(world), ==, 0);
    g_assert_false(has_record(world, vm));
    g_assert_true(world_quiet(world));
    world_free(world);
}

static gboolean is_responsive(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);
    return view->responsive;
}

/* What cannot be ended is not forgotten: it can be destroyed later. */
static void test_start_fails_and_stays(void)
{
    World *world = world_new();
    g_autoptr(Vm) vm = world_define(world, "a", 1, "start-fail kill-fail=1");
    g_assert_false(world_start(vm, NULL));
    g_assert_cmpint(world_id(vm), ==, 1);
    g_assert_false(is_responsive(vm));
    g_assert_true(has_record(world, vm));
    g_assert_cmpuint(world_processes(world), ==, 1);
    g_assert_true(destroy(vm, NULL));
    world_settle(vm);
    g_assert_cmpuint(world_processes(world), ==, 0);
    g_assert_false(has_record(world, vm));
    world_free(world);
}

/* The same of one that the next daemon cannot attach to. */
static void test_lost_and_stays(void)
{
    World *world = world_new();
    Vm *vm = world_define(world, "a", 1, "lost kill-fail=1");
    g_assert_true(world_start(vm, NULL));
    vm_unref(vm);
    world_restart(world);
    vm = registry_find_name(world->instance->registry, "a");
    world_settle(vm);
    g_assert_cmpint(world_id(vm), ==, 1);
    g_assert_true(has_record(world, vm));
    g_assert_true(destroy(vm, NULL));
    g_assert_cmpuint(world_processes(world), ==, 0);
    vm_unref(vm);
    world_free(world);
}

static guint64 run_of(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);
    return view->run;
}

/* The end of one run is not the end of the next. */
static void test_late_end(void)
{
    World *world = world_new();
    g_autoptr(Vm) vm = world_define(world, "a", 1, "");
    g_assert_true(world_start(vm, NULL));
    guint64 first = run_of(vm);
    g_assert_true(destroy(vm, NULL));
    g_assert_cmpuint(run_of(vm), ==, 0);
    g_assert_true(world_start(vm, NULL));
    guint64 second = run_of(vm);
    run_stopped_at(vm, first, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED);
    g_assert_cmpint(world_id(vm), ==, 2);
    run_stopped_at(vm, second, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED);
    g_assert_cmpint(world_id(vm), ==, -1);
    world_free(world);
}

static void test_crash(void)
{
    World *world = world_new();
    g_autoptr(Vm) vm = world_define(world, "a", 1, "crash-ms=50");
    g_assert_true(world_start(vm, NULL));
    g_assert_true(vm_wait_inactive(vm, g_get_monotonic_time() + 10 * G_USEC_PER_SEC));
    g_assert_cmpint(world_state(vm), ==, OFF + VIR_DOMAIN_SHUTOFF_CRASHED);
    world_expect(world, "resumed 0 a");
    world_expect(world, "started 0 a");
    world_expect(world, "stopped 5 a");
    world_settle(vm);
    g_assert_false(has_record(world, vm));
    world_free(world);
}

static void test_transient(void)
{
    World *world = world_new();
    g_autoptr(GError) error = NULL;
    Registry *registry = world->instance->registry;
    g_autoptr(Domain) definition = world_definition(world, "t", 7, "cleanup-ms=200");
    Vm *vm = registry_claim(registry, definition, FALSE, &error);
    g_assert_true(world_start_as(vm, definition, FALSE, &error));
    g_autoptr(Vm) found = registry_find_name(registry, "t");
    g_assert_true(found == vm);
    registry_release(registry, vm);
    g_assert_true(destroy(found, &error));
    g_assert_null(registry_find_name(registry, "t")); /* at once */
    g_autoptr(Domain) other = world_definition(world, "t", 8, "");
    Vm *next = registry_claim(registry, other, FALSE, &error); /* when it is cleaned up */
    g_assert_no_error(error);
    g_assert_false(has_record(world, found));
    registry_release(registry, next);
    world_free(world);
}

static void test_transient_fails(void)
{
    World *world = world_new();
    Registry *registry = world->instance->registry;
    g_autoptr(Domain) definition = world_definition(world, "t", 7, "start-fail");
    Vm *vm = registry_claim(registry, definition, FALSE, NULL);
    g_assert_false(world_start_as(vm, definition, FALSE, NULL));
    registry_release(registry, vm);
    g_assert_null(registry_find_name(registry, "t"));
    g_autoptr(GPtrArray) all = registry_domains(registry);
    g_assert_cmpuint(all->len, ==, 0);
    world_free(world);
}

static void test_transient_over_persistent(void)
{
    World *world = world_new();
    g_autoptr(Vm) vm = world_define(world, "a", 1, "one");
    g_autoptr(Domain) other = world_definition(world, "a", 1, "two");
    g_assert_true(world_start_as(vm, other, FALSE, NULL));
    g_autoptr(VmView) view = vm_view(vm);
    g_assert_cmpstr(view->live->description, ==, "two");
    g_assert_cmpstr(view->next->description, ==, "one");
    g_assert_true(destroy(vm, NULL));
    g_autoptr(VmView) after = vm_view(vm);
    g_assert_null(after->live);
    g_assert_cmpstr(after->next->description, ==, "one");
    world_free(world);
}

static gpointer start_thread(gpointer vm)
{
    GError *error = NULL;
    g_assert_false(world_start(vm, &error));
    return error;
}

/* Destroying overtakes a start that hangs. */
static void test_kill_while_starting(void)
{
    World *world = world_new();
    g_autoptr(Vm) vm = world_define(world, "a", 1, "start-hang");
    GThread *thread = g_thread_new("start", start_thread, vm);
    while (world_id(vm) < 0 || world_processes(world) == 0)
        g_usleep(1000);
    gint64 begin = g_get_monotonic_time();
    g_assert_true(destroy(vm, NULL));
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 2 * G_USEC_PER_SEC);
    g_autoptr(GError) error = g_thread_join(thread);
    g_assert_nonnull(error);
    g_assert_cmpint(world_id(vm), ==, -1);
    g_assert_cmpuint(world_processes(world), ==, 0);
    g_assert_true(world_quiet(world));
    world_free(world);
}

static void test_graceful_refused(void)
{
    World *world = world_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Vm) vm = world_define(world, "a", 1, "kill-fail");
    g_assert_true(world_start(vm, NULL));
    g_assert_false(run_kill(vm, TRUE, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_FAILED));
    g_assert_cmpint(world_state(vm), ==, RUNS);
    g_assert_true(destroy(vm, NULL));
    world_free(world);
}

static gboolean shut_down(Vm *vm, gpointer data, GError **error)
{
    return vm->instance->driver->run->shutdown(vm->instance->self, vm, 0, error);
}

static gboolean reboot(Vm *vm, gpointer data, GError **error)
{
    return vm->instance->driver->run->reboot(vm->instance->self, vm, 0, error);
}

static void wait_for_id(Vm *vm, int id)
{
    gint64 end = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    while (world_id(vm) != id && g_get_monotonic_time() < end)
        g_usleep(1000);
    g_assert_cmpint(world_id(vm), ==, id);
}

static void test_shutdown(void)
{
    World *world = world_new();
    g_autoptr(Vm) vm = world_define(world, "a", 1, "");
    g_assert_true(world_start(vm, NULL));
    g_assert_true(world_on_queue(vm, shut_down, NULL, NULL));
    wait_for_id(vm, -1);
    g_assert_cmpint(world_state(vm), ==, OFF + VIR_DOMAIN_SHUTOFF_SHUTDOWN);
    world_expect(world, "resumed 0 a");
    world_expect(world, "started 0 a");
    world_expect(world, "shutdown 1 a");
    world_expect(world, "stopped 0 a");
    world_free(world);
}

/* on_poweroff restart: the end, then a new run. Destroying it is no reason to begin again. */
static void test_again(void)
{
    World *world = world_new();
    g_autoptr(Vm) vm = world_define(world, "a", 1, "again");
    g_assert_true(world_start(vm, NULL));
    g_assert_true(world_on_queue(vm, shut_down, NULL, NULL));
    wait_for_id(vm, 2);
    world_settle(vm);
    world_wait_processes(world, 1);
    const char *const expected[] = {"resumed 0 a", "started 0 a", "shutdown 1 a", "stopped 0 a", "resumed 0 a", "started 0 a"};
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
        world_expect(world, expected[i]);
    g_assert_true(destroy(vm, NULL));
    world_settle(vm);
    g_assert_cmpint(world_id(vm), ==, -1);
    world_free(world);
}

static void test_reboot_anew_transient(void)
{
    World *world = world_new();
    Registry *registry = world->instance->registry;
    g_autoptr(Domain) definition = world_definition(world, "t", 7, "reboot-anew");
    Vm *vm = registry_claim(registry, definition, FALSE, NULL);
    g_assert_true(world_start_as(vm, definition, FALSE, NULL));
    g_assert_true(world_on_queue(vm, reboot, NULL, NULL));
    wait_for_id(vm, 2);
    world_settle(vm);
    g_assert_false(vm->removed);
    g_assert_true(destroy(vm, NULL));
    g_assert_null(registry_find_name(registry, "t"));
    registry_release(registry, vm);
    world_free(world);
}

static gint released;

static void release(gpointer owner)
{
    g_atomic_int_inc(&released);
}

static gboolean start_owned(Vm *vm, gpointer owner, GError **error)
{
    RunStart how = RUN_START_INIT;
    how.owner = owner;
    how.owner_release = release;
    return run_start(vm, &how, error);
}

static void test_owner(void)
{
    World *world = world_new();
    int one, two;
    g_autoptr(Vm) vm = world_define(world, "a", 1, "");
    g_assert_true(world_on_queue(vm, start_owned, &one, NULL));
    run_owner_gone(vm, &two);
    g_assert_cmpint(world_state(vm), ==, RUNS);
    run_owner_gone(vm, &one);
    g_assert_cmpint(world_state(vm), ==, OFF + VIR_DOMAIN_SHUTOFF_DESTROYED);
    world_settle(vm);
    g_assert_cmpint(released, ==, 1);
    g_autoptr(Vm) failing = world_define(world, "b", 2, "start-fail");
    g_assert_false(world_on_queue(failing, start_owned, &one, NULL));
    g_assert_cmpint(released, ==, 2);
    world_free(world);
}

/* --- the next daemon --- */

static Vm *find(World *world, const char *name)
{
    return registry_find_name(world->instance->registry, name);
}

static void test_restart(void)
{
    World *world = world_new();
    Vm *vm = world_define(world, "a", 1, "");
    Vm *off = world_define(world, "off", 2, "");
    g_assert_true(world_start_as(vm, NULL, TRUE, NULL));
    vm->agent_timeout = VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_DEFAULT;
    g_assert_true(vm_taint(vm, VM_TAINT_AGENT_COMMAND));
    g_assert_false(vm_taint(vm, VM_TAINT_AGENT_COMMAND));
    g_assert_true(record_save(vm, NULL));
    vm_unref(vm);
    vm_unref(off);
    world_restart(world);
    g_autoptr(Vm) again = find(world, "a");
    g_assert_cmpint(again->agent_timeout, ==, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_DEFAULT);
    g_assert_cmpuint(again->taints, ==, VM_TAINT_AGENT_COMMAND);
    g_autoptr(Vm) still_off = find(world, "off");
    g_assert_nonnull(still_off);
    g_assert_cmpint(world_id(again), ==, 1);
    world_settle(again);
    g_assert_cmpint(world_state(again), ==, VIR_DOMAIN_PAUSED * 100 + VIR_DOMAIN_PAUSED_USER);
    g_assert_cmpuint(world_processes(world), ==, 1);
    g_assert_true(world_start(still_off, NULL));
    g_assert_cmpint(world_id(still_off), ==, 2);
    g_assert_true(destroy(again, NULL));
    world_free(world);
}

static void test_died_meanwhile(void)
{
    World *world = world_new();
    vm_unref(world_define(world, "a", 1, ""));
    Vm *vm = find(world, "a");
    g_autoptr(Domain) transient = world_definition(world, "t", 7, "");
    Vm *gone = registry_claim(world->instance->registry, transient, FALSE, NULL);
    g_assert_true(world_start(vm, NULL) && world_start_as(gone, transient, FALSE, NULL));
    registry_release(world->instance->registry, gone);
    vm_unref(vm);
    world_close(world);
    world_kill_guests(world);
    world_open(world);
    g_autoptr(Vm) again = find(world, "a");
    world_settle(again);
    g_assert_cmpint(world_state(again), ==, OFF + VIR_DOMAIN_SHUTOFF_CRASHED);
    g_assert_false(has_record(world, again));
    for (guint i = 0; i < 1000 && find(world, "t"); i++)
        g_usleep(1000);
    g_assert_null(find(world, "t"));
    world_free(world);
}

/* kill -9 while a guest started: the record says so, and what there is goes. */
static void test_half_started(void)
{
    World *world = world_new();
    Vm *vm = world_define(world, "a", 1, "");
    g_assert_true(world_start(vm, NULL));
    g_autofree char *path = g_strdup_printf("%s/domains/%s/status.xml", world->paths.run, vm->uuid_text);
    vm_unref(vm);
    world_close(world);
    g_autofree char *text = file_read(path, 1 << 20, NULL, NULL);
    char *state = strstr(text, "state='1' reason='1'");
    g_autofree char *half = g_strdup_printf("%.*sstate='3' reason='11'%s", (int)(state - text), text, state + 20);
    g_assert_true(file_replace(path, half, -1, 0600, NULL));
    world_open(world);
    g_autoptr(Vm) again = find(world, "a");
    world_settle(again);
    g_assert_cmpint(world_state(again), ==, OFF + VIR_DOMAIN_SHUTOFF_FAILED);
    g_assert_cmpuint(world_processes(world), ==, 0);
    g_assert_false(has_record(world, again));
    world_free(world);
}

static void test_broken_record(void)
{
    World *world = world_new();
    vm_unref(world_define(world, "a", 1, ""));
    world_close(world);
    g_autofree char *folder = g_build_filename(world->paths.run, "domains/11111111-2222-4333-8444-000000000001", NULL);
    g_autofree char *path = g_build_filename(folder, "status.xml", NULL);
    g_autofree char *empty = g_build_filename(world->paths.run, "domains/11111111-2222-4333-8444-000000000002", NULL);
    g_assert_true(file_make_folder(folder, 0700, NULL) && file_make_folder(empty, 0700, NULL));
    g_assert_true(file_replace(path, "<status version='1'", -1, 0600, NULL));
    world_open(world);
    g_autoptr(Vm) vm = find(world, "a");
    g_assert_cmpint(world_id(vm), ==, -1);
    g_assert_false(g_file_test(empty, G_FILE_TEST_EXISTS));
    g_assert_false(world_start(vm, NULL)); /* it may run */
    g_assert_cmpint(g_unlink(path), ==, 0); /* whoever looked has not taken it away */
    g_assert_true(world_start(vm, NULL));
    world_free(world);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/run/life", test_life);
    g_test_add_func("/run/paused", test_paused);
    g_test_add_func("/run/start-fails", test_start_fails);
    g_test_add_func("/run/start-fails-and-stays", test_start_fails_and_stays);
    g_test_add_func("/run/lost-and-stays", test_lost_and_stays);
    g_test_add_func("/run/late-end", test_late_end);
    g_test_add_func("/run/crash", test_crash);
    g_test_add_func("/run/transient", test_transient);
    g_test_add_func("/run/transient-fails", test_transient_fails);
    g_test_add_func("/run/transient-over-persistent", test_transient_over_persistent);
    g_test_add_func("/run/kill-while-starting", test_kill_while_starting);
    g_test_add_func("/run/graceful-refused", test_graceful_refused);
    g_test_add_func("/run/shutdown", test_shutdown);
    g_test_add_func("/run/again", test_again);
    g_test_add_func("/run/reboot-anew-transient", test_reboot_anew_transient);
    g_test_add_func("/run/owner", test_owner);
    g_test_add_func("/run/restart", test_restart);
    g_test_add_func("/run/died-meanwhile", test_died_meanwhile);
    g_test_add_func("/run/half-started", test_half_started);
    g_test_add_func("/run/broken-record", test_broken_record);
    return g_test_run();
}
