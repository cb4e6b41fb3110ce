/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What raw content is not, qemu-img makes; it runs without a shell and with a deadline, and what it says is the error.
 */
#include "daemon/storage/volume-files.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/storage/scan.h"
#include "lib/patient.h"
#include "lib/process.h"

#define LONG (24 * 3600 * (gint64)G_USEC_PER_SEC)
#define SAID_MAX 4096

static gint64 soon(void)
{
    return g_get_monotonic_time() + BACKEND_DEADLINE;
}

static StorageVolumeFormat format_of(const StorageVolume *volume)
{
    return volume->target->format ? volume->target->format->type : STORAGE_VOLUME_FORMAT_RAW;
}

/* --- programs --- */

static gboolean report(const char *const *argv, int status, int said, const char *instead, const char *path,
                       GError **error)
{
    char text[SAID_MAX + 1] = "";
    ssize_t n = pread(said, text, SAID_MAX, 0);
    text[MAX(n, 0)] = '\0';
    g_autofree char *line = g_strjoinv(" ", (char **)argv);
    g_autofree char *how = WIFEXITED(status) ? g_strdup_printf("exit status %d", WEXITSTATUS(status))
                                             : g_strdup_printf("fatal signal %d", WTERMSIG(status));
    g_autofree char *whole = g_strdup_printf("Child process (%s) unexpected %s: %s", line, how, text);
    g_auto(GStrv) parts = instead ? g_strsplit(whole, instead, -1) : NULL;
    g_autofree char *shown = parts ? g_strjoinv(path, parts) : NULL;
    return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "%s", shown ? shown : whole);
}

/* ARGV[0] is searched for. In what it says PATH stands for INSTEAD (may be NULL). */
static gboolean run_program(GPtrArray *argv, const char *instead, const char *path, GError **error)
{
    g_autofree char *program = g_find_program_in_path(argv->pdata[0]);
    if (!program)
        return error_set_errno(error, VIR_FROM_NONE, ENOENT, "Cannot find '%s' in path", (const char *)argv->pdata[0]);
    argv->pdata[0] = program;
    g_ptr_array_add(argv, NULL);
    int said = memfd_create("said", MFD_CLOEXEC);
    ProcessFd fd = {said, 2};
    ProcessSpec spec = {.argv = (const char *const *)argv->pdata, .fds = &fd, .n_fds = 1, .dies_with_us = TRUE};
    Process process;
    int status = -1;
    gboolean ok = process_spawn(&spec, &process, error);
    gboolean ended = ok && process_wait(&process, g_get_monotonic_time() + LONG, &status, error);
    if (ok && !ended)
        process_end(&process);
    ok = ended && (status == 0 || report(spec.argv, status, said, instead, path, error));
    close(said);
    return ok;
}

