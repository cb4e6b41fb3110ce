/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/block-network.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "driver-kvm/block-secret.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

#define UNSUPPORTED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED
#define GLUSTER_DEBUG 4 /* QEMU's default; libvirt says it */
#define LUN_MAX G_MAXUINT16
#define NSS_BUFFER 4096

/* --- servers --- */

static const DiskHost *first_host(const DiskSource *source)
{
    return g_ptr_array_index(source->hosts, 0);
}

static gboolean is_unix(const DiskHost *host)
{
    return host->transport == STORAGE_TRANSPORT_UNIX;
}

/* TAGGED: QEMU wants to be told that it is an address of the Internet's. */
static JsonObject *host_inet(const DiskHost *host, gboolean tagged)
{
    JsonObject *props = json_object_new();

    if (tagged)
        props_string(props, "type", "inet");
    props_string(props, "host", host->name);
    props_string(props, "port", host->port ? host->port : "0");
    return props;
}

static JsonObject *host_any(const DiskHost *host)
{
    JsonObject *props;

    if (!is_unix(host))
        return host_inet(host, TRUE);
    props = props_new("type", "unix");
    props_string(props, "path", host->socket);
    return props;
}

static void add_hosts(const DiskSource *source, gboolean tagged, JsonObject *props)
{
    JsonArray *all = json_array_new();

    for (guint i = 0; i < source->hosts->len; i++) {
        const DiskHost *host = source->hosts->pdata[i];
        json_array_add_object_element(all, tagged ? host_any(host) : host_inet(host, FALSE));
    }
    json_object_set_array_member(props, "server", all);
}

/* NAME is "VOLUME/IMAGE". */
static gboolean split(const char *name, char **ret_volume, const char **ret_image)
{
    const char *slash = name ? strchr(name, '/') : NULL;

    if (!slash || slash == name || !slash[1])
        return FALSE;
    *ret_volume = g_strndup(name, (gsize)(slash - name));
    *ret_image = slash + 1;
    return TRUE;
}

/* --- one protocol each --- */

static void add_nbd(const DiskImage *image, JsonObject *props)
{
    const DiskSource *source = image->source;

    json_object_set_object_member(props, "server", host_any(first_host(source)));
    props_string(props, "export", source->name);
    if (source->nbd_reconnect)
        props_int(props, "reconnect-delay", source->nbd_reconnect->delay);
}

static void add_sheepdog(const DiskImage *image, JsonObject *props)
{
    const DiskSource *source = image->source;

    json_object_set_object_member(props, "server", host_any(first_host(source)));
    props_string(props, "vdi", source->name);
}

static void add_ssh(const DiskImage *image, JsonObject *props)
{
    const DiskSource *source = image->source;

    props_string(props, "path", source->name);
    json_object_set_object_member(props, "server", host_inet(first_host(source), FALSE));
    props_string(props, "user", image->auth ? image->auth->username : NULL);
}

static void add_gluster(const DiskImage *image, JsonObject *props)
{
    const DiskSource *source = image->source;
    g_autofree char *volume = NULL;
    const char *path = NULL;

    split(source->name, &volume, &path);
    props_string(props, "volume", volume);
    props_string(props, "path", path);
    add_hosts(source, TRUE, props);
    props_int(props, "debug", GLUSTER_DEBUG);
}

static void add_rbd(const DiskImage *image, JsonObject *props)
{
    const DiskSource *source = image->source;
    g_autofree char *pool = NULL, *passphrase = block_secret_passphrase(image), *password = block_secret_password(image);
    const char *name = NULL;

    split(source->name, &pool, &name);
    props_string(props, "pool", pool);
    props_string(props, "image", name);
    props_string(props, "snapshot", source->snapshot ? source->snapshot->name : NULL);
    props_string(props, "conf", source->config ? source->config->file : NULL);
    if (source->hosts->len)
        add_hosts(source, FALSE, props);
    if (passphrase && image->encryption->engine == STORAGE_ENCRYPTION_ENGINE_LIBRBD) {
        JsonObject *encrypt = props_new("format", storage_encryption_format_to_string(image->encryption->format));
        props_string(encrypt, "key-secret", passphrase);
        json_object_set_object_member(props, "encrypt", encrypt);
    }
    if (!password)
        return;
    props_string(props, "user", image->auth->username);
    JsonArray *modes = json_array_new();
    json_array_add_string_element(modes, "cephx");
    json_array_add_string_element(modes, "none");
    json_object_set_array_member(props, "auth-client-required", modes);
    props_string(props, "key-secret", password);
}

