/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/auth/polkit.h"

#include <errno.h>

#include "lib/error.h"

#define SERVICE "org.freedesktop.PolicyKit1"
#define OBJECT "/org/freedesktop/PolicyKit1/Authority"
#define INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define MAY_INTERACT 1u /* CheckAuthorizationFlags */

struct Polkit {
    Loop *loop;
    Bus *bus;
    GHashTable *questions; /* number -> Question; loop */
    GMutex lock;
    guint64 last; /* number; under the lock */
};

typedef struct {
    guint64 number;
    Polkit *polkit;
    pid_t pid;
    uid_t uid;
    guint64 start_time; /* of the process: its pid may be somebody else's by now */
    char *action;
    PolkitAnswer answer;
    gpointer data;
    sd_bus_slot *slot; /* NULL: not asked yet */
} Question;

static void question_free(gpointer data)
{
    Question *question = data;

    sd_bus_slot_unref(question->slot);
    g_free(question->action);
    g_free(question);
}

Polkit *polkit_new(Loop *loop, Bus *bus)
{
    Polkit *polkit = g_new0(Polkit, 1);

    polkit->loop = loop;
    polkit->bus = bus;
    polkit->questions = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, question_free);
    g_mutex_init(&polkit->lock);
    return polkit;
}

void polkit_free(Polkit *polkit)
{
    if (!polkit)
        return;
    g_hash_table_unref(polkit->questions);
    g_mutex_clear(&polkit->lock);
    g_free(polkit);
}

/* QUESTION is gone after. */
static void finish(Question *question, const GError *error)
{
    g_hash_table_steal(question->polkit->questions, &question->number);
    question->answer(question->data, error);
    question_free(question);
}

/* What CheckAuthorization calls the question, so that it can be taken back. */
static void cancellation_id(const Question *question, char *id, gsize size)
{
    g_snprintf(id, size, "%" G_GUINT64_FORMAT, question->number);
}

/* A dialogue that is still on somebody's screen disappears. */
static void take_back(const Question *question)
{
    sd_bus *connection = question->slot ? bus_connect(question->polkit->bus, NULL) : NULL;
    char id[32];

    cancellation_id(question, id, sizeof(id));
    if (connection)
        sd_bus_call_method_async(connection, NULL, SERVICE, OBJECT, INTERFACE, "CancelCheckAuthorization", NULL, NULL,
                                 "s", id);
}

/* TRUE: the user saw the question and closed it. */
static gboolean was_dismissed(sd_bus_message *reply)
{
    gboolean dismissed = FALSE;
    const char *key, *value;

    if (sd_bus_message_enter_container(reply, 'a', "{ss}") < 0)
        return FALSE;
    while (sd_bus_message_read(reply, "{ss}", &key, &value) > 0)
        dismissed |= g_str_equal(key, "polkit.dismissed");
    return dismissed;
}

static gboolean judge(const Question *question, sd_bus_message *reply, GError **error)
{
    int authorized = FALSE, challenge = FALSE, r;

    r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
    if (r >= 0)
        r = sd_bus_message_read(reply, "bb", &authorized, &challenge);
    if (r < 0)
        return error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_FAILED, "polkit's answer cannot be read: %s",
                         g_strerror(-r));
    if (authorized)
        return TRUE;
    if (was_dismissed(reply))
        return error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_CANCELLED, "user cancelled authentication process");
    if (challenge)
        return error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_UNAVAILABLE,
                         "no polkit agent available to authenticate action '%s'", question->action);
    return error_set(error, VIR_FROM_POLKIT, VIR_ERR_AUTH_FAILED, "access denied by policy");
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *ignored)
{
    Question *question = userdata;
    const sd_bus_error *failure = sd_bus_message_get_error(reply);
    g_autoptr(GError) error = NULL;

    if (!failure) {
        judge(question, reply, &error);
    } else if (sd_bus_error_get_errno(failure) == ETIMEDOUT) {
        take_back(question);
        error_set(&error, VIR_FROM_POLKIT, VIR_ERR_AUTH_CANCELLED, "nobody answered within %d seconds", POLKIT_SECONDS);
    } else {
        error_set(&error, VIR_FROM_POLKIT, VIR_ERR_AUTH_FAILED, "polkit cannot be asked: %s", failure->message);
    }
    finish(question, error);
    return 0;
}

