/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/virtiofs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "driver-kvm/descriptor.h"
#include "driver-kvm/launch/contract.h"
#include "driver-kvm/part.h"
#include "driver-kvm/side.h"
#include "driver-kvm/start-private.h"
#include "lib/error.h"
#include "lib/json-peek.h"
#include "lib/patient.h"

#define VALUES_MAX 1000

char *virtiofs_socket(const char *private_dir, const char *alias)
{
    return g_strdup_printf("%s/%s-fs.sock", private_dir, alias);
}

/* --- the program --- */

char *virtiofs_program(const char *text, gsize length)
{
    g_autoptr(JsonNode) node = json_peek_parse(text, length, VALUES_MAX, NULL);
    JsonObject *root = json_peek_as_object(node);
    const char *program = json_peek_string(root, "binary");

    return program && g_path_is_absolute(program) && g_strcmp0(json_peek_string(root, "type"), "fs") == 0 ? g_strdup(program)
                                                                                                        : NULL;
}

static gboolean look_for_program(const char *path, const char *text, gsize length, const char *why, gpointer data)
{
    char **ret_program = data;

    *ret_program = text ? virtiofs_program(text, length) : NULL;
    return !*ret_program;
}

static gboolean want_program(Filesystem *filesystem, GError **error)
{
    g_auto(GStrv) folders = descriptor_folders("vhost-user");

    if (!filesystem->binary)
        filesystem->binary = filesystem_binary_new();
    if (filesystem->binary->path)
        return TRUE;
    descriptor_each((const char *const *)folders, look_for_program, &filesystem->binary->path);
    return filesystem->binary->path ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "Unable to find a satisfying virtiofsd");
}

gboolean virtiofs_prepare(Filesystem *filesystem, GError **error)
{
    const char *folder = filesystem->source->dir;
    struct stat st;

    if (!want_program(filesystem, error))
        return FALSE;
    if (access(filesystem->binary->path, X_OK) < 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "virtiofsd binary '%s' is not executable",
                         filesystem->binary->path);
    if (folder && patient_stat(folder, &st, g_get_monotonic_time() + PATIENT_USEC))
        return TRUE;
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "the virtiofs export directory '%s' does not exist",
                     folder ? folder : "(none)");
}

/* --- the process --- */

/* What it is told of the folder; to free. */
static char *options(const Filesystem *filesystem)
{
    const FilesystemBinary *binary = filesystem->binary;
    g_autofree char *folder = part_escape(filesystem->source->dir);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "source=%s", folder);
    if (binary->cache && binary->cache->mode != FILESYSTEM_CACHE_UNSET)
        g_string_append_printf(text, ",cache=%s", filesystem_cache_to_string(binary->cache->mode));
    if (binary->sandbox && binary->sandbox->mode != FILESYSTEM_SANDBOX_UNSET)
        g_string_append_printf(text, ",sandbox=%s", filesystem_sandbox_to_string(binary->sandbox->mode));
    if (binary->xattr != TOGGLE_UNSET)
        g_string_append(text, binary->xattr == TOGGLE_ON ? ",xattr" : ",no_xattr");
    if (binary->lock && binary->lock->flock != TOGGLE_UNSET)
        g_string_append(text, binary->lock->flock == TOGGLE_ON ? ",flock" : ",no_flock");
    if (binary->lock && binary->lock->posix != TOGGLE_UNSET)
        g_string_append(text, binary->lock->posix == TOGGLE_ON ? ",posix_lock" : ",no_posix_lock");
    return g_string_free(text, FALSE);
}

/* Nobody but QEMU's user may connect. */
static int listen_for_qemu(const Guest *guest, const char *path, GError **error)
{
    const ProcessIds *ids = user_ids(guest->kvm->user);
    g_autofree char *name = g_path_get_basename(path);
    int fd = start_listen_below(guest->private_dir, name);

    if (fd >= 0 && (!ids || lchown(path, ids->uid, ids->gid) == 0))
        return fd;
    error_set_errno(error, VIR_FROM_QEMU, errno, "cannot make socket '%s'", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

gboolean virtiofs_start(Guest *guest, const Filesystem *filesystem, GError **error)
{
    const FilesystemThreadPool *pool = filesystem->binary->thread_pool;
    g_autofree char *path = virtiofs_socket(guest->private_dir, filesystem->alias->name);
    g_autofree char *socket = g_strdup_printf("--fd=%d", LAUNCH_FIRST_FREE);
    g_autofree char *how = options(filesystem);
    g_autofree char *threads =
        pool && pool->size != UNSET32 ? g_strdup_printf("--thread-pool-size=%u", pool->size) : NULL;
    const FilesystemOpenFiles *files = filesystem->binary->openfiles;
    g_autofree char *limit = files ? g_strdup_printf("--rlimit-nofile=%u", files->max) : NULL;
    const char *argv[] = {filesystem->binary->path, socket, "-o", how, NULL, NULL, NULL};
    guint n = 4;
    int fd = listen_for_qemu(guest, path, error);
    const ProcessFd fds[] = {{fd, LAUNCH_FIRST_FREE}};
    const SideSpec spec = {.name = filesystem->alias->name, .argv = argv, .fds = fds, .n_fds = G_N_ELEMENTS(fds)};

    if (fd < 0)
        return FALSE;
    if (threads)
        argv[n++] = threads;
    if (limit)
        argv[n++] = limit;
    gboolean started = side_start(guest, &spec, error);
    close(fd);
    return started;
}
