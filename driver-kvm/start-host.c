/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a start takes of the host: the run's folder, taps and ports, images, the right to use the guest's files. */
#include "driver-kvm/start-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "driver-kvm/chardev.h"
#include "driver-kvm/descriptor.h"
#include "driver-kvm/fd-groups.h"
#include "driver-kvm/firmware-choose.h"
#include "driver-kvm/labels.h"
#include "driver-kvm/launch/contract.h"
#include "driver-kvm/master-key.h"
#include "driver-kvm/nvram.h"
#include "lib/error.h"
#include "lib/file.h"

/* --- the folder --- */

static gboolean make_private(Start *start, GError **error)
{
    const char *path = start->guest->private_dir;
    const ProcessIds *ids = user_ids(start->kvm->user);

    if (mkdir(path, 0700) < 0 || (ids && chown(path, ids->uid, ids->gid) < 0))
        return error_set_errno(error, VIR_FROM_QEMU, errno, "cannot make folder '%s'", path);
    g_autofree char *key = master_key_path(path);
    return master_key_make(key, ids, error);
}

int start_listen_below(const char *folder, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, name);
    gboolean ok = dir >= 0 && fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 4) == 0;
    int errnum = errno;
    if (dir >= 0)
        close(dir);
    if (!ok && fd >= 0)
        close(fd);
    errno = errnum;
    return ok ? fd : -1;
}

gboolean start_folder(Start *start, GError **error)
{
    g_autofree char *lock = guest_path(start->guest, "lock");

    start->lock = file_lock(lock, error);
    if (start->lock < 0 || !make_private(start, error))
        return FALSE;
    start->listener = start_listen_below(start->guest->folder, "monitor.sock");
    return start->listener >= 0 || error_set_errno(error, VIR_FROM_QEMU, errno, "cannot make QEMU's monitor socket");
}

/* --- host resources --- */

/* Exchanges the contents and keeps each one's own count of references. */
static gboolean edit_replace(Domain *live, gpointer data, GError **error)
{
    Domain *prepared = data;
    Domain old = *live;
    gatomicrefcount refs = prepared->refs;

    *live = *prepared;
    *prepared = old;
    live->refs = old.refs;
    prepared->refs = refs;
    return TRUE;
}

ArgvContext *start_context(const Guest *guest)
{
    const Kvm *kvm = guest->kvm;
    ArgvContext *context = argv_context_new(guest->private_dir);
    const ProcessIds *ids = user_ids(kvm->user);

    context->uid = ids ? ids->uid : geteuid();
    context->gid = ids ? ids->gid : getegid();
    context->state_dir = g_strdup(kvm->host->paths->state);
    context->master_key = master_key_path(guest->private_dir);
    context->find_secret = kvm->host->secret;
    context->find_volume = kvm->host->volume;
    context->vnc_listen = g_strdup(kvm->host->config("kvm", "vnc_listen"));
    context->spice_listen = g_strdup(kvm->host->config("kvm", "spice_listen"));
    context->touch_host = TRUE;
    return context;
}

/* Works on a copy: what it does takes time, and the published definition must not wait for it. */
gboolean start_prepare(Start *start, GError **error)
{
    ArgvContext *context = start->context = start_context(start->guest);

    context->monitor_fd = LAUNCH_FIRST_FREE;
    context->first_fd = LAUNCH_FIRST_FREE + 1;
    context->incoming = start->options->restore_fd >= 0;
    context->sandbox = TRUE;
    g_autoptr(Domain) live = domain_copy(start->live);
    labels_write(live, user_ids(start->kvm->user));
    gboolean prepared = fd_groups_pass(start->kvm, start->guest->vm, live, context, error) &&
                        argv_prepare(live, start->caps, context, error);
    /* what was prepared must be known even if not all could be: it is released by the published definition */
    return start_edit(start, edit_replace, live, prepared ? error : NULL) && prepared;
}

static const char *source_path(StorageType type, const DiskSource *source)
{
    if (!source || source->fdgroup || !labels_give_file(source->seclabels)) /* a group was opened elsewhere */
        return NULL;
    if (type == STORAGE_TYPE_VOLUME)
        return source->volume_type == STORAGE_TYPE_FILE || source->volume_type == STORAGE_TYPE_BLOCK ? source->volume_path : NULL;
    return type == STORAGE_TYPE_FILE ? source->file : type == STORAGE_TYPE_BLOCK ? source->dev : NULL;
}

static void add_disk(GPtrArray *paths, const Disk *disk)
{
    gboolean write = !disk->readonly && disk->device != DISK_DEVICE_CDROM;

    dac_paths_add(paths, source_path(disk->type, disk->source), write);
    for (const DiskBackingStore *store = disk->backing_store; store; store = store->backing_store)
        dac_paths_add(paths, source_path(store->type, store->source), FALSE);
}

