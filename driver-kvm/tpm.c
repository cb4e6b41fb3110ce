/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/tpm.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver-kvm/launch/contract.h"
#include "driver-kvm/side.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/uuid.h"

#define SETUP_DEADLINE (60 * G_USEC_PER_SEC)
#define FOLDER_MODE 0711

/* --- who and where --- */

static gboolean find_user(uid_t *ret_uid, gid_t *ret_gid)
{
    static const char *const names[] = {"tss", "swtpm"};
    char buffer[4096];
    struct passwd record, *found = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(names) && !found; i++)
        getpwnam_r(names[i], &record, buffer, sizeof buffer, &found);
    if (!found)
        return FALSE;
    *ret_uid = found->pw_uid;
    *ret_gid = found->pw_gid;
    return TRUE;
}

/* FALSE: as we ourselves, which is so in a session. */
static gboolean choose_ids(const Kvm *kvm, ProcessIds *ret_ids)
{
    const ProcessIds *qemu = user_ids(kvm->user);

    if (geteuid() != 0)
        return FALSE;
    *ret_ids = (ProcessIds){0};
    if (find_user(&ret_ids->uid, &ret_ids->gid))
        return TRUE;
    if (qemu)
        *ret_ids = *qemu;
    return qemu != NULL;
}

static char *domain_folder(const Kvm *kvm, const Domain *def)
{
    char uuid[UUID_TEXT];

    uuid_format(def->uuid.bytes, uuid);
    return g_build_filename(kvm->host->paths->state, "tpm", uuid, NULL);
}

static char *state_folder(const Kvm *kvm, const Domain *def, const Tpm *tpm)
{
    g_autofree char *folder = domain_folder(kvm, def);

    return g_build_filename(folder, tpm->backend->version == TPM_VERSION_1_2 ? "tpm1.2" : "tpm2", NULL);
}

static char *find_program(const char *name, GError **error)
{
    char *path = g_find_program_in_path(name);

    if (!path)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Unable to find '%s' binary in $PATH", name);
    return path;
}

/* --- the passphrase --- */

#define CIPHER "aes-256-cbc"

/* What a program can read the passphrase of TPM's state from, once; -1 in RET_FD: the state has none. Whole in the pipe, which holds as much
 * as a secret can be. */
static gboolean open_passphrase(const Guest *guest, const Tpm *tpm, int *ret_fd, GError **error)
{
    const TpmEncryption *encryption = tpm->backend->encryption;
    int ends[2];

    *ret_fd = -1;
    if (!encryption)
        return TRUE;
    const SecretWish wish = {SECRET_USAGE_TYPE_VTPM, encryption->secret.bytes, NULL};
    g_autoptr(SecretValue) value = guest->kvm->host->secret(&wish, error);
    if (!value)
        return FALSE;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot make a pipe for the passphrase of the TPM's state");
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    gboolean written = write(ends[1], value->octets, value->length) == (gssize)value->length;
    close(ends[1]);
    if (!written) {
        close(ends[0]);
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "the passphrase of the TPM's state is too long");
    }
    *ret_fd = ends[0];
    return TRUE;
}

