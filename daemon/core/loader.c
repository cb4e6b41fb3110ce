/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/loader.h"

#include <gmodule.h>
#include <string.h>

#include "daemon/core/core-config.h"
#include "daemon/core/place.h"
#include "daemon/core/registry.h"
#include "lib/log.h"

#define PREFIX "duovirt-driver-"
#define SUFFIX ".so"

struct Loader {
    const DriverHost *host;
    GPtrArray *instances; /* of DriverInstance, NULL terminated */
    GPtrArray *left_out;  /* of LeftOut */
};

typedef struct {
    const Driver *driver;
    char *why;
} LeftOut;

const DriverInstance *const *loader_all(const Loader *loader)
{
    return (const DriverInstance *const *)loader->instances->pdata;
}

const DriverInstance *loader_find(const Loader *loader, const char *scheme)
{
    for (const DriverInstance *const *one = loader_all(loader); *one; one++)
        if (g_str_equal((*one)->driver->scheme, scheme))
            return *one;
    return NULL;
}

const char *loader_why_not(const Loader *loader, const char *scheme)
{
    for (guint i = 0; i < loader->left_out->len; i++) {
        const LeftOut *one = loader->left_out->pdata[i];
        if (g_str_equal(one->driver->scheme, scheme))
            return one->why;
    }
    return NULL;
}

const Driver *loader_driver(const Loader *loader, const char *name)
{
    for (const DriverInstance *const *one = loader_all(loader); *one; one++)
        if (g_str_equal((*one)->driver->name, name))
            return (*one)->driver;
    for (guint i = 0; i < loader->left_out->len; i++) {
        const Driver *driver = ((const LeftOut *)loader->left_out->pdata[i])->driver;
        if (g_str_equal(driver->name, name))
            return driver;
    }
    return NULL;
}

static void left_out_free(gpointer data)
{
    LeftOut *one = data;
    g_free(one->why);
    g_free(one);
}

static void leave_out(Loader *loader, const Driver *driver, const char *why)
{
    LeftOut *one = g_new0(LeftOut, 1);
    one->driver = driver;
    one->why = g_strdup(why);
    g_ptr_array_add(loader->left_out, one);
}

static const char *first_missing(const Driver *driver)
{
    const struct {
        const char *name;
        gboolean there;
    } slots[] = {
        {"open", driver->open != NULL},
        {"close", driver->close != NULL},
        {"definition", driver->definition && driver->definition->complete},
        {"start", driver->run && driver->run->start},
        {"kill", driver->run && driver->run->kill},
        {"cleanup", driver->run && driver->run->cleanup},
        {"reconnect", driver->run && driver->run->reconnect},
    };
    for (guint i = 0; i < G_N_ELEMENTS(slots); i++)
        if (!slots[i].there)
            return slots[i].name;
    return NULL;
}

static gboolean check(const Loader *loader, const Driver *driver, GError **error)
{
    if (!driver->build || !g_str_equal(driver->build, DRIVER_BUILD))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "it belongs to build %s and this is %s",
                         driver->build ? driver->build : "(none)", DRIVER_BUILD);
    const char *missing = first_missing(driver);
    if (missing)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "it has no %s", missing);
    if (loader_find(loader, driver->scheme))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "another driver has its scheme %s", driver->scheme);
    return TRUE;
}

static gboolean add(Loader *loader, const Driver *driver, GError **error)
{
    if (!check(loader, driver, error))
        return FALSE;
    g_autoptr(GError) cause = NULL;
    gpointer self = driver->open(loader->host, &cause);
    if (!self) {
        leave_out(loader, driver, cause->message);
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
    }
    DriverInstance *instance = g_new0(DriverInstance, 1);
    instance->driver = driver;
    instance->self = self;
    instance->from = driver->error_domain;
    instance->registry = registry_new(instance);
    g_ptr_array_insert(loader->instances, (int)loader->instances->len - 1, instance);
    return TRUE;
}

/* A module that was opened once stays: its code may be on some thread's stack until the process ends. */
static gboolean open_module(Loader *loader, const char *path, GError **error)
{
    gpointer entry = NULL;
    GModule *module = g_module_open(path, G_MODULE_BIND_LOCAL);
    if (!module)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "%s", g_module_error());
    g_module_make_resident(module);
    if (!g_module_symbol(module, DRIVER_ENTRY_NAME, &entry) || !entry)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "it has no symbol %s", DRIVER_ENTRY_NAME);
    return add(loader, entry, error);
}

static void load(Loader *loader, const char *path)
{
    g_autoptr(GError) error = NULL;
    if (open_module(loader, path, &error))
        log_line(LOG_INFO, "driver %s is there", path);
    else
        log_line(LOG_NOTICE, "driver %s is left out: %s", path, error->message);
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void load_folder(Loader *loader, const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_prefix(name, PREFIX) && g_str_has_suffix(name, SUFFIX))
            g_ptr_array_add(names, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(names, by_name);
    for (guint i = 0; i < names->len; i++)
        load(loader, names->pdata[i]);
}

static char *usual_path(void)
{
    g_autofree char *kvm = place_of("driver-kvm", DRIVER_FOLDER);
    g_autofree char *xen = place_of("driver-xen", DRIVER_FOLDER);
    return g_str_equal(kvm, xen) ? g_steal_pointer(&kvm) : g_strdup_printf("%s:%s", kvm, xen);
}

Loader *loader_open(const DriverHost *host, const char *path)
{
    g_autofree char *usual = usual_path();
    g_auto(GStrv) folders = g_strsplit(path ? path : usual, ":", -1);
    Loader *loader = g_new0(Loader, 1);
    loader->host = host;
    loader->instances = g_ptr_array_new();
    g_ptr_array_add(loader->instances, NULL);
    loader->left_out = g_ptr_array_new_with_free_func(left_out_free);
    for (char **folder = folders; *folder; folder++)
        load_folder(loader, *folder);
    return loader;
}

static void close_instance(DriverInstance *instance)
{
    registry_free(instance->registry); /* with the driver's data of each run */
    instance->driver->close(instance->self);
    g_free(instance);
}

void loader_free(Loader *loader)
{
    if (!loader)
        return;
    for (guint i = 0; i + 1 < loader->instances->len; i++)
        close_instance(loader->instances->pdata[i]);
    g_ptr_array_unref(loader->instances);
    g_ptr_array_unref(loader->left_out);
    g_free(loader);
}
