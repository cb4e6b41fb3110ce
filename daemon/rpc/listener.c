/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"
#include "lib/log.h"

#define ACCEPTS_A_TURN 32
#define SHORT_OF_FDS_USEC G_USEC_PER_SEC

/* libvirt's own daemon, and its daemons of one driver each whose URIs are served here. */
static const char *const names[] = {"libvirt", "virtqemud", "virtxend"};

typedef struct {
    int fd;
    gboolean read_only;
    char *path;            /* NULL: systemd's, not ours to remove */
    dev_t dev;             /* of the file at `path` when it was made */
    ino_t ino;
    sd_event_source *source;
    sd_event_source *pause; /* no descriptors were left: it is tried again then */
    Server *server;
} Door;

struct Listener {
    GPtrArray *doors;
};

static void remove_file(Door *door)
{
    struct stat st;

    if (door->path && stat(door->path, &st) == 0 && st.st_dev == door->dev && st.st_ino == door->ino)
        unlink(door->path);
}

static void door_free(Door *door)
{
    sd_event_source_disable_unref(door->source);
    sd_event_source_unref(door->pause);
    remove_file(door);
    if (door->fd >= 0)
        close(door->fd);
    g_free(door->path);
    g_free(door);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Door, door_free)

static gboolean fill_address(struct sockaddr_un *address, const char *path, GError **error)
{
    gsize most = sizeof(address->sun_path) - 1;

    if (strlen(path) > most)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR,
                         "the path of socket %s has %zu octets and may have %zu: choose a shorter root", path,
                         strlen(path), most);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(address->sun_path, path);
    return TRUE;
}

/* FALSE if somebody listens at ADDRESS, or if it cannot be told. */
static gboolean nobody_listens(const struct sockaddr_un *address, GError **error)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = fd < 0 ? errno : connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);

    if (r == 0)
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    if (fd >= 0)
        close(fd);
    if (r == ENOENT || r == ECONNREFUSED)
        return TRUE;
    if (r == 0 || r == EAGAIN)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_FAILED,
                         "another daemon (pid %d) serves %s; stop it, or choose another root", peer.pid,
                         address->sun_path);
    return error_set_errno(error, VIR_FROM_RPC, r, "cannot find out who serves %s", address->sun_path);
}

/* Makes room for a socket file: what is left of an older daemon goes, anything else stays. */
static gboolean clear_path(const struct sockaddr_un *address, GError **error)
{
    const char *path = address->sun_path;
    struct stat st;

    if (lstat(path, &st) < 0)
        return errno == ENOENT || error_set_errno(error, VIR_FROM_RPC, errno, "cannot look at %s", path);
    if (!S_ISSOCK(st.st_mode))
        return error_set(error, VIR_FROM_RPC, VIR_ERR_SYSTEM_ERROR, "%s is in the way and not a socket", path);
    if (!nobody_listens(address, error))
        return FALSE;
    if (unlink(path) < 0 && errno != ENOENT)
        return error_set_errno(error, VIR_FROM_RPC, errno, "cannot remove %s", path);
    return TRUE;
}

