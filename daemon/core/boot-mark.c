/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/boot-mark.h"

#include <string.h>

#include "daemon/core/registry.h"
#include "lib/file.h"

#define MARK "autostarted"
#define MARK_MAX (64 * 1024 + REGISTRY_MAX * 40)

static char *mark_path(const DriverPaths *paths)
{
    return g_build_filename(paths->run, MARK, NULL);
}

char *boot_mark_read(const DriverPaths *paths)
{
    g_autofree char *path = mark_path(paths);
    char *text = file_read(path, MARK_MAX, NULL, NULL);

    return text ? text : g_strdup("");
}

gboolean boot_mark_has(const char *text, const char *line)
{
    gsize length = strlen(line);

    for (const char *at = strstr(text, line); at; at = strstr(at + 1, line)) {
        if ((at == text || at[-1] == '\n') && (at[length] == '\n' || at[length] == '\0'))
            return TRUE;
    }
    return FALSE;
}

gboolean boot_mark_add(const DriverPaths *paths, GString *text, const char *line, GError **error)
{
    g_autofree char *path = mark_path(paths);

    g_string_append_printf(text, "%s\n", line);
    return file_replace_volatile(path, text->str, -1, 0600, error);
}
