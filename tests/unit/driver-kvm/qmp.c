/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The monitor's client against tests/fake/qemu.py, one of its ways to misbehave at a time. */
#include "driver-kvm/qmp.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/json-peek.h"

#define PATIENCE (10 * G_USEC_PER_SEC)

typedef struct {
    Loop *loop;
    Qmp *qmp;
    pid_t pid;
    GMutex lock;
    GCond changed;
    guint ready, closed, late, recovered; /* how often the handler was told */
    char *why;
    GString *events;
    gint64 last_when;
} Fixture;

static void on_ready(gpointer user)
{
    Fixture *f = user;
    g_mutex_lock(&f->lock);
    f->ready++;
    g_cond_broadcast(&f->changed);
    g_mutex_unlock(&f->lock);
}

static void on_event(const char *name, JsonObject *data, gint64 when, gpointer user)
{
    Fixture *f = user;
    g_mutex_lock(&f->lock);
    g_string_append_printf(f->events, "%s%s ", name, data ? "+" : "");
    f->last_when = when;
    g_cond_broadcast(&f->changed);
    g_mutex_unlock(&f->lock);
}

static void on_responsive(gboolean responsive, gpointer user)
{
    Fixture *f = user;
    g_mutex_lock(&f->lock);
    (*(responsive ? &f->recovered : &f->late))++;
    g_cond_broadcast(&f->changed);
    g_mutex_unlock(&f->lock);
}

static void on_closed(const GError *why, gpointer user)
{
    Fixture *f = user;
    g_mutex_lock(&f->lock);
    f->closed++;
    f->why = g_strdup(why->message);
    g_cond_broadcast(&f->changed);
    g_mutex_unlock(&f->lock);
}

static const QmpHandler handler = {on_ready, on_event, on_responsive, on_closed};

static void wait_for(Fixture *f, const guint *counter, guint value)
{
    gint64 until = g_get_monotonic_time() + PATIENCE;
    g_mutex_lock(&f->lock);
    while (*counter < value)
        g_assert_true(g_cond_wait_until(&f->changed, &f->lock, until));
    g_mutex_unlock(&f->lock);
}

static void setup(Fixture *f, gconstpointer behaviour)
{
    int pair[2];

    g_mutex_init(&f->lock);
    g_cond_init(&f->changed);
    f->events = g_string_new(NULL);
    f->loop = loop_new("qmp", NULL);
    g_assert_true(loop_start(f->loop, NULL));
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    g_autofree char *fd = g_strdup_printf("%d", pair[1]);
    f->pid = fork();
    if (f->pid == 0) {
        fcntl(pair[1], F_SETFD, 0);
        execl("/usr/bin/python3", "python3", g_getenv("FAKE_QEMU"), "--behave", behaviour, "--fd", fd, NULL);
        _exit(127);
    }
    close(pair[1]);
    gboolean impatient = g_str_equal(behaviour, "drowsy") || g_str_equal(behaviour, "silent");
    f->qmp = qmp_new(f->loop, pair[0], impatient ? 100000 : PATIENCE, &handler, f);
}

static void teardown(Fixture *f, gconstpointer behaviour)
{
    qmp_close(f->qmp);
    qmp_unref(f->qmp);
    loop_free(f->loop);
    kill(f->pid, SIGKILL);
    waitpid(f->pid, NULL, 0);
    g_free(f->why);
    g_string_free(f->events, TRUE);
    g_mutex_clear(&f->lock);
    g_cond_clear(&f->changed);
}

static JsonObject *object(const char *member, gint64 value)
{
    JsonObject *result = json_object_new();
    json_object_set_int_member(result, member, value);
    return result;
}

static void echo(Fixture *f, gint64 value)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) answer = qmp_call(f->qmp, "echo", object("v", value), PATIENCE, &error);
    gint64 back = 0;
    g_assert_no_error(error);
    g_assert_true(json_peek_int(json_peek_as_object(answer), "v", &back));
    g_assert_cmpint(back, ==, value);
}

