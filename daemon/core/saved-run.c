/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/saved-run.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/hook.h"
#include "daemon/core/vm-document.h"
#include "lib/model/domain-abi.h"
#include "lib/patient.h"

static gboolean is_file(const struct stat *info)
{
    return S_ISREG(info->st_mode) || S_ISBLK(info->st_mode);
}

int saved_run_open_file(const char *path, int flags, GError **error)
{
    struct stat info;
    int fd = -1;
    gint64 deadline = g_get_monotonic_time() + PATIENT_USEC;
    gboolean found = patient_stat(path, &info, deadline);
    if (found && is_file(&info))
        fd = patient_open(path, flags | O_NONBLOCK | O_NOCTTY, 0, deadline);
    if (fd >= 0)
        return fd;
    if (found && !is_file(&info))
        error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "'%s' is neither a file nor a block device", path);
    else
        error_set_errno(error, VIR_FROM_QEMU, errno, "Failed to open file '%s'", path);
    return -1;
}

/* The definition that is to run: NEW_XML's, if the guest would not notice, else the file's. */
static Domain *choose_definition(const DriverInstance *instance, const SaveHeader *header, const char *new_xml,
                                 GError **error)
{
    g_autoptr(Domain) saved = vm_document_read(instance, header->xml, FALSE, error);
    if (!saved || !new_xml)
        return g_steal_pointer(&saved);
    g_autoptr(Domain) replacement = vm_document_read(instance, new_xml, FALSE, error);
    if (!replacement || !domain_abi_check(saved, replacement, error))
        return NULL;
    return g_steal_pointer(&replacement);
}

/* DEFINITION (taken over; NULL: nothing), or what a hook makes of it. */
static Domain *show_hook(const DriverInstance *instance, Domain *definition, GError **error)
{
    g_autoptr(Domain) chosen = definition;
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = chosen ? hook_restore(instance, chosen, &cause) : NULL;
    if (cause) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return NULL;
    }
    if (!text)
        return g_steal_pointer(&chosen);
    g_autoptr(Domain) replacement = vm_document_read(instance, text, FALSE, error);
    if (!replacement || !domain_abi_check(chosen, replacement, error))
        return NULL;
    return g_steal_pointer(&replacement);
}

/* Puts PROGRAM between the file and who reads the stream. */
static gboolean unpack(SavedRun *saved, const char *program, GError **error)
{
    int ends[2];
    g_autofree char *path = g_find_program_in_path(program);
    if (!path)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED,
                         "'%s' is packed with %s, which is not installed here", saved->path, program);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot unpack '%s'", saved->path);
    const char *argv[] = {path, "-dc", NULL};
    const ProcessFd fds[] = {{saved->fd, 0}, {ends[1], 1}};
    const ProcessSpec spec = {.argv = argv, .fds = fds, .n_fds = G_N_ELEMENTS(fds)};
    gboolean started = process_spawn(&spec, &saved->unpacker, error);
    close(ends[1]);
    if (!started) {
        close(ends[0]);
        return FALSE;
    }
    patient_close(saved->fd);
    saved->fd = ends[0];
    return TRUE;
}

SavedRun *saved_run_open(const DriverInstance *instance, const char *path, const char *new_xml, gboolean bypass_cache,
                         GError **error)
{
    g_autoptr(SavedRun) saved = g_new0(SavedRun, 1);
    saved->unpacker.pidfd = -1;
    saved->path = g_strdup(path);
    saved->fd = saved_run_open_file(path, O_RDONLY, error);
    if (saved->fd < 0)
        return NULL;
    if (bypass_cache)
        posix_fadvise(saved->fd, 0, 0, POSIX_FADV_NOREUSE);
    saved->header = save_header_read(saved->fd, path, error);
    if (!saved->header)
        return NULL;
    saved->definition = show_hook(instance, choose_definition(instance, saved->header, new_xml, error), error);
    if (!saved->definition)
        return NULL;
    const char *packed = save_header_compression(saved->header);
    if (packed && !unpack(saved, packed, error))
        return NULL;
    return g_steal_pointer(&saved);
}

void saved_run_free(SavedRun *saved)
{
    if (!saved)
        return;
    if (saved->fd >= 0)
        patient_close(saved->fd);
    if (saved->unpacker.pid > 0)
        process_end(&saved->unpacker);
    save_header_free(saved->header);
    domain_unref(saved->definition);
    g_free(saved->path);
    g_free(saved);
}

void saved_run_apply(const SavedRun *saved, RunStart *how)
{
    how->definition = saved->definition;
    how->detail = VIR_DOMAIN_EVENT_STARTED_RESTORED;
    how->restore_fd = saved->fd;
    how->restore_name = saved->path;
    how->paused = !saved->header->was_running;
}
