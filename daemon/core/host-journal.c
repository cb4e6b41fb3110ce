/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host-journal.h"

#include <string.h>
#include <unistd.h>

#include "daemon/core/host-policy.h"
#include "daemon/core/registry.h"
#include "lib/file.h"

#define JOURNAL_MAX (REGISTRY_MAX * 64)

static char *path_of(const DriverPaths *paths)
{
    return g_build_filename(paths->state, "host-shutdown", NULL);
}

char *host_journal_read(const DriverPaths *paths)
{
    g_autofree char *path = path_of(paths);
    char *text = file_read(path, JOURNAL_MAX, NULL, NULL);

    return text ? text : g_strdup("");
}

gboolean host_journal_write(const DriverPaths *paths, const char *text, GError **error)
{
    g_autofree char *path = path_of(paths);

    return file_replace(path, text, -1, 0600, error);
}

gboolean host_journal_remove(const DriverPaths *paths, GError **error)
{
    g_autofree char *path = path_of(paths);

    return file_remove(path, error);
}

gboolean host_journal_exists(const DriverPaths *paths)
{
    g_autofree char *path = path_of(paths);

    return access(path, F_OK) == 0;
}

void host_journal_add(GString *text, const char *uuid, guint action)
{
    g_string_append_printf(text, "%s %s\n", uuid, host_stop_names[action]);
}

gboolean host_journal_has(const char *text, const char *uuid)
{
    g_autofree char *line = g_strdup_printf("%s %s\n", uuid, host_stop_names[HOST_STOP_SAVE]);

    return strstr(text, line) != NULL;
}