/* Nobody can connect before listen(), so the file's mode is right before it means anything. */
static gboolean listen_at(Door *door, const struct sockaddr_un *address, mode_t mode, gid_t group, GError **error)
{
    const char *path = address->sun_path;
    struct stat st;

    if (bind(door->fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        return error_set_errno(error, VIR_FROM_RPC, errno, "cannot make socket %s", path);
    if (lstat(path, &st) < 0)
        return error_set_errno(error, VIR_FROM_RPC, errno, "cannot look at %s", path);
    door->path = g_strdup(path);
    door->dev = st.st_dev;
    door->ino = st.st_ino;
    if (group != (gid_t)-1 && lchown(path, (uid_t)-1, group) < 0)
        return error_set_errno(error, VIR_FROM_RPC, errno, "cannot give %s to group %u", path, group);
    if (chmod(path, mode) < 0)
        return error_set_errno(error, VIR_FROM_RPC, errno, "cannot set the mode of %s", path);
    if (listen(door->fd, SOMAXCONN) < 0)
        return error_set_errno(error, VIR_FROM_RPC, errno, "cannot listen at %s", path);
    return TRUE;
}

static gboolean add_door(Listener *listener, const ListenerOptions *options, const char *name, gboolean read_only,
                         GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/%s-sock%s", options->folder, name, read_only ? "-ro" : "");
    g_autoptr(Door) door = g_new0(Door, 1);
    struct sockaddr_un address;

    door->read_only = read_only;
    door->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (door->fd < 0)
        return error_set_errno(error, VIR_FROM_RPC, errno, "cannot make a socket");
    if (!fill_address(&address, path, error) || !clear_path(&address, error) ||
        !listen_at(door, &address, read_only ? options->mode_ro : options->mode, options->group, error))
        return FALSE;
    g_ptr_array_add(listener->doors, g_steal_pointer(&door));
    return TRUE;
}

static gboolean add_all(Listener *listener, const ListenerOptions *options, GError **error)
{
    if (!file_make_folder(options->folder, options->session ? 0700 : 0755, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!add_door(listener, options, names[i], FALSE, error) ||
            (!options->session && !add_door(listener, options, names[i], TRUE, error)))
            return FALSE;
    }
    return TRUE;
}

/* A socket of systemd's: its path says which of ours it is. */
static gboolean add_passed(Listener *listener, int fd, GError **error)
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof(address) - 1;
    Door *door;

    if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0 || getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                         "descriptor %d from systemd is not a listening unix socket", fd);
    if (!g_str_has_suffix(address.sun_path, "-sock") && !g_str_has_suffix(address.sun_path, "-sock-ro"))
        return error_set(error, VIR_FROM_RPC, VIR_ERR_CONFIG_UNSUPPORTED,
                         "socket %s from systemd ends neither in -sock nor in -sock-ro", address.sun_path);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return error_set_errno(error, VIR_FROM_RPC, errno, "cannot use socket %s from systemd", address.sun_path);
    door = g_new0(Door, 1);
    door->fd = fd;
    door->read_only = g_str_has_suffix(address.sun_path, "-ro");
    g_ptr_array_add(listener->doors, door);
    return TRUE;
}

static gboolean add_all_passed(Listener *listener, int n, GError **error)
{
    for (int i = 0; i < n; i++) {
        if (!add_passed(listener, SD_LISTEN_FDS_START + i, error))
            return FALSE;
    }
    return TRUE;
}

Listener *listener_open(const ListenerOptions *options, GError **error)
{
    Listener *listener = g_new0(Listener, 1);
    int n = sd_listen_fds(TRUE);

    listener->doors = g_ptr_array_new_with_free_func((GDestroyNotify)door_free);
    if (n > 0 ? add_all_passed(listener, n, error) : add_all(listener, options, error))
        return listener;
    listener_close(listener);
    return NULL;
}

static void open_again(gpointer data)
{
    Door *door = data;

    g_clear_pointer(&door->pause, sd_event_source_unref);
    sd_event_source_set_enabled(door->source, SD_EVENT_ON);
}

/* An epoll that reports what cannot be taken would spin. */
static void wait_for_fds(Door *door, int errnum)
{
    static LogLimit limit = LOG_LIMIT_INIT(2, 60);

    log_limited(&limit, LOG_ERR, "cannot accept a connection: %s", g_strerror(errnum));
    sd_event_source_set_enabled(door->source, SD_EVENT_OFF);
    door->pause = loop_after(server_loop(door->server), SHORT_OF_FDS_USEC, open_again, door);
}

static int on_connect(sd_event_source *source, int listening, uint32_t revents, void *userdata)
{
    Door *door = userdata;

    for (guint i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        int r = fd < 0 ? errno : 0;
        if (fd >= 0)
            server_accept(door->server, fd, door->read_only);
        if (r == EMFILE || r == ENFILE || r == ENOBUFS || r == ENOMEM)
            wait_for_fds(door, r);
        if (r != 0 && r != ECONNABORTED && r != EINTR)
            break;
    }
    return 0;
}

gboolean listener_start(Listener *listener, Server *server, GError **error)
{
    for (guint i = 0; i < listener->doors->len; i++) {
        Door *door = g_ptr_array_index(listener->doors, i);
        int r;
        door->server = server;
        r = sd_event_add_io(loop_event(server_loop(server)), &door->source, door->fd, EPOLLIN, on_connect, door);
        if (r < 0)
            return error_set_errno(error, VIR_FROM_RPC, -r, "cannot watch a socket");
    }
    return TRUE;
}

void listener_close(Listener *listener)
{
    if (!listener)
        return;
    g_ptr_array_unref(listener->doors);
    g_free(listener);
}
