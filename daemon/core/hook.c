/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/process.h"

#define OUTPUT_MAX (4 * 1024 * 1024) /* of a restored document; what is beyond is read and dropped */
#define LOGGED_MAX 2048
#define PROGRAMS_MAX 256
#define READ_SIZE 8192
#define READS_A_TURN 128 /* as much as a pipe holds */

static char *folder;
static gint seconds; /* atomic */

/* What libvirt's hooks find in their environment, and nothing else. */
static const char *const passed_on[] = {"LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "HOME", "USER", "LOGNAME", "TMPDIR"};

typedef struct {
    const char *path;
    char **argv, **environment;
    int in;
    int out[2], err[2];
    Process process;
    GString *output, *complaint;
} Run;

void hook_open(const char *place, guint time)
{
    g_free(folder);
    folder = g_strdup(place);
    hook_set_time(time);
}

void hook_set_time(guint time)
{
    g_atomic_int_set(&seconds, (gint)time);
}

/* --- one program --- */

static char **environment_new(void)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    g_strv_builder_add(builder, "LC_ALL=C");
    for (gsize i = 0; i < G_N_ELEMENTS(passed_on); i++) {
        g_autofree char *pair = g_getenv(passed_on[i]) ? g_strconcat(passed_on[i], "=", g_getenv(passed_on[i]), NULL) : NULL;
        if (pair)
            g_strv_builder_add(builder, pair);
    }
    return g_strv_builder_end(builder);
}

