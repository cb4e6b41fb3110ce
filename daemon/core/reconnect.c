/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/reconnect.h"

#include "daemon/core/host-domain.h"
#include "daemon/core/record.h"
#include "daemon/core/registry.h"
#include "daemon/core/run.h"
#include "daemon/core/store.h"
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
    host_domain_adopt(instance);
}
