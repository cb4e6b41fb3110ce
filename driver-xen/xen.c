/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Xen driver's entry. Guests are the hypervisor's: there is no process to look after, and what became of a guest is asked of
 * Xen. Each operation has a libxl context of its own (context.h); one more sees domains end (watch.h).
 */
#include "driver-xen/xen.h"

#include "driver-xen/complete.h"
#include "driver-xen/console.h"
#include "driver-xen/node.h"
#include "driver-xen/plug.h"
#include "driver-xen/presence.h"
#include "driver-xen/resize.h"
#include "driver-xen/run.h"
#include "driver-xen/save.h"
#include "driver-xen/stats.h"
#include "driver-xen/tuning.h"
#include "driver-xen/xl-config.h"

__attribute__((visibility("default"))) extern const Driver DRIVER_ENTRY;

static void xen_close(gpointer self)
{
    Xen *xen = self;

    watch_free(xen->watch);
    g_mutex_clear(&xen->lock);
    g_free(xen);
}

static gpointer xen_open(const DriverHost *host, GError **error)
{
    if (!presence_check("", error))
        return NULL;
    Watch *watch = watch_new(host, error);
    if (!watch)
        return NULL;
    Xen *xen = g_new0(Xen, 1);
    xen->host = host;
    xen->watch = watch;
    g_mutex_init(&xen->lock);
    return xen;
}

static gboolean xen_complete(gpointer self, Domain *def, DriverComplete when, GError **error)
{
    return when == DRIVER_COMPLETE_START ? complete_start(def, error) : complete_definition(def, error);
}

static const char *const domain_types[] = {"xen", NULL};
static const char *const native_formats[] = {"xen-xl", "xen-xm", NULL};

static XlConfigFormat format_of(const char *name)
{
    return g_str_equal(name, "xen-xm") ? XL_CONFIG_XM : XL_CONFIG_XL;
}

static char *xen_to_native(gpointer self, const char *format, const Domain *def, GError **error)
{
    return xl_config_format(def, format_of(format), error);
}

static char *xen_from_native(gpointer self, const char *format, const char *text, GError **error)
{
    return xl_config_parse(text, format_of(format), error);
}

static const DriverDefinitionOps definition_ops = {
    .complete = xen_complete,
    .native_formats = native_formats,
    .to_native = xen_to_native,
    .from_native = xen_from_native,
};

const Driver DRIVER_ENTRY = {
    .build = DRIVER_BUILD,
    .name = "xen",
    .scheme = "xen",
    .type = "Xen",
    .domain_types = domain_types,
    .error_domain = VIR_FROM_LIBXL,
    .open = xen_open,
    .close = xen_close,
    .node = &node_ops,
    .definition = &definition_ops,
    .run = &run_ops,
    .save = &save_ops,
    .stats = &stats_ops,
    .resize = &resize_ops,
    .tuning = &tuning_ops,
    .scheduler = &scheduler_ops,
    .chardev = &chardev_ops,
    .device = &device_ops,
};
