/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copy sends a Head and then an Entry for each file, followed by the octets of its name and of its backing file's
 * name; all are structs of this very program. Of a backing file it looks at the first octets and the inode, and at
 * nothing that builds on a URL or on JSON. Files that are no volumes (pipes, sockets, terminals, links to nowhere) are
 * passed over.
 */
#include "daemon/storage/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <linux/fs.h>
#include <unistd.h>

#include "lib/image.h"
#include "lib/process.h"

#define ANSWER_MAX (64 * 1024 * 1024)
#define VOLUMES_MAX 16384

typedef struct {
    guint32 mode, uid, gid;
    struct timespec atime, mtime, ctime;
} Inode;

typedef struct {
    int errnum; /* not 0: nothing follows */
    Inode inode;
    guint64 capacity, available;
} Head;

typedef struct {
    int errnum; /* of scan_file() */
    guint32 name_length, backing_length;
    Inode inode;
    guint64 size, allocation;
    ImageInfo image;
    gboolean has_backing;
    Inode backing_inode;
    ImageInfo backing;
} Entry;

/* --- in the copy: system calls only --- */

typedef struct {
    const char *folder;
    const char *name; /* NULL: all */
    gboolean sweep;
} Look;

static guint8 header[IMAGE_HEADER];

static int send_all(int out, const void *data, gsize length)
{
    for (gsize done = 0; done < length;) {
        ssize_t n = write(out, (const char *)data + done, length - done);
        if (n < 0 && errno != EINTR)
            return 1;
        done += n > 0 ? (gsize)n : 0;
    }
    return 0;
}

static void keep_inode(const struct stat *info, Inode *inode)
{
    inode->mode = info->st_mode;
    inode->uid = info->st_uid;
    inode->gid = info->st_gid;
    inode->atime = info->st_atim;
    inode->mtime = info->st_mtim;
    inode->ctime = info->st_ctim;
}

