/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * -chardev is one of the few options of QEMU that takes no JSON, so each back end is written twice, side by side: as
 * option text, and as the tree that chardev-add wants.
 *
 * Sockets we listen on and files we write are opened here and inherited by QEMU: it runs as an unprivileged user, and a
 * client can connect as soon as the domain is listed. A file goes through a descriptor set ("/dev/fdset/N"), the one way
 * QEMU has to take a descriptor where it expects a path.
 */
#include "driver-kvm/chardev.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/patient.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
    const ChardevView *view;
    const char *alias;
    ArgvContext *context;
    GPtrArray *parts;
    GString *text;    /* of the option */
    JsonObject *data; /* of the tree */
} Build;

static const char *path_of(const ChardevView *view)
{
    return view->source ? view->source->path : NULL;
}

static gboolean listens(const ChardevView *view)
{
    return view->source && view->source->mode == CHARDEV_MODE_BIND;
}

static gboolean need(gconstpointer value, const char *what, GError **error)
{
    return value ? TRUE
                 : error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                             "Missing source %s attribute for char device", what);
}

static gboolean validate_reconnect(const ChardevView *view, GError **error)
{
    const Reconnect *reconnect = view->source ? view->source->reconnect : NULL;

    if (reconnect && reconnect->enabled == TOGGLE_ON && view->source->mode == CHARDEV_MODE_BIND)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "chardev reconnect is possible only for connect mode");
    return TRUE;
}

gboolean chardev_validate(const ChardevView *view, GError **error)
{
    const ChardevSource *source = view->source;

    switch (view->type) {
    case CHARDEV_TYPE_NULL:
    case CHARDEV_TYPE_VC:
    case CHARDEV_TYPE_STDIO:
    case CHARDEV_TYPE_PTY:
    case CHARDEV_TYPE_SPICEVMC:
    case CHARDEV_TYPE_QEMU_VDAGENT:
    case CHARDEV_TYPE_DBUS:
        return TRUE;
    case CHARDEV_TYPE_FILE:
    case CHARDEV_TYPE_PIPE:
    case CHARDEV_TYPE_DEV:
        return need(path_of(view), "path", error);
    case CHARDEV_TYPE_UNIX:
        return validate_reconnect(view, error);
    case CHARDEV_TYPE_TCP:
        if (!validate_reconnect(view, error))
            return FALSE;
        return need(source ? source->host : NULL, "host", error) && need(source->service, "service", error);
    case CHARDEV_TYPE_UDP:
        return need(source ? source->service : NULL, "service", error);
    case CHARDEV_TYPE_SPICEPORT:
        return need(source ? source->channel : NULL, "channel", error);
    default:
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "character device type '%s' is not supported by QEMU", chardev_type_to_string(view->type));
    }
}

/* A socket that an earlier run left is replaced, any other file is not touched. */
static int listen_on(const char *path, GError **error)
{
    int fd;

    if (strlen(path) >= sizeof ((struct sockaddr_un *)NULL)->sun_path) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "UNIX socket path '%s' too long", path);
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "Unable to create socket");
        return -1;
    }
    if (fchmod(fd, 0660) < 0 || !patient_bind(fd, path, g_get_monotonic_time() + PATIENT_USEC) || listen(fd, 1) < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "Unable to bind to UNIX socket path '%s'", path);
        close(fd);
        return -1;
    }
    return fd;
}

static gboolean pass_file(ArgvContext *context, const char *path, Toggle append, const char *name, GError **error)
{
    int flags = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | (append == TOGGLE_ON ? O_APPEND : O_TRUNC);
    int fd = patient_open(path, flags, 0600, g_get_monotonic_time() + PATIENT_USEC);

    if (fd < 0)
        return error_set_errno(error, VIR_FROM_NONE, errno, "Unable to open file: %s", path);
    argv_context_pass(context, fd, name);
    return TRUE;
}

static gboolean is_there(const char *path)
{
    struct stat info;

    return patient_stat(path, &info, g_get_monotonic_time() + PATIENT_USEC);
}

GStrv chardev_host_paths(const ChardevView *view)
{
    g_autoptr(GStrvBuilder) paths = g_strv_builder_new();
    const char *path = path_of(view);
    g_autofree char *in = g_strdup_printf("%s.in", path ? path : ""), *out = g_strdup_printf("%s.out", path ? path : "");
    gboolean pair = view->type == CHARDEV_TYPE_PIPE && is_there(in) && is_there(out);

    if (pair)
        g_strv_builder_add_many(paths, in, out, NULL);
    else if (path && (view->type == CHARDEV_TYPE_PIPE || view->type == CHARDEV_TYPE_DEV ||
                      (view->type == CHARDEV_TYPE_UNIX && !listens(view))))
        g_strv_builder_add(paths, path);
    return g_strv_builder_end(paths);
}

