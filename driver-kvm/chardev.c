/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sockets we listen on and files we write are opened here and inherited by QEMU: it runs as an unprivileged user, and a
 * client can connect as soon as the domain is listed. A file goes through a descriptor set ("/dev/fdset/N"), the one way
 * QEMU has to take a descriptor where it expects a path.
 */
#include "driver-kvm/chardev.h"
#include "lib/error.h"
#include "lib/patient.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static gboolean need(gconstpointer value, const char *what, GError **error)
{
    return value ? TRUE
                 : error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                             "Missing source %s attribute for char device", what);
}

static gboolean validate_reconnect(const ChardevView *view, GError **error)
{
    const Reconnect *reconnect = view->source ? view->source->reconnect : NULL;

    if (reconnect && reconnect->enabled != TOGGLE_UNSET &&
        (view->source->mode == CHARDEV_MODE_BIND || (view->type == CHARDEV_TYPE_UNIX && !view->source->path)))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "chardev reconnect is possible only for connect mode");
    return TRUE;
}

void chardev_complete(ChardevType type, ChardevSource *source, ChardevProtocol **protocol, ChardevLog **log)
{
    if (*log && !(*log)->file)
        g_clear_pointer(log, chardev_log_free);
    if (source && (type == CHARDEV_TYPE_UNIX ? source->path != NULL : type == CHARDEV_TYPE_TCP) &&
        source->mode == CHARDEV_MODE_UNSET)
        source->mode = CHARDEV_MODE_CONNECT;
    if (type != CHARDEV_TYPE_TCP)
        return;
    if (!*protocol)
        *protocol = chardev_protocol_new();
    if ((*protocol)->type == CHARDEV_PROTOCOL_TYPE_UNSET)
        (*protocol)->type = CHARDEV_PROTOCOL_TYPE_RAW;
}

#define EACH(list, Type, skip)                                                  \
    for (guint i_ = 0; i_ < (list)->len; i_++) {                                \
        Type *device = g_ptr_array_index((list), i_);                           \
        ChardevView view = CHARDEV_VIEW(device);                                \
        if (!(skip))                                                            \
            fn(&view, &device->source, device->alias ? device->alias->name : NULL, data); \
    }

void chardev_each(const Domain *live, ChardevFunc fn, gpointer data)
{
    const Devices *devices = live->devices;

    EACH(devices->serials, Chardev, FALSE)
    EACH(devices->parallels, Chardev, FALSE)
    EACH(devices->consoles, Chardev, device->target->type == CHARDEV_TARGET_TYPE_SERIAL)
    EACH(devices->channels, Chardev, FALSE)
    EACH(devices->smartcards, Smartcard, device->mode != SMARTCARD_MODE_PASSTHROUGH)
    EACH(devices->redirdevs, Redirdev, FALSE)
    for (guint i = 0; i < devices->rngs->len; i++) {
        Rng *rng = g_ptr_array_index(devices->rngs, i);
        ChardevView view = CHARDEV_VIEW(rng->backend);

        if (rng->backend->model == RNG_BACKEND_MODEL_EGD)
            fn(&view, &rng->backend->source, rng->alias ? rng->alias->name : NULL, data);
    }
}

static gboolean has_spice(const Domain *def)
{
    for (guint i = 0; i < def->devices->graphics->len; i++)
        if (((const Graphics *)g_ptr_array_index(def->devices->graphics, i))->type == GRAPHICS_TYPE_SPICE)
            return TRUE;
    return FALSE;
}

static gboolean validate_source(const ChardevView *view, GError **error)
{
    const ChardevSource *source = view->source;

    switch (view->type) {
    case CHARDEV_TYPE_FILE:
    case CHARDEV_TYPE_PIPE:
    case CHARDEV_TYPE_DEV:
        return need(chardev_path(view), "path", error);
    case CHARDEV_TYPE_UNIX:
        return validate_reconnect(view, error) && (view->named || need(chardev_path(view), "path", error));
    case CHARDEV_TYPE_TCP:
        if (!validate_reconnect(view, error))
            return FALSE;
        return need(source ? source->host : NULL, "host", error) && need(source->service, "service", error);
    case CHARDEV_TYPE_UDP:
        return need(source ? source->service : NULL, "service", error);
    case CHARDEV_TYPE_NMDM:
        return (source && source->master && source->slave) ||
               error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR,
                         "Should define both master and slave path attributes for nmdm device");
    case CHARDEV_TYPE_SPICEPORT:
        return (source && source->channel) ||
               error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "Missing source channel attribute for char device");
    default:
        return TRUE;
    }
}

gboolean chardev_validate(const Domain *def, const ChardevView *view, GError **error)
{
    if (!validate_source(view, error))
        return FALSE;
    if (view->type == CHARDEV_TYPE_SPICEVMC && !view->spice)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "spicevmc device type only supports virtio");
    return (view->type != CHARDEV_TYPE_SPICEVMC && view->type != CHARDEV_TYPE_SPICEPORT) || has_spice(def) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "chardev '%s' not supported without spice graphics",
                     chardev_type_to_string(view->type));
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
    const char *path = chardev_path(view);
    g_autofree char *in = g_strdup_printf("%s.in", path ? path : ""), *out = g_strdup_printf("%s.out", path ? path : "");
    gboolean pair = view->type == CHARDEV_TYPE_PIPE && is_there(in) && is_there(out);

    if (pair)
        g_strv_builder_add_many(paths, in, out, NULL);
    else if (path && (view->type == CHARDEV_TYPE_PIPE || view->type == CHARDEV_TYPE_DEV ||
                      (view->type == CHARDEV_TYPE_UNIX && !chardev_listens(view))))
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
        return pass_file(context, chardev_path(view), view->source->append, alias, error);
    if (view->type != CHARDEV_TYPE_UNIX || !chardev_listens(view))
        return TRUE;
    fd = listen_on(chardev_path(view), error);
    if (fd < 0)
        return FALSE;
    argv_context_pass(context, fd, alias);
    return TRUE;
}

void chardev_release(const ChardevView *view)
{
    if (view->type == CHARDEV_TYPE_UNIX && chardev_listens(view) && chardev_path(view))
        patient_unlink_socket(chardev_path(view), g_get_monotonic_time() + PATIENT_USEC);
}
