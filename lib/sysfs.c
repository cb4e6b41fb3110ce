/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char *read_all(int fd)
{
    GString *text = g_string_new(NULL);
    char buffer[4096];
    while (text->len < SYSFS_FILE_MAX) {
        gssize n = read(fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            g_string_free(text, TRUE);
            return NULL;
        }
        if (n == 0)
            break;
        g_string_append_len(text, buffer, n);
    }
    return g_strchomp(g_string_free(text, FALSE));
}

static char *text_valist(const char *root, const char *path, va_list args)
{
    g_autofree char *relative = g_strdup_vprintf(path, args);
    g_autofree char *whole = g_strconcat(root, relative, NULL);
    int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    char *text = read_all(fd);
    close(fd);
    return text;
}

char *sysfs_text(const char *root, const char *path, ...)
{
    va_list args;
    va_start(args, path);
    char *text = text_valist(root, path, args);
    va_end(args);
    return text;
}

gboolean sysfs_number(gint64 *ret_number, const char *root, const char *path, ...)
{
    va_list args;
    va_start(args, path);
    g_autofree char *text = text_valist(root, path, args);
    va_end(args);
    return text && g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, ret_number, NULL);
}

CpuSet *sysfs_cpuset(const char *root, const char *path, ...)
{
    va_list args;
    va_start(args, path);
    g_autofree char *text = text_valist(root, path, args);
    va_end(args);
    return text ? cpuset_parse(text, NULL) : NULL;
}

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
    guint left = *(const guint *)a, right = *(const guint *)b;
    return left < right ? -1 : left > right;
}

GArray *sysfs_numbered(const char *root, const char *folder, const char *prefix)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autofree char *path = g_strconcat(root, folder, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        guint64 number;
        if (g_str_has_prefix(name, prefix) &&
            g_ascii_string_to_unsigned(name + strlen(prefix), 10, 0, G_MAXUINT, &number, NULL)) {
            guint value = number;
            g_array_append_val(numbers, value);
        }
    }
    g_array_sort(numbers, compare_numbers);
    return numbers;
}

/* The value behind KEY if LINE begins with it, else NULL. Where there is a colon, nothing but blanks may be between. */
static const char *field_value(const char *line, const char *key)
{
    if (!g_str_has_prefix(line, key))
        return NULL;
    const char *at = line + strlen(key);
    const char *value = at + strspn(at, " \t");
    if (*value == ':')
        return value + 1 + strspn(value + 1, " \t");
    return value > at && !memchr(value, ':', strcspn(value, "\n")) ? value : NULL;
}

char *sysfs_field(const char *text, const char *key)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *value = field_value(line, key);
        if (value)
            return g_strchomp(g_strndup(value, strcspn(value, "\n")));
    }
    return NULL;
}