gboolean chardev_check_host(const ChardevView *view, GError **error)
{
    g_auto(GStrv) paths = chardev_host_paths(view);

    for (guint i = 0; paths[i]; i++) {
        if (is_there(paths[i]))
            continue;
        if (view->type == CHARDEV_TYPE_DEV)
            return error_set_errno(error, VIR_FROM_CGROUP, errno, "Path '%s' is not accessible", paths[i]);
        return error_set_errno(error, VIR_FROM_SECURITY, errno, "unable to stat: %s", paths[i]);
    }
    return TRUE;
}

/* Whether a connection is encrypted is always shown of a running guest. */
static void settle_tls(const ChardevView *view)
{
    if (view->type != CHARDEV_TYPE_TCP || !view->source || view->source->tls != TOGGLE_UNSET)
        return;
    view->source->tls = TOGGLE_OFF;
    view->source->tls_from_config = TOGGLE_ON;
}

gboolean chardev_prepare(const ChardevView *view, const char *alias, ArgvContext *context, GError **error)
{
    g_autofree char *log = g_strdup_printf("%s.log", alias);
    int fd;

    settle_tls(view);
    if (!context->touch_host)
        return TRUE;
    if (view->log && view->log->file && !pass_file(context, view->log->file, view->log->append, log, error))
        return FALSE;
    if (view->type == CHARDEV_TYPE_FILE)
        return pass_file(context, path_of(view), view->source->append, alias, error);
    if (view->type != CHARDEV_TYPE_UNIX || !listens(view))
        return TRUE;
    fd = listen_on(path_of(view), error);
    if (fd < 0)
        return FALSE;
    argv_context_pass(context, fd, alias);
    return TRUE;
}

void chardev_release(const ChardevView *view)
{
    if (view->type == CHARDEV_TYPE_UNIX && listens(view) && path_of(view))
        patient_unlink_socket(path_of(view), g_get_monotonic_time() + PATIENT_USEC);
}

static void option(Build *build, const char *key, const char *value)
{
    g_autofree char *escaped = value ? part_escape(value) : NULL;

    if (escaped)
        g_string_append_printf(build->text, ",%s=%s", key, escaped);
}

/* The path under which QEMU finds what was opened as NAME; PATH itself if nothing was. */
static char *path_in_qemu(Build *build, const char *name, const char *path, Toggle *append)
{
    int number = argv_context_passed(build->context, name);

    if (number < 0)
        return g_strdup(path);
    parts_add_option(build->parts, "-add-fd", g_strdup_printf("set=%d,fd=%d,opaque=%s", number, number, name));
    *append = TOGGLE_ON; /* the file was opened as it should be; nobody truncates it again */
    return g_strdup_printf("/dev/fdset/%d", number);
}

static void build_file(Build *build)
{
    Toggle append = build->view->source->append;
    g_autofree char *path = path_in_qemu(build, build->alias, path_of(build->view), &append);

    option(build, "path", path);
    option(build, "append", toggle_words(append));
    props_string(build->data, "out", path);
    props_toggle(build->data, "append", append);
}

static void build_device(Build *build)
{
    option(build, "path", path_of(build->view));
    props_string(build->data, "device", path_of(build->view));
}

/* "addr": {"type": TYPE, "data": {...}}; the data. */
static JsonObject *socket_address(Build *build, const char *key, const char *type)
{
    JsonObject *address = props_new("type", type);
    JsonObject *data = json_object_new();

    json_object_set_object_member(address, "data", data);
    json_object_set_object_member(build->data, key, address);
    return data;
}

static void socket_ends(Build *build)
{
    const ChardevView *view = build->view;
    const Reconnect *reconnect = view->source->reconnect;

    if (listens(view)) {
        option(build, "server", "on");
        option(build, "wait", "off");
        props_bool(build->data, "wait", FALSE);
    }
    props_bool(build->data, "server", listens(view));
    if (reconnect && reconnect->enabled == TOGGLE_ON && reconnect->timeout != UNSET32) {
        g_string_append_printf(build->text, ",reconnect=%u", reconnect->timeout);
        props_int(build->data, "reconnect", reconnect->timeout);
    }
}

