/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file has no name while it is written (O_TMPFILE) and gets one when it is whole, so that a killed daemon leaves
 * nothing to clean up. Where the file system has no such files (NFS), it is written under a name of its own beside
 * PATH; there a kill does leave that behind.
 *
 * Bypassing the cache by O_DIRECT was ruled out: the hypervisor writes what it has, unaligned, so all of it would have
 * to pass through a process of ours. Instead a thread sends what was written to the disk all the time and drops it
 * from the cache, which has the effect that is asked for: a guest of 100 GiB does not push everything else out of
 * memory.
 */
#include "daemon/core/save-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"
#include "lib/patient.h"

#define MODE 0600
#define DROP_EVERY (G_USEC_PER_SEC / 10)

struct SaveFile {
    int fd;
    char *path;
    char *temporary; /* the name it has for now; NULL: none */
    gboolean direct; /* PATH is written itself */
    gint64 deadline; /* of opening it: PATH may be on a server that is gone */

    GThread *dropper; /* NULL: the cache is not bypassed */
    GMutex lock;
    GCond stop_now;
    gboolean stop;
};

static void drop_cache(int fd)
{
    sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static gpointer drop_cache_again(gpointer data)
{
    SaveFile *file = data;
    g_mutex_lock(&file->lock);
    while (!file->stop) {
        g_cond_wait_until(&file->stop_now, &file->lock, g_get_monotonic_time() + DROP_EVERY);
        g_mutex_unlock(&file->lock);
        drop_cache(file->fd);
        g_mutex_lock(&file->lock);
    }
    g_mutex_unlock(&file->lock);
    return NULL;
}

static void stop_dropping(SaveFile *file)
{
    if (!file->dropper)
        return;
    g_mutex_lock(&file->lock);
    file->stop = TRUE;
    g_cond_signal(&file->stop_now);
    g_mutex_unlock(&file->lock);
    g_thread_join(g_steal_pointer(&file->dropper));
}

static gboolean fail(SaveFile *file, GError **error)
{
    return error_set_errno(error, VIR_FROM_QEMU, errno, "Failed to create file '%s'", file->path);
}

/* A name beside PATH that nobody has. To free. */
static char *name_beside(const SaveFile *file)
{
    return g_strdup_printf("%s.%08x.part", file->path, g_random_int());
}

static gboolean open_unnamed(SaveFile *file)
{
    g_autofree char *folder = g_path_get_dirname(file->path);
    file->fd = patient_open(folder, O_TMPFILE | O_RDWR, MODE, file->deadline);
    return file->fd >= 0;
}

static gboolean open_beside(SaveFile *file)
{
    file->temporary = name_beside(file);
    file->fd = patient_open(file->temporary, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, MODE, file->deadline);
    if (file->fd < 0)
        g_clear_pointer(&file->temporary, g_free);
    return file->fd >= 0;
}

static gboolean open_direct(SaveFile *file)
{
    file->direct = TRUE;
    file->fd = patient_open(file->path, O_RDWR, 0, file->deadline);
    return file->fd >= 0;
}

static gboolean open_file(SaveFile *file, GError **error)
{
    struct stat info;
    if (patient_stat(file->path, &info, file->deadline)) {
        if (S_ISBLK(info.st_mode))
            return open_direct(file) || fail(file, error);
        errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
        if (!S_ISREG(info.st_mode))
            return fail(file, error);
    }
    if (errno == ETIMEDOUT)
        return fail(file, error);
    if (open_unnamed(file))
        return TRUE;
    gboolean unsupported = errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL;
    return (unsupported && open_beside(file)) || fail(file, error);
}

SaveFile *save_file_new(const char *path, gboolean bypass_cache, GError **error)
{
    g_autoptr(SaveFile) file = g_new0(SaveFile, 1);
    file->fd = -1;
    file->deadline = g_get_monotonic_time() + PATIENT_USEC;
    file->path = g_strdup(path);
    g_mutex_init(&file->lock);
    g_cond_init(&file->stop_now);
    if (!open_file(file, error))
        return NULL;
    if (bypass_cache)
        file->dropper = g_thread_new("cache", drop_cache_again, file);
    return g_steal_pointer(&file);
}

void save_file_free(SaveFile *file)
{
    if (!file)
        return;
    stop_dropping(file);
    if (file->fd >= 0)
        close(file->fd);
    if (file->temporary)
        unlink(file->temporary);
    g_mutex_clear(&file->lock);
    g_cond_clear(&file->stop_now);
    g_free(file->temporary);
    g_free(file->path);
    g_free(file);
}

int save_file_fd(const SaveFile *file)
{
    return file->fd;
}

const char *save_file_path(const SaveFile *file)
{
    return file->path;
}

/* Gives the unnamed file the name TO, which nobody has. */
static gboolean link_to(const SaveFile *file, const char *to)
{
    g_autofree char *self = g_strdup_printf("/proc/self/fd/%d", file->fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0;
}

/* PATH becomes the file's name; what had it before is gone in the same instant. */
static gboolean take_name(SaveFile *file)
{
    g_autofree char *name = name_beside(file);
    if (!file->temporary) {
        if (link_to(file, file->path))
            return TRUE;
        if (errno != EEXIST || !link_to(file, name))
            return FALSE;
        file->temporary = g_steal_pointer(&name);
    }
    if (rename(file->temporary, file->path) != 0)
        return FALSE;
    g_clear_pointer(&file->temporary, g_free);
    return TRUE;
}

gboolean save_file_commit(SaveFile *file, GError **error)
{
    stop_dropping(file);
    if (fsync(file->fd) != 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot write '%s' to the disk", file->path);
    if (file->direct)
        return TRUE;
    if (!take_name(file))
        return fail(file, error);
    g_autofree char *folder = g_path_get_dirname(file->path);
    if (file_sync_folder(folder, error))
        return TRUE;
    unlink(file->path); /* the guest goes on, so this must not be found */
    return FALSE;
}