/* In memory, so that one who does not read it holds up nobody. */
static int input_open(const char *text)
{
    int fd = memfd_create("hook", MFD_CLOEXEC);
    gsize length = text ? strlen(text) : 0, done = 0;

    while (fd >= 0 && done < length) {
        gssize n = write(fd, text + done, length - done);
        if (n < 0) {
            close(fd);
            return -1;
        }
        done += (gsize)n;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void run_clear(Run *run)
{
    close_fd(&run->in);
    for (int i = 0; i < 2; i++) {
        close_fd(&run->out[i]);
        close_fd(&run->err[i]);
    }
    process_end(&run->process);
    g_strfreev(run->argv);
    g_strfreev(run->environment);
    g_string_free(run->output, TRUE);
    g_string_free(run->complaint, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static gboolean spawn(Run *run, GError **error)
{
    if (run->in < 0 || pipe2(run->out, O_CLOEXEC) < 0 || pipe2(run->err, O_CLOEXEC) < 0)
        return error_set_errno(error, VIR_FROM_HOOK, errno, "cannot run %s", run->path);
    const ProcessFd fds[] = {{run->in, 0}, {run->out[1], 1}, {run->err[1], 2}};
    const ProcessSpec spec = {.argv = (const char *const *)run->argv, .environment = (const char *const *)run->environment,
                              .fds = fds, .n_fds = G_N_ELEMENTS(fds)};
    if (!process_spawn(&spec, &run->process, error))
        return FALSE;
    close_fd(&run->out[1]);
    close_fd(&run->err[1]);
    fcntl(run->out[0], F_SETFL, O_NONBLOCK);
    fcntl(run->err[0], F_SETFL, O_NONBLOCK);
    return TRUE;
}

/* What is there now, and not what one who talks without end adds meanwhile; closes FD at its end. */
static void drain(int *fd, GString *text)
{
    char buffer[READ_SIZE];
    gssize n = 1;

    for (guint turn = 0; turn < READS_A_TURN && *fd >= 0 && (n = read(*fd, buffer, sizeof(buffer))) > 0; turn++)
        g_string_append_len(text, buffer, MIN(n, (gssize)(OUTPUT_MAX - MIN(text->len, OUTPUT_MAX))));
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_fd(fd);
}

/* Until it has ended; what it started in the background may hold its output open. */
static gboolean follow(Run *run, gint64 deadline)
{
    while (!process_is_gone(run->process.pidfd)) {
        struct pollfd fds[] = {{run->process.pidfd, POLLIN, 0}, {run->out[0], POLLIN, 0}, {run->err[0], POLLIN, 0}};
        gint64 left = deadline - g_get_monotonic_time();
        if (left <= 0)
            return FALSE;
        poll(fds, G_N_ELEMENTS(fds), (int)MIN(left / 1000 + 1, G_MAXINT));
        drain(&run->out[0], run->output);
        drain(&run->err[0], run->complaint);
    }
    drain(&run->out[0], run->output);
    drain(&run->err[0], run->complaint);
    return TRUE;
}

static gboolean fail(const Run *run, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean fail(const Run *run, GError **error, const char *format, ...)
{
    g_autofree char *environment = g_strjoinv(" ", run->environment), *argv = g_strjoinv(" ", run->argv);
    va_list args;

    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    return error_set(error, VIR_FROM_HOOK, VIR_ERR_HOOK_SCRIPT_FAILED, "internal error: Child process (%s %s) %s", environment,
                     argv, what);
}

static void log_text(const char *path, const char *what, const GString *text)
{
    if (text->len > 0)
        log_line(LOG_INFO, "%s: %s: %.*s", path, what, LOGGED_MAX, text->str);
}

static gboolean finish(Run *run, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + g_atomic_int_get(&seconds) * (gint64)G_USEC_PER_SEC;
    int status;

    if (!follow(run, deadline)) {
        kill(-run->process.pid, SIGKILL); /* it leads a session: whom it started as well */
        return fail(run, error, "did not end within %d seconds and was killed", g_atomic_int_get(&seconds));
    }
    if (!process_wait(&run->process, deadline + G_USEC_PER_SEC, &status, error))
        return FALSE;
    if (WIFSIGNALED(status))
        return fail(run, error, "unexpected fatal signal %d%s%s", WTERMSIG(status), run->complaint->len ? ": " : "",
                    run->complaint->str);
    if (WEXITSTATUS(status) != 0)
        return fail(run, error, "unexpected exit status %d%s%s", WEXITSTATUS(status), run->complaint->len ? ": " : "",
                    run->complaint->str);
    return TRUE;
}

static gboolean run_one(const char *path, const char *const *arguments, const char *input, char **ret_output, GError **error)
{
    g_auto(Run) run = {.path = path, .out = {-1, -1}, .err = {-1, -1}, .process = {.pidfd = -1}};
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    g_strv_builder_add(builder, path);
    g_strv_builder_addv(builder, (const char **)arguments);
    run.argv = g_strv_builder_end(builder);
    run.environment = environment_new();
    run.in = input_open(input);
    run.output = g_string_new(NULL);
    run.complaint = g_string_new(NULL);
    if (!spawn(&run, error))
        return FALSE;
    gboolean ok = finish(&run, error);
    if (ok && ret_output && run.output->len > 0) {
        g_free(*ret_output);
        *ret_output = g_strdup(run.output->str);
    } else {
        log_text(path, "it says", run.output);
    }
    log_text(path, "it complains", run.complaint);
    return ok;
}

/* --- all of a name --- */

static gboolean can_run(const char *path)
{
    return g_file_test(path, G_FILE_TEST_IS_REGULAR) && access(path, X_OK) == 0;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void find_more(GPtrArray *paths, const char *name)
{
    g_autofree char *place = g_strdup_printf("%s/%s.d", folder, name);
    g_autoptr(GDir) dir = g_dir_open(place, 0, NULL);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    const char *entry;

    while (dir && found->len < PROGRAMS_MAX && (entry = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(place, entry, NULL);
        if (can_run(path))
            g_ptr_array_add(found, g_steal_pointer(&path));
    }
    g_ptr_array_sort(found, by_name);
    g_ptr_array_extend(paths, found, NULL, NULL);
}

static GPtrArray *find(const char *name)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = folder ? g_build_filename(folder, name, NULL) : NULL;

    if (path && can_run(path))
        g_ptr_array_add(paths, g_steal_pointer(&path));
    if (folder)
        find_more(paths, name);
    return paths;
}

gboolean hook_call(const char *name, const char *object, const char *operation, const char *sub, const char *extra,
                   const char *input, char **ret_output, GError **error)
{
    const char *const arguments[] = {object, operation, sub, extra ? extra : "-", NULL};
    g_autoptr(GPtrArray) paths = find(name);
    g_autoptr(GError) last = NULL;

    if (ret_output)
        *ret_output = NULL;
    for (guint i = 0; i < paths->len; i++) {
        g_autoptr(GError) cause = NULL;
        if (run_one(paths->pdata[i], arguments, input, ret_output, &cause))
            continue;
        g_clear_error(&last);
        last = g_steal_pointer(&cause);
    }
    if (!last)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&last));
    return FALSE;
}

void hook_daemon(const char *operation, const char *sub, const char *extra)
{
    g_autoptr(GError) error = NULL;

    if (!hook_call("daemon", "-", operation, sub, extra, NULL, NULL, &error))
        log_line(LOG_WARNING, "%s", error->message);
}

/* --- domains --- */

/* libvirt's name of the program, which is not always its scheme. */
static const char *name_of(const DriverInstance *instance)
{
    return g_str_equal(instance->driver->scheme, "xen") ? "libxl" : instance->driver->scheme;
}

gboolean hook_is_there(const DriverInstance *instance)
{
    g_autoptr(GPtrArray) paths = find(name_of(instance));

    return paths->len > 0;
}

gboolean hook_vm(Vm *vm, const Domain *definition, const char *operation, const char *sub, GError **error)
{
    if (!hook_is_there(vm->instance))
        return TRUE;
    g_autofree char *text = model_format_text(&domain_type, definition, 0);
    return hook_call(name_of(vm->instance), definition->name, operation, sub, NULL, text, NULL, error);
}

void hook_vm_after(Vm *vm, const Domain *definition, const char *operation, const char *sub)
{
    g_autoptr(GError) error = NULL;

    if (!hook_vm(vm, definition, operation, sub, &error))
        vm_log(vm, LOG_WARNING, "%s", error->message);
}

char *hook_restore(const DriverInstance *instance, const Domain *definition, GError **error)
{
    g_autofree char *output = NULL;

    if (!hook_is_there(instance))
        return NULL;
    g_autofree char *text = model_format_text(&domain_type, definition, 0);
    if (!hook_call(name_of(instance), definition->name, "restore", "begin", NULL, text, &output, error))
        return NULL;
    return output && *g_strchug(output) != '\0' ? g_steal_pointer(&output) : NULL;
}
