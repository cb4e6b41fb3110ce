/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers: definitions and runs of pools. Each enters its pool, on a thread of the control lane. */
#include "daemon/storage/pool-event.h"
#include "daemon/storage/pool-run.h"
#include "daemon/storage/pool-store.h"
#include "daemon/storage/storage-ops.h"

static StoragePool *read_pool(const char *xml, gboolean validate, GError **error)
{
    g_autoptr(XmlDocument) document = ops_document(xml, "pool", validate, error);
    return document ? storage_pool_read(document, error) : NULL;
}

/* --- define, undefine --- */

static void change_defined(PoolView *view, gpointer data)
{
    StoragePool **place = view->active ? &view->next : &view->def;
    storage_pool_unref(*place);
    *place = storage_pool_ref(data);
    view->persistent = TRUE;
}

gboolean remote_storage_pool_define_xml(Call *call, const RemoteStoragePoolDefineXmlArgs *args,
                                        RemoteStoragePoolDefineXmlRet *ret, GError **error)
{
    g_autoptr(StoragePool) def = read_pool(args->xml, args->flags & VIR_STORAGE_POOL_DEFINE_VALIDATE, error);
    if (!def || !backend_for(def->type, error))
        return FALSE;
    VolumePool *pool = pools_claim(def, FALSE, error);
    if (!pool)
        return FALSE;
    gboolean ok = pool_store_save(def, error);
    if (ok) {
        pool_publish(pool, change_defined, def);
        pools_show(pool);
        pool_event_lifecycle(pool, VIR_STORAGE_POOL_EVENT_DEFINED);
        ops_fill_pool(pool, &ret->pool);
    }
    pools_release(pool);
    return ok;
}

static gboolean undefine(VolumePool *pool, GError **error)
{
    g_autoptr(PoolView) view = pool_view(pool);
    if (view->active)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID, "storage pool '%s' is still active",
                         view->def->name);
    if (!pool_check_idle(pool, error) || !pool_store_remove(pool, error))
        return FALSE;
    pool_event_lifecycle(pool, VIR_STORAGE_POOL_EVENT_UNDEFINED);
    pools_hide(pool);
    return TRUE;
}

gboolean remote_storage_pool_undefine(Call *call, const RemoteStoragePoolUndefineArgs *args, GError **error)
{
    VolumePool *pool = ops_enter(&args->pool, error);
    gboolean ok = pool && undefine(pool, error);
    ops_leave(pool);
    return ok;
}

static void change_autostart(PoolView *view, gpointer data)
{
    view->autostart = GPOINTER_TO_INT(data);
}

gboolean remote_storage_pool_set_autostart(Call *call, const RemoteStoragePoolSetAutostartArgs *args, GError **error)
{
    VolumePool *pool = ops_enter(&args->pool, error);
    if (!pool)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(pool);
    gboolean autostart = args->autostart != 0, ok = FALSE;
    if (!view->persistent)
        error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "pool has no config file");
    else
        ok = view->autostart == autostart || pool_store_set_autostart(pool, autostart, error);
    if (ok)
        pool_publish(pool, change_autostart, GINT_TO_POINTER(autostart));
    ops_leave(pool);
    return ok;
}

/* --- start, stop, refresh --- */

static void change_definition(PoolView *view, gpointer data)
{
    if (view->persistent && !view->next)
        view->next = g_steal_pointer(&view->def);
    storage_pool_unref(view->def);
    view->def = storage_pool_ref(data);
}

gboolean remote_storage_pool_create_xml(Call *call, const RemoteStoragePoolCreateXmlArgs *args,
                                        RemoteStoragePoolCreateXmlRet *ret, GError **error)
{
    g_autoptr(StoragePool) def = read_pool(args->xml, FALSE, error);
    if (!def || !backend_for(def->type, error))
        return FALSE;
    VolumePool *pool = pools_claim(def, TRUE, error);
    if (!pool)
        return FALSE;
    pool_publish(pool, change_definition, def);
    gboolean ok = pool_run_start(pool, args->flags, error);
    if (ok) {
        pools_show(pool);
        ops_fill_pool(pool, &ret->pool);
    }
    pools_release(pool);
    return ok;
}

static gboolean refuse_active(const PoolView *view, GError **error)
{
    return !view->active || error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID,
                                      "storage pool '%s' is already active", view->def->name);
}

gboolean remote_storage_pool_create(Call *call, const RemoteStoragePoolCreateArgs *args, GError **error)
{
    VolumePool *pool = ops_enter(&args->pool, error);
    if (!pool)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(pool);
    gboolean ok = refuse_active(view, error) && pool_run_start(pool, args->flags, error);
    ops_leave(pool);
    return ok;
}