/* NAME is "TARGET" or "TARGET/LUN". */
static gboolean split_lun(const char *name, char **ret_target, gint64 *ret_lun)
{
    const char *slash = name ? strchr(name, '/') : NULL;
    guint64 lun = 0;

    if (slash && !g_ascii_string_to_unsigned(slash + 1, 10, 0, LUN_MAX, &lun, NULL))
        return FALSE;
    *ret_target = slash ? g_strndup(name, (gsize)(slash - name)) : g_strdup(name);
    *ret_lun = (gint64)lun;
    return TRUE;
}

static void add_iscsi(const DiskImage *image, JsonObject *props)
{
    const DiskSource *source = image->source;
    const DiskHost *host = first_host(source);
    g_autofree char *target = NULL, *password = block_secret_password(image);
    gint64 lun = 0;

    split_lun(source->name, &target, &lun);
    props_format(props, "portal", strchr(host->name, ':') ? "[%s]:%s" : "%s:%s", host->name, host->port ? host->port : "0");
    props_string(props, "target", target);
    props_int(props, "lun", lun);
    props_string(props, "transport", "tcp");
    props_string(props, "user", password ? image->auth->username : NULL);
    props_string(props, "password-secret", password);
    props_string(props, "initiator-name", source->initiator && source->initiator->iqn ? source->initiator->iqn->name : NULL);
}

/* "+7", "7" or a name. FALSE: there is no such user or group. */
static gboolean find_id(const char *text, gboolean group, gint64 *ret_id)
{
    const char *digits = text[0] == '+' ? text + 1 : text;
    char buffer[NSS_BUFFER];
    struct passwd user, *found_user = NULL;
    struct group own, *found_group = NULL;
    guint64 number;

    if (text[0] != '+' && !group && getpwnam_r(text, &user, buffer, sizeof buffer, &found_user) == 0 && found_user) {
        *ret_id = user.pw_uid;
        return TRUE;
    }
    if (text[0] != '+' && group && getgrnam_r(text, &own, buffer, sizeof buffer, &found_group) == 0 && found_group) {
        *ret_id = own.gr_gid;
        return TRUE;
    }
    if (!g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT32 - 1, &number, NULL))
        return FALSE;
    *ret_id = (gint64)number;
    return TRUE;
}

static void add_nfs(const DiskImage *image, JsonObject *props)
{
    const DiskSource *source = image->source;
    JsonObject *server = props_new("host", first_host(source)->name);
    gint64 id;

    props_string(server, "type", "inet");
    json_object_set_object_member(props, "server", server);
    props_string(props, "path", source->name);
    if (source->identity && source->identity->user && find_id(source->identity->user, FALSE, &id))
        props_int(props, "user", id);
    if (source->identity && source->identity->group && find_id(source->identity->group, TRUE, &id))
        props_int(props, "group", id);
}

static void add_url(const DiskImage *image, JsonObject *props)
{
    const DiskSource *source = image->source;
    const DiskHost *host = first_host(source);
    const char *name = source->name ? source->name : "";
    g_autofree char *path = g_uri_escape_string(name, "/", FALSE), *password = block_secret_password(image);
    g_autofree char *cookies = block_secret_cookies(image);
    g_autoptr(GString) url = g_string_new(storage_protocol_to_string(source->protocol));

    g_string_append_printf(url, strchr(host->name, ':') ? "://[%s]" : "://%s", host->name);
    if (host->port)
        g_string_append_printf(url, ":%s", host->port);
    if (*path)
        g_string_append_printf(url, "%s%s", *path == '/' ? "" : "/", path);
    if (source->query)
        g_string_append_printf(url, "?%s", source->query);
    props_string(props, "url", url->str);
    props_string(props, "username", password ? image->auth->username : NULL);
    props_string(props, "password-secret", password);
    props_toggle(props, "sslverify", source->ssl ? source->ssl->verify : TOGGLE_UNSET);
    props_string(props, "cookie-secret", cookies);
    if (source->timeout && source->timeout->seconds != UNSET64)
        props_int(props, "timeout", (gint64)source->timeout->seconds);
    if (source->readahead && source->readahead->size != UNSET64)
        props_int(props, "readahead", (gint64)source->readahead->size);
}

