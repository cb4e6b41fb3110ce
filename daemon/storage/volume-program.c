/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/storage/volume-program.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"

#define LONG (24 * 3600 * (gint64)G_USEC_PER_SEC)
#define SAID_MAX 4096
#define FIRST_FD 10 /* in the program */

static void close_fd(gpointer data)
{
    close(((ProcessFd *)data)->fd);
}

VolumeProgram *volume_program_new(const char *name)
{
    VolumeProgram *program = g_new0(VolumeProgram, 1);

    program->argv = g_ptr_array_new_with_free_func(g_free);
    program->fds = g_array_new(FALSE, FALSE, sizeof(ProcessFd));
    g_array_set_clear_func(program->fds, close_fd);
    g_ptr_array_add(program->argv, g_strdup(name));
    return program;
}

void volume_program_free(VolumeProgram *program)
{
    if (!program)
        return;
    g_ptr_array_unref(program->argv);
    g_array_unref(program->fds);
    g_free(program);
}

void volume_program_add(VolumeProgram *program, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(program->argv, g_strdup_vprintf(format, args));
    va_end(args);
}

int volume_program_pass(VolumeProgram *program, int fd)
{
    ProcessFd passed = {fd, FIRST_FD + (int)program->fds->len};

    g_array_append_val(program->fds, passed);
    return passed.number;
}

static gboolean report(const VolumeProgram *program, int status, int said, GError **error)
{
    char text[SAID_MAX + 1] = "";
    ssize_t n = pread(said, text, SAID_MAX, 0);
    text[MAX(n, 0)] = '\0';
    g_autofree char *line = g_strjoinv(" ", (char **)program->argv->pdata);
    g_autofree char *how = WIFEXITED(status) ? g_strdup_printf("exit status %d", WEXITSTATUS(status))
                                             : g_strdup_printf("fatal signal %d", WTERMSIG(status));
    g_autofree char *whole = g_strdup_printf("Child process (%s) unexpected %s: %s", line, how, text);
    g_auto(GStrv) parts = program->instead ? g_strsplit(whole, program->instead, -1) : NULL;
    g_autofree char *shown = parts ? g_strjoinv(program->path, parts) : NULL;
    return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "%s", shown ? shown : whole);
}

gboolean volume_program_run(VolumeProgram *program, GError **error)
{
    char *found = g_find_program_in_path(program->argv->pdata[0]);
    if (!found)
        return error_set_errno(error, VIR_FROM_NONE, ENOENT, "Cannot find '%s' in path", (const char *)program->argv->pdata[0]);
    g_free(program->argv->pdata[0]);
    program->argv->pdata[0] = found;
    g_ptr_array_add(program->argv, NULL);
    ProcessFd said = {memfd_create("said", MFD_CLOEXEC), 2};
    g_array_append_val(program->fds, said);
    const ProcessSpec spec = {.argv = (const char *const *)program->argv->pdata, .fds = (const ProcessFd *)program->fds->data,
                              .n_fds = program->fds->len, .dies_with_us = TRUE};
    Process process;
    int status = -1;
    gboolean ok = process_spawn(&spec, &process, error);
    gboolean ended = ok && process_wait(&process, g_get_monotonic_time() + LONG, &status, error);
    if (ok && !ended)
        process_end(&process);
    return ended && (status == 0 || report(program, status, said.fd, error));
}