static void build_unix(Build *build)
{
    int number = argv_context_passed(build->context, build->alias);

    if (number >= 0) {
        g_string_append_printf(build->text, ",fd=%d", number);
        props_format(socket_address(build, "addr", "fd"), "str", "%d", number);
    } else {
        option(build, "path", path_of(build->view));
        props_string(socket_address(build, "addr", "unix"), "path", path_of(build->view));
    }
    socket_ends(build);
}

static void build_tcp(Build *build)
{
    const ChardevSource *source = build->view->source;
    gboolean telnet = build->view->protocol && build->view->protocol->type == CHARDEV_PROTOCOL_TYPE_TELNET;
    JsonObject *address = socket_address(build, "addr", "inet");

    option(build, "host", source->host);
    option(build, "port", source->service);
    props_string(address, "host", source->host);
    props_string(address, "port", source->service);
    if (telnet)
        option(build, "telnet", "on");
    props_bool(build->data, "telnet", telnet);
    socket_ends(build);
}

static const char *or_else(const char *text, const char *other)
{
    return text ? text : other;
}

static void build_udp(Build *build)
{
    const ChardevSource *remote = build->view->source;
    const ChardevSource *local = build->view->bind_source;
    JsonObject *address = socket_address(build, "remote", "inet");

    option(build, "host", or_else(remote->host, ""));
    option(build, "port", remote->service);
    props_string(address, "host", or_else(remote->host, ""));
    props_string(address, "port", remote->service);
    option(build, "localaddr", or_else(local ? local->host : NULL, ""));
    option(build, "localport", or_else(local ? local->service : NULL, "0"));
    address = socket_address(build, "local", "inet");
    props_string(address, "host", or_else(local ? local->host : NULL, ""));
    props_string(address, "port", or_else(local ? local->service : NULL, "0"));
}

static void build_nothing(Build *build)
{
}

static const struct {
    ChardevType type;
    const char *option;
    const char *backend;
    void (*build)(Build *build);
} backends[] = {
    {CHARDEV_TYPE_NULL, "null", "null", build_nothing},
    {CHARDEV_TYPE_VC, "vc", "vc", build_nothing},
    {CHARDEV_TYPE_PTY, "pty", "pty", build_nothing},
    {CHARDEV_TYPE_STDIO, "stdio", "stdio", build_nothing},
    {CHARDEV_TYPE_FILE, "file", "file", build_file},
    {CHARDEV_TYPE_PIPE, "pipe", "pipe", build_device},
    {CHARDEV_TYPE_DEV, "serial", "serial", build_device},
    {CHARDEV_TYPE_UNIX, "socket", "socket", build_unix},
    {CHARDEV_TYPE_TCP, "socket", "socket", build_tcp},
    {CHARDEV_TYPE_UDP, "udp", "udp", build_udp},
};

static void add_log(Build *build)
{
    g_autofree char *name = g_strdup_printf("%s.log", build->alias);
    g_autofree char *path = NULL;
    Toggle append;

    if (!build->view->log || !build->view->log->file)
        return;
    append = build->view->log->append;
    path = path_in_qemu(build, name, build->view->log->file, &append);
    option(build, "logfile", path);
    option(build, "logappend", toggle_words(append));
    props_string(build->data, "logfile", path);
    props_toggle(build->data, "logappend", append);
}

gboolean chardev_build(const ChardevView *view, const char *alias, ArgvContext *context, GPtrArray *parts, GError **error)
{
    g_autofree char *id = g_strdup_printf("char%s", alias);

    for (gsize i = 0; i < G_N_ELEMENTS(backends); i++) {
        const char *port = view->parallel && view->type == CHARDEV_TYPE_DEV ? "parallel" : NULL;
        Build build = {view, alias, context, parts, NULL, NULL};
        JsonObject *backend, *props;

        if (backends[i].type != view->type)
            continue;
        if (view->source && view->source->tls == TOGGLE_ON)
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "tls='yes' of a character device is not supported by this driver");
        backend = props_new("type", port ? port : backends[i].backend);
        props = props_new("id", id);
        build.text = g_string_new(port ? port : backends[i].option);
        build.data = json_object_new();
        option(&build, "id", id);
        backends[i].build(&build);
        add_log(&build);
        json_object_set_object_member(backend, "data", build.data);
        json_object_set_object_member(props, "backend", backend);
        parts_add_chardev(parts, props, g_string_free(build.text, FALSE));
        return TRUE;
    }
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "a character device of type '%s' is not supported by this driver", chardev_type_to_string(view->type));
}
