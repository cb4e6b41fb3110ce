/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: a domain comes back from a file. */
#include "daemon/core/saved-run.h"
#include "daemon/core/vm-ops.h"
#include "daemon/core/vm-save.h"

static gboolean restore(Call *call, const char *path, const char *new_xml, guint flags, GError **error)
{
    gboolean bypass_cache = flags & VIR_DOMAIN_SAVE_BYPASS_CACHE;
    RunStart how = RUN_START_INIT;
    if (!vm_save_check_flags(flags, error))
        return FALSE;
    g_autoptr(SavedRun) saved = saved_run_open(call->instance, path, new_xml, bypass_cache, error);
    if (!saved)
        return FALSE;
    saved_run_apply(saved, &how);
    gboolean paused = flags & VM_SAVE_STATE_FLAGS ? (flags & VIR_DOMAIN_SAVE_PAUSED) != 0 : how.paused;
    guint start = (paused ? VIR_DOMAIN_START_PAUSED : 0) | (flags & VIR_DOMAIN_SAVE_RESET_NVRAM ? VIR_DOMAIN_START_RESET_NVRAM : 0);
    return ops_create(call, &how, start, NULL, error);
}

gboolean remote_domain_restore(Call *call, const RemoteDomainRestoreArgs *args, GError **error)
{
    return restore(call, args->from, NULL, 0, error);
}

gboolean remote_domain_restore_flags(Call *call, const RemoteDomainRestoreFlagsArgs *args, GError **error)
{
    return restore(call, args->from, args->dxml, args->flags, error);
}

gboolean remote_domain_restore_params(Call *call, const RemoteDomainRestoreParamsArgs *args, GError **error)
{
    const char *path, *new_xml;
    return vm_save_params(args->params, args->n_params, &path, &new_xml, error) &&
           restore(call, path, new_xml, args->flags, error);
}
