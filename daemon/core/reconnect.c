/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/reconnect.h"

#include "daemon/core/managed-save.h"
#include "daemon/core/record.h"
#include "daemon/core/registry.h"
#include "daemon/core/run.h"
#include "daemon/core/store.h"
#include "lib/file.h"
#include "lib/log.h"

typedef struct {
    gboolean autostart, managed_save;
} Marks;

static void change_marks(VmView *view, gpointer data)
{
    const Marks *marks = data;
    view->autostart = marks->autostart;
    view->managed_save = marks->managed_save;
}

static void found_definition(const DriverInstance *instance, Domain *taken, gboolean autostart, gboolean managed_save)
{
    g_autoptr(Domain) definition = taken;
    g_autoptr(GError) error = NULL;
    Marks marks = {autostart, managed_save};
    Vm *vm = registry_claim(instance->registry, definition, TRUE, &error);
    if (!vm) {
        log_line(LOG_ERR, "a definition is left out: %s", error->message);
        return;
    }
    vm_publish(vm, change_marks, &marks);
    registry_list(instance->registry, vm);
    registry_release(instance->registry, vm);
}

/* Whether the domain is persistent is what the definitions say, which were read first: a kill may have come between a
 * change there and the next write of the record. */
static void found_record(const DriverInstance *instance, Status *taken)
{
    g_autoptr(Status) status = taken;
    g_autoptr(GError) error = NULL;
    Vm *vm = registry_claim(instance->registry, status->domain, FALSE, &error);
    if (!vm) {
        log_line(LOG_ERR, "a running guest is left alone: %s", error->message);
        return;
    }
    run_adopt(vm, status);
    registry_release(instance->registry, vm);
}

void reconnect_load(const DriverInstance *instance)
{
    store_load(instance, found_definition);
    record_load(instance, found_record);
}

typedef struct {
    gint left; /* atomic; of the domains that are to be started, and one for the loop over them */
    char *mark;
} Autostart;

typedef struct {
    Vm *vm;
    Autostart *all;
} AutostartOne;

/* The mark comes last: a kill in between lets the next daemon start the rest. */
static void one_done(Autostart *all)
{
    g_autoptr(GError) error = NULL;
    if (!g_atomic_int_dec_and_test(&all->left))
        return;
    if (!file_replace_volatile(all->mark, "", 0, 0600, &error))
        log_line(LOG_ERR, "%s", error->message);
    g_free(all->mark);
    g_free(all);
}

static gboolean start_how(Vm *vm, RunStart *how, gpointer data, GError **error)
{
    return run_start(vm, how, error);
}

static gboolean start_fresh(Vm *vm, GError **error)
{
    RunStart how = RUN_START_INIT;
    return run_start(vm, &how, error);
}

static gboolean start_or_go_on(Vm *vm, const VmView *view, GError **error)
{
    return view->managed_save ? managed_save_start(vm, FALSE, start_how, NULL, error) : start_fresh(vm, error);
}

static void start_one(gpointer data)
{
    AutostartOne *one = data;
    g_autoptr(Vm) vm = one->vm;
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(GError) error = NULL;
    if (view->id < 0 && view->next && !start_or_go_on(vm, view, &error))
        vm_log(vm, LOG_ERR, "it cannot be started with the host: %s", error->message);
    one_done(one->all);
    g_free(one);
}

static void queue_one(Vm *vm, Autostart *all)
{
    g_autoptr(GError) error = NULL;
    AutostartOne *one = g_new(AutostartOne, 1);
    *one = (AutostartOne){vm_ref(vm), all};
    g_atomic_int_inc(&all->left);
    if (queue_push(vm->queue, start_one, one, &error))
        return;
    vm_log(vm, LOG_ERR, "it cannot be started with the host: %s", error->message);
    vm_unref(vm);
    g_free(one);
    one_done(all);
}

void reconnect_autostart(const DriverInstance *instance, const DriverPaths *paths)
{
    g_autofree char *mark = g_strdup_printf("%s/autostarted-%s", paths->run, instance->driver->name);
    if (g_file_test(mark, G_FILE_TEST_EXISTS))
        return;
    Autostart *all = g_new(Autostart, 1);
    *all = (Autostart){1, g_steal_pointer(&mark)};
    g_autoptr(GPtrArray) domains = registry_domains(instance->registry);
    for (guint i = 0; i < domains->len; i++) {
        g_autoptr(VmView) view = vm_view(domains->pdata[i]);
        if (view->autostart)
            queue_one(domains->pdata[i], all);
    }
    one_done(all);
}
