/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/daemon/core/world.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/event.h"
#include "daemon/core/run.h"
#include "daemon/core/store.h"
#include "daemon/core/vm-document.h"
#include "lib/file.h"

#define PATIENCE (10 * G_USEC_PER_SEC)

static const char *no_config(const char *driver, const char *key)
{
    return NULL;
}

static void on_event(const EventSource *source, const VmEvent *event, gpointer data)
{
    static const char *const names[] = {"defined", "undefined", "started", "suspended", "resumed", "stopped", "shutdown"};
    char *text = g_strdup_printf("%s %d %s", names[event->lifecycle.event], event->lifecycle.detail, source->name);
    g_async_queue_push(data, text);
}

void world_open(World *world)
{
    g_autoptr(GError) error = NULL;
    CoreOptions options = {.paths = world->paths, .config = no_config, .driver_path = FAKE_DRIVER_FOLDER};
    world->loop = options.loop = loop_new("event", &error);
    g_assert_no_error(error);
    loop_start(world->loop, &error);
    event_open(world->loop);
    world->core = core_open(&options, &error);
    g_assert_no_error(error);
    world->instance = loader_find(core_loader(world->core), "fake");
    g_assert_nonnull(world->instance);
    world->subscription =
        event_subscribe(world->instance, VIR_DOMAIN_EVENT_ID_LIFECYCLE, NULL, on_event, world->events, NULL);
    core_start(world->core);
}

void world_close(World *world)
{
    core_close(g_steal_pointer(&world->core));
    loop_free(g_steal_pointer(&world->loop));
    event_unsubscribe(world->subscription);
}

void world_restart(World *world)
{
    world_close(world);
    world_open(world);
}

World *world_new(void)
{
    World *world = g_new0(World, 1);
    world->events = g_async_queue_new_full(g_free);
    world->root = g_dir_make_tmp("duovirt-core-XXXXXX", NULL);
    world->paths.run = g_build_filename(world->root, "run", NULL);
    world->paths.state = g_build_filename(world->root, "state", NULL);
    world->paths.cache = g_build_filename(world->root, "cache", NULL);
    world->paths.log = g_build_filename(world->root, "log", NULL);
    world_open(world);
    return world;
}

/* Processes of ours by their environment, as the fake driver finds them. */
static guint each_process(World *world, int signal)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    g_autofree char *mark = g_strdup_printf("DUOVIRT_FAKE_GUEST=%s/", world->paths.run);
    const char *name;
    guint n = 0;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_strdup_printf("/proc/%s/environ", name);
        g_autofree char *text = g_ascii_isdigit(name[0]) ? file_read(path, 65536, NULL, NULL) : NULL;
        if (!text || !g_str_has_prefix(text, mark))
            continue;
        n++;
        if (signal)
            kill(atoi(name), signal);
    }
    return n;
}

guint world_processes(World *world)
{
    return each_process(world, 0);
}

void world_wait_processes(World *world, guint n)
{
    gint64 end = g_get_monotonic_time() + PATIENCE;
    while (world_processes(world) != n && g_get_monotonic_time() < end)
        g_usleep(10000);
    g_assert_cmpuint(world_processes(world), ==, n);
}

void world_kill_guests(World *world)
{
    each_process(world, SIGKILL);
    world_wait_processes(world, 0);
}

void world_free(World *world)
{
    world_close(world);
    each_process(world, SIGKILL);
    const char *rm[] = {"/bin/rm", "-rf", world->root, NULL};
    g_spawn_sync(NULL, (char **)rm, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL, NULL);
    g_async_queue_unref(world->events);
    g_free((char *)world->paths.run);
    g_free((char *)world->paths.state);
    g_free((char *)world->paths.cache);
    g_free((char *)world->paths.log);
    g_free(world->root);
    g_free(world);
}

char *world_event(World *world)
{
    char *text = g_async_queue_timeout_pop(world->events, PATIENCE);
    return text ? text : g_strdup("nothing");
}

gboolean world_quiet(World *world)
{
    g_autofree char *text = g_async_queue_timeout_pop(world->events, G_USEC_PER_SEC / 10);
    return text == NULL;
}

Domain *world_definition(World *world, const char *name, guint last, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = g_strdup_printf(
        "<domain type='test'><name>%s</name><uuid>11111111-2222-4333-8444-0000000000%02x</uuid>"
        "<description>%s</description><memory unit='KiB'>65536</memory><os><type arch='x86_64'>hvm</type></os>%s</domain>",
        name, last, words, strstr(words, "again") ? "<on_poweroff>restart</on_poweroff>" : "");
    Domain *definition = vm_document_read(world->instance, xml, FALSE, &error);
    g_assert_no_error(error);
    return definition;
}

typedef struct {
    Vm *vm;
    WorldOp op;
    gpointer data;
    gboolean ok;
    GError *error;
} Turn;

static void take_turn(gpointer data)
{
    Turn *turn = data;
    turn->ok = turn->op(turn->vm, turn->data, &turn->error);
}

gboolean world_on_queue(Vm *vm, WorldOp op, gpointer data, GError **error)
{
    Turn turn = {vm, op, data, FALSE, NULL};
    if (!queue_run(vm->queue, take_turn, &turn, error))
        return FALSE;
    if (turn.error)
        g_propagate_error(error, turn.error);
    return turn.ok;
}

static gboolean define_op(Vm *vm, gpointer data, GError **error)
{
    if (!store_save(vm, data, error))
        return FALSE;
    vm_publish_next(vm, domain_ref(data));
    registry_list(vm->instance->registry, vm);
    return TRUE;
}

Vm *world_define(World *world, const char *name, guint last, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Domain) definition = world_definition(world, name, last, words);
    Vm *vm = registry_claim(world->instance->registry, definition, TRUE, &error);
    g_assert_no_error(error);
    g_assert_true(world_on_queue(vm, define_op, definition, &error));
    vm_ref(vm);
    registry_release(world->instance->registry, vm);
    return vm;
}

static gboolean nothing(Vm *vm, gpointer data, GError **error)
{
    return TRUE;
}

static gboolean is_between(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    gboolean between = vm->phase == VM_ENDING || vm->phase == VM_ENDED;
    g_mutex_unlock(&vm->lock);
    return between;
}

void world_settle(Vm *vm)
{
    gint64 end = g_get_monotonic_time() + PATIENCE;
    do
        g_assert_true(world_on_queue(vm, nothing, NULL, NULL));
    while (is_between(vm) && g_get_monotonic_time() < end);
}

static gboolean start_op(Vm *vm, gpointer data, GError **error)
{
    return run_start(vm, data, error);
}

gboolean world_start_as(Vm *vm, Domain *definition, gboolean paused, GError **error)
{
    RunStart how = RUN_START_INIT;
    how.definition = definition;
    how.paused = paused;
    return world_on_queue(vm, start_op, &how, error);
}

gboolean world_start(Vm *vm, GError **error)
{
    return world_start_as(vm, NULL, FALSE, error);
}

int world_id(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);
    return view->id;
}

int world_state(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);
    return view->state * 100 + view->reason;
}
