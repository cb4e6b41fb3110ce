/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/caps-ask.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver-kvm/caps-probe.h"
#include "lib/error.h"

#define LONGER (2 * G_USEC_PER_SEC) /* than QEMU may take */
#define SAID_MAX 2048

typedef struct {
    int form, said; /* files in memory; -1: not there */
    Process process;
} Ask;

static void ask_end(Ask *ask)
{
    process_end(&ask->process);
    if (ask->form >= 0)
        close(ask->form);
    if (ask->said >= 0)
        close(ask->said);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ask, ask_end)

static GPtrArray *arguments(const char *probe, const char *binary, const char *identity, const ProcessIds *ids,
                            gboolean try_kvm)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(argv, g_strdup(probe));
    g_ptr_array_add(argv, g_strdup(binary));
    g_ptr_array_add(argv, g_strdup(identity));
    g_ptr_array_add(argv, g_strdup(try_kvm ? "kvm" : "tcg"));
    if (ids) {
        g_ptr_array_add(argv, g_strdup_printf("%u", ids->uid));
        g_ptr_array_add(argv, g_strdup_printf("%u", ids->gid));
    }
    for (gsize i = 0; ids && i < ids->n_groups; i++)
        g_ptr_array_add(argv, g_strdup_printf("%u", ids->groups[i]));
    g_ptr_array_add(argv, NULL);
    return argv;
}

static char *what_was_said(int fd)
{
    char said[SAID_MAX + 1];
    ssize_t n = pread(fd, said, SAID_MAX, 0);

    said[MAX(n, 0)] = '\0';
    return g_strchomp(g_utf8_make_valid(said, -1));
}

int caps_ask(const char *probe, const char *binary, const char *identity, const ProcessIds *ids, gboolean try_kvm,
             GError **error)
{
    g_auto(Ask) ask = {memfd_create("caps", MFD_CLOEXEC), memfd_create("stderr", MFD_CLOEXEC), {0, -1}};
    g_autoptr(GPtrArray) argv = arguments(probe, binary, identity, ids, try_kvm);
    ProcessFd fds[] = {{ask.form, 1}, {ask.said, 2}};
    ProcessSpec spec = {.argv = (const char *const *)argv->pdata, .fds = fds, .n_fds = G_N_ELEMENTS(fds),
                        .dies_with_us = TRUE};
    int status;

    if (ask.form < 0 || ask.said < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "cannot probe %s", binary);
        return -1;
    }
    if (!process_spawn(&spec, &ask.process, error) ||
        !process_wait(&ask.process, g_get_monotonic_time() + CAPS_PROBE_DEADLINE + LONGER, &status, error))
        return -1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        g_autofree char *said = what_was_said(ask.said);
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s",
                  said[0] ? said : "the program that probes QEMU binaries ended without a word");
        return -1;
    }
    return g_steal_fd(&ask.form);
}
