/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers: a stream to a character device of a running guest.
 *
 * One session to a device at a time: two readers of one terminal would each see half of the output. Sessions are kept
 * in one table by domain, run and device; a session leaves it when its stream has ended, on the I/O loop. Taking a
 * device over (FORCE) puts the new session in the table first and then ends the old stream, which on its end finds
 * itself replaced. Nothing of this is on disk: after a restart of the daemon there are no streams, and the device is
 * found again by its alias in the live definition.
 */
#include <string.h>

#include "daemon/rpc/call.h"
#include "daemon/rpc/stream.h"
#include "lib/error.h"

typedef struct {
    char *key;
    Stream *stream; /* NULL while the device is being opened */
} Session;

static GMutex lock;
static GHashTable *sessions; /* key -> Session, not owned */

static void session_free(Session *session)
{
    stream_unref(session->stream);
    g_free(session->key);
    g_free(session);
}

/* Takes SESSION out of the table unless another has taken its place. */
static void session_leave(gpointer data)
{
    Session *session = data;
    g_mutex_lock(&lock);
    if (g_hash_table_lookup(sessions, session->key) == session)
        g_hash_table_remove(sessions, session->key);
    g_mutex_unlock(&lock);
    session_free(session);
}

/* A session in the table, or NULL if there is one already and FORCE is not set. RET_OLD: the stream that it
 * replaces, to unref, or NULL. */
static Session *session_enter(const Vm *vm, int run, const char *alias, gboolean force, Stream **ret_old)
{
    Session *session = NULL;
    g_autofree char *key = g_strdup_printf("%s/%d/%s", vm->uuid_text, run, alias);
    g_mutex_lock(&lock);
    if (!sessions)
        sessions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Session *old = g_hash_table_lookup(sessions, key);
    if (!old || force) {
        *ret_old = old && old->stream ? stream_ref(old->stream) : NULL;
        session = g_new0(Session, 1);
        session->key = g_steal_pointer(&key);
        g_hash_table_replace(sessions, g_strdup(session->key), session);
    }
    g_mutex_unlock(&lock);
    return session;
}

/* What a kind of device is called, and what is said of it. */
typedef struct {
    const char *missing, *wrong_type, *busy;
} Words;

static const Words console_words = {"cannot find character device %s",
                                    "character device %s is not using a PTY",
                                    "Active console session exists for this domain"};
static const Words channel_words = {"cannot find channel %s", "channel %s is not using a UNIX socket",
                                    "Active channel stream exists for this domain"};

static gboolean has_alias(const Chardev *device, const char *alias)
{
    return device->alias && g_strcmp0(device->alias->name, alias) == 0;
}

static const Chardev *find_alias(const GPtrArray *devices, const char *alias)
{
    for (guint i = 0; i < devices->len; i++) {
        if (has_alias(devices->pdata[i], alias))
            return devices->pdata[i];
    }
    return NULL;
}

/* Clients may call the first console by its own alias also where it is a serial port and has that one's. */
#define FIRST_CONSOLE "console0"

/* The console, serial or parallel port with ALIAS; without one the first serial port. */
static const Chardev *find_console(const Domain *def, const char *alias)
{
    const GPtrArray *lists[] = {def->devices->consoles, def->devices->serials, def->devices->parallels};
    const Chardev *device = NULL;
    if (!alias)
        return lists[1]->len ? lists[1]->pdata[0] : NULL;
    if (g_str_equal(alias, FIRST_CONSOLE) && lists[0]->len)
        return lists[0]->pdata[0];
    for (gsize i = 0; i < G_N_ELEMENTS(lists) && !device; i++)
        device = find_alias(lists[i], alias);
    return device;
}

/* The first virtio channel that has NAME as its name or alias; without one the first channel. */
static const Chardev *find_channel(const Domain *def, const char *name)
{
    const GPtrArray *channels = def->devices->channels;
    for (guint i = 0; i < channels->len; i++) {
        const Chardev *channel = channels->pdata[i];
        if (!name || has_alias(channel, name) || (channel->target && g_strcmp0(channel->target->name, name) == 0))
            return channel;
    }
    return NULL;
}

/* Binds a stream to DEVICE, which NAME asked for. */
static gboolean open_device(Call *call, const VmView *view, const Chardev *device, const Words *words, gboolean force,
                            GError **error)
{
    const DriverInstance *instance = call->instance;
    const DriverChardevOps *ops = instance->driver->chardev;
    g_autoptr(Stream) old = NULL;
    const char *alias = device->alias->name;
    if (!ops || !ops->open)
        return error_set(error, instance->from, VIR_ERR_NO_SUPPORT, "streams to character devices");
    Session *session = session_enter(call->vm, view->id, alias, force, &old);
    if (!session)
        return error_set(error, instance->from, VIR_ERR_OPERATION_FAILED, "%s", words->busy);
    if (old)
        stream_abort(old, "another session has taken this device over");

    int fd = ops->open(instance->self, call->vm, alias, error);
    g_mutex_lock(&lock); /* keeps SESSION from leaving before it has its stream: the connection may close at any time */
    gboolean opened = fd >= 0 && (session->stream = stream_new(call, fd, session_leave, session, error));
    g_mutex_unlock(&lock);
    if (!opened)
        session_leave(session);
    return opened;
}

static gboolean open_found(Call *call, const VmView *view, const Chardev *device, const char *name, const Words *words,
                           gboolean takes_pty, gboolean force, GError **error)
{
    const char *alias = device && device->alias ? device->alias->name : NULL;
    g_autofree char *missing = g_strdup_printf(words->missing, name ? name : "<null>");
    g_autofree char *wrong_type = g_strdup_printf(words->wrong_type, name ? name : alias);
    if (!device || !device->alias || !device->alias->name)
        return error_set(error, call->instance->from, VIR_ERR_INTERNAL_ERROR, "%s", missing);
    if (device->type != CHARDEV_TYPE_UNIX && !(takes_pty && device->type == CHARDEV_TYPE_PTY))
        return error_set(error, call->instance->from, VIR_ERR_INTERNAL_ERROR, "%s", wrong_type);
    return open_device(call, view, device, words, force, error);
}

/* SAFE asks for what holds always: one session at a time. */
gboolean remote_domain_open_console(Call *call, const RemoteDomainOpenConsoleArgs *args, GError **error)
{
    if (!vm_check_active(call->vm, error))
        return FALSE;
    g_autoptr(VmView) view = vm_view(call->vm);
    const Domain *def = vm_view_def(view);
    const char *name = !args->dev_name && def->devices->consoles->len ? FIRST_CONSOLE : args->dev_name;
    return open_found(call, view, find_console(def, name), name, &console_words, TRUE,
                      args->flags & VIR_DOMAIN_CONSOLE_FORCE, error);
}

gboolean remote_domain_open_channel(Call *call, const RemoteDomainOpenChannelArgs *args, GError **error)
{
    if (!vm_check_active(call->vm, error))
        return FALSE;
    g_autoptr(VmView) view = vm_view(call->vm);
    return open_found(call, view, find_channel(vm_view_def(view), args->name), args->name, &channel_words, FALSE,
                      args->flags & VIR_DOMAIN_CHANNEL_FORCE, error);
}
