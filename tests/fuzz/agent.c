/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An agent that says anything at all. Where the first octet is odd, it first does what a real one does about the number that it
 * is asked for, so that what follows is looked at as an answer. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver-kvm/agent-wire.h"
#include "lib/agent-answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

typedef struct {
    int fd;
    const uint8_t *data;
    size_t length;
} Peer;

static void write_all(int fd, const void *data, size_t length)
{
    for (ssize_t n; length > 0 && (n = send(fd, data, length, MSG_NOSIGNAL)) > 0; length -= n)
        data = (const char *)data + n;
}

static void agree(int fd)
{
    char question[512] = {0}, answer[64];
    size_t have = 0;

    while (have + 1 < sizeof question && !memchr(question, '\n', have)) {
        ssize_t n = read(fd, question + have, sizeof question - have - 1);
        if (n <= 0)
            return;
        have += n;
    }
    const char *id = strstr(question + 1, "\"id\": ");
    if (!id)
        return;
    g_snprintf(answer, sizeof answer, "%c{\"return\": %ld}\n", 0xFF, strtol(id + strlen("\"id\": "), NULL, 10));
    write_all(fd, answer, strlen(answer));
}

static gpointer peer_main(gpointer data)
{
    Peer *peer = data;

    if (peer->length > 0 && peer->data[0] % 2)
        agree(peer->fd);
    if (peer->length > 0)
        write_all(peer->fd, peer->data + 1, peer->length - 1);
    shutdown(peer->fd, SHUT_RDWR);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    int ends[2];
    gboolean lost;
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) message = json_from_string("{\"execute\": \"guest-ping\"}", NULL);

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    Peer peer = {ends[1], data, length};
    GThread *thread = g_thread_new("peer", peer_main, &peer);
    gint64 until = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;
    const AgentWire wire = {ends[0], -1, until, until};
    g_autoptr(JsonNode) answer = agent_wire_run(&wire, message, &lost, &error);
    g_assert_true(!answer == !!error);
    if (answer) {
        g_autoptr(GError) refusal = NULL;
        JsonNode *value = agent_answer_value(answer, message, VIR_FROM_QEMU, &refusal);
        g_assert_true(!value == !!refusal);
        agent_answer_is_unknown(answer);
    }
    close(ends[0]);
    g_thread_join(thread);
    close(ends[1]);
    return 0;
}
