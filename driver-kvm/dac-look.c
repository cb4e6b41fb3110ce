/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/dac-look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"

#define PATIENCE (10 * G_USEC_PER_SEC)

typedef struct {
    const ProcessIds *ids;
    const GPtrArray *paths;
    const gboolean *change; /* which change hands first; NULL: none */
    const Look *looked;     /* with `change`: what they were */
} Work;

/* --- in the forked copy: only system calls --- */

static gboolean is_same(const struct stat *st, const FileKey *key)
{
    return st->st_dev == key->dev && st->st_ino == key->ino;
}

/* Changes the owner of PATH if it still is the file KEY. FALSE with errno. */
static gboolean change_owner(const char *path, const FileKey *key, uid_t uid, gid_t gid)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    gboolean ok = fd >= 0 && fstat(fd, &st) == 0 && is_same(&st, key) && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0;
    int errnum = errno;

    if (fd >= 0)
        close(fd);
    errno = errnum;
    return ok;
}

static int look_at_all(gpointer data, int out)
{
    const Work *work = data;
    static Look looks[DAC_PATHS_MAX];
    guint n = work->paths->len;

    for (guint i = 0; i < n; i++) {
        const DacPath *path = work->paths->pdata[i];
        struct stat st;
        /* what cannot be given away may still be usable: the second look says */
        if (work->change && work->change[i])
            change_owner(path->path, &work->looked[i].key, work->ids->uid, work->ids->gid);
        if (stat(path->path, &st) < 0)
            looks[i].error = errno;
        else
            looks[i] = (Look){0, 0, {st.st_dev, st.st_ino}, st.st_uid, st.st_gid, st.st_mode};
    }
    if (!process_become(work->ids))
        return 1;
    for (guint i = 0; i < n; i++) {
        const DacPath *path = work->paths->pdata[i];
        if (!looks[i].error && faccessat(AT_FDCWD, path->path, R_OK | (path->write ? W_OK : 0), AT_EACCESS) < 0)
            looks[i].forbidden = errno;
    }
    gsize length = n * sizeof *looks;
    for (gsize done = 0; done < length;) {
        ssize_t written = write(out, (char *)looks + done, length - done);
        if (written < 0)
            return 1;
        done += written;
    }
    return 0;
}

typedef struct {
    const char *path;
    const ProcessIds *ids;
    FileKey key;
    uid_t uid;
    gid_t gid;
} Return;

static int give_one_back(gpointer data, int out)
{
    const Return *what = data;
    struct stat st;

    /* somebody else's by now: not ours to give */
    if (stat(what->path, &st) == 0 && is_same(&st, &what->key) && st.st_uid == what->ids->uid)
        change_owner(what->path, &what->key, what->uid, what->gid);
    return 0;
}

/* Runs as QEMU's user and says how long the part of a path is that it may not search; nothing: it may search all. */
static int find_obstacle(gpointer data, int out)
{
    const Work *work = data;
    char part[PATH_MAX];
    const char *path = ((const DacPath *)work->paths->pdata[0])->path;

    if (!process_become(work->ids))
        return 1;
    for (gsize i = 1; path[i] && i < sizeof part; i++) {
        if (path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (faccessat(AT_FDCWD, part, X_OK, AT_EACCESS) < 0)
            return write(out, &i, sizeof i) != sizeof i;
    }
    return 0;
}

/* --- in the daemon --- */

Look *dac_look(const ProcessIds *ids, const GPtrArray *paths, const gboolean *change, const Look *looked, GError **error)
{
    Work work = {ids, paths, change, looked};
    gsize length = paths->len * sizeof(Look);
    g_autoptr(GByteArray) reply = process_call("preparing the files of the guest", look_at_all, &work, length,
                                               g_get_monotonic_time() + PATIENCE, error);

    if (!reply)
        return NULL;
    if (reply->len != length) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "preparing the files of the guest failed");
        return NULL;
    }
    return g_memdup2(reply->data, length);
}

gsize dac_obstacle(const ProcessIds *ids, DacPath *path)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    Work work = {ids, one};
    gsize obstacle = 0;

    g_ptr_array_add(one, path);
    g_autoptr(GByteArray) reply = process_call("looking for the obstacle", find_obstacle, &work, sizeof obstacle,
                                               g_get_monotonic_time() + PATIENCE, NULL);
    if (reply && reply->len == sizeof obstacle)
        memcpy(&obstacle, reply->data, sizeof obstacle);
    return obstacle;
}

void dac_return(const ProcessIds *ids, const char *path, const FileKey *key, uid_t uid, gid_t gid)
{
    Return what = {path, ids, *key, uid, gid};
    g_autoptr(GByteArray) reply = process_call("giving a file back", give_one_back, &what, 1,
                                               g_get_monotonic_time() + PATIENCE, NULL);
}
