/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/presence.h"

#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/sysfs.h"

#define FEATURE_DOM0 11 /* bit of /sys/hypervisor/properties/features */

/* xenfs, where it is mounted, tells directly; else the hypervisor's feature word does. */
static gboolean is_control_domain(const char *root)
{
    g_autofree char *capabilities = sysfs_text(root, "/proc/xen/capabilities");
    if (capabilities)
        return strstr(capabilities, "control_d") != NULL;
    g_autofree char *features = sysfs_text(root, "/sys/hypervisor/properties/features");
    return features && (g_ascii_strtoull(features, NULL, 16) >> FEATURE_DOM0 & 1);
}

static gboolean has_device(const char *root)
{
    static const char *const paths[] = {"/dev/xen/privcmd", "/proc/xen/privcmd"};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *path = g_strconcat(root, paths[i], NULL);
        if (access(path, R_OK | W_OK) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean no_xen(GError **error, const char *cause)
{
    return error_set(error, VIR_FROM_LIBXL, VIR_ERR_CONFIG_UNSUPPORTED, "no Xen here: %s", cause);
}

gboolean presence_check(const char *root, GError **error)
{
    g_autofree char *type = sysfs_text(root, "/sys/hypervisor/type");
    if (g_strcmp0(type, "xen") != 0)
        return no_xen(error, "this host does not run on the Xen hypervisor");
    if (!is_control_domain(root))
        return no_xen(error, "this is a Xen guest, not the control domain (dom0)");
    if (!has_device(root))
        return no_xen(error, "/dev/xen/privcmd cannot be used (is the module xen-privcmd loaded?)");
    return TRUE;
}
