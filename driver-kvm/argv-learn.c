/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What QEMU alone knows, after the start. */
#include "driver-kvm/argv.h"
#include "driver-kvm/chardev.h"
#include "lib/error.h"
#include "lib/json-peek.h"
#include "lib/model/domain-defaults.h"
#include <string.h>

#define PTY "pty:"
#define TTY_MAX 4096

const char *const argv_questions[] = {"query-chardev", NULL};

static JsonObject *find_chardev(JsonArray *chardevs, const char *alias)
{
    g_autofree char *label = g_strdup_printf("char%s", alias);

    for (guint i = 0; i < json_peek_length(chardevs); i++) {
        JsonObject *chardev = json_peek_object_at(chardevs, i);

        if (g_strcmp0(json_peek_string(chardev, "label"), label) == 0)
            return chardev;
    }
    return NULL;
}

static const char *terminal_of(JsonObject *chardev)
{
    const char *file = json_peek_string(chardev, "filename");

    return file && g_str_has_prefix(file, PTY) && strlen(file) < TTY_MAX ? file + strlen(PTY) : NULL;
}

/* ChardevFunc; DATA: the list of character devices. */
static void learn_terminal(const ChardevView *view, ChardevSource **source, const char *alias, gpointer data)
{
    JsonObject *known = view->type == CHARDEV_TYPE_PTY && alias ? find_chardev(data, alias) : NULL;
    const char *terminal = known ? terminal_of(known) : NULL;

    if (!terminal)
        return;
    if (!*source)
        *source = chardev_source_new();
    g_free((*source)->path);
    (*source)->path = g_strdup(terminal);
}

gboolean argv_learn(Domain *live, const char *command, JsonNode *answer, GError **error)
{
    JsonArray *chardevs = json_peek_as_array(answer);
    const GPtrArray *channels = live->devices->channels;

    if (strcmp(command, argv_questions[0]) != 0)
        return TRUE;
    if (!chardevs)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "QEMU's answer to %s is not a list", command);
    chardev_each(live, learn_terminal, chardevs);
    for (guint i = 0; i < channels->len; i++) {
        Chardev *channel = g_ptr_array_index(channels, i);
        JsonObject *known = channel->alias ? find_chardev(chardevs, channel->alias->name) : NULL;

        if (known && channel->target->type == CHARDEV_TARGET_TYPE_VIRTIO)
            channel->target->state = json_peek_true(known, "frontend-open") ? CHANNEL_STATE_CONNECTED
                                                                            : CHANNEL_STATE_DISCONNECTED;
    }
    domain_twin_consoles(live);
    return TRUE;
}
