/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handler: what becomes of a domain whose guest powers off, reboots or crashes. */
#include "daemon/core/vm-ops.h"
#include "lib/error.h"

G_STATIC_ASSERT(LIFECYCLE_DESTROY == VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY + 1 &&
                LIFECYCLE_PRESERVE == VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE + 1 &&
                CRASH_ACTION_DESTROY == VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY + 1 &&
                CRASH_ACTION_COREDUMP_RESTART == VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART + 1);

static gboolean edit(Domain *def, gpointer data, GError **error)
{
    const RemoteDomainSetLifecycleActionArgs *args = data;

    if (args->type == VIR_DOMAIN_LIFECYCLE_POWEROFF)
        def->on_poweroff = args->action + 1;
    else if (args->type == VIR_DOMAIN_LIFECYCLE_REBOOT)
        def->on_reboot = args->action + 1;
    else
        def->on_crash = args->action + 1;
    return TRUE;
}

static gboolean check(const RemoteDomainSetLifecycleActionArgs *args, GError **error)
{
    static const char *const names[] = {"poweroff", "reboot", "crash"};

    if (args->type > VIR_DOMAIN_LIFECYCLE_CRASH)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "invalid lifecycle type '%u'", args->type);
    if (args->action > VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "invalid lifecycle action '%u'", args->action);
    return args->type == VIR_DOMAIN_LIFECYCLE_CRASH || args->action <= VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE ||
           error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "Lifecycle event '%s' doesn't support '%s' action",
                     names[args->type], crash_action_to_string(args->action + 1));
}

/* Tells the driver what DEF is to say; with LIVE it takes effect. */
static gboolean tell(Vm *vm, const Domain *def, const RemoteDomainSetLifecycleActionArgs *args, gboolean live, GError **error)
{
    g_autoptr(Domain) changed = domain_copy(def);

    return edit(changed, (gpointer)args, error) &&
           vm->instance->driver->run->set_actions(vm->instance->self, vm, changed, live, error);
}

gboolean remote_domain_set_lifecycle_action(Call *call, const RemoteDomainSetLifecycleActionArgs *args, GError **error)
{
    Vm *vm = call->vm;
    g_autoptr(VmView) view = vm_view(vm);
    OpsAffect affect;

    if (!vm->instance->driver->run->set_actions)
        return ops_not_offered(call, error);
    if (!vm_check_present(vm, error) || !ops_affect(vm, view, args->flags, &affect, error) || !check(args, error))
        return FALSE;
    return (!affect.config || tell(vm, view->next, args, FALSE, error)) &&
           (!affect.live || (vm_check_monitor(vm, error) && tell(vm, view->live, args, TRUE, error))) &&
           ops_edit(vm, affect, edit, (gpointer)args, error);
}
