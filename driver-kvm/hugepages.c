/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/hugepages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver-kvm/memory.h"
#include "lib/error.h"
#include "lib/sysfs.h"
#include "lib/uuid.h"

#define MOUNTS "/proc/self/mounts"
#define OURS "duovirt"
#define USUAL 2048 /* KiB, where the kernel does not say */

guint64 hugepages_usual(void)
{
    g_autofree char *text = sysfs_text("", "/proc/meminfo");
    g_autofree char *size = text ? sysfs_field(text, "Hugepagesize") : NULL;
    guint64 kib = size ? g_ascii_strtoull(size, NULL, 10) : 0;

    return kib ? kib : USUAL;
}

/* "2M", "1024K": in KiB. */
static guint64 size_of(const char *text)
{
    char *end;
    guint64 number = g_ascii_strtoull(text, &end, 10);

    return *end == 'G' ? number << 20 : *end == 'M' ? number << 10 : *end == 'K' ? number : number >> 10;
}

/* Calls FN for each mount until it returns FALSE. */
static void each_mount(gboolean (*fn)(const char *folder, guint64 kib, gpointer data), gpointer data)
{
    FILE *mounts = setmntent(MOUNTS, "re");
    struct mntent entry;
    char line[8192];

    while (mounts && getmntent_r(mounts, &entry, line, sizeof line)) {
        const char *size = strcmp(entry.mnt_type, "hugetlbfs") == 0 ? hasmntopt(&entry, "pagesize") : NULL;

        if (size && strchr(size, '=') && !fn(entry.mnt_dir, size_of(strchr(size, '=') + 1), data))
            break;
    }
    if (mounts)
        endmntent(mounts);
}

typedef struct {
    guint64 kib;
    char *folder;
    gboolean any;
} Search;

static gboolean is_mount(const char *folder, guint64 kib, gpointer data)
{
    Search *search = data;

    search->any = TRUE;
    if (kib == search->kib)
        search->folder = g_strdup(folder);
    return !search->folder;
}

static int open_below(int dir, const char *name)
{
    return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The descriptor of a folder below PARENT (which is closed), made if need be; -1 with errno. */
static int make_below(int parent, const char *name, mode_t mode)
{
    int fd = parent < 0 || (mkdirat(parent, name, mode) < 0 && errno != EEXIST) ? -1 : open_below(parent, name);
    int errnum = errno;

    if (parent >= 0)
        close(parent);
    errno = errnum;
    return fd;
}

static char *make_folder(const char *mount, const Domain *live, uid_t uid, gid_t gid, GError **error)
{
    char uuid[UUID_TEXT];

    uuid_format(live->uuid.bytes, uuid);
    int fd = make_below(make_below(open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC), OURS, 0755), uuid, 0700);
    gboolean ok = fd >= 0 && fchown(fd, uid, gid) == 0;
    int errnum = errno;
    if (fd >= 0)
        close(fd);
    if (ok)
        return g_strdup_printf("%s/%s/%s", mount, OURS, uuid);
    error_set_errno(error, VIR_FROM_QEMU, errnum, "unable to create %s/%s/%s", mount, OURS, uuid);
    return NULL;
}

static gboolean prepare_size(const Domain *live, guint64 kib, ArgvContext *context, GError **error)
{
    Search search = {kib, NULL, FALSE};

    if (kib == 0 || g_hash_table_contains(context->hugepages, &kib))
        return TRUE;
    each_mount(is_mount, &search);
    g_autofree char *mount = search.folder;
    if (!search.any)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "hugetlbfs filesystem is not mounted or disabled by administrator config");
    if (!mount)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                         "Unable to find any usable hugetlbfs mount for %" G_GUINT64_FORMAT " KiB", kib);
    char *folder = make_folder(mount, live, context->uid, context->gid, error);
    return folder && g_hash_table_insert(context->hugepages, g_memdup2(&kib, sizeof kib), folder);
}

gboolean hugepages_prepare(const Domain *live, ArgvContext *context, GError **error)
{
    g_autoptr(GArray) sizes = memory_file_pages(live);

    for (guint i = 0; context->touch_host && i < sizes->len; i++)
        if (!prepare_size(live, g_array_index(sizes, guint64, i), context, error))
            return FALSE;
    return TRUE;
}

char *hugepages_folder(const ArgvContext *context, guint64 kib)
{
    const char *folder = g_hash_table_lookup(context->hugepages, &kib);

    return folder ? g_strdup(folder) : g_strdup_printf("%s/hugepages-%" G_GUINT64_FORMAT "kB", context->private_dir, kib);
}

static void empty(int fd)
{
    DIR *dir = fdopendir(fd);

    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    else
        close(fd);
}

/* DATA: the guest's UUID. */
static gboolean remove_folder(const char *folder, guint64 kib, gpointer data)
{
    g_autofree char *path = g_build_filename(folder, OURS, NULL);
    int ours = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int own = ours >= 0 ? open_below(ours, data) : -1;

    if (own >= 0) {
        empty(own);
        unlinkat(ours, data, AT_REMOVEDIR);
    }
    if (ours >= 0)
        close(ours);
    return TRUE;
}

void hugepages_release(const Domain *live)
{
    char uuid[UUID_TEXT];

    uuid_format(live->uuid.bytes, uuid);
    each_mount(remove_folder, uuid);
}
