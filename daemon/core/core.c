/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/core.h"

#include "daemon/core/autostart.h"
#include "daemon/core/event.h"
#include "daemon/core/hook.h"
#include "daemon/core/host-journal.h"
#include "daemon/core/host-stop.h"
#include "daemon/core/reconnect.h"
#include "daemon/core/record.h"
#include "daemon/core/registry.h"
#include "daemon/core/store.h"
#include "daemon/secret/secrets.h"
#include "daemon/storage/storage.h"
#include "lib/file.h"

struct Core {
    CoreOptions options;
    Loader *loader;
    GMutex lock; /* all below; held while the host's end or its making up begins or goes on */
    Autostart *autostart;
    gboolean stopped; /* for the end of the host */
};

static gboolean make_folders(const DriverPaths *paths, GError **error)
{
    return file_make_folder(paths->run, 0755, error) && file_make_folder(paths->state, 0755, error) &&
           file_make_folder(paths->cache, 0755, error) && file_make_folder(paths->log, 0755, error) &&
           record_open(paths, error);
}

static gboolean open_instances(Core *core, GError **error)
{
    for (const DriverInstance *const *one = loader_all(core->loader); *one; one++) {
        if (!store_open(&core->options.paths, *one, error))
            return FALSE;
        reconnect_load(*one);
    }
    return TRUE;
}

Core *core_open(const CoreOptions *options, GError **error)
{
    Core *core = g_new0(Core, 1);
    g_mutex_init(&core->lock);
    core->options = *options; /* what keeps a pointer to the paths keeps it to these */
    if (!make_folders(&core->options.paths, error)) {
        g_mutex_clear(&core->lock);
        g_free(core);
        return NULL;
    }
    event_open(options->loop);
    hook_open(options->hooks, options->hook_timeout);
    const DriverHost *host = host_open(&core->options.paths, options->loop, options->config);
    core->loader = loader_open(host, options->driver_path);
    if (secrets_open(&core->options.paths, error) && storage_open(&core->options.paths, error) && open_instances(core, error))
        return core;
    core_close(core);
    return NULL;
}

void core_start(Core *core)
{
    storage_start(); /* guests may lie in what starts */
    core->autostart = autostart_begin(AUTOSTART_BOOT, core->loader, &core->options.paths, &core->options.rules);
}

gboolean core_stop_guests(Core *core, const HostRules *rules, guint64 budget)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)budget;

    g_mutex_lock(&core->lock);
    gboolean now = !core->stopped;
    core->stopped = TRUE;
    if (now) {
        g_clear_pointer(&core->autostart, autostart_free);
        host_stop(core->loader, &core->options.paths, rules, deadline);
    }
    g_mutex_unlock(&core->lock);
    return now;
}

void core_resume_guests(Core *core)
{
    g_mutex_lock(&core->lock);
    core->stopped = FALSE;
    g_clear_pointer(&core->autostart, autostart_free);
    core->autostart = autostart_begin(AUTOSTART_RESUME, core->loader, &core->options.paths, &core->options.rules);
    g_mutex_unlock(&core->lock);
}

gboolean core_has_stopped_guests(Core *core)
{
    return host_journal_exists(&core->options.paths) && autostart_was_done(&core->options.paths);
}

void core_close(Core *core)
{
    if (!core)
        return;
    autostart_free(core->autostart);
    queue_drain();
    host_shut();
    queue_drain(); /* what the event loop has seen between the two */
    loader_free(core->loader);
    g_mutex_clear(&core->lock);
    g_free(core);
}

static gboolean runs(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);

    return view->id >= 0;
}

gboolean core_is_idle(Core *core)
{
    for (const DriverInstance *const *one = loader_all(core->loader); *one; one++) {
        g_autoptr(GPtrArray) domains = registry_domains((*one)->registry);
        for (guint i = 0; i < domains->len; i++) {
            if (runs(domains->pdata[i]))
                return FALSE;
        }
    }
    return TRUE;
}

Loader *core_loader(Core *core)
{
    return core->loader;
}
