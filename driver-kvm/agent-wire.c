/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/agent-wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/error.h"
#include "lib/json-peek.h"

#define READ_SIZE (64 * 1024)
#define MARK 0xFF /* never part of UTF-8: what follows is an answer to a sync, for the agent what follows is a new message */

typedef struct {
    const AgentWire *wire;
    GByteArray *input;
    gsize scanned; /* no end of line before this */
    gboolean *lost;
} Talk;

static gboolean late(GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE, "Guest agent not available for now");
}

static gboolean left(Talk *talk, GError **error)
{
    *talk->lost = TRUE;
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE, "Guest agent disappeared while executing command");
}

static gboolean foreign(Talk *talk, const char *what, GError **error)
{
    *talk->lost = TRUE;
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_AGENT_UNRESPONSIVE, "the guest agent sent %s", what);
}

/* Waits for EVENTS. FALSE without ERROR: `wake`. */
static gboolean await(Talk *talk, short events, gint64 until, GError **error)
{
    for (;;) {
        struct pollfd fds[] = {{talk->wire->fd, events, 0}, {talk->wire->wake, POLLIN, 0}};
        gint64 left_usec = until - g_get_monotonic_time();
        if (left_usec < 0)
            return late(error);
        int n = poll(fds, 2, (int)MIN(left_usec / 1000 + 1, G_MAXINT));
        if (n > 0 && fds[0].revents)
            return TRUE;
        if (n > 0)
            return FALSE;
        if (n < 0 && errno != EINTR)
            return left(talk, error);
    }
}

static gboolean transmit(Talk *talk, const char *text, gsize length, gint64 until, GError **error)
{
    while (length > 0) {
        ssize_t n = send(talk->wire->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return left(talk, error);
        if (n < 0 && !await(talk, POLLOUT, until, error)) {
            *talk->lost = TRUE; /* half a message is there */
            return FALSE;
        }
        if (n > 0) {
            text += n;
            length -= n;
        }
    }
    return TRUE;
}

/* Adds what has come to the input, at least one byte. */
static gboolean receive(Talk *talk, gint64 until, GError **error)
{
    for (;;) {
        gsize have = talk->input->len;
        g_byte_array_set_size(talk->input, have + READ_SIZE);
        ssize_t n = recv(talk->wire->fd, talk->input->data + have, READ_SIZE, MSG_DONTWAIT);
        int errnum = errno;
        g_byte_array_set_size(talk->input, have + MAX(n, 0));
        if (n > 0)
            return g_get_monotonic_time() <= until || late(error); /* who talks without end is stopped by that alone */
        if (n == 0 || (errnum != EAGAIN && errnum != EINTR))
            return left(talk, error);
        if (errnum == EAGAIN && !await(talk, POLLIN, until, error))
            return FALSE;
    }
}

/* Drops everything up to the last mark and with it. */
static gboolean find_mark(Talk *talk, gint64 until, GError **error)
{
    for (;;) {
        const guint8 *mark = talk->input->len ? memrchr(talk->input->data, MARK, talk->input->len) : NULL;
        gsize drop = mark ? mark + 1 - talk->input->data : talk->input->len;
        if (drop > 0)
            g_byte_array_remove_range(talk->input, 0, drop);
        talk->scanned = 0;
        if (mark)
            return TRUE;
        if (!receive(talk, until, error))
            return FALSE;
    }
}

/* Takes one line out of the input; to free. NULL without ERROR: `wake`. */
static char *take_line(Talk *talk, gint64 until, gsize *ret_length, GError **error)
{
    for (;;) {
        const char *data = (const char *)talk->input->data;
        const char *end = talk->input->len > talk->scanned ? memchr(data + talk->scanned, '\n', talk->input->len - talk->scanned)
                                                           : NULL;
        if (end) {
            char *line = g_strndup(data, end - data);
            *ret_length = end - data;
            g_byte_array_remove_range(talk->input, 0, end + 1 - data);
            talk->scanned = 0;
            return line;
        }
        talk->scanned = talk->input->len;
        if (talk->input->len > AGENT_ANSWER_MAX) {
            foreign(talk, "an answer that is too large", error);
            return NULL;
        }
        if (!receive(talk, until, error))
            return NULL;
    }
}

static JsonNode *take_message(Talk *talk, gint64 until, GError **error)
{
    gsize length;
    g_autofree char *line = take_line(talk, until, &length, error);
    g_autoptr(JsonNode) node = line ? json_peek_parse(line, length, AGENT_VALUES_MAX, NULL) : NULL;

    if (!line)
        return NULL;
    if (json_peek_as_object(node))
        return g_steal_pointer(&node);
    foreign(talk, "what is not an answer", error);
    return NULL;
}

/* Whoever answered before this number came is forgotten. */
static gboolean sync_up(Talk *talk, GError **error)
{
    gint64 number = g_random_int() & G_MAXINT32, answer, until = MIN(talk->wire->sync_until, talk->wire->until);
    g_autofree char *text = g_strdup_printf(
        "%c{\"execute\": \"guest-sync-delimited\", \"arguments\": {\"id\": %" G_GINT64_FORMAT "}}\n", MARK, number);

    if (!transmit(talk, text, strlen(text), until, error))
        return FALSE;
    for (;;) {
        if (!find_mark(talk, until, error))
            return FALSE;
        gsize length;
        g_autofree char *line = take_line(talk, until, &length, error);
        if (!line)
            return FALSE;
        g_autoptr(JsonNode) node = json_peek_parse(line, length, AGENT_VALUES_MAX, NULL);
        if (json_peek_int(json_peek_as_object(node), "return", &answer) && answer == number)
            return TRUE;
    }
}

JsonNode *agent_wire_run(const AgentWire *wire, JsonNode *message, gboolean *ret_lost, GError **error)
{
    g_autoptr(GByteArray) input = g_byte_array_new();
    Talk talk = {wire, input, 0, ret_lost};
    g_autofree char *json = json_to_string(message, FALSE);
    g_autofree char *line = g_strconcat(json, "\n", NULL);

    *ret_lost = FALSE;
    if (!sync_up(&talk, error) || !transmit(&talk, line, strlen(line), wire->until, error))
        return NULL;
    g_autoptr(JsonNode) answer = take_message(&talk, wire->until, error);
    JsonObject *object = json_peek_as_object(answer);
    if (object && (json_object_has_member(object, "return") || json_peek_object(object, "error")))
        return g_steal_pointer(&answer);
    if (object)
        foreign(&talk, "what is not an answer", error);
    return NULL;
}
