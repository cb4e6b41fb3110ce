/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes between the steps of an operation: an end while the disk is written, a disk that fails at the last step. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/core/run.h"
#include "daemon/core/save-writer.h"
#include "daemon/core/store.h"
#include "daemon/rpc/call.h"
#include "lib/file.h"
#include "tests/unit/daemon/core/world.h"

/* What happens in the next fsync(2) of a folder, once: in place of the C library's. Where another process has done that for
 * us (save-writer.h), when it says so. */
static void (*in_sync)(gpointer data);
static gpointer in_sync_data;
static pid_t daemon_pid;
static gboolean sync_fails;

static void synced(void)
{
    void (*fn)(gpointer) = g_steal_pointer(&in_sync);
    if (fn)
        fn(in_sync_data);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    ssize_t n = syscall(SYS_recvmsg, fd, message, flags);
    const SaveWriterAnswer *answer = message->msg_iov->iov_base;
    if (n == sizeof *answer && answer->step == SAVE_WRITER_NAMED && answer->errnum == 0)
        synced();
    return n;
}

int fsync(int fd)
{
    struct stat info;
    gboolean folder = fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
    if (folder && getpid() == daemon_pid)
        synced();
    if (folder && sync_fails) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static void destroy(gpointer vm)
{
    g_assert_true(run_kill(vm, FALSE, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VIR_DOMAIN_SHUTOFF_DESTROYED, NULL));
}

static gboolean undefine_op(Vm *vm, gpointer data, GError **error)
{
    Call call = {.vm = vm, .instance = vm->instance};
    const RemoteDomainUndefineArgs args = {0};
    return remote_domain_undefine(&call, &args, error);
}

static gboolean rename_op(Vm *vm, gpointer name, GError **error)
{
    Call call = {.vm = vm, .instance = vm->instance};
    const RemoteDomainRenameArgs args = {.new_name = name};
    RemoteDomainRenameRet ret;
    return remote_domain_rename(&call, &args, &ret, error);
}

/* One takes the definition away, another the guest: nothing is left. */
static void test_undefine_and_end(void)
{
    World *world = world_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Vm) vm = world_define(world, "a", 1, "");
    g_assert_true(world_start(vm, NULL));
    in_sync = destroy;
    in_sync_data = vm;
    g_assert_true(world_on_queue(vm, undefine_op, NULL, &error));
    world_settle(vm);
    g_assert_null(in_sync);
    g_assert_null(registry_find_name(world->instance->registry, "a"));
    g_assert_true(vm->removed);
    world_free(world);
}

/* A domain that is there, does not run, and has no definition: it is about to begin again by itself. */
static void test_nothing_to_start(void)
{
    World *world = world_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Domain) definition = world_definition(world, "t", 7, "");
    Vm *vm = registry_claim(world->instance->registry, definition, FALSE, NULL);
    registry_list(world->instance->registry, vm);
    g_assert_false(world_start(vm, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_INVALID));
    g_clear_error(&error);
    g_assert_false(world_on_queue(vm, rename_op, (gpointer) "u", &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_INVALID));
    registry_remove(world->instance->registry, vm);
    registry_release(world->instance->registry, vm);
    world_free(world);
}

static gint sleeping;

static void sleep_on_loop(gpointer data)
{
    g_atomic_int_set(&sleeping, TRUE);
    g_usleep(G_USEC_PER_SEC / 5);
}

/* A guest ends when nobody works any more: what it takes to see that is not there any more either. */
static void test_end_at_the_end(void)
{
    World *world = world_new();
    for (guint i = 1; i <= 8; i++) {
        g_autofree char *name = g_strdup_printf("g%u", i);
        g_autoptr(Vm) vm = world_define(world, name, i, i % 2 ? "cleanup-ms=200" : "");
        g_assert_true(world_start(vm, NULL));
    }
    g_atomic_int_set(&sleeping, FALSE);
    loop_post(world->loop, sleep_on_loop, NULL);
    while (!g_atomic_int_get(&sleeping))
        g_usleep(1000);
    world_kill_guests(world);
    world_restart(world);
    for (guint i = 1; i <= 8; i++) {
        g_autofree char *name = g_strdup_printf("g%u", i);
        g_autoptr(Vm) vm = registry_find_name(world->instance->registry, name);
        world_settle(vm);
        g_assert_cmpint(world_id(vm), ==, -1);
        g_assert_true(world_start(vm, NULL));
    }
    world_free(world);
}

/* A definition that can be kept, and whose record could not: it does not start. */
static void test_record_too_large(void)
{
    World *world = world_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *words = g_strnfill(XML_DOCUMENT_MAX - 32768, 'x');
    g_autoptr(Vm) vm = world_define(world, "a", 1, words);
    g_assert_false(world_start(vm, &error));
    g_assert_true(error_is(error, VIR_ERR_XML_DETAIL));
    g_assert_cmpint(world_id(vm), ==, -1);
    g_assert_cmpuint(world_processes(world), ==, 0);
    world_free(world);
}

