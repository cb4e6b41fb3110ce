/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/fake/guest.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"

#define MARK "DUOVIRT_FAKE_GUEST="

static char *mark_of(Fake *fake, Vm *vm)
{
    return g_strdup_printf(MARK "%s/%s", fake->host->paths->run, fake->host->uuid(vm));
}

static Guest *guest_new(Fake *fake, Vm *vm, pid_t pid, int pidfd)
{
    Guest *guest = g_new0(Guest, 1);
    g_atomic_ref_count_init(&guest->refs);
    guest->fake = fake;
    guest->vm = vm;
    guest->pid = pid;
    guest->pidfd = pidfd;
    guest->detail = VIR_DOMAIN_EVENT_STOPPED_FAILED;
    guest->reason = VIR_DOMAIN_SHUTOFF_CRASHED;
    return guest;
}

Guest *guest_ref(Guest *guest)
{
    g_atomic_ref_count_inc(&guest->refs);
    return guest;
}

static int on_death(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    g_autoptr(Guest) guest = guest_ref(userdata);
    siginfo_t info;
    waitid(P_PIDFD, (id_t)guest->pidfd, &info, WEXITED | WNOHANG); /* where it is our child */
    g_clear_pointer(&guest->death, sd_event_source_unref);
    guest->fake->host->stopped(guest->vm, g_atomic_int_get(&guest->detail), g_atomic_int_get(&guest->reason));
    return 0;
}

static void watch(gpointer data)
{
    Guest *guest = data;
    sd_event_add_io(loop_event(guest->fake->host->loop), &guest->death, guest->pidfd, EPOLLIN, on_death, guest);
}

static void unwatch(gpointer data)
{
    Guest *guest = data;
    g_clear_pointer(&guest->death, sd_event_source_unref);
}

void guest_forget(Guest *guest)
{
    loop_call(guest->fake->host->loop, unwatch, guest);
}

void guest_unref(gpointer data)
{
    Guest *guest = data;
    if (!guest || !g_atomic_ref_count_dec(&guest->refs))
        return;
    close(guest->pidfd);
    g_free(guest);
}

void guest_let_go(gpointer guest)
{
    guest_forget(guest);
    guest_unref(guest);
}

Guest *guest_start(Fake *fake, Vm *vm, GError **error)
{
    g_autofree char *mark = mark_of(fake, vm);
    const char *argv[] = {"/bin/sleep", "infinity", NULL};
    const char *environment[] = {mark, NULL};
    ProcessSpec spec = {.argv = argv, .environment = environment};
    Process process;
    if (!process_spawn(&spec, &process, error))
        return NULL;
    Guest *guest = guest_new(fake, vm, process.pid, process.pidfd);
    loop_call(fake->host->loop, watch, guest);
    return guest;
}

static gboolean is_marked(const char *pid, const char *mark)
{
    g_autofree char *path = g_strdup_printf("/proc/%s/environ", pid);
    g_autofree char *text = file_read(path, 65536, NULL, NULL);
    return text && g_str_equal(text, mark);
}

static pid_t find_process(const char *mark)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)))
        if (g_ascii_isdigit(name[0]) && is_marked(name, mark))
            return atoi(name);
    return 0;
}

Guest *guest_find(Fake *fake, Vm *vm)
{
    g_autofree char *mark = mark_of(fake, vm);
    pid_t pid = find_process(mark);
    int pidfd = pid ? process_open(pid) : -1;
    if (pidfd < 0)
        return NULL;
    Guest *guest = guest_new(fake, vm, pid, pidfd);
    loop_call(fake->host->loop, watch, guest);
    return guest;
}

gboolean guest_end(Guest *guest, int detail, int reason, guint seconds)
{
    g_atomic_int_set(&guest->detail, detail);
    g_atomic_int_set(&guest->reason, reason);
    process_signal(guest->pidfd, SIGKILL);
    return process_wait_gone(guest->pidfd, g_get_monotonic_time() + seconds * G_USEC_PER_SEC);
}