static gpointer echo_thread(gpointer data)
{
    for (gint64 i = 0; i < 20; i++)
        echo(data, i);
    return NULL;
}

static void test_normal(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) none = NULL;
    GThread *threads[8];

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("echo", echo_thread, f);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpuint(f->ready, ==, 1);
    g_assert_true(qmp_is_responsive(f->qmp));

    none = qmp_call(f->qmp, "fail", NULL, PATIENCE, &error);
    g_assert_null(none);
    g_assert_true(error_is(error, VIR_ERR_INTERNAL_ERROR));
    g_assert_cmpstr(error->message, ==, "internal error: unable to execute QEMU command 'fail': as you wish");

    g_autoptr(JsonObject) message = json_object_new();
    json_object_set_string_member(message, "execute", "fail");
    g_autoptr(JsonNode) raw = qmp_call_raw(f->qmp, message, -1, PATIENCE, NULL);
    g_assert_nonnull(json_peek_object(json_peek_as_object(raw), "error"));
}

static void test_big_question(Fixture *f, gconstpointer data)
{
    g_autofree char *text = g_strnfill(3000000, 'q');
    JsonObject *arguments = json_object_new();
    json_object_set_string_member(arguments, "v", text);
    g_autoptr(JsonNode) answer = qmp_call(f->qmp, "echo", arguments, PATIENCE, NULL);
    g_assert_cmpstr(json_peek_string(json_peek_as_object(answer), "v"), ==, text);
}

static void test_fd(Fixture *f, gconstpointer data)
{
    for (guint i = 0; i < 3; i++) {
        int ends[2];
        g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
        g_assert_cmpint(write(ends[1], "through", 7), ==, 7);
        g_autoptr(JsonNode) answer = qmp_call_with_fd(f->qmp, "fd", NULL, ends[0], PATIENCE, NULL);
        close(ends[0]);
        close(ends[1]);
        g_assert_cmpstr(json_node_get_string(answer), ==, "through");
    }
}

typedef struct {
    Fixture *f;
    guint ok, failed;
} Count;

static void on_counted(JsonNode *answer, const GError *error, gpointer data)
{
    Count *count = data;
    g_mutex_lock(&count->f->lock);
    g_assert_true(!answer != !error);
    (*(answer ? &count->ok : &count->failed))++;
    g_cond_broadcast(&count->f->changed);
    g_mutex_unlock(&count->f->lock);
}

static void test_late(Fixture *f, gconstpointer data)
{
    Count count = {f};
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonObject) raw = json_object_new();

    echo(f, 1);
    JsonObject *arguments = json_object_new();
    json_object_set_double_member(arguments, "seconds", 0.5);
    qmp_send(f->qmp, "sleep", arguments, -1, 100000, on_counted, &count);
    qmp_send(f->qmp, "behind", NULL, -1, 100000, on_counted, &count);
    wait_for(f, &count.failed, 2);
    g_assert_cmpuint(f->late, ==, 1);
    g_assert_false(qmp_is_responsive(f->qmp));

    /* at once, both ways */
    gint64 before = g_get_monotonic_time();
    g_assert_false(qmp_do(f->qmp, "more", NULL, PATIENCE, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_TIMEOUT));
    qmp_send(f->qmp, "more", NULL, -1, PATIENCE, on_counted, &count);
    wait_for(f, &count.failed, 3);
    g_assert_cmpint(g_get_monotonic_time() - before, <, 200000);

    wait_for(f, &f->recovered, 1);
    echo(f, 2);
    g_assert_cmpuint(count.ok, ==, 0);
    g_assert_cmpuint(f->closed, ==, 0);
}

/* A caller in a hurry gets its answer in time, and the peer is not blamed. */
static void test_hurry(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    JsonObject *arguments = json_object_new();

    json_object_set_double_member(arguments, "seconds", 0.3);
    echo(f, 1);
    g_assert_false(qmp_do(f->qmp, "sleep", arguments, 50000, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_TIMEOUT));
    g_assert_true(qmp_is_responsive(f->qmp));
    echo(f, 2);
    g_assert_cmpuint(f->late, ==, 0);
}