static void add(GPtrArray *list, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add(GPtrArray *list, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(list, g_strdup_vprintf(format, args));
    va_end(args);
}

/* In the words of a list with commas, each comma is two. */
static char *escaped(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    return g_strjoinv(",,", parts);
}

static char *options_of(const StorageVolume *volume, gboolean backing, guint flags)
{
    const StorageVolumeTarget *target = volume->target;
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    gboolean qcow2 = format_of(volume) == STORAGE_VOLUME_FORMAT_QCOW2;
    if (backing && volume->backing_store->format)
        add(list, "backing_fmt=%s", storage_volume_format_to_string(volume->backing_store->format->type));
    if (flags & VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)
        add(list, "preallocation=%s",
            volume->allocation != UNSET64 && volume->allocation < volume->capacity ? "metadata" : "falloc");
    if (target->nocow)
        add(list, "nocow=on");
    if (target->compat || qcow2) {
        g_autofree char *compat = escaped(target->compat ? target->compat : "0.10");
        add(list, "compat=%s", compat);
    }
    if (target->cluster_size != UNSET64 && target->cluster_size)
        add(list, "cluster_size=%" G_GUINT64_FORMAT, target->cluster_size);
    if (target->features && target->features->lazy_refcounts)
        add(list, "lazy_refcounts");
    if (target->features && target->features->extended_l2)
        add(list, "extended_l2=on");
    g_ptr_array_add(list, NULL);
    return list->len > 1 ? g_strjoinv(",", (char **)list->pdata) : NULL;
}

static GPtrArray *image_command(const StorageVolume *volume, const StorageVolume *from, const char *path, guint flags)
{
    GPtrArray *argv = g_ptr_array_new();
    gboolean backing = volume->backing_store != NULL;
    g_autofree char *options = options_of(volume, backing, flags);
    const char *format =
        format_of(volume) == STORAGE_VOLUME_FORMAT_ISO ? "raw" : storage_volume_format_to_string(format_of(volume));
    const char *const create[] = {"qemu-img", "create", "-f", format};
    const char *const convert[] = {
        "qemu-img", "convert", "-f", from ? storage_volume_format_to_string(format_of(from)) : NULL, "-O", format};
    for (guint i = 0; i < (from ? G_N_ELEMENTS(convert) : G_N_ELEMENTS(create)); i++)
        g_ptr_array_add(argv, g_strdup(from ? convert[i] : create[i]));
    if (backing && !from) {
        add(argv, "-b");
        add(argv, "%s", volume->backing_store->path);
    }
    if (options) {
        add(argv, "-o");
        add(argv, "%s", options);
    }
    if (from)
        add(argv, "%s", from->target->path);
    add(argv, "%s", path);
    if (!from && volume->capacity != UNSET64 && (volume->capacity || !backing))
        add(argv, "%" G_GUINT64_FORMAT "K", volume->capacity / 1024 + (volume->capacity % 1024 != 0));
    return argv;
}

static void free_argv(GPtrArray *argv, gpointer first)
{
    argv->pdata[0] = first; /* the search replaced it */
    g_ptr_array_set_free_func(argv, g_free);
    g_ptr_array_unref(argv);
}

static gboolean run_owned(GPtrArray *argv, const char *instead, const char *path, GError **error)
{
    gpointer first = argv->pdata[0];
    gboolean ok = run_program(argv, instead, path, error);
    free_argv(argv, first);
    return ok;
}

/* --- the table's functions --- */

gboolean volume_file_prepare(const StoragePool *pool, StorageVolume *volume, GError **error)
{
    if (strchr(volume->name, '/'))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID, "volume name '%s' cannot contain '/'",
                         volume->name);
    if (g_str_equal(volume->name, ".") || g_str_equal(volume->name, "..") ||
        g_str_has_prefix(volume->name, SCAN_TEMPORARY))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID, "volume name '%s' is not allowed",
                         volume->name);
    g_free(volume->target->path);
    g_free(volume->key);
    volume->target->path = g_build_filename(storage_pool_path(pool), volume->name, NULL);
    volume->key = g_strdup(volume->target->path);
    volume->type = format_of(volume) == STORAGE_VOLUME_FORMAT_DIR ? STORAGE_VOLUME_TYPE_DIR : STORAGE_VOLUME_TYPE_FILE;
    return TRUE;
}

static gboolean check_new(const StorageVolume *volume, guint flags, GError **error)
{
    StorageVolumeFormat format = format_of(volume);
    struct stat info;
    if (volume->target->encryption)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT, "encrypted volumes");
    if (format == STORAGE_VOLUME_FORMAT_RAW && volume->backing_store)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_SUPPORT, "backing storage not supported for raw volumes");
    if (format == STORAGE_VOLUME_FORMAT_RAW && (flags & VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_CONFIG_UNSUPPORTED,
                         "metadata preallocation is not supported for raw volumes");
    return !volume->backing_store || patient_stat(volume->backing_store->path, &info, soon()) ||
           error_set_errno(error, VIR_FROM_STORAGE, errno, "inaccessible backing store volume %s",
                           volume->backing_store->path);
}

static gint64 id_of(gint64 id)
{
    return id == (gint64)UNSET64 ? -1 : id;
}

static VolumeWork work_of(const StoragePool *pool, const StorageVolume *volume)
{
    const StoragePermissions *wish = volume->target->permissions;
    VolumeWork work = {.path = volume->target->path,
                       .folder = storage_pool_path(pool),
                       .owner = -1,
                       .group = -1,
                       .mode = wish && wish->mode != UNSET32 ? wish->mode : 0600};
    if (wish) {
        work.owner = id_of(wish->owner);
        work.group = id_of(wish->group);
    }
    return work;
}

static gboolean make_image(VolumeWork *work, const StorageVolume *volume, const StorageVolume *from, guint flags,
                           GError **error)
{
    if (!volume_copy_begin(work, error))
        return FALSE;
    g_autofree char *path = g_build_filename(work->folder, work->temporary, NULL);
    if (run_owned(image_command(volume, from, path, flags), path, work->path, error) && volume_copy_finish(work, error))
        return TRUE;
    volume_copy_forget(work);
    return FALSE;
}

