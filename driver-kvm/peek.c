/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU writes memory into files that it opens by name. It finds one that we have made in its own folder, and we read by our
 * descriptor: whatever it puts in that place is not opened.
 */
#include "driver-kvm/peek.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "driver-kvm/guest.h"
#include "driver-kvm/qmp-commands.h"
#include "lib/error.h"

#define FILE_NAME "peek"

/* The folder's owner may put there what he likes, also what an earlier daemon left behind. */
static int make_file(const Guest *guest, int folder)
{
    const ProcessIds *ids = user_ids(guest->kvm->user);
    int fd;

    unlinkat(folder, FILE_NAME, 0);
    fd = openat(folder, FILE_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || !ids || fchown(fd, ids->uid, ids->gid) == 0)
        return fd;
    int errnum = errno;
    close(fd);
    errno = errnum;
    return -1;
}

static guint8 *read_all(int fd, gsize size, GError **error)
{
    g_autofree guint8 *octets = g_malloc(size + 1); /* not NULL for none either */
    gsize done = 0;

    while (done < size) {
        ssize_t n = pread(fd, octets + done, size - done, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "QEMU has written %zu octets of %zu", done, size);
            return NULL;
        }
        done += (gsize)n;
    }
    return g_steal_pointer(&octets);
}

static guint8 *ask(const Guest *guest, Qmp *qmp, int fd, guint64 address, gsize size, gboolean is_virtual, GError **error)
{
    g_autofree char *path = g_build_filename(guest->private_dir, FILE_NAME, NULL);
    JsonObject *arguments = qmp_args("i:val", (gint64)address, "i:size", (gint64)size, "s:filename", path, NULL);

    return qmp_do(qmp, is_virtual ? "memsave" : "pmemsave", arguments, QMP_DEADLINE_LONG, error) ? read_all(fd, size, error) : NULL;
}

guint8 *peek_memory(gpointer self, Vm *vm, guint64 address, gsize size, gboolean is_virtual, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;
    guint8 *octets = NULL;

    if (!qmp)
        return NULL;
    int folder = open(guest->private_dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int fd = folder >= 0 ? make_file(guest, folder) : -1;
    if (fd >= 0) {
        octets = ask(guest, qmp, fd, address, size, is_virtual, error);
        unlinkat(folder, FILE_NAME, 0);
        close(fd);
    } else {
        error_set_errno(error, VIR_FROM_QEMU, errno, "cannot make a file in '%s'", guest->private_dir);
    }
    if (folder >= 0)
        close(folder);
    return octets;
}
