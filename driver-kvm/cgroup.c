/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/cgroup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"

#define MOUNT "/sys/fs/cgroup"
#define TRIES 3 /* the end of another guest may take the partition away under us */

/* Our own group's folder, if it was handed over. To free. */
static char *own_folder(void)
{
    g_autofree char *text = file_read("/proc/self/cgroup", 65536, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    char mark;

    for (guint i = 0; lines[i]; i++) {
        if (!g_str_has_prefix(lines[i], "0::/"))
            continue;
        g_autofree char *folder = g_strconcat(MOUNT, lines[i] + 3, NULL);
        if (access(MOUNT "/cgroup.controllers", F_OK) == 0 &&
            (getxattr(folder, "trusted.delegate", &mark, 1) == 1 || getxattr(folder, "user.delegate", &mark, 1) == 1) &&
            mark == '1')
            return g_steal_pointer(&folder);
    }
    return NULL;
}

/* No group of ours may be taken for a file of the kernel's, nor lead out of where we are; as libvirt has it. */
static void add_part(GString *path, const char *part)
{
    gboolean marked = part[0] == '_' || part[0] == '.' || g_str_has_prefix(part, "cgroup.");

    g_string_append_printf(path, "/%s%s%s", marked ? "_" : "", part, strchr(part, '.') ? "" : ".partition");
}

char *cgroup_below(const char *own, const char *partition)
{
    static const char *const fixed[] = {"machine", "user", "system", NULL};
    g_auto(GStrv) parts = g_strsplit(partition ? partition : "", "/", -1);
    GString *path = g_string_new(own);
    gboolean first = TRUE;

    for (guint i = 0; parts[i]; i++) {
        if (!*parts[i])
            continue;
        if (first && g_strv_contains(fixed, parts[i]))
            g_string_append_printf(path, "/%s", parts[i]);
        else
            add_part(path, parts[i]);
        first = FALSE;
    }
    return g_string_free(path, FALSE);
}

gboolean cgroup_check(const char *partition, GError **error)
{
    return !partition || partition[0] == '/' ||
           error_set(error, VIR_FROM_CGROUP, VIR_ERR_CONFIG_UNSUPPORTED, "Resource partition '%s' must start with '/'", partition);
}

static gboolean make_folder(const char *path)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST;
}

/* FOLDER and what is missing between it and OWN. */
static gboolean make_below(const char *own, const char *folder)
{
    g_autofree char *path = g_strdup(folder);

    for (char *slash = path + strlen(own) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (!make_folder(path))
            return FALSE;
        *slash = '/';
    }
    return make_folder(path);
}

char *cgroup_make(const char *partition, const char *name)
{
    g_autofree char *own = own_folder();
    g_autofree char *parent = own ? cgroup_below(own, partition) : NULL;
    g_autofree char *folder = own ? g_strdup_printf("%s/guest-%s", parent, name) : NULL;

    if (!own)
        return NULL;
    for (guint i = 0; i < TRIES; i++)
        if (make_below(own, folder))
            return g_steal_pointer(&folder);
    return NULL;
}

void cgroup_remove(const char *partition, const char *name)
{
    g_autofree char *own = own_folder();
    g_autofree char *path = own ? cgroup_below(own, partition) : NULL;
    g_autofree char *folder = own ? g_strdup_printf("%s/guest-%s", path, name) : NULL;

    if (!own)
        return;
    rmdir(folder);
    /* a partition goes with the last guest in it */
    while (strlen(path) > strlen(own) && rmdir(path) == 0)
        *strrchr(path, '/') = '\0';
}
