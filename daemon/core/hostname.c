/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * getaddrinfo() may take as long as the name servers like and cannot be called off, so it runs on a thread of its own,
 * one at a time, and whoever asks waits for it until it has taken a second. The answer is kept for a
 * minute.
 */
#include "daemon/core/hostname.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/queue.h"
#include "lib/error.h"

#define WAIT G_USEC_PER_SEC
#define KEEP (60 * G_USEC_PER_SEC)

static GMutex lock;
static GCond answered;
static char *asked;      /* the bare name that was looked up last, or is being looked up */
static char *answer;     /* what it is called in full; NULL: not known yet */
static gboolean running;
static gint64 since;     /* when the look-up began, monotonic */

/* NAME's canonical form, or NAME where there is none or it only points back to this machine. */
static char *look_up(const char *name)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_flags = AI_CANONNAME};
    struct addrinfo *found = NULL;
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return g_strdup(name);
    const char *canonical = found->ai_canonname;
    gboolean usable = canonical && *canonical && !g_str_has_prefix(canonical, "localhost");
    char *result = g_strdup(usable ? canonical : name);
    freeaddrinfo(found);
    return result;
}

static void look_up_asked(gpointer data)
{
    g_autofree char *name = data;
    g_autofree char *full = look_up(name);
    g_mutex_lock(&lock);
    running = FALSE;
    if (strcmp(name, asked) == 0) {
        g_free(answer);
        answer = g_steal_pointer(&full);
    }
    g_cond_broadcast(&answered);
    g_mutex_unlock(&lock);
}

/* Starts looking for NAME unless that is known or under way. Lock held. */
static void ask(const char *name)
{
    gboolean fresh = answer && g_get_monotonic_time() - since < KEEP && strcmp(name, asked) == 0;
    if (fresh || running) /* perhaps for another name: the next caller starts again */
        return;
    g_free(asked);
    asked = g_strdup(name);
    g_clear_pointer(&answer, g_free);
    char *copy = g_strdup(name);
    since = g_get_monotonic_time();
    running = pool_push(POOL_WORK, look_up_asked, copy, NULL);
    if (!running)
        g_free(copy);
}

char *hostname_get(GError **error)
{
    char name[HOST_NAME_MAX + 1] = "";
    if (gethostname(name, sizeof(name) - 1) != 0) {
        error_set_errno(error, VIR_FROM_NONE, errno, "failed to determine host name");
        return NULL;
    }
    if (strchr(name, '.') || g_str_has_prefix(name, "localhost"))
        return g_strdup(name);

    g_mutex_lock(&lock);
    ask(name);
    while (running && !(answer && strcmp(asked, name) == 0)) {
        if (!g_cond_wait_until(&answered, &lock, since + WAIT))
            break;
    }
    char *result = g_strdup(answer && strcmp(asked, name) == 0 ? answer : name);
    g_mutex_unlock(&lock);
    return result;
}