static void add_firmware_files(GPtrArray *paths, const Domain *live)
{
    for (guint i = 0; i < live->sysinfo->len; i++) {
        const GPtrArray *entries = ((const Sysinfo *)g_ptr_array_index(live->sysinfo, i))->entries;

        for (guint n = 0; n < entries->len; n++)
            dac_paths_add(paths, ((const SysinfoEntry *)g_ptr_array_index(entries, n))->file, FALSE);
    }
}

static void add_os(GPtrArray *paths, const DomainOs *os)
{
    dac_paths_add(paths, os->kernel, FALSE);
    dac_paths_add(paths, os->initrd, FALSE);
    dac_paths_add(paths, os->dtb, FALSE);
    dac_paths_add(paths, os->shim, FALSE);
    if (os->loader)
        dac_paths_add(paths, os->loader->path, os->loader->type == LOADER_TYPE_PFLASH && os->loader->readonly == TOGGLE_OFF);
    if (os->nvram)
        dac_paths_add(paths, os->nvram->source ? source_path(os->nvram->type, os->nvram->source) : os->nvram->path, TRUE);
}

/* ChardevFunc; DATA: the paths. */
static void add_chardev(const ChardevView *view, ChardevSource **source, const char *alias, gpointer data)
{
    g_auto(GStrv) host = chardev_host_paths(view);

    if (view->source && !labels_give_file(view->source->seclabels))
        return;
    for (guint i = 0; host[i]; i++)
        dac_paths_add(data, host[i], TRUE);
}

static gboolean edit_template(Domain *live, gpointer data, GError **error)
{
    g_auto(GStrv) folders = descriptor_folders("firmware");
    g_autoptr(GPtrArray) firmwares = firmware_list((const char *const *)folders, NULL, NULL);

    return firmware_choose(live, firmwares, data, error);
}

/* Where the document names firmware and not what its variables are made from, that is asked for when they are to be made. */
gboolean start_firmware(Start *start, GError **error)
{
    g_autofree char *folder = g_build_filename(start->kvm->host->paths->state, "nvram", NULL);

    if (nvram_is_wanted(start->live, folder, start->options->reset_nvram) && !start_edit(start, edit_template, folder, error))
        return FALSE;
    return nvram_prepare(start->live, folder, user_ids(start->kvm->user), start->options->reset_nvram, error);
}

static void add_devices(GPtrArray *paths, const Domain *live)
{
    for (guint i = 0; i < live->devices->disks->len; i++)
        add_disk(paths, live->devices->disks->pdata[i]);
    chardev_each(live, add_chardev, paths);
    for (guint i = 0; i < live->devices->rngs->len; i++) {
        const Rng *rng = live->devices->rngs->pdata[i];
        if (rng->backend && rng->backend->model == RNG_BACKEND_MODEL_RANDOM)
            dac_paths_add(paths, rng->backend->value, FALSE);
    }
    if (live->devices->pstore)
        dac_paths_add(paths, live->devices->pstore->path, TRUE);
    for (guint i = 0; i < live->devices->inputs->len; i++) {
        const Input *input = live->devices->inputs->pdata[i];
        if (input->source)
            dac_paths_add(paths, input->type == INPUT_TYPE_EVDEV ? input->source->dev : input->source->evdev, TRUE);
    }
    for (guint i = 0; i < live->devices->memories->len; i++) {
        const MemoryDevice *module = live->devices->memories->pdata[i];
        if (module->source)
            dac_paths_add(paths, module->source->path, TRUE);
    }
}

static GPtrArray *device_paths(const DomainDevice *device)
{
    GPtrArray *paths = dac_paths_new();
    g_autoptr(Domain) alone = domain_new();

    if (!alone->devices)
        alone->devices = devices_new();
    domain_device_add(alone, device);
    add_devices(paths, alone);
    return paths;
}

gboolean start_access_device(Guest *guest, const DomainDevice *device, GError **error)
{
    g_autoptr(GPtrArray) paths = device_paths(device);
    g_autoptr(Domain) live = guest_live(guest);
    return !labels_give(live) || dac_take(guest->kvm->dac, guest->folder, paths, error);
}

static GPtrArray *all_paths(const Domain *live)
{
    GPtrArray *paths = dac_paths_new();

    add_os(paths, live->os);
    add_firmware_files(paths, live);
    add_devices(paths, live);
    return paths;
}

void start_access_end(Guest *guest, const DomainDevice *gone)
{
    g_autoptr(Domain) live = guest_live(guest);
    g_autoptr(GPtrArray) paths = device_paths(gone), rest = all_paths(live);

    dac_drop(guest->kvm->dac, guest->folder, paths, rest);
}

gboolean start_access(Start *start, GError **error)
{
    const Domain *live = start->live;
    g_autoptr(GPtrArray) paths = all_paths(live);

    return !labels_give(live) || dac_take(start->kvm->dac, start->guest->folder, paths, error);
}
