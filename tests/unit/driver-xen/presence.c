/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/presence.h"

#include <glib/gstdio.h>
#include <string.h>

#include "lib/error.h"
#include "lib/file.h"

static void put(const char *root, const char *path, const char *text)
{
    g_autofree char *whole = g_strconcat(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(whole);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(whole, text, -1, NULL));
}

static void check(const char *root, const char *refusal)
{
    g_autoptr(GError) error = NULL;
    gboolean found = presence_check(root, &error);
    if (!refusal) {
        g_assert_no_error(error);
        g_assert_true(found);
        return;
    }
    g_assert_false(found);
    g_assert_true(error_is(error, VIR_ERR_CONFIG_UNSUPPORTED));
    g_assert_nonnull(strstr(error->message, "no Xen here"));
    g_assert_nonnull(strstr(error->message, refusal));
}

static void test_hosts(void)
{
    g_autofree char *root = g_dir_make_tmp("presence-XXXXXX", NULL);
    check(root, "does not run on the Xen hypervisor");
    put(root, "/sys/hypervisor/type", "kvm\n");
    check(root, "does not run on the Xen hypervisor");
    put(root, "/sys/hypervisor/type", "xen\n");
    check(root, "not the control domain");
    put(root, "/sys/hypervisor/properties/features", "00002705\n");
    check(root, "not the control domain");
    put(root, "/sys/hypervisor/properties/features", "00002f05\n");
    check(root, "/dev/xen/privcmd");
    put(root, "/proc/xen/privcmd", "");
    check(root, NULL);
    put(root, "/proc/xen/capabilities", "\n"); /* what xenfs says goes before the feature word */
    check(root, "not the control domain");
    put(root, "/proc/xen/capabilities", "control_d\n");
    check(root, NULL);
    g_assert_true(file_remove_tree(root, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/presence/hosts", test_hosts);
    return g_test_run();
}
