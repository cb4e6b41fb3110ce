/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A volume is made under a name that scans pass over, and gets its own by a rename that replaces nothing, when all of
 * it is on the disk: a kill in between leaves no half-made volume that looks like a good one (what is left goes at the
 * next start of the pool). Each function is one forked copy, which uses system calls only and says what failed in one
 * struct.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/storage/scan.h"
#include "daemon/storage/volume-files.h"
#include "lib/process.h"
#include "lib/uuid.h"

#define LONG (24 * 3600 * (gint64)G_USEC_PER_SEC) /* for content of any size */
#define PIECE (1024 * 1024)

typedef enum {
    FINE,
    CREATE,
    EXTEND,
    ALLOCATE,
    CLONE,
    COPY,
    OWNER,
    MODE,
    NAME,
    OPEN,
    REMOVE,
    REMOVE_FOLDER,
    TRUNCATE
} Step;

static const char *const words[] = {
    [CREATE] = "Failed to create file '%s'",
    [EXTEND] = "cannot extend file '%s'",
    [CLONE] = "failed to clone files from '%s'",
    [COPY] = "failed writing to file '%s'",
    [OWNER] = "cannot chown '%s'",
    [MODE] = "cannot set mode of '%s'",
    [NAME] = "Failed to create file '%s'",
    [OPEN] = "cannot open volume '%s'",
    [REMOVE] = "cannot unlink file '%s'",
    [REMOVE_FOLDER] = "cannot remove directory '%s'",
    [TRUNCATE] = "Failed to truncate file '%s'",
};

typedef struct {
    Step step;
    int errnum;
} Fault;

typedef struct Job Job;
struct Job {
    Step (*fn)(const Job *job); /* the step that failed, with errno */
    VolumeWork *work;
    const char *path;
    guint64 size;
    gboolean flag;
};

static int run_job(gpointer data, int out)
{
    const Job *job = data;
    Fault fault = {job->fn(job), errno};
    return write(out, &fault, sizeof fault) != sizeof fault;
}

static gboolean run(const Job *job, gint64 budget, GError **error)
{
    g_autofree char *what = g_strdup_printf("working on '%s'", job->path);
    g_autoptr(GByteArray) answer =
        process_call(what, run_job, (gpointer)job, sizeof(Fault), g_get_monotonic_time() + budget, error);
    Fault fault;
    if (!answer)
        return FALSE;
    if (answer->len != sizeof fault)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "%s: no answer", what);
    memcpy(&fault, answer->data, sizeof fault);
    if (fault.step == FINE)
        return TRUE;
    const char *path = fault.step == CLONE ? job->work->source : job->path;
    virErrorDomain from = fault.step == TRUNCATE ? VIR_FROM_NONE : VIR_FROM_STORAGE;
    if (fault.step == ALLOCATE)
        return error_set_errno(error, from, fault.errnum, "cannot allocate %" G_GUINT64_FORMAT " bytes in file '%s'",
                               job->work ? job->work->allocation : job->size, path);
    return error_set_errno(error, from, fault.errnum, words[fault.step], path);
}

/* --- in the copy --- */

