/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (256 * 1024)
#define FILES_MAX 1000

char **descriptor_folders(const char *what)
{
    g_autoptr(GStrvBuilder) folders = g_strv_builder_new();
    g_autofree char *system = g_build_filename("/usr/share/qemu", what, NULL);
    g_autofree char *local = g_build_filename("/etc/qemu", what, NULL);
    g_autofree char *own = g_build_filename(g_get_user_config_dir(), "qemu", what, NULL);

    g_strv_builder_add_many(folders, system, local, geteuid() != 0 ? own : NULL, NULL);
    return g_strv_builder_end(folders);
}

static void find_files(GHashTable *files, const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);

    for (const char *name; dir && (name = g_dir_read_name(dir));)
        if (name[0] != '.' && (g_hash_table_size(files) < FILES_MAX || g_hash_table_contains(files, name)))
            g_hash_table_insert(files, g_strdup(name), g_build_filename(folder, name, NULL));
    if (dir)
        g_dir_close(dir);
}

/* NULL with *RET_WHY. */
static char *read_all(int fd, gsize *ret_length, const char **ret_why)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        *ret_why = g_strerror(errno);
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
        *ret_why = "it is no file, or too long";
        return NULL;
    }
    char *text = g_malloc(FILE_MAX + 1);
    gsize length = 0;
    ssize_t n;
    while (length < FILE_MAX && (n = read(fd, text + length, FILE_MAX - length)) > 0)
        length += n;
    text[length] = '\0';
    *ret_length = length;
    return text;
}

static gboolean visit(const char *path, DescriptorFunc fn, gpointer data)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const char *why = NULL;
    gsize length = 0;
    g_autofree char *text = read_all(fd, &length, &why);

    if (fd >= 0)
        close(fd);
    return (text && length == 0) || fn(path, text, length, why, data);
}

void descriptor_each(const char *const *folders, DescriptorFunc fn, gpointer data)
{
    g_autoptr(GHashTable) files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (; *folders; folders++)
        find_files(files, *folders);
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(files), (GCompareFunc)strcmp);
    for (GList *name = names; name; name = name->next)
        if (!visit(g_hash_table_lookup(files, name->data), fn, data))
            break;
}
