/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What somebody before the guest's screen does: look, press keys, connect a viewer. */
#include "driver-kvm/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "driver-kvm/qmp-commands.h"
#include "lib/error.h"
#include "lib/json-peek.h"

#define PNG "png"

/* The card and head of SCREEN; NULL with VIR_ERR_OPERATION_INVALID. */
static const Video *find_screen(const Domain *live, guint screen, guint *ret_head, GError **error)
{
    const GPtrArray *videos = live->devices->videos;

    for (guint i = 0; i < videos->len; i++) {
        const Video *video = g_ptr_array_index(videos, i);
        guint heads = video->model && video->model->heads != UNSET32 ? video->model->heads : 1;

        if (screen < heads) {
            *ret_head = screen;
            return video;
        }
        screen -= heads;
    }
    error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_INVALID, videos->len ? "no such screen ID" : "no screens to take screenshot from");
    return NULL;
}

/* QEMU writes into FD, under the name of a descriptor set. RET_SET: its number. It takes only a descriptor that can do
 * nothing else. */
static gboolean lend_file(Qmp *qmp, int fd, gint64 *ret_set, GError **error)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    int writable = open(path, O_WRONLY | O_CLOEXEC);

    if (writable < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot open the picture to write");
    g_autoptr(JsonNode) answer = qmp_call_with_fd(qmp, "add-fd", NULL, writable, QMP_DEADLINE, error);
    JsonObject *set = answer ? json_peek_as_object(answer) : NULL;

    close(writable);

    if (!answer)
        return FALSE;
    return json_peek_int(set, "fdset-id", ret_set) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "QEMU's answer to add-fd has no number");
}

static gboolean display_screenshot(gpointer self, Vm *vm, guint screen, int fd, const char **ret_mime, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;
    guint head = 0;
    const Video *video = live ? find_screen(live, screen, &head, error) : NULL;
    g_autoptr(Qmp) qmp = video ? guest_qmp(guest, error) : NULL;
    g_autoptr(Caps) caps = qmp ? caps_cache_get(guest->kvm->caps, live->devices->emulator, error) : NULL;
    gint64 set = 0;

    if (!caps || !lend_file(qmp, fd, &set, error))
        return FALSE;
    gboolean png = caps_has_argument(caps, "screendump", "format/=" PNG);
    g_autofree char *path = g_strdup_printf("/dev/fdset/%" G_GINT64_FORMAT, set);
    JsonObject *arguments = qmp_args("s:filename", path, "s:device", video->alias->name, "i:head", (gint64)head,
                                     "s:format", png ? PNG : NULL, NULL);
    gboolean done = qmp_do(qmp, "screendump", arguments, QMP_DEADLINE_LONG, error);
    qmp_do(qmp, "remove-fd", qmp_args("i:fdset-id", set, NULL), QMP_DEADLINE, NULL);
    *ret_mime = png ? "image/png" : "image/x-portable-pixmap";
    return done;
}

static gboolean display_send_key(gpointer self, Vm *vm, guint holdtime, const guint *qnums, guint n, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    if (!qmp)
        return FALSE;
    JsonObject *arguments = json_object_new();
    JsonArray *keys = json_array_new();
    for (guint i = 0; i < n; i++)
        json_array_add_object_element(keys, qmp_args("s:type", "number", "i:data", (gint64)qnums[i], NULL));
    json_object_set_array_member(arguments, "keys", keys);
    if (holdtime)
        json_object_set_int_member(arguments, "hold-time", holdtime);
    return qmp_do(qmp, "send-key", arguments, QMP_DEADLINE, error);
}

static gboolean display_inject_nmi(gpointer self, Vm *vm, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    return qmp && qmp_do(qmp, "inject-nmi", NULL, QMP_DEADLINE, error);
}

/* What add_client calls a kind of display; NULL: it has no clients. */
static const char *protocol_of(const Graphics *graphics)
{
    switch (graphics->type) {
    case GRAPHICS_TYPE_VNC:
        return "vnc";
    case GRAPHICS_TYPE_SPICE:
        return "spice";
    case GRAPHICS_TYPE_DBUS:
        return "@dbus-display";
    default:
        return NULL;
    }
}

static gboolean display_open_graphics(gpointer self, Vm *vm, guint index, int fd, gboolean skip_auth, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;

    if (!live)
        return FALSE;
    const GPtrArray *all = live->devices->graphics;
    if (index >= all->len)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "No graphics backend with index %u", index);
    const Graphics *graphics = g_ptr_array_index(all, index);
    const char *protocol = protocol_of(graphics);
    if (!protocol)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Can only open VNC, SPICE or D-Bus p2p graphics backends, not %s",
                         graphics_type_to_string(graphics->type));
    g_autoptr(Qmp) qmp = guest_qmp(guest, error);
    return qmp && qmp_getfd(qmp, "graphicsfd", fd, error) &&
           qmp_do(qmp, "add_client", qmp_args("s:protocol", protocol, "s:fdname", "graphicsfd", "b:skipauth", skip_auth, NULL),
                  QMP_DEADLINE, error);
}

const DriverDisplayOps kvm_display_ops = {
    .screenshot = display_screenshot,
    .send_key = display_send_key,
    .inject_nmi = display_inject_nmi,
    .open_graphics = display_open_graphics,
};