/* A descriptor of a regular file, a folder or a block device; -1 with errno. */
static int open_volume(int folder, const char *name, struct stat *info)
{
    if (fstatat(folder, name, info, 0) < 0)
        return -1;
    if (!S_ISREG(info->st_mode) && !S_ISDIR(info->st_mode) && !S_ISBLK(info->st_mode)) {
        errno = EINVAL;
        return -1;
    }
    int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0 && fstat(fd, info) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static guint64 size_of(int fd, const struct stat *info)
{
    guint64 size = (guint64)info->st_size;
    if (S_ISBLK(info->st_mode) && ioctl(fd, BLKGETSIZE64, &size) < 0)
        return 0;
    return size;
}

static void look_at(int fd, const struct stat *info, ImageInfo *image)
{
    ssize_t n = S_ISDIR(info->st_mode) ? 0 : pread(fd, header, sizeof header, 0);
    image_look(header, n > 0 ? (gsize)n : 0, size_of(fd, info), image);
    if (S_ISDIR(info->st_mode))
        image->format = STORAGE_VOLUME_FORMAT_DIR;
}

static gboolean is_path(const char *name)
{
    const char *colon = strchr(name, ':'), *slash = strchr(name, '/');
    return !colon || (slash && slash < colon);
}

static void look_at_backing(int folder, const char *name, Entry *entry)
{
    struct stat info;
    int fd = is_path(name) ? open_volume(folder, name, &info) : -1;
    if (fd < 0)
        return;
    entry->has_backing = TRUE;
    keep_inode(&info, &entry->backing_inode);
    look_at(fd, &info, &entry->backing);
    close(fd);
}

static gboolean has_control(const char *name)
{
    for (; *name; name++)
        if ((guint8)*name < 0x20 || *name == 0x7f)
            return TRUE;
    return FALSE;
}

/* 0: sent, or no volume; ALONE: it is also said why not. */
static int send_entry(int out, int folder, const char *name, gboolean alone)
{
    static char backing[IMAGE_BACKING_MAX + 1];
    static Entry entry;
    struct stat info;
    memset(&entry, 0, sizeof entry);
    int fd = open_volume(folder, name, &info);
    if (fd < 0) {
        entry.errnum = errno;
        return alone ? send_all(out, &entry, sizeof entry) : 0;
    }
    entry.name_length = strlen(name);
    keep_inode(&info, &entry.inode);
    entry.size = S_ISDIR(info.st_mode) ? 0 : size_of(fd, &info);
    entry.allocation = S_ISREG(info.st_mode) ? (guint64)info.st_blocks * 512 : entry.size;
    look_at(fd, &info, &entry.image);
    memset(backing, 0, sizeof backing);
    if (entry.image.backing_offset &&
        pread(fd, backing, entry.image.backing_length, (off_t)entry.image.backing_offset) > 0) {
        entry.backing_length = strlen(backing);
        look_at_backing(folder, backing, &entry);
    }
    close(fd);
    return send_all(out, &entry, sizeof entry) || send_all(out, name, entry.name_length) ||
           send_all(out, backing, entry.backing_length);
}

struct linux_dirent64 {
    guint64 d_ino;
    gint64 d_off;
    unsigned short d_reclen;
    unsigned char d_type;
    char d_name[];
};

static int send_entries(int out, int folder, gboolean sweep)
{
    static char buffer[65536] __attribute__((aligned(8)));
    guint sent = 0;
    for (;;) {
        long n = syscall(SYS_getdents64, folder, buffer, sizeof buffer);
        if (n <= 0)
            return n < 0;
        for (long at = 0; at < n;) {
            const struct linux_dirent64 *one = (gconstpointer)(buffer + at);
            at += one->d_reclen;
            if (strncmp(one->d_name, SCAN_TEMPORARY, strlen(SCAN_TEMPORARY)) == 0) {
                if (sweep)
                    unlinkat(folder, one->d_name, 0);
                continue;
            }
            if (strcmp(one->d_name, ".") == 0 || strcmp(one->d_name, "..") == 0 || has_control(one->d_name))
                continue;
            if (sent++ < VOLUMES_MAX && send_entry(out, folder, one->d_name, FALSE))
                return 1;
        }
    }
}

static int look(gpointer data, int out)
{
    const Look *what = data;
    Head head = {0};
    struct stat info;
    struct statvfs room;
    int folder = open(what->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || fstat(folder, &info) < 0 || fstatvfs(folder, &room) < 0) {
        head.errnum = errno;
        return send_all(out, &head, sizeof head);
    }
    keep_inode(&info, &head.inode);
    head.capacity = (guint64)room.f_frsize * room.f_blocks;
    head.available = (guint64)room.f_frsize * room.f_bfree;
    if (send_all(out, &head, sizeof head))
        return 1;
    return what->name ? send_entry(out, folder, what->name, TRUE) : send_entries(out, folder, what->sweep);
}

/* --- in the daemon --- */

static StoragePermissions *permissions_of(const Inode *inode)
{
    StoragePermissions *permissions = storage_permissions_new();
    permissions->mode = inode->mode & 0777;
    permissions->owner = inode->uid;
    permissions->group = inode->gid;
    return permissions;
}

static char *time_text(const struct timespec *when)
{
    return when->tv_nsec ? g_strdup_printf("%" G_GINT64_FORMAT ".%09ld", (gint64)when->tv_sec, when->tv_nsec)
                         : g_strdup_printf("%" G_GINT64_FORMAT, (gint64)when->tv_sec);
}

/* libvirt does not know when files were made. */
static StorageVolumeTimestamps *timestamps_of(const Inode *inode)
{
    StorageVolumeTimestamps *times = storage_volume_timestamps_new();
    times->atime = time_text(&inode->atime);
    times->mtime = time_text(&inode->mtime);
    times->ctime = time_text(&inode->ctime);
    times->btime = g_strdup("0");
    return times;
}

static StorageVolumeTarget *target_of(const char *path, StorageVolumeFormat format, const Inode *inode)
{
    StorageVolumeTarget *target = storage_volume_target_new();
    target->path = g_strdup(path);
    target->format = storage_volume_target_format_new();
    target->format->type = format;
    if (inode) {
        target->permissions = permissions_of(inode);
        target->timestamps = timestamps_of(inode);
    }
    return target;
}

static void add_image(StorageVolumeTarget *target, const ImageInfo *image)
{
    if (image->luks || image->within) {
        target->encryption = storage_encryption_new();
        target->encryption->format = image->luks ? STORAGE_ENCRYPTION_FORMAT_LUKS : image->within;
    }
    if (image->cluster_size)
        target->cluster_size = image->cluster_size;
    if (!image->compat_1_1)
        return;
    target->compat = g_strdup("1.1");
    target->features = storage_volume_features_new();
    target->features->lazy_refcounts = image->lazy_refcounts;
    target->features->extended_l2 = image->extended_l2;
}

static StorageVolumeTarget *backing_of(const char *folder, const char *name, const Entry *entry)
{
    g_autofree char *path =
        g_path_is_absolute(name) || !is_path(name) ? g_strdup(name) : g_build_filename(folder, name, NULL);
    StorageVolumeFormat format = entry->image.backing_format;
    if (!format)
        format =
            entry->has_backing && !entry->image.has_backing_format ? entry->backing.format : STORAGE_VOLUME_FORMAT_RAW;
    return target_of(path, format, entry->has_backing ? &entry->backing_inode : NULL);
}

static StorageVolume *volume_of(const char *folder, const char *name, const char *backing, const Entry *entry)
{
    StorageVolume *volume = storage_volume_new();
    g_autofree char *path = g_build_filename(folder, name, NULL);
    volume->type = S_ISDIR(entry->inode.mode)   ? STORAGE_VOLUME_TYPE_DIR
                   : S_ISBLK(entry->inode.mode) ? STORAGE_VOLUME_TYPE_BLOCK
                                                : STORAGE_VOLUME_TYPE_FILE;
    volume->name = g_strdup(name);
    volume->key = g_strdup(path);
    volume->capacity = entry->image.capacity ? entry->image.capacity : entry->size;
    volume->allocation = S_ISDIR(entry->inode.mode) ? 0 : entry->allocation;
    volume->physical = entry->size ? entry->size : UNSET64;
    volume->target = target_of(path, entry->image.format, &entry->inode);
    add_image(volume->target, &entry->image);
    if (backing[0])
        volume->backing_store = backing_of(folder, backing, entry);
    return volume;
}

/* The next entry from *AT on; NULL at the end, or with ERROR. */
static StorageVolume *take_entry(const char *folder, const GByteArray *answer, gsize *at, GError **error)
{
    Entry entry;
    if (answer->len - *at < sizeof entry)
        return NULL;
    memcpy(&entry, answer->data + *at, sizeof entry);
    if (entry.errnum) {
        error_set_errno(error, VIR_FROM_STORAGE, entry.errnum, "cannot open volume in '%s'", folder);
        return NULL;
    }
    const char *text = (const char *)answer->data + *at + sizeof entry;
    if ((guint64)entry.name_length + entry.backing_length > answer->len - *at - sizeof entry)
        return NULL;
    *at += sizeof entry + entry.name_length + entry.backing_length;
    g_autofree char *name = g_strndup(text, entry.name_length);
    g_autofree char *backing = g_strndup(text + entry.name_length, entry.backing_length);
    if (!g_utf8_validate(name, -1, NULL) || !g_utf8_validate(backing, -1, NULL))
        return take_entry(folder, answer, at, error); /* no document could show it */
    return volume_of(folder, name, backing, &entry);
}

static GByteArray *ask(Look *what, Head *ret_head, GError **error)
{
    g_autofree char *words = g_strdup_printf("looking at '%s'", what->folder);
    g_autoptr(GByteArray) answer =
        process_call(words, look, what, ANSWER_MAX, g_get_monotonic_time() + BACKEND_DEADLINE, error);
    if (!answer)
        return NULL;
    if (answer->len < sizeof *ret_head) {
        error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "no answer about '%s'", what->folder);
        return NULL;
    }
    memcpy(ret_head, answer->data, sizeof *ret_head);
    if (!ret_head->errnum)
        return g_steal_pointer(&answer);
    error_set_errno(error, VIR_FROM_NONE, ret_head->errnum, "cannot open directory '%s'", what->folder);
    return NULL;
}

static int compare_volumes(gconstpointer a, gconstpointer b)
{
    const StorageVolume *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

gboolean scan_folder(const char *folder, gboolean sweep, Content *ret_content, GError **error)
{
    Look what = {folder, NULL, sweep};
    Head head;
    g_autoptr(GByteArray) answer = ask(&what, &head, error);
    if (!answer)
        return FALSE;
    GPtrArray *volumes = g_ptr_array_new_with_free_func((GDestroyNotify)storage_volume_unref);
    StorageVolume *volume;
    for (gsize at = sizeof head; (volume = take_entry(folder, answer, &at, NULL));)
        g_ptr_array_add(volumes, volume);
    g_ptr_array_sort(volumes, compare_volumes);
    *ret_content = (Content){.capacity = head.capacity,
                             .available = head.available,
                             .allocation = head.capacity - head.available,
                             .permissions = permissions_of(&head.inode),
                             .volumes = volumes};
    return TRUE;
}

StorageVolume *scan_file(const char *folder, const char *name, GError **error)
{
    Look what = {folder, name, FALSE};
    Head head;
    gsize at = sizeof head;
    g_autoptr(GByteArray) answer = ask(&what, &head, error);
    return answer ? take_entry(folder, answer, &at, error) : NULL;
}
