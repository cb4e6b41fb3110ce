/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "lib/error.h"

static gboolean fail(GError **error, const char *what, const char *path)
{
    return error_set_errno(error, VIR_FROM_NONE, errno, "%s '%s'", what, path);
}

static gboolean write_all(int fd, const char *data, gsize length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        data += n;
        length -= (gsize)n;
    }
    return TRUE;
}

gboolean file_sync_folder(const char *folder, GError **error)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(error, "cannot open folder", folder);
    gboolean ok = fsync(fd) == 0 || fail(error, "cannot sync folder", folder);
    close(fd);
    return ok;
}

static gboolean sync_parent(const char *path, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    return file_sync_folder(folder, error);
}

static gboolean is_folder(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* PATH gets what TEMPORARY is, which then is what PATH was, so that it can be put back; or is gone, if there was nothing
 * or the file system cannot exchange. */
static gboolean exchange(const char *temporary, const char *path, gboolean *ret_was_there)
{
    if (!is_folder(path) && renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
        *ret_was_there = TRUE;
        return TRUE;
    }
    *ret_was_there = errno != ENOENT;
    return rename(temporary, path) == 0;
}

/* On the disk, or as it was. */
static gboolean settle(const char *temporary, const char *path, gboolean was_there, GError **error)
{
    if (sync_parent(path, error)) {
        unlink(temporary);
        return TRUE;
    }
    if (!was_there)
        unlink(path);
    else
        rename(temporary, path); /* not where it could not be exchanged: there the new one stays */
    return FALSE;
}

/* The temporary name is fixed: what a crash left behind is overwritten by the next attempt and never piles up. Two writers
 * of one path are the caller's mistake; O_EXCL is not used for that reason. */
static gboolean replace(const char *path, const void *data, gssize length, mode_t mode, gboolean sync, GError **error)
{
    gsize size = length < 0 ? strlen(data) : (gsize)length;
    g_autofree char *temporary = g_strconcat(path, ".new", NULL);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return fail(error, "cannot create", temporary);
    gboolean ok = fchmod(fd, mode) == 0 && write_all(fd, data, size) && (!sync || fsync(fd) == 0);
    if (!ok)
        fail(error, "cannot write", temporary);
    if (close(fd) < 0 && ok)
        ok = fail(error, "cannot write", temporary);
    gboolean was_there = FALSE;
    if (ok && (sync ? !exchange(temporary, path, &was_there) : rename(temporary, path) < 0))
        ok = fail(error, "cannot rename to", path);
    if (!ok) {
        unlink(temporary);
        return FALSE;
    }
    return !sync || settle(temporary, path, was_there, error);
}

gboolean file_replace(const char *path, const void *data, gssize length, mode_t mode, GError **error)
{
    return replace(path, data, length, mode, TRUE, error);
}

gboolean file_replace_volatile(const char *path, const void *data, gssize length, mode_t mode, GError **error)
{
    return replace(path, data, length, mode, FALSE, error);
}

/* It has another name until it is known to be gone from the disk. */
gboolean file_remove(const char *path, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".new", NULL);
    if (is_folder(path)) {
        errno = EISDIR;
        return fail(error, "cannot remove", path);
    }
    if (rename(path, temporary) == 0)
        return settle(temporary, path, TRUE, error);
    return errno == ENOENT || fail(error, "cannot remove", path);
}

static int check_regular(int fd, const char *path, GError **error)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    error_set(error, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "'%s' is not a regular file", path);
    close(fd);
    return -1;
}

int file_open(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        fail(error, "cannot open", path);
        return -1;
    }
    return check_regular(fd, path, error);
}

int file_open_beneath(int folder_fd, const char *relative, int flags, mode_t mode, GError **error)
{
    struct open_how how = {
        .flags = (guint64)(guint)(flags | O_CLOEXEC),
        .mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
    };
    int fd = (int)syscall(SYS_openat2, folder_fd, relative, &how, sizeof(how));
    if (fd < 0)
        fail(error, "cannot open", relative);
    return fd;
}

char *file_read(const char *path, gsize max, gsize *ret_length, GError **error)
{
    int fd = file_open(path, error);
    if (fd < 0)
        return NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    char buffer[16384];
    ssize_t n;
    while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || text->len + (gsize)n > max)
            break;
        g_string_append_len(text, buffer, n);
    }
    if (n < 0)
        fail(error, "cannot read", path);
    else if (n > 0)
        error_set(error, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "'%s' is larger than %" G_GSIZE_FORMAT " bytes", path, max);
    close(fd);
    if (n != 0)
        return NULL;
    if (ret_length)
        *ret_length = text->len;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

gboolean file_make_folder(const char *path, mode_t mode, GError **error)
{
    if (g_mkdir_with_parents(path, (int)mode) == 0)
        return TRUE;
    return fail(error, "cannot make folder", path);
}

/* Each level holds a descriptor, and a guest's process may write in its own folder. */
#define TREE_DEPTH_MAX 32

/* FD is taken over. */
static gboolean remove_below(int fd, guint depth)
{
    if (depth > TREE_DEPTH_MAX) {
        close(fd);
        errno = ELOOP;
        return FALSE;
    }
    DIR *folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return FALSE;
    }
    gboolean ok = TRUE;
    struct dirent *entry;
    while (ok && (entry = readdir(folder))) {
        if (g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, ".."))
            continue;
        if (unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT)
            continue;
        int below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        ok = below >= 0 && remove_below(below, depth + 1) && unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0;
    }
    int saved = errno;
    closedir(folder);
    errno = saved;
    return ok;
}

gboolean file_remove_tree(const char *path, GError **error)
{
    if (unlink(path) == 0 || errno == ENOENT)
        return TRUE;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && remove_below(fd, 0) && rmdir(path) == 0)
        return TRUE;
    return errno == ENOENT || fail(error, "cannot remove", path);
}

int file_lock(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) {
        fail(error, "cannot open", path);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        error_set(error, VIR_FROM_NONE, VIR_ERR_RESOURCE_BUSY, "'%s' is locked by another process", path);
    else
        fail(error, "cannot lock", path);
    close(fd);
    return -1;
}
