/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/nvram.h"

#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver-kvm/firmware-choose.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/patient.h"

#define SIZE_MAX_BYTES (64 * 1024 * 1024)
#define FOLDER_MODE 0711 /* QEMU's user passes through it; who else is there is not told */

typedef struct {
    const char *from, *path, *folder;
    char *fresh; /* what becomes PATH when it is whole */
    const ProcessIds *ids;
} Making;

/* What the forked copy says of a failure. */
typedef struct {
    int errnum;
    gboolean template;
} Failure;

/* --- in the forked copy: only system calls --- */

static gboolean copy(int from, int to)
{
    static char buffer[64 * 1024];
    gsize all = 0;
    ssize_t n;

    while ((n = read(from, buffer, sizeof buffer)) > 0) {
        all += n;
        if (all > SIZE_MAX_BYTES) {
            errno = EFBIG;
            return FALSE;
        }
        for (ssize_t done = 0, put; done < n; done += put)
            if ((put = write(to, buffer + done, n - done)) < 0)
                return FALSE;
    }
    return n == 0;
}

static gboolean finish(const Making *making, int fd)
{
    int folder = open(making->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return folder >= 0 && (!making->ids || fchown(fd, making->ids->uid, making->ids->gid) == 0) && fsync(fd) == 0 &&
           rename(making->fresh, making->path) == 0 && fsync(folder) == 0;
}

static int make(gpointer data, int out)
{
    const Making *making = data;
    Failure failure = {0, TRUE};
    struct stat st;
    int from = open(making->from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (from < 0 || fstat(from, &st) < 0) {
        failure.errnum = errno;
    } else if (!S_ISREG(st.st_mode)) {
        failure.errnum = EINVAL;
    } else {
        failure.template = FALSE;
        unlink(making->fresh);
        int fd = open(making->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 || !copy(from, fd) || !finish(making, fd)) {
            failure.errnum = errno;
            unlink(making->fresh);
        }
    }
    return write(out, &failure, sizeof failure) == sizeof failure ? 0 : 1;
}

/* --- here --- */

static const char *template_of(const Domain *live, GError **error)
{
    const char *code = live->os->loader ? live->os->loader->path : NULL;

    if (live->os->nvram->template)
        return live->os->nvram->template;
    for (const FirmwareKnown *known = firmware_known; code && known->code; known++)
        if (strcmp(known->code, code) == 0)
            return known->nvram;
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "unable to find any master var store for loader: %s",
              code ? code : "(none)");
    return NULL;
}

static gboolean make_file(const char *path, const char *template, const ProcessIds *ids, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *fresh = g_strconcat(path, ".new", NULL);
    g_autofree char *what = g_strdup_printf("making '%s'", path);
    Making making = {template, path, folder, fresh, ids};
    g_autoptr(GByteArray) answer =
        process_call(what, make, &making, sizeof(Failure), g_get_monotonic_time() + PATIENT_USEC, error);
    Failure failure;

    if (!answer)
        return FALSE;
    if (answer->len != sizeof failure)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s: no answer", what);
    memcpy(&failure, answer->data, sizeof failure);
    if (failure.errnum == 0)
        return TRUE;
    return failure.template
               ? error_set_errno(error, VIR_FROM_QEMU, failure.errnum, "Failed to open file '%s'", template)
               : error_set_errno(error, VIR_FROM_QEMU, failure.errnum, "Failed to create file '%s'", path);
}

gboolean nvram_is_wanted(const Domain *live, const char *folder, gboolean reset)
{
    g_autofree char *path = live->os->nvram && live->os->loader ? firmware_nvram(live, folder) : NULL;
    struct stat st;

    return path && (reset || (!patient_stat(path, &st, g_get_monotonic_time() + PATIENT_USEC) && errno == ENOENT));
}

gboolean nvram_prepare(const Domain *live, const char *folder, const ProcessIds *ids, gboolean reset, GError **error)
{
    g_autofree char *path = live->os->nvram ? firmware_nvram(live, folder) : NULL;
    struct stat st;

    if (!path || !live->os->loader)
        return TRUE;
    gboolean there = patient_stat(path, &st, g_get_monotonic_time() + PATIENT_USEC);
    if (!there && errno != ENOENT)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot look at '%s'", path);
    if (there && !reset)
        return TRUE;
    const char *template = template_of(live, error);
    return template && file_make_folder(folder, FOLDER_MODE, error) && make_file(path, template, ids, error);
}

gboolean nvram_undefine(const Domain *def, const char *folder, guint flags, GError **error)
{
    g_autofree char *path = firmware_nvram(def, folder);
    gint64 deadline = g_get_monotonic_time() + PATIENT_USEC;
    struct stat st;

    if (!path || (flags & VIR_DOMAIN_UNDEFINE_KEEP_NVRAM))
        return TRUE;
    if (!patient_stat(path, &st, deadline) && errno != ETIMEDOUT)
        return TRUE;
    if (!(flags & VIR_DOMAIN_UNDEFINE_NVRAM))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, "cannot undefine domain with nvram");
    return patient_unlink(path, deadline) || errno == ENOENT ||
           error_set(error, VIR_FROM_NONE, VIR_ERR_SYSTEM_ERROR, "cannot remove '%s': %s", path, g_strerror(errno));
}
