/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Xen driver's entry. So far it finds the hypervisor and tells its version; it says of everything in a guest's life
 * that it cannot do that yet, and so takes no definitions either.
 */
#include <libxl.h>
#include <syslog.h>

#include "driver-xen/presence.h"
#include "lib/driver/driver.h"
#include "lib/error.h"

__attribute__((visibility("default"))) extern const Driver DRIVER_ENTRY;

typedef struct {
    xentoollog_logger logger; /* first: libxl hands it back */
    const DriverHost *host;
    libxl_ctx *context;
} Xen;

static void log_message(xentoollog_logger *logger, xentoollog_level level, int errnum, const char *context,
                        const char *format, va_list args)
{
    Xen *xen = (Xen *)logger;
    if (level < XTL_WARN)
        return;
    g_autofree char *message = g_strdup_vprintf(format, args);
    g_autofree char *line = g_strdup_printf("%s: %s%s%s", context ? context : "libxl", message, errnum > 0 ? ": " : "",
                                            errnum > 0 ? g_strerror(errnum) : "");
    xen->host->log(NULL, level >= XTL_ERROR ? LOG_ERR : LOG_WARNING, line);
}

static void xen_close(gpointer self)
{
    Xen *xen = self;
    libxl_ctx_free(xen->context);
    g_free(xen);
}

static gpointer xen_open(const DriverHost *host, GError **error)
{
    if (!presence_check("", error))
        return NULL;
    Xen *xen = g_new0(Xen, 1);
    xen->logger.vmessage = log_message;
    xen->host = host;
    if (libxl_ctx_alloc(&xen->context, LIBXL_VERSION, 0, &xen->logger) != 0) {
        error_set(error, VIR_FROM_LIBXL, VIR_ERR_CONFIG_UNSUPPORTED,
                  "no Xen here: libxl cannot reach the hypervisor (is xenstored running?)");
        g_free(xen);
        return NULL;
    }
    return xen;
}

static gboolean xen_version(gpointer self, guint64 *ret_version, GError **error)
{
    Xen *xen = self;
    const libxl_version_info *info = libxl_get_version_info(xen->context);
    if (!info)
        return error_set(error, VIR_FROM_LIBXL, VIR_ERR_INTERNAL_ERROR, "cannot get version info from libxenlight");
    *ret_version = info->xen_version_major * 1000000ull + info->xen_version_minor * 1000ull;
    return TRUE;
}

static gboolean cannot_yet(GError **error, const char *what)
{
    return error_set(error, VIR_FROM_LIBXL, VIR_ERR_NO_SUPPORT, "the Xen driver cannot %s yet", what);
}

static gboolean xen_complete(gpointer self, Domain *def, DriverComplete when, GError **error)
{
    return cannot_yet(error, "take definitions");
}

static gboolean xen_start(gpointer self, Vm *vm, const DriverStart *options, GError **error)
{
    return cannot_yet(error, "start guests");
}

/* No guest of this driver can be running, so there is nothing to end, to release or to find again. */
static gboolean xen_kill(gpointer self, Vm *vm, gboolean graceful, GError **error)
{
    return TRUE;
}

static void xen_cleanup(gpointer self, Vm *vm)
{
}

static gboolean xen_reconnect(gpointer self, Vm *vm, GHashTable *status, GError **error)
{
    return cannot_yet(error, "adopt guests");
}

static const char *const domain_types[] = {"xen", NULL};

static const DriverNodeOps node_ops = {.version = xen_version};
static const DriverDefinitionOps definition_ops = {.complete = xen_complete};
static const DriverRunOps run_ops = {
    .start = xen_start,
    .kill = xen_kill,
    .cleanup = xen_cleanup,
    .reconnect = xen_reconnect,
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
};
