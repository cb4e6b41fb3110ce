/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* -chardev is one of the few options of QEMU that takes no JSON, so each back end is written twice, side by side: as option
 * text, and as the tree that chardev-add wants. */
#include "driver-kvm/chardev.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

typedef struct {
    const ChardevView *view;
    const char *alias;
    ArgvContext *context;
    GPtrArray *parts;
    GString *text;    /* of the option */
    JsonObject *data; /* of the tree */
} Build;

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
    parts_add_fdset(build->parts, number, name);
    *append = TOGGLE_ON; /* the file was opened as it should be; nobody truncates it again */
    return g_strdup_printf("/dev/fdset/%d", number);
}

static void build_file(Build *build)
{
    Toggle append = build->view->source->append;
    g_autofree char *path = path_in_qemu(build, build->alias, chardev_path(build->view), &append);

    option(build, "path", path);
    option(build, "append", toggle_words(append));
    props_string(build->data, "out", path);
    props_toggle(build->data, "append", append);
}

static void build_device(Build *build)
{
    option(build, "path", chardev_path(build->view));
    props_string(build->data, "device", chardev_path(build->view));
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

    if (chardev_listens(view)) {
        option(build, "server", "on");
        option(build, "wait", "off");
        props_bool(build->data, "wait", FALSE);
    }
    props_bool(build->data, "server", chardev_listens(view));
    if (reconnect && reconnect->enabled == TOGGLE_ON && reconnect->timeout != UNSET32) {
        g_string_append_printf(build->text, ",reconnect=%u", reconnect->timeout);
        props_int(build->data, "reconnect", reconnect->timeout);
    }
}

static void build_unix(Build *build)
{
    int number = argv_context_passed(build->context, build->alias);

    if (number >= 0) {
        g_autofree char *name = argv_context_fd_name(build->context, number);

        option(build, "fd", name);
        props_string(socket_address(build, "addr", "fd"), "str", name);
    } else {
        option(build, "path", chardev_path(build->view));
        props_string(socket_address(build, "addr", "unix"), "path", chardev_path(build->view));
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

static void build_spicevmc(Build *build)
{
    option(build, "name", build->view->spice);
    props_string(build->data, "type", build->view->spice);
}

static void build_spiceport(Build *build)
{
    option(build, "name", build->view->source->channel);
    props_string(build->data, "fqdn", build->view->source->channel);
}

static void build_dbus(Build *build)
{
    option(build, "name", build->view->source->channel);
    props_string(build->data, "name", build->view->source->channel);
}

static void build_agent(Build *build)
{
    const ChardevSource *source = build->view->source;
    Toggle clipboard = source && source->clipboard ? source->clipboard->copypaste : TOGGLE_UNSET;
    Toggle mouse = !source || !source->mouse ? TOGGLE_UNSET : source->mouse->mode == MOUSE_MODE_CLIENT ? TOGGLE_ON : TOGGLE_OFF;

    option(build, "name", "vdagent");
    option(build, "clipboard", toggle_words(clipboard));
    option(build, "mouse", toggle_words(mouse));
    props_toggle(build->data, "clipboard", clipboard);
    props_toggle(build->data, "mouse", mouse);
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
    {CHARDEV_TYPE_SPICEVMC, "spicevmc", "spicevmc", build_spicevmc},
    {CHARDEV_TYPE_SPICEPORT, "spiceport", "spiceport", build_spiceport},
    {CHARDEV_TYPE_QEMU_VDAGENT, "qemu-vdagent", "qemu-vdagent", build_agent},
    {CHARDEV_TYPE_DBUS, "dbus", "dbus", build_dbus},
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
                     "unsupported chardev '%s'", chardev_type_to_string(view->type));
}
