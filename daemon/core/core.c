/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/core.h"

#include "daemon/core/autostart.h"
#include "daemon/core/event.h"
#include "daemon/core/reconnect.h"
#include "daemon/core/record.h"
#include "daemon/core/registry.h"
#include "daemon/core/store.h"
#include "lib/file.h"

struct Core {
    CoreOptions options;
    Loader *loader;
    Autostart *autostart;
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
    core->options = *options; /* what keeps a pointer to the paths keeps it to these */
    if (!make_folders(&core->options.paths, error)) {
        g_free(core);
        return NULL;
    }
    event_open(options->loop);
    const DriverHost *host = host_open(&core->options.paths, options->loop, options->config);
    core->loader = loader_open(host, options->driver_path);
    if (open_instances(core, error))
        return core;
    core_close(core);
    return NULL;
}

void core_start(Core *core)
{
    core->autostart = autostart_begin(AUTOSTART_BOOT, core->loader, &core->options.paths, &core->options.rules);
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
