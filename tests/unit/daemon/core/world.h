/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A core with the fake driver, in a folder of its own. */
#include "daemon/core/core.h"
#include "daemon/core/registry.h"

typedef struct {
    char *root;
    DriverPaths paths;
    Loop *loop;
    Core *core;
    const DriverInstance *instance;
    GAsyncQueue *events; /* lines as "started 0 a" */
    int subscription;
} World;

World *world_new(void);
void world_free(World *world); /* kills the guests */

/* The daemon ends, and another begins: guests stay. */
void world_close(World *world);
void world_open(World *world);
void world_restart(World *world);

/* Takes the next life-cycle event, as "event detail name"; waits for it at most 10 s. To free. */
char *world_event(World *world);
#define world_expect(world, text)                                                                                      \
    do {                                                                                                               \
        g_autofree char *event_ = world_event(world);                                                                  \
        g_assert_cmpstr(event_, ==, text);                                                                             \
    } while (0)
gboolean world_quiet(World *world); /* nothing comes within 100 ms */

/* A definition named NAME with the last octet LAST in its UUID and words for the fake driver. */
Domain *world_definition(World *world, const char *name, guint last, const char *words);
/* Defines it; a new reference. */
Vm *world_define(World *world, const char *name, guint last, const char *words);

/* Runs FN(vm, DATA) on VM's queue and waits. */
typedef gboolean (*WorldOp)(Vm *vm, gpointer data, GError **error);
gboolean world_on_queue(Vm *vm, WorldOp op, gpointer data, GError **error);
gboolean world_start(Vm *vm, GError **error);
void world_settle(Vm *vm); /* what has been queued so far is done, and what an end leaves to do */
gboolean world_start_as(Vm *vm, Domain *definition, gboolean paused, GError **error);

int world_id(Vm *vm);    /* -1: inactive */
int world_state(Vm *vm); /* state * 100 + reason */
/* Number of the fake guests' processes that belong to this world. */
guint world_processes(World *world);
void world_wait_processes(World *world, guint n);
void world_kill_guests(World *world);