static int send_question(Question *question, sd_bus *connection)
{
    __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *message = NULL;
    char id[32];
    int r;

    cancellation_id(question, id, sizeof(id));
    r = sd_bus_message_new_method_call(connection, &message, SERVICE, OBJECT, INTERFACE, "CheckAuthorization");
    if (r >= 0)
        r = sd_bus_message_append(message, "(sa{sv})sa{ss}us", "unix-process", 3,
                                  "pid", "u", (guint32)question->pid,
                                  "start-time", "t", question->start_time,
                                  "uid", "i", (gint32)question->uid,
                                  question->action, 0, MAY_INTERACT, id);
    if (r >= 0)
        r = sd_bus_call_async(connection, &question->slot, message, on_reply, question,
                              POLKIT_SECONDS * G_USEC_PER_SEC);
    return r;
}

/* NULL: one more may be asked. */
static const char *why_not_now(const Polkit *polkit, uid_t uid)
{
    GHashTableIter iter;
    gpointer question;
    guint of_user = 0;

    g_hash_table_iter_init(&iter, polkit->questions);
    while (g_hash_table_iter_next(&iter, NULL, &question))
        of_user += ((Question *)question)->uid == uid;
    if (of_user >= POLKIT_QUESTIONS_MAX_USER)
        return "other connections of this user wait for its answer already";
    return g_hash_table_size(polkit->questions) >= POLKIT_QUESTIONS_MAX ? "too many wait for its answer" : NULL;
}

static void ask(gpointer data)
{
    Question *question = data;
    Polkit *polkit = question->polkit;
    const char *why = why_not_now(polkit, question->uid);
    g_autoptr(GError) error = NULL;
    sd_bus *connection;
    int r;

    g_hash_table_insert(polkit->questions, &question->number, question);
    if (why) {
        error_set(&error, VIR_FROM_POLKIT, VIR_ERR_AUTH_FAILED, "polkit cannot be asked: %s", why);
    } else if (question->start_time == 0) {
        error_set(&error, VIR_FROM_POLKIT, VIR_ERR_AUTH_FAILED, "process %d that connected is gone", question->pid);
    } else if ((connection = bus_connect(polkit->bus, &error))) {
        r = send_question(question, connection);
        if (r < 0)
            error_set(&error, VIR_FROM_POLKIT, VIR_ERR_AUTH_FAILED, "polkit cannot be asked: %s", g_strerror(-r));
    }
    if (error)
        finish(question, error);
}

guint64 polkit_ask(Polkit *polkit, const Identity *who, const char *action, PolkitAnswer answer, gpointer data)
{
    Question *question = g_new0(Question, 1);
    guint64 number;

    g_mutex_lock(&polkit->lock);
    number = ++polkit->last;
    g_mutex_unlock(&polkit->lock);
    *question = (Question){
        .number = number,
        .polkit = polkit,
        .pid = who->pid,
        .uid = who->uid,
        .start_time = who->start_time,
        .action = g_strdup(action),
        .answer = answer,
        .data = data,
    };
    loop_post(polkit->loop, ask, question);
    return number;
}

typedef struct {
    Polkit *polkit;
    guint64 number;
} Withdrawal;

static void withdraw(gpointer data)
{
    g_autofree Withdrawal *withdrawal = data;
    Question *question = g_hash_table_lookup(withdrawal->polkit->questions, &withdrawal->number);
    g_autoptr(GError) error = NULL;

    if (!question)
        return;
    take_back(question);
    error_set(&error, VIR_FROM_POLKIT, VIR_ERR_AUTH_CANCELLED, "the connection was closed");
    finish(question, error);
}

void polkit_withdraw(Polkit *polkit, guint64 question)
{
    Withdrawal *withdrawal = g_new(Withdrawal, 1);

    *withdrawal = (Withdrawal){polkit, question};
    loop_post(polkit->loop, withdraw, withdrawal);
}