static void close_passphrase(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* --- the state --- */

#define PASSPHRASE_FD 3 /* in swtpm_setup */

static gboolean make_folder(const char *path, const ProcessIds *ids, GError **error)
{
    if ((mkdir(path, 0700) < 0 && errno != EEXIST) || (ids && chown(path, ids->uid, ids->gid) < 0))
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot make folder '%s'", path);
    return TRUE;
}

static char *log_path(const Guest *guest)
{
    return g_strdup_printf("%s/%s-swtpm-setup.log", guest->kvm->host->paths->log, guest->live->name);
}

static void add_all(GPtrArray *arguments, const char *const *more)
{
    for (; *more; more++)
        g_ptr_array_add(arguments, g_strdup(*more));
}

/* Runs swtpm_setup with ARGUMENTS (owned by the array; its last are added here) until it ends. PASSPHRASE: see open_passphrase(). */
static gboolean run_setup_with(Guest *guest, GPtrArray *arguments, int passphrase, const ProcessIds *ids, GError **error)
{
    static const char *const environment[] = {"LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                              NULL};
    g_autofree char *log = log_path(guest);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    const ProcessFd fds[] = {{fd, 1}, {fd, 2}, {passphrase, PASSPHRASE_FD}};
    int status = 0;
    Process process = {0, -1};

    if (fd < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot write to '%s'", log);
    if (passphrase >= 0)
        add_all(arguments, (const char *[]){"--pwdfile-fd", G_STRINGIFY(PASSPHRASE_FD), "--cipher", CIPHER, NULL});
    g_ptr_array_add(arguments, NULL);
    const ProcessSpec spec = {.argv = (const char *const *)arguments->pdata, .environment = environment, .fds = fds,
                              .n_fds = G_N_ELEMENTS(fds) - (passphrase < 0), .ids = ids, .dies_with_us = TRUE};
    gboolean spawned = process_spawn(&spec, &process, error);
    close(fd);
    gboolean ended = spawned && process_wait(&process, g_get_monotonic_time() + SETUP_DEADLINE, &status, error);
    process_end(&process);
    if (!ended)
        return FALSE;
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Could not run '%s'. exitstatus: %d; Check error log '%s' for "
                     "details.", (const char *)arguments->pdata[0], WIFEXITED(status) ? WEXITSTATUS(status) : -1, log);
}

static gboolean run_setup(Guest *guest, const Tpm *tpm, GPtrArray *arguments, const ProcessIds *ids, GError **error)
{
    int passphrase;

    if (!open_passphrase(guest, tpm, &passphrase, error))
        return FALSE;
    gboolean run = run_setup_with(guest, arguments, passphrase, ids, error);
    close_passphrase(passphrase);
    return run;
}

static gboolean begin_setup(const Tpm *tpm, const char *folder, GPtrArray *arguments, GError **error)
{
    char *program = find_program("swtpm_setup", error);

    if (!program)
        return FALSE;
    g_ptr_array_add(arguments, program);
    if (tpm->backend->version == TPM_VERSION_2_0)
        g_ptr_array_add(arguments, g_strdup("--tpm2"));
    add_all(arguments, (const char *[]){"--tpm-state", folder, NULL});
    return TRUE;
}

static gboolean make_state(Guest *guest, const Tpm *tpm, const char *folder, const ProcessIds *ids, GError **error)
{
    g_autofree char *fresh = g_strconcat(folder, ".new", NULL);
    g_autofree char *above = g_path_get_dirname(folder);
    g_autofree char *name = g_strdup_printf("%s:%s", guest->live->name, guest->kvm->host->uuid(guest->vm));
    g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
    const char *const rest[] = {"--vmid", name, "--createek", "--create-ek-cert", "--create-platform-cert", "--lock-nvram",
                                "--not-overwrite", NULL};

    if (!file_remove_tree(fresh, error) || !make_folder(fresh, ids, error) || !begin_setup(tpm, fresh, arguments, error))
        return FALSE;
    add_all(arguments, rest);
    if (!run_setup(guest, tpm, arguments, ids, error)) {
        file_remove_tree(fresh, NULL);
        return FALSE;
    }
    if (rename(fresh, folder) < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot rename '%s'", fresh);
    return file_sync_folder(above, error);
}

/* Which banks are in use is told before each boot: the document may have changed. */
static gboolean set_banks(Guest *guest, const Tpm *tpm, const char *folder, const ProcessIds *ids, GError **error)
{
    const TpmPcrBanks *banks = tpm->backend->active_pcr_banks;
    g_autoptr(GPtrArray) arguments = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) list = g_string_new(NULL);

    if (!banks)
        return TRUE;
    g_string_append_printf(list, "%s%s%s%s", banks->sha1 ? ",sha1" : "", banks->sha256 ? ",sha256" : "",
                           banks->sha384 ? ",sha384" : "", banks->sha512 ? ",sha512" : "");
    if (list->len == 0)
        return TRUE;
    if (!begin_setup(tpm, folder, arguments, error))
        return FALSE;
    add_all(arguments, (const char *[]){"--pcr-banks", list->str + 1, "--reconfigure", NULL});
    return run_setup(guest, tpm, arguments, ids, error);
}

static gboolean prepare_state(Guest *guest, const Tpm *tpm, gboolean incoming, const char *folder, const ProcessIds *ids,
                              GError **error)
{
    g_autofree char *above = g_path_get_dirname(folder);

    if (!file_make_folder(above, FOLDER_MODE, error))
        return FALSE;
    if (incoming)
        return make_folder(folder, ids, error);
    gboolean there = g_file_test(folder, G_FILE_TEST_IS_DIR);
    return (there || make_state(guest, tpm, folder, ids, error)) && set_banks(guest, tpm, folder, ids, error);
}

/* --- the process --- */

/* Its end of the connection, and twice the passphrase: swtpm reads it for what lies on the disk, and for what a saved guest takes along. */
static gboolean start_process(Guest *guest, const Tpm *tpm, const char *folder, const ProcessIds *ids, const int fds[3], GError **error)
{
    g_autofree char *program = find_program("swtpm", error);
    g_autofree char *control = g_strdup_printf("type=unixio,clientfd=%d", LAUNCH_FIRST_FREE);
    g_autofree char *state = g_strdup_printf("dir=%s,mode=0600", folder);
    g_autofree char *key = g_strdup_printf("pwdfd=%d,mode=" CIPHER, LAUNCH_FIRST_FREE + 1);
    g_autofree char *migration_key = g_strdup_printf("pwdfd=%d,mode=" CIPHER, LAUNCH_FIRST_FREE + 2);
    const ProcessFd passed[] = {{fds[0], LAUNCH_FIRST_FREE}, {fds[1], LAUNCH_FIRST_FREE + 1}, {fds[2], LAUNCH_FIRST_FREE + 2}};
    g_autoptr(GPtrArray) argv = g_ptr_array_new();

    for (const char *const *word = (const char *[]){program, "socket", "--ctrl", control, "--tpmstate", state, "--terminate", NULL}; *word; word++)
        g_ptr_array_add(argv, (gpointer)*word);
    if (tpm->backend->version == TPM_VERSION_2_0)
        g_ptr_array_add(argv, "--tpm2");
    for (const char *const *word = (const char *[]){"--key", key, "--migration-key", migration_key, NULL}; *word && fds[1] >= 0; word++)
        g_ptr_array_add(argv, (gpointer)*word);
    g_ptr_array_add(argv, NULL);
    const SideSpec spec = {.name = tpm->alias->name, .argv = (const char *const *)argv->pdata, .ids = ids, .fds = passed, .n_fds = fds[1] < 0 ? 1 : 3};

    return program && side_start(guest, &spec, error);
}

static gboolean start_with(Guest *guest, const Tpm *tpm, const char *folder, const ProcessIds *ids, int fd, GError **error)
{
    int fds[3] = {fd, -1, -1};
    gboolean started = open_passphrase(guest, tpm, &fds[1], error) && open_passphrase(guest, tpm, &fds[2], error) &&
                       start_process(guest, tpm, folder, ids, fds, error);

    close_passphrase(fds[1]);
    close_passphrase(fds[2]);
    return started;
}

gboolean tpm_start(Guest *guest, const Tpm *tpm, gboolean incoming, int *ret_fd, GError **error)
{
    g_autofree char *folder = state_folder(guest->kvm, guest->live, tpm);
    ProcessIds chosen;
    const ProcessIds *ids = choose_ids(guest->kvm, &chosen) ? &chosen : NULL;
    int ends[2];

    if (!prepare_state(guest, tpm, incoming, folder, ids, error))
        return FALSE;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot make a connection to swtpm");
    gboolean started = start_with(guest, tpm, folder, ids, ends[1], error);
    close(ends[1]);
    if (started)
        *ret_fd = ends[0];
    else
        close(ends[0]);
    return started;
}

gboolean tpm_undefine(const Kvm *kvm, const Domain *def, guint flags, GError **error)
{
    g_autofree char *folder = domain_folder(kvm, def);
    const Tpm *tpm = def->devices && def->devices->tpms->len ? g_ptr_array_index(def->devices->tpms, 0) : NULL;

    if (!tpm || tpm->backend->type != TPM_BACKEND_TYPE_EMULATOR)
        return TRUE;
    gboolean kept = tpm->backend->persistent_state == TOGGLE_ON ? !(flags & VIR_DOMAIN_UNDEFINE_TPM)
                                                                : (flags & VIR_DOMAIN_UNDEFINE_KEEP_TPM) != 0;
    return kept || file_remove_tree(folder, error);
}
