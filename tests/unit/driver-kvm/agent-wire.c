/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/agent-wire.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/error.h"

#define LONG (10 * G_USEC_PER_SEC)
#define SHORT (G_USEC_PER_SEC / 5)

/* What the agent does: writes BEFORE at once; if it AGREES, answers with the number it is asked for, and takes the command;
 * writes AFTER. */
typedef struct {
    int fd;
    const char *before, *after;
    gboolean agrees, stays, floods;
} Script;

static void put(int fd, const char *text)
{
    for (gsize length = strlen(text); length > 0;) {
        ssize_t n = send(fd, text, length, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        text += n;
        length -= n;
    }
}

static char *get_line(int fd)
{
    GString *line = g_string_new(NULL);
    char c;

    while (read(fd, &c, 1) == 1 && c != '\n')
        g_string_append_c(line, c);
    return g_string_free(line, FALSE);
}

static gpointer play(gpointer data)
{
    const Script *script = data;

    if (script->before)
        put(script->fd, script->before);
    if (script->agrees) {
        g_autofree char *question = get_line(script->fd);
        g_assert_cmpuint((guint8)question[0], ==, 0xFF);
        g_assert_nonnull(strstr(question, "guest-sync-delimited"));
        const char *id = strstr(question, "\"id\": ");
        g_autofree char *answer = g_strdup_printf("%c{\"return\": %ld}\n", 0xFF, strtol(id + strlen("\"id\": "), NULL, 10));
        put(script->fd, answer);
        g_free(get_line(script->fd));
    }
    if (script->after)
        put(script->fd, script->after);
    while (script->floods && send(script->fd, "xxxxxxxxxxxxxxxx", 16, MSG_NOSIGNAL) > 0) {
    }
    if (!script->stays)
        shutdown(script->fd, SHUT_RDWR);
    return NULL;
}

/* The answer as text, or the error's; to free. */
static char *ask(Script script, gint64 patience, gboolean *ret_lost)
{
    int ends[2];
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) message = json_from_string("{\"execute\": \"guest-ping\"}", NULL);

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    script.fd = ends[1];
    GThread *thread = g_thread_new("agent", play, &script);
    gint64 until = g_get_monotonic_time() + patience;
    const AgentWire wire = {ends[0], -1, until, until};
    g_autoptr(JsonNode) answer = agent_wire_run(&wire, message, ret_lost, &error);
    shutdown(ends[0], SHUT_RDWR);
    g_thread_join(thread);
    close(ends[0]);
    close(ends[1]);
    g_assert_true(answer || error_is(error, VIR_ERR_AGENT_UNRESPONSIVE));
    return answer ? json_to_string(answer, FALSE) : g_strdup(error_detail(error));
}

static void check(Script script, gint64 patience, const char *expected, gboolean expected_lost)
{
    gboolean lost;
    g_autofree char *text = ask(script, patience, &lost);

    g_assert_cmpstr(text, ==, expected);
    g_assert_cmpint(lost, ==, expected_lost);
}

static void test_answer(void)
{
    check((Script){.agrees = TRUE, .after = "{\"return\": {}}\n", .stays = TRUE}, LONG, "{\"return\":{}}", FALSE);
    check((Script){.agrees = TRUE, .after = "{\"error\": {\"desc\": \"no\"}}\r\n", .stays = TRUE}, LONG, "{\"error\":{\"desc\":\"no\"}}", FALSE);
}

static void test_stale(void)
{
    check((Script){.before = "{\"return\": \"old\"}\n\xFF{\"return\": 1}\n\xFF\xFF{\"ret\n", .agrees = TRUE, .after = "{\"return\": 5}\n"}, LONG,
          "{\"return\":5}", FALSE);
}

static void test_silence(void)
{
    const char *late = "Guest agent not available for now";

    check((Script){.stays = TRUE}, SHORT, late, FALSE);
    check((Script){.agrees = TRUE, .stays = TRUE}, SHORT, late, FALSE);
    check((Script){.agrees = TRUE, .after = "{\"return\"", .stays = TRUE}, SHORT, late, FALSE);
}

static void test_flood(void)
{
    check((Script){.floods = TRUE}, SHORT, "Guest agent not available for now", FALSE);
    check((Script){.agrees = TRUE, .floods = TRUE}, 3 * LONG, "the guest agent sent an answer that is too large", TRUE);
}

static void test_nonsense(void)
{
    const char *foreign = "the guest agent sent what is not an answer";

    check((Script){.agrees = TRUE, .after = "[]\n", .stays = TRUE}, LONG, foreign, TRUE);
    check((Script){.agrees = TRUE, .after = "{}\n", .stays = TRUE}, LONG, foreign, TRUE);
    check((Script){.agrees = TRUE, .after = "{\"error\": 3}\n", .stays = TRUE}, LONG, foreign, TRUE);
    check((Script){.agrees = TRUE, .after = "{\"return\": \"\xC3\x28\"}\n", .stays = TRUE}, LONG, foreign, TRUE);
}

static void test_end(void)
{
    check((Script){.agrees = TRUE}, LONG, "Guest agent disappeared while executing command", TRUE);
    check((Script){.before = "{\"return\": 1}\n"}, LONG, "Guest agent disappeared while executing command", TRUE);
}

static void test_wake(void)
{
    int ends[2], wake = eventfd(1, EFD_CLOEXEC);
    gboolean lost;
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) message = json_from_string("{\"execute\": \"guest-ping\"}", NULL);

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    gint64 until = g_get_monotonic_time() + LONG;
    const AgentWire wire = {ends[0], wake, until, until};
    g_assert_null(agent_wire_run(&wire, message, &lost, &error));
    g_assert_no_error(error);
    g_assert_false(lost);
    close(ends[0]);
    close(ends[1]);
    close(wake);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent-wire/answer", test_answer);
    g_test_add_func("/agent-wire/stale", test_stale);
    g_test_add_func("/agent-wire/silence", test_silence);
    g_test_add_func("/agent-wire/flood", test_flood);
    g_test_add_func("/agent-wire/nonsense", test_nonsense);
    g_test_add_func("/agent-wire/end", test_end);
    g_test_add_func("/agent-wire/wake", test_wake);
    return g_test_run();
}