static int folder_of(const VolumeWork *work)
{
    return open(work->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static gboolean write_all(int fd, const char *data, gsize length, off_t at)
{
    while (length > 0) {
        ssize_t n = pwrite(fd, data, length, at);
        if (n < 0 && errno != EINTR)
            return FALSE;
        data += MAX(n, 0), length -= MAX(n, 0), at += MAX(n, 0);
    }
    return TRUE;
}

static gboolean copy_range(int from, int to, off_t at, off_t end)
{
    static char piece[PIECE];
    while (at < end) {
        ssize_t n = pread(from, piece, MIN((off_t)sizeof piece, end - at), at);
        if (n < 0 && errno != EINTR)
            return FALSE;
        if (n == 0)
            return TRUE;
        if (n > 0 && !write_all(to, piece, (gsize)n, at))
            return FALSE;
        at += MAX(n, 0);
    }
    return TRUE;
}

/* Holes stay holes. */
static gboolean copy_data(int from, int to, off_t size)
{
    for (off_t at = 0; at < size;) {
        off_t data = lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return TRUE;
        off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
        if (data < 0 || hole < 0) /* it cannot tell */
            return copy_range(from, to, at, size);
        if (!copy_range(from, to, data, MIN(hole, size)))
            return FALSE;
        at = hole;
    }
    return TRUE;
}

static Step copy_source(const VolumeWork *work, int to)
{
    struct stat info;
    if (!work->source)
        return FINE;
    int from = open(work->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (from < 0 || fstat(from, &info) < 0)
        return OPEN;
    if (work->reflink)
        return ioctl(to, FICLONE, from) < 0 ? CLONE : FINE;
    off_t size = S_ISBLK(info.st_mode) ? lseek(from, 0, SEEK_END) : info.st_size;
    return copy_data(from, to, MIN(size, (off_t)work->capacity)) ? FINE : COPY;
}

static Step name_it(const VolumeWork *work, int folder, int fd)
{
    const char *name = strrchr(work->path, '/') + 1;
    if ((work->owner >= 0 || work->group >= 0) && fchown(fd, (uid_t)work->owner, (gid_t)work->group) < 0)
        return OWNER;
    if (fchmod(fd, work->mode) < 0)
        return MODE;
    if (fsync(fd) < 0)
        return COPY;
    if (renameat2(folder, work->temporary, folder, name, RENAME_NOREPLACE) < 0) {
        if (errno != EINVAL || faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
            renameat(folder, work->temporary, folder, name) < 0)
            return NAME;
    }
    fsync(folder);
    return FINE;
}

static Step do_make(const Job *job)
{
    const VolumeWork *work = job->work;
    int folder = folder_of(work);
    if (folder < 0)
        return CREATE;
    if (work->is_folder && mkdirat(folder, work->temporary, 0700) < 0)
        return CREATE;
    int fd = openat(folder, work->temporary,
                    work->is_folder ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    Step step = fd < 0 ? CREATE : FINE;
    if (step == FINE && !work->is_folder && ftruncate(fd, (off_t)work->capacity) < 0)
        step = EXTEND;
    if (step == FINE && !work->is_folder && work->allocation && fallocate(fd, 0, 0, (off_t)work->allocation) < 0 &&
        errno != EOPNOTSUPP)
        step = ALLOCATE;
    if (step == FINE)
        step = copy_source(work, fd);
    if (step == FINE)
        step = name_it(work, folder, fd);
    int errnum = errno;
    if (step != FINE)
        unlinkat(folder, work->temporary, work->is_folder ? AT_REMOVEDIR : 0);
    errno = errnum;
    return step;
}

static Step do_begin(const Job *job)
{
    int folder = folder_of(job->work);
    return folder < 0 || openat(folder, job->work->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) < 0 ? CREATE
                                                                                                               : FINE;
}

static Step do_finish(const Job *job)
{
    int folder = folder_of(job->work);
    int fd = folder < 0 ? -1 : openat(folder, job->work->temporary, O_RDWR | O_CLOEXEC);
    return fd < 0 ? CREATE : name_it(job->work, folder, fd);
}

static Step do_forget(const Job *job)
{
    int folder = folder_of(job->work);
    return folder < 0 || unlinkat(folder, job->work->temporary, 0) < 0 ? REMOVE : FINE;
}

static Step do_resize(const Job *job)
{
    int fd = open(job->path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return OPEN;
    if (ftruncate(fd, (off_t)job->size) < 0)
        return TRUNCATE;
    return job->flag && fallocate(fd, 0, 0, (off_t)job->size) < 0 ? ALLOCATE : FINE;
}

/* What has holes has none of its content kept by cutting it off; else it is overwritten. */
static Step do_zero(const Job *job)
{
    static char zeroes[PIECE];
    struct stat info;
    int fd = open(job->path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &info) < 0)
        return OPEN;
    off_t size = S_ISBLK(info.st_mode) ? lseek(fd, 0, SEEK_END) : info.st_size;
    if (S_ISREG(info.st_mode) && info.st_blocks < info.st_size / 512)
        return ftruncate(fd, 0) < 0 || ftruncate(fd, size) < 0 || fsync(fd) < 0 ? TRUNCATE : FINE;
    for (off_t at = 0; at < size; at += sizeof zeroes)
        if (!write_all(fd, zeroes, (gsize)MIN((off_t)sizeof zeroes, size - at), at))
            return COPY;
    return fsync(fd) < 0 ? COPY : FINE;
}

static Step do_remove(const Job *job)
{
    if (job->flag)
        return rmdir(job->path) < 0 ? REMOVE_FOLDER : FINE;
    return unlink(job->path) < 0 && errno != ENOENT ? REMOVE : FINE;
}

/* --- in the daemon --- */

static void name_temporary(VolumeWork *work)
{
    guint8 bytes[UUID_BYTES];
    char uuid[UUID_TEXT];
    uuid_generate(bytes);
    uuid_format(bytes, uuid);
    g_snprintf(work->temporary, sizeof work->temporary, SCAN_TEMPORARY "%s", uuid);
}

gboolean volume_copy_make(VolumeWork *work, GError **error)
{
    Job job = {.fn = do_make, .work = work, .path = work->path};
    name_temporary(work);
    return run(&job, LONG, error);
}

gboolean volume_copy_begin(VolumeWork *work, GError **error)
{
    Job job = {.fn = do_begin, .work = work, .path = work->path};
    name_temporary(work);
    return run(&job, BACKEND_DEADLINE, error);
}

gboolean volume_copy_finish(VolumeWork *work, GError **error)
{
    Job job = {.fn = do_finish, .work = work, .path = work->path};
    return run(&job, LONG, error);
}

void volume_copy_forget(VolumeWork *work)
{
    Job job = {.fn = do_forget, .work = work, .path = work->path};
    run(&job, BACKEND_DEADLINE, NULL);
}

gboolean volume_copy_resize(const char *path, guint64 capacity, gboolean allocate, GError **error)
{
    Job job = {.fn = do_resize, .path = path, .size = capacity, .flag = allocate};
    return run(&job, LONG, error);
}

gboolean volume_copy_zero(const char *path, GError **error)
{
    Job job = {.fn = do_zero, .path = path};
    return run(&job, LONG, error);
}

gboolean volume_copy_remove(const char *path, gboolean is_folder, GError **error)
{
    Job job = {.fn = do_remove, .path = path, .flag = is_folder};
    return run(&job, BACKEND_DEADLINE, error);
}
