/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host-domain.h"

#include "daemon/core/registry.h"
#include "daemon/core/run-parts.h"
#include "lib/log.h"

static void change_begin(VmView *view, gpointer data)
{
    Domain *definition = data;
    domain_unref(view->live);
    domain_unref(view->next);
    view->live = domain_ref(definition);
    view->next = domain_ref(definition);
    view->id = definition->id;
    view->run = run_new_number();
    view->state = VIR_DOMAIN_RUNNING;
    view->reason = VIR_DOMAIN_RUNNING_BOOTED;
    view->state_since = g_get_real_time();
}

static gboolean adopt(const DriverInstance *instance, Vm *vm, Domain *definition, GError **error)
{
    Registry *registry = instance->registry;
    g_autoptr(GHashTable) status = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    vm->host = TRUE;
    registry_hold(registry, vm);
    registry_adopt_id(registry, vm, definition->id);
    vm_publish(vm, change_begin, definition);
    registry_list(registry, vm);
    instance->driver->run->status(instance->self, vm, status);
    if (!instance->driver->run->reconnect(instance->self, vm, status, error))
        return FALSE;
    run_become_running(vm);
    return TRUE;
}

void host_domain_adopt(const DriverInstance *instance)
{
    const DriverRunOps *ops = instance->driver->run;
    g_autoptr(GError) error = NULL;
    g_autoptr(Domain) definition = ops->host_domain ? ops->host_domain(instance->self, &error) : NULL;
    Vm *vm = definition ? registry_claim(instance->registry, definition, TRUE, &error) : NULL;
    if (vm) {
        adopt(instance, vm, definition, &error);
        registry_release(instance->registry, vm);
    }
    if (error)
        log_line(LOG_ERR, "the host's own domain is not shown: %s", error->message);
}