gboolean volume_file_build(const StoragePool *pool, StorageVolume *volume, const StorageVolume *from, guint flags,
                           GError **error)
{
    VolumeWork work = work_of(pool, volume);
    gboolean raw = format_of(volume) == STORAGE_VOLUME_FORMAT_RAW;
    if (!check_new(volume, flags, error))
        return FALSE;
    work.is_folder = volume->type == STORAGE_VOLUME_TYPE_DIR;
    if (!work.is_folder && !(raw && (!from || format_of(from) == STORAGE_VOLUME_FORMAT_RAW)))
        return make_image(&work, volume, from, flags, error);
    work.source = from ? from->target->path : NULL;
    work.reflink = (flags & VIR_STORAGE_VOL_CREATE_REFLINK) != 0;
    work.capacity = volume->capacity;
    work.allocation = volume->allocation == UNSET64 ? volume->capacity : MIN(volume->allocation, volume->capacity);
    return volume_copy_make(&work, error);
}

gboolean volume_file_delete(const StoragePool *pool, const StorageVolume *volume, guint flags, GError **error)
{
    if (flags)
        return error_set_plain(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                               "unsupported flags (0x%x) in function virStorageBackendVolDeleteLocal", flags);
    return volume_copy_remove(volume->target->path, volume->type == STORAGE_VOLUME_TYPE_DIR, error);
}

gboolean volume_file_resize(const StoragePool *pool, const StorageVolume *volume, guint64 capacity, guint flags,
                            GError **error)
{
    gboolean allocate = (flags & VIR_STORAGE_VOL_RESIZE_ALLOCATE) != 0;
    if (format_of(volume) == STORAGE_VOLUME_FORMAT_RAW)
        return volume_copy_resize(volume->target->path, capacity, allocate, error);
    if (allocate)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_OPERATION_UNSUPPORTED,
                         "preallocate is only supported for raw type volume");
    GPtrArray *argv = g_ptr_array_new();
    add(argv, "qemu-img");
    add(argv, "resize");
    if (capacity < volume->capacity)
        add(argv, "--shrink");
    add(argv, "-f");
    add(argv, "%s", storage_volume_format_to_string(format_of(volume)));
    add(argv, "%s", volume->target->path);
    add(argv, "%" G_GUINT64_FORMAT, (capacity + 511) / 512 * 512);
    return run_owned(argv, NULL, NULL, error);
}

/* What libvirt's other algorithms are called by scrub. */
static const char *const scrub_names[] = {
    [VIR_STORAGE_VOL_WIPE_ALG_NNSA] = "nnsa",
    [VIR_STORAGE_VOL_WIPE_ALG_DOD] = "dod",
    [VIR_STORAGE_VOL_WIPE_ALG_BSI] = "bsi",
    [VIR_STORAGE_VOL_WIPE_ALG_GUTMANN] = "gutmann",
    [VIR_STORAGE_VOL_WIPE_ALG_SCHNEIER] = "schneier",
    [VIR_STORAGE_VOL_WIPE_ALG_PFITZNER7] = "pfitzner7",
    [VIR_STORAGE_VOL_WIPE_ALG_PFITZNER33] = "pfitzner33",
    [VIR_STORAGE_VOL_WIPE_ALG_RANDOM] = "random",
};

gboolean volume_file_wipe(const StoragePool *pool, const StorageVolume *volume, guint algorithm, GError **error)
{
    if (algorithm == VIR_STORAGE_VOL_WIPE_ALG_ZERO)
        return volume_copy_zero(volume->target->path, error);
    if (algorithm >= G_N_ELEMENTS(scrub_names))
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_ARGUMENT_UNSUPPORTED, "'trim' algorithm not supported");
    GPtrArray *argv = g_ptr_array_new();
    add(argv, "scrub");
    add(argv, "-f");
    add(argv, "-p");
    add(argv, "%s", scrub_names[algorithm]);
    add(argv, "%s", volume->target->path);
    return run_owned(argv, NULL, NULL, error);
}

StorageVolume *volume_file_refresh(const StoragePool *pool, const StorageVolume *volume, GError **error)
{
    StorageVolume *now = scan_file(storage_pool_path(pool), volume->name, error);
    /* an image of a CD that is not written yet looks like nothing */
    if (now && format_of(volume) == STORAGE_VOLUME_FORMAT_ISO && now->target->format->type == STORAGE_VOLUME_FORMAT_RAW)
        now->target->format->type = STORAGE_VOLUME_FORMAT_ISO;
    /* libvirt learns it at a refresh of the pool only */
    if (now && format_of(now) == format_of(volume))
        now->target->cluster_size = volume->target->cluster_size;
    return now;
}