static gboolean redefine_op(Vm *vm, gpointer definition, GError **error)
{
    return store_save(vm, definition, error);
}

static gboolean autostart_op(Vm *vm, gpointer on, GError **error)
{
    return store_set_autostart(vm, GPOINTER_TO_INT(on), error);
}

static void expect_on_disk(World *world, const char *name, const char *description)
{
    world_restart(world);
    g_autoptr(Vm) vm = registry_find_name(world->instance->registry, name);
    g_assert_nonnull(vm);
    g_autoptr(VmView) view = vm_view(vm);
    g_assert_cmpstr(view->next->description, ==, description);
    g_assert_false(view->autostart);
}

/* A disk that fails at the very end: what was told as failed has not happened, for the next daemon either. */
static void test_failing_disk(void)
{
    World *world = world_new();
    Vm *vm = world_define(world, "a", 1, "old");
    g_autoptr(Domain) other = world_definition(world, "a", 1, "new");
    sync_fails = TRUE;
    g_assert_false(world_on_queue(vm, redefine_op, other, NULL));
    g_assert_false(world_on_queue(vm, undefine_op, NULL, NULL));
    g_assert_false(world_on_queue(vm, autostart_op, GINT_TO_POINTER(TRUE), NULL));
    sync_fails = FALSE;
    g_assert_false(vm->removed);
    vm_unref(vm);
    expect_on_disk(world, "a", "old");
    world_free(world);
}

/* The definition is gone and the marker stays: the domain is gone, and one that is made anew does not get the marker. */
static void test_marker_stays(void)
{
    World *world = world_new();
    g_autoptr(GError) error = NULL;
    Vm *vm = world_define(world, "a", 1, "old");
    g_autofree char *marker = g_strdup_printf("%s/domains/fake/%s.autostart", world->paths.state, vm->uuid_text);
    g_assert_true(file_make_folder(marker, 0700, NULL)); /* cannot be unlinked */
    g_assert_true(world_on_queue(vm, undefine_op, NULL, &error));
    g_assert_true(vm->removed);
    vm_unref(vm);
    g_assert_null(registry_find_name(world->instance->registry, "a"));
    world_free(world);
}

static gboolean save_op(Vm *vm, gpointer data, GError **error)
{
    Call call = {.vm = vm, .instance = vm->instance};
    const RemoteDomainManagedSaveArgs args = {0};
    return remote_domain_managed_save(&call, &args, error);
}

static gboolean start_op(Vm *vm, gpointer data, GError **error)
{
    Call call = {.vm = vm, .instance = vm->instance};
    const RemoteDomainCreateArgs args = {0};
    return remote_domain_create(&call, &args, error);
}

/* The run folder and the save as a kill -9 finds them in the moment it comes: put aside, and put back. */
typedef struct {
    World *world;
    char *kept;
} Moment;

static void copy_tree(const char *from, const char *to)
{
    const char *cp[] = {"/bin/cp", "-a", from, to, NULL};
    g_assert_true(g_spawn_sync(NULL, (char **)cp, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL, NULL));
}

static void keep_moment(gpointer data)
{
    const Moment *moment = data;
    g_assert_true(file_make_folder(moment->kept, 0700, NULL));
    copy_tree(moment->world->paths.run, moment->kept);
    copy_tree(moment->world->paths.state, moment->kept);
}

static void restore_moment(const Moment *moment)
{
    g_autofree char *run = g_build_filename(moment->kept, "run", NULL);
    g_autofree char *state = g_build_filename(moment->kept, "state", NULL);
    g_assert_true(file_remove_tree(moment->world->paths.run, NULL) && file_remove_tree(moment->world->paths.state, NULL));
    copy_tree(run, moment->world->paths.run);
    copy_tree(state, moment->world->paths.state);
}

static gboolean has_save(Vm *vm)
{
    g_autofree char *path = store_managed_save_path(vm);
    g_autoptr(VmView) view = vm_view(vm);
    g_assert_true(view->managed_save == g_file_test(path, G_FILE_TEST_EXISTS));
    return view->managed_save;
}

typedef struct {
    const char *words;
    gboolean lives;      /* the guest, when the next daemon comes */
    gboolean from_save;  /* the kill comes when it was started from a save */
    int state;
    gboolean save_stays;
} SaveCase;

/* The daemon is killed between the save and the guest's end (which it is not, here, so the guest is made once more), or
 * between a start from the save and the save's end. */
