/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers about the connection itself. All on the I/O loop. */
#include <string.h>
#include <unistd.h>

#include "daemon/core/loader.h"
#include "daemon/rpc/call.h"
#include "daemon/rpc/client-private.h"
#include "daemon/rpc/version.h"
#include "lib/error.h"

/* The paths that libvirt's drivers know, the first being the one to propose; and those that a daemon knows which is not
 * root's (none: the same). */
static const struct {
    const char *scheme;
    const char *paths[3], *of_session[2];
} known_paths[] = {
    {"qemu", {"/system", "/session"}, {"/session"}},
    {"test", {"/default"}},
    {"xen", {"/system", "/"}},
};

typedef struct {
    char *scheme, *host, *path, *query;
} Target;

static void target_clear(Target *target)
{
    g_free(target->scheme);
    g_free(target->host);
    g_free(target->path);
    g_free(target->query);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Target, target_clear)

static gboolean not_found(const char *uri, GError **error)
{
    return error_set(error, VIR_FROM_NONE, VIR_ERR_NO_CONNECT, "%s", uri);
}

static gboolean parse_uri(const char *uri, Target *target, GError **error)
{
    const char *const forbidden = " \"<>\\^`{|}";

    if (strpbrk(uri, forbidden) || !g_uri_split(uri, G_URI_FLAGS_ENCODED, &target->scheme, NULL, &target->host, NULL,
                                                &target->path, &target->query, NULL, NULL))
        return error_set(error, VIR_FROM_URI, VIR_ERR_INTERNAL_ERROR, "Unable to parse URI %s", uri);
    if (!target->scheme)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_NO_CONNECT, "URI '%s' does not include a driver name", uri);
    /* Connecting on to another host's daemon is the client's business, not ours. Schemes are in small letters, as in
     * libvirt; the parser made them so. */
    if ((target->host && target->host[0] != '\0') || !g_str_has_prefix(uri, target->scheme))
        return not_found(uri, error);
    return TRUE;
}

static gboolean check_path(const Target *target, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(known_paths); i++) {
        const char *const *paths = known_paths[i].paths;
        if (!g_str_equal(known_paths[i].scheme, target->scheme))
            continue;
        if (geteuid() != 0 && known_paths[i].of_session[0])
            paths = known_paths[i].of_session;
        if (g_strv_contains(paths, target->path))
            return TRUE;
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "unexpected %s URI path '%s', try %s://%s",
                         target->scheme, target->path, target->scheme, paths[0]);
    }
    return TRUE;
}

/* Who asks for a hypervisor that should be here wants to know why it is not. */
static gboolean no_driver(const Loader *loader, const char *uri, const char *scheme, GError **error)
{
    const char *why = loader_why_not(loader, scheme);
    g_autofree char *both = why ? g_strdup_printf("%s (%s)", uri, why) : NULL;

    return not_found(both ? both : uri, error);
}

/* The driver that URI names; RET_URI is how libvirt would write it, to free. */
static const DriverInstance *choose(const Loader *loader, const char *uri, char **ret_uri, GError **error)
{
    g_auto(Target) target = {0};
    const DriverInstance *instance;

    if (!parse_uri(uri, &target, error))
        return NULL;
    instance = loader_find(loader, target.scheme);
    if (!instance) {
        no_driver(loader, uri, target.scheme, error);
        return NULL;
    }
    if (!check_path(&target, error))
        return NULL;
    *ret_uri = g_strconcat(target.scheme, "://", target.path, target.query ? "?" : "", target.query, NULL);
    return instance;
}

static const DriverInstance *choose_default(const Loader *loader, char **ret_uri, GError **error)
{
    const DriverInstance *instance = loader_all(loader)[0];

    if (!instance) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_NO_CONNECT, NULL);
        return NULL;
    }
    *ret_uri = g_strdup_printf("%s:///%s", instance->driver->scheme, geteuid() == 0 ? "system" : "session");
    return instance;
}

gboolean remote_connect_open(Call *call, const RemoteConnectOpenArgs *args, GError **error)
{
    const Loader *loader = server_loader(call->client->server);
    const DriverInstance *instance;
    g_autofree char *uri = NULL;

    if (call->instance)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "connection already open");
    if (!args->name)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "connection not open");
    if (args->name[0] == '\0')
        instance = choose_default(loader, &uri, error);
    else
        instance = choose(loader, args->name, &uri, error);
    if (!instance)
        return FALSE;
    client_opened(call->client, instance, uri, (args->flags & VIR_CONNECT_RO) != 0);
    return TRUE;
}

static void leave(gpointer data)
{
    client_leave(data);
    client_unref(data);
}

gboolean remote_connect_close(Call *call, GError **error)
{
    /* After the reply, which is sent before the loop's next turn. */
    loop_post(server_loop(call->client->server), leave, client_ref(call->client));
    return TRUE;
}

gboolean remote_connect_get_type(Call *call, RemoteConnectGetTypeRet *ret, GError **error)
{
    ret->type = g_strdup(call->instance->driver->type);
    return TRUE;
}

gboolean remote_connect_get_uri(Call *call, RemoteConnectGetUriRet *ret, GError **error)
{
    ret->uri = g_strdup(call->client->uri);
    return TRUE;
}

gboolean remote_connect_get_lib_version(Call *call, RemoteConnectGetLibVersionRet *ret, GError **error)
{
    ret->lib_ver = VERSION_LIBVIRT;
    return TRUE;
}

gboolean remote_connect_is_secure(Call *call, RemoteConnectIsSecureRet *ret, GError **error)
{
    ret->secure = call->identity->transport != TRANSPORT_TCP;
    return TRUE;
}

gboolean remote_connect_supports_feature(Call *call, const RemoteConnectSupportsFeatureArgs *args,
                                         RemoteConnectSupportsFeatureRet *ret, GError **error)
{
    if (args->feature == FEATURE_PROGRAM_KEEPALIVE)
        keepalive_start(call->client, g_get_monotonic_time());
    else if (!call->instance)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "hypervisor connection not open");
    ret->supported = version_has_feature(args->feature);
    return TRUE;
}

/* No driver here has a connection of its own that it could lose, so there is nothing to remember. */
gboolean remote_connect_register_close_callback(Call *call, GError **error)
{
    return TRUE;
}

gboolean remote_connect_unregister_close_callback(Call *call, GError **error)
{
    return TRUE;
}