static void test_reorder(Fixture *f, gconstpointer data)
{
    Count count = {f};
    qmp_send(f->qmp, "echo", object("v", 1), -1, PATIENCE, on_counted, &count);
    echo(f, 2);
    wait_for(f, &count.ok, 1);
}

static void test_pieces(Fixture *f, gconstpointer data)
{
    echo(f, 1);
    echo(f, 2);
}

/* Whatever it is, the connection ends, the caller hears of it, and so does the owner, once. */
static void test_ends(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    Count count = {f};

    for (guint i = 0; i < 5; i++)
        qmp_send(f->qmp, "echo", object("v", i), -1, PATIENCE, on_counted, &count);
    wait_for(f, &f->closed, 1);
    g_mutex_lock(&f->lock);
    while (count.ok + count.failed < 5)
        g_cond_wait(&f->changed, &f->lock);
    g_mutex_unlock(&f->lock);
    g_test_message("%s", f->why);
    g_assert_false(qmp_do(f->qmp, "more", NULL, PATIENCE, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_FAILED));
    g_assert_false(qmp_is_responsive(f->qmp));
    g_assert_cmpuint(f->closed, ==, 1);
}

static void test_silent(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    wait_for(f, &f->late, 1);
    g_assert_false(qmp_do(f->qmp, "more", NULL, PATIENCE, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_TIMEOUT));
}

static void test_drowsy(Fixture *f, gconstpointer data)
{
    wait_for(f, &f->late, 1);
    wait_for(f, &f->recovered, 1);
    echo(f, 1);
}

static void test_events(Fixture *f, gconstpointer data)
{
    echo(f, 1);
    echo(f, 2);
    g_mutex_lock(&f->lock);
    /* The peer sends one more after its answer, which may be here already. */
    g_assert_true(g_str_has_prefix(f->events->str, "RESUME SHUTDOWN BLOCK_IO_ERROR+ RTC_CHANGE+ STOP+ "
                                                   "RESUME SHUTDOWN BLOCK_IO_ERROR+ RTC_CHANGE+ "));
    g_mutex_unlock(&f->lock);
}

/* The end while commands wait: each hears of it before qmp_close() returns. */
static void test_close(Fixture *f, gconstpointer data)
{
    Count count = {f};
    wait_for(f, &f->ready, 1);
    for (guint i = 0; i < 2 * QMP_PENDING_MAX; i++)
        qmp_send(f->qmp, "echo", object("v", i), -1, PATIENCE, on_counted, &count);
    qmp_close(f->qmp);
    g_mutex_lock(&f->lock);
    while (count.failed < 2 * QMP_PENDING_MAX)
        g_cond_wait(&f->changed, &f->lock);
    g_mutex_unlock(&f->lock);
    g_assert_cmpuint(f->closed, ==, 0);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name, *behaviour;
        void (*test)(Fixture *, gconstpointer);
    } tests[] = {
        {"normal", "normal", test_normal}, {"big-question", "normal", test_big_question}, {"fd", "normal", test_fd},
        {"late", "late", test_late},       {"hurry", "late", test_hurry},     {"reorder", "reorder", test_reorder},
        {"pieces", "pieces", test_pieces}, {"silent", "silent", test_silent}, {"drowsy", "drowsy", test_drowsy},
        {"events", "events", test_events}, {"close", "deaf", test_close},
        {"twice", "twice", test_ends},     {"nonsense", "nonsense", test_ends}, {"death", "death", test_ends},
        {"flood", "flood", test_ends},     {"deep", "deep", test_ends},       {"wide", "wide", test_ends},
        {"refuse", "refuse", test_ends},   {"unasked", "unasked", test_ends}, {"anonymous", "anonymous", test_ends},
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/driver-kvm/qmp/", tests[i].name, NULL);
        g_test_add(path, Fixture, tests[i].behaviour, setup, tests[i].test, teardown);
    }
    return g_test_run();
}