static void test_killed_at_save(gconstpointer data)
{
    const SaveCase *row = data;
    World *world = world_new();
    Moment moment = {world, g_build_filename(world->root, "kept", NULL)};
    Vm *vm = world_define(world, "a", 1, "");
    g_assert_true(world_start(vm, NULL));
    if (row->from_save)
        g_assert_true(world_on_queue(vm, save_op, NULL, NULL));
    g_autofree char *save = store_managed_save_path(vm);
    g_autofree char *removed = g_strconcat(save, ".new", NULL);
    in_sync = keep_moment;
    in_sync_data = &moment;
    g_assert_true(world_on_queue(vm, row->from_save ? start_op : save_op, NULL, NULL));
    world_settle(vm);
    g_assert_null(in_sync);
    if (!row->from_save && row->lives)
        g_assert_true(world_start(vm, NULL)); /* a process like the one that was there */
    vm_unref(vm);
    world_close(world);
    if (!row->lives)
        world_kill_guests(world);
    restore_moment(&moment);
    if (row->from_save) /* the moment is that of its removal */
        g_assert_cmpint(rename(removed, save), ==, 0);
    world_open(world);
    vm = registry_find_name(world->instance->registry, "a");
    world_settle(vm);
    g_assert_cmpint(world_state(vm), ==, row->state);
    g_assert_cmpint(has_save(vm), ==, row->save_stays);
    g_assert_cmpuint(world_processes(world), ==, row->lives ? 1 : 0);
    if (row->save_stays)
        g_assert_true(world_on_queue(vm, start_op, NULL, NULL));
    vm_unref(vm);
    g_free(moment.kept);
    world_free(world);
}

static void kill_and_see(gpointer data)
{
    const Moment *moment = data;
    g_autoptr(Vm) vm = registry_find_name(moment->world->instance->registry, "a");
    world_kill_guests(moment->world);
    g_assert_true(vm_wait_inactive(vm, g_get_monotonic_time() + 10 * G_USEC_PER_SEC));
}

/* The guest ends by itself when its save is on the disk: it is saved, and does not begin again without it. */
static void test_end_at_save(void)
{
    World *world = world_new();
    g_autoptr(GError) error = NULL;
    Moment moment = {world, NULL};
    g_autoptr(Vm) vm = world_define(world, "a", 1, "again");
    g_assert_true(world_start(vm, NULL));
    in_sync = kill_and_see;
    in_sync_data = &moment;
    g_assert_true(world_on_queue(vm, save_op, NULL, &error));
    g_assert_no_error(error);
    world_settle(vm);
    g_assert_cmpint(world_id(vm), ==, -1);
    g_assert_true(has_save(vm));
    world_free(world);
}

/* A record that nobody took away is of a guest that nobody could take: it may run. */
static void test_foreign_record(void)
{
    World *world = world_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Vm) vm = world_define(world, "a", 1, "");
    g_autofree char *folder = g_strdup_printf("%s/domains/%s", world->paths.run, vm->uuid_text);
    g_autofree char *kept = g_build_filename(world->root, "kept", NULL);
    g_assert_true(world_start(vm, NULL));
    copy_tree(folder, kept);
    destroy(vm);
    world_settle(vm);
    copy_tree(kept, folder);
    g_assert_false(world_start(vm, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_INVALID));
    g_assert_true(g_file_test(folder, G_FILE_TEST_EXISTS));
    g_assert_true(file_remove_tree(folder, NULL) && world_start(vm, NULL));
    world_free(world);
}

/* What a driver says of a run that has ended changes nothing. */
static void test_state_after_the_end(void)
{
    World *world = world_new();
    g_autoptr(Vm) vm = world_define(world, "a", 1, "");
    g_assert_true(world_start(vm, NULL));
    destroy(vm);
    vm_publish_state(vm, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
    g_assert_cmpint(world_state(vm), ==, VIR_DOMAIN_SHUTOFF * 100 + VIR_DOMAIN_SHUTOFF_DESTROYED);
    world_free(world);
}

#define STATE(STATE, REASON) (VIR_DOMAIN_##STATE * 100 + VIR_DOMAIN_##STATE##_##REASON)

static const SaveCase save_cases[] = {
    {"guest-lives", TRUE, FALSE, STATE(RUNNING, UNPAUSED), FALSE},
    {"guest-gone", FALSE, FALSE, STATE(SHUTOFF, SAVED), TRUE},
    {"restored-lives", TRUE, TRUE, STATE(RUNNING, BOOTED), FALSE},
    {"restored-gone", FALSE, TRUE, STATE(SHUTOFF, CRASHED), FALSE},
};

int main(int argc, char **argv)
{
    daemon_pid = getpid();
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/races/undefine-and-end", test_undefine_and_end);
    g_test_add_func("/races/nothing-to-start", test_nothing_to_start);
    g_test_add_func("/races/end-at-the-end", test_end_at_the_end);
    g_test_add_func("/races/record-too-large", test_record_too_large);
    g_test_add_func("/races/failing-disk", test_failing_disk);
    g_test_add_func("/races/marker-stays", test_marker_stays);
    g_test_add_func("/races/end-at-save", test_end_at_save);
    g_test_add_func("/races/foreign-record", test_foreign_record);
    g_test_add_func("/races/state-after-the-end", test_state_after_the_end);
    for (guint i = 0; i < G_N_ELEMENTS(save_cases); i++) {
        g_autofree char *path = g_strconcat("/races/killed-at-save/", save_cases[i].words, NULL);
        g_test_add_data_func(path, &save_cases[i], test_killed_at_save);
    }
    return g_test_run();
}
