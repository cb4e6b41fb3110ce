/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers: what somebody before the guest's screen does.
 *
 * The hypervisor puts a picture into a file without a name. A thread hands it on to the stream by a socket, since a
 * file cannot be waited for; it ends with the stream, or when nobody takes anything for a while.
 */
#include <errno.h>
#include <glib-unix.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/threads.h"
#include "daemon/core/vm-ops.h"
#include "daemon/rpc/api.h"
#include "daemon/rpc/stream.h"
#include "lib/error.h"
#include "lib/keycode.h"

#define PICTURES 8          /* that are being sent */
#define PICTURES_WAITING 64
#define PICTURE_MAX (256 * 1024 * 1024)
#define STALL_SECONDS 30
#define PIECE 65536

typedef struct {
    int picture, socket;
} Sending;

static void sending_free(Sending *sending)
{
    close(sending->picture);
    close(sending->socket);
    g_free(sending);
}

static void send_picture(gpointer data)
{
    Sending *sending = data;
    g_autofree char *piece = g_malloc(PIECE);
    off_t at = 0;

    for (ssize_t n = pread(sending->picture, piece, PIECE, at); n > 0; n = pread(sending->picture, piece, PIECE, at)) {
        ssize_t done = send(sending->socket, piece, (gsize)n, MSG_NOSIGNAL);
        if (done <= 0)
            break;
        at += done;
    }
    sending_free(sending);
}

/* Takes PICTURE over, also on failure. */
static gboolean stream_picture(Call *call, int picture, GError **error)
{
    static Threads *threads;
    struct timeval patience = {.tv_sec = STALL_SECONDS};
    int ends[2];

    if (g_once_init_enter(&threads))
        g_once_init_leave(&threads, threads_new("picture", PICTURES, PICTURES_WAITING));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        close(picture);
        return error_set_errno(error, call->instance->from, errno, "cannot make a pair of sockets");
    }
    setsockopt(ends[1], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    Sending *sending = g_new(Sending, 1);
    *sending = (Sending){picture, ends[1]};
    if (!g_unix_set_fd_nonblocking(ends[0], TRUE, error)) {
        close(ends[0]);
        sending_free(sending);
        return FALSE;
    }
    g_autoptr(Stream) stream = stream_new(call, ends[0], NULL, NULL, error);
    if (!stream) {
        sending_free(sending);
        return FALSE;
    }
    if (threads_push(threads, send_picture, sending))
        return TRUE;
    sending_free(sending);
    return error_set(error, call->instance->from, VIR_ERR_OPERATION_FAILED, "too many pictures are being sent");
}

gboolean remote_domain_screenshot(Call *call, const RemoteDomainScreenshotArgs *args, RemoteDomainScreenshotRet *ret,
                                  GError **error)
{
    Vm *vm = call->vm;
    const DriverDisplayOps *ops = vm->instance->driver->display;
    const char *mime = NULL;
    struct stat info;

    if (!ops || !ops->screenshot)
        return ops_not_offered(call, error);
    if (!vm_check_monitor(vm, error))
        return FALSE;
    int picture = memfd_create("screenshot", MFD_CLOEXEC);
    if (picture < 0)
        return error_set_errno(error, call->instance->from, errno, "cannot make a file in memory");
    if (!ops->screenshot(vm->instance->self, vm, args->screen, picture, &mime, error)) {
        close(picture);
        return FALSE;
    }
    if (fstat(picture, &info) < 0 || info.st_size > PICTURE_MAX) {
        close(picture);
        return error_set(error, call->instance->from, VIR_ERR_INTERNAL_ERROR, "the picture is too large");
    }
    if (!stream_picture(call, picture, error))
        return FALSE;
    ret->mime = g_strdup(mime);
    return TRUE;
}

gboolean remote_domain_send_key(Call *call, const RemoteDomainSendKeyArgs *args, GError **error)
{
    Vm *vm = call->vm;
    const DriverDisplayOps *ops = vm->instance->driver->display;
    guint keys[REMOTE_DOMAIN_SEND_KEY_MAX];

    if (!ops || !ops->send_key)
        return ops_not_offered(call, error);
    if (args->codeset >= KEYCODE_SETS)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "Unsupported codeset '%u'", args->codeset);
    for (guint i = 0; i < args->n_keycodes; i++) {
        int key = keycode_to_qnum(args->codeset, args->keycodes[i]);
        if (key < 0)
            return error_set(error, call->instance->from, VIR_ERR_INTERNAL_ERROR,
                             "cannot translate keycode %u of %s codeset to qnum keycode", args->keycodes[i],
                             keycode_set_name(args->codeset));
        keys[i] = (guint)key;
    }
    return vm_check_monitor(vm, error) &&
           ops->send_key(vm->instance->self, vm, args->holdtime, keys, args->n_keycodes, error);
}

gboolean remote_domain_inject_nmi(Call *call, const RemoteDomainInjectNmiArgs *args, GError **error)
{
    Vm *vm = call->vm;
    const DriverDisplayOps *ops = vm->instance->driver->display;

    if (!ops || !ops->inject_nmi)
        return ops_not_offered(call, error);
    return vm_check_monitor(vm, error) && ops->inject_nmi(vm->instance->self, vm, error);
}

static gboolean open_graphics(Call *call, guint index, guint flags, int fd, GError **error)
{
    Vm *vm = call->vm;
    const DriverDisplayOps *ops = vm->instance->driver->display;

    if (!ops || !ops->open_graphics)
        return ops_not_offered(call, error);
    return vm_check_monitor(vm, error) &&
           ops->open_graphics(vm->instance->self, vm, index, fd, flags & VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH, error);
}

gboolean remote_domain_open_graphics(Call *call, const RemoteDomainOpenGraphicsArgs *args, GError **error)
{
    if (call->n_fds != 1)
        return error_set(error, call->instance->from, VIR_ERR_INTERNAL_ERROR, "No FD available at slot 0");
    return open_graphics(call, args->idx, args->flags, call->fds[0], error);
}

gboolean remote_domain_open_graphics_fd(Call *call, const RemoteDomainOpenGraphicsFdArgs *args, GError **error)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_set_errno(error, call->instance->from, errno, "unable to create socket pair");
    gboolean open = open_graphics(call, args->idx, args->flags, ends[1], error);
    close(ends[1]);
    if (open)
        g_array_append_val(call->ret_fds, ends[0]);
    else
        close(ends[0]);
    return open;
}