/* --- all of them --- */

typedef struct {
    StorageProtocol protocol;
    guint hosts;   /* exactly so many; 0: any number */
    gboolean unix_sockets;
    gboolean in_two; /* the name is one of what holds the image, and the image's */
    void (*add)(const DiskImage *image, JsonObject *props);
} Protocol;

static const Protocol protocols[] = {
    {STORAGE_PROTOCOL_NBD, 1, TRUE, FALSE, add_nbd},
    {STORAGE_PROTOCOL_RBD, 0, FALSE, TRUE, add_rbd},
    {STORAGE_PROTOCOL_ISCSI, 1, FALSE, FALSE, add_iscsi},
    {STORAGE_PROTOCOL_GLUSTER, 0, TRUE, TRUE, add_gluster},
    {STORAGE_PROTOCOL_NFS, 1, FALSE, FALSE, add_nfs},
    {STORAGE_PROTOCOL_SHEEPDOG, 1, TRUE, FALSE, add_sheepdog},
    {STORAGE_PROTOCOL_SSH, 1, FALSE, FALSE, add_ssh},
    {STORAGE_PROTOCOL_HTTP, 1, FALSE, FALSE, add_url},
    {STORAGE_PROTOCOL_HTTPS, 1, FALSE, FALSE, add_url},
    {STORAGE_PROTOCOL_FTP, 1, FALSE, FALSE, add_url},
    {STORAGE_PROTOCOL_FTPS, 1, FALSE, FALSE, add_url},
};

static const Protocol *find_protocol(const DiskSource *source)
{
    for (gsize i = 0; i < G_N_ELEMENTS(protocols); i++)
        if (protocols[i].protocol == source->protocol)
            return &protocols[i];
    return NULL;
}

static gboolean check_hosts(const Protocol *protocol, const DiskSource *source, GError **error)
{
    const char *name = storage_protocol_to_string(protocol->protocol);

    if (protocol->hosts && source->hosts->len != protocol->hosts)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s protocol accepts only one host", name);
    for (guint i = 0; i < source->hosts->len; i++) {
        const DiskHost *host = source->hosts->pdata[i];
        gboolean fine = host->transport != STORAGE_TRANSPORT_RDMA && (!is_unix(host) || protocol->unix_sockets);
        if (!fine)
            return error_set(error, UNSUPPORTED, "transport '%s' of a disk is not supported for protocol '%s'",
                             storage_transport_to_string(host->transport), name);
    }
    return TRUE;
}

static gboolean check_name(const Protocol *protocol, const DiskSource *source, GError **error)
{
    g_autofree char *part = NULL;
    const char *image;
    gint64 lun;

    if (protocol->in_two && !split(source->name, &part, &image))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_XML_ERROR, "can't split path '%s' into pool name and image name",
                         source->name ? source->name : "");
    return protocol->protocol != STORAGE_PROTOCOL_ISCSI || split_lun(source->name, &part, &lun) ||
           error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "cannot parse target for lunStr '%s'", source->name);
}

static gboolean check_identity(const DiskIdentity *identity, GError **error)
{
    gint64 id;

    if (identity && identity->user && !find_id(identity->user, FALSE, &id))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse user '%s'", identity->user);
    return !identity || !identity->group || find_id(identity->group, TRUE, &id) ||
           error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse group '%s'", identity->group);
}

gboolean block_network_check(const DiskImage *image, GError **error)
{
    const DiskSource *source = image->source;
    const Protocol *protocol = find_protocol(source);
    const char *name = storage_protocol_to_string(source->protocol);

    if (!protocol)
        return error_set(error, UNSUPPORTED, "disks with protocol '%s' are not supported by this driver", name);
    if (source->tls == TOGGLE_ON)
        return error_set(error, UNSUPPORTED, "TLS transport is not supported for disk protocol '%s'", name);
    return check_hosts(protocol, source, error) && check_name(protocol, source, error) && check_identity(source->identity, error);
}

JsonObject *block_network_node(const DiskImage *image)
{
    JsonObject *props = props_new("driver", storage_protocol_to_string(image->source->protocol));

    find_protocol(image->source)->add(image, props);
    return props;
}