gboolean remote_storage_pool_destroy(Call *call, const RemoteStoragePoolDestroyArgs *args, GError **error)
{
    VolumePool *pool = ops_enter(&args->pool, error);
    if (!pool)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(pool);
    gboolean ok = pool_check_active(view, error) && pool_run_stop(pool, error);
    ops_leave(pool);
    return ok;
}

gboolean remote_storage_pool_refresh(Call *call, const RemoteStoragePoolRefreshArgs *args, GError **error)
{
    VolumePool *pool = ops_enter(&args->pool, error);
    if (!pool)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(pool);
    gboolean ok = pool_check_active(view, error) && pool_run_refresh(pool, error);
    ops_leave(pool);
    return ok;
}

/* --- build, delete --- */

static gboolean not_offered(GError **error, const char *what)
{
    return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT, "%s", what);
}

gboolean remote_storage_pool_build(Call *call, const RemoteStoragePoolBuildArgs *args, GError **error)
{
    VolumePool *pool = ops_enter(&args->pool, error);
    if (!pool)
        return FALSE;
    g_autoptr(PoolView) view = pool_view(pool);
    const Backend *backend = backend_for(view->def->type, error);
    gboolean ok =
        backend && refuse_active(view, error) && (!backend->build || backend->build(view->def, args->flags, error));
    if (ok)
        pool_event_lifecycle(pool, VIR_STORAGE_POOL_EVENT_CREATED);
    ops_leave(pool);
    return ok;
}

static gboolean delete_now(VolumePool *pool, guint flags, GError **error)
{
    g_autoptr(PoolView) view = pool_view(pool);
    const Backend *backend = backend_for(view->def->type, error);
    if (!backend)
        return FALSE;
    if (view->active)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID, "storage pool '%s' is still active",
                         view->def->name);
    if (!backend->delete)
        return not_offered(error, "pool does not support pool deletion");
    if (!pool_check_idle(pool, error) || !backend->delete (view->def, flags, error))
        return FALSE;
    pool_event_lifecycle(pool, VIR_STORAGE_POOL_EVENT_DELETED);
    return TRUE;
}

gboolean remote_storage_pool_delete(Call *call, const RemoteStoragePoolDeleteArgs *args, GError **error)
{
    VolumePool *pool = ops_enter(&args->pool, error);
    gboolean ok = pool && delete_now(pool, args->flags, error);
    ops_leave(pool);
    return ok;
}

/* --- what there could be --- */

gboolean remote_connect_find_storage_pool_sources(Call *call, const RemoteConnectFindStoragePoolSourcesArgs *args,
                                                  RemoteConnectFindStoragePoolSourcesRet *ret, GError **error)
{
    StoragePoolType type = storage_pool_type_from_string(args->type);
    if (!type)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "unknown storage pool type %s", args->type);
    const Backend *backend = backend_for(type, error);
    if (!backend)
        return FALSE;
    if (!backend->find_sources)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT,
                         "pool type '%s' does not support source discovery", args->type);
    ret->xml = backend->find_sources(args->src_spec, error);
    return ret->xml != NULL;
}

typedef const char *(*Name)(guint value);

static const char *pool_format(guint value)
{
    return storage_pool_format_to_string(value);
}

static const char *volume_format(guint value)
{
    return storage_volume_format_to_string(value);
}

/* FORMATS: a bit for each; USUAL 0: it has none. */
static void show_formats(GString *out, const char *element, const char *list, guint64 formats, guint usual, Name name)
{
    if (!usual)
        return;
    g_string_append_printf(out, "    <%s>\n      <defaultFormat type='%s'/>\n      <enum name='%s'>\n", element,
                           name(usual), list);
    for (guint i = 1; i < 64; i++)
        if ((formats >> i) & 1)
            g_string_append_printf(out, "        <value>%s</value>\n", name(i));
    g_string_append_printf(out, "      </enum>\n    </%s>\n", element);
}

gboolean remote_connect_get_storage_pool_capabilities(Call *call,
                                                      const RemoteConnectGetStoragePoolCapabilitiesArgs *args,
                                                      RemoteConnectGetStoragePoolCapabilitiesRet *ret, GError **error)
{
    GString *out = g_string_new("<storagepoolCapabilities>\n");
    for (StoragePoolType type = 1; type < STORAGE_POOL_TYPE_LAST; type++) {
        StoragePoolFormats formats = storage_pool_formats(type);
        g_string_append_printf(out, "  <pool type='%s' supported='%s'>\n", storage_pool_type_to_string(type),
                               backend_for(type, NULL) ? "yes" : "no");
        show_formats(out, "poolOptions", "sourceFormatType", formats.source, formats.usual_source, pool_format);
        show_formats(out, "volOptions", "targetFormatType", formats.volume, formats.usual_volume, volume_format);
        g_string_append(out, "  </pool>\n");
    }
    g_string_append(out, "</storagepoolCapabilities>\n");
    ret->capabilities = g_string_free(out, FALSE);
    return TRUE;
}
