/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/cgroup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/file.h"

#define MOUNT "/sys/fs/cgroup"

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

static char *guest_folder(const char *name)
{
    g_autofree char *own = own_folder();

    return own ? g_strdup_printf("%s/guest-%s", own, name) : NULL;
}

char *cgroup_make(const char *name)
{
    g_autofree char *folder = guest_folder(name);

    if (!folder || (mkdir(folder, 0755) < 0 && errno != EEXIST))
        return NULL;
    return g_steal_pointer(&folder);
}

void cgroup_remove(const char *name)
{
    g_autofree char *folder = guest_folder(name);

    if (folder)
        rmdir(folder);
}
