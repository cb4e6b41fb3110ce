/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/sysfs.h"

#include <glib/gstdio.h>

#include "lib/file.h"

static char *root;

static void put(const char *path, const char *text)
{
    g_autofree char *whole = g_strconcat(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(whole);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(whole, text, -1, NULL));
}

static void test_values(void)
{
    put("/sys/a/text", "one\ntwo\n\n");
    put("/sys/a/number", "-12\n");
    put("/sys/a/list7", "0-1,4\n");
    g_autofree char *text = sysfs_text(root, "/sys/%s/text", "a");
    g_assert_cmpstr(text, ==, "one\ntwo");
    g_assert_null(sysfs_text(root, "/sys/a/missing"));
    g_assert_null(sysfs_text(root, "/sys/a"));

    gint64 number = 5;
    g_assert_false(sysfs_number(&number, root, "/sys/a/text"));
    g_assert_false(sysfs_number(&number, root, "/sys/a/missing"));
    g_assert_cmpint(number, ==, 5);
    g_assert_true(sysfs_number(&number, root, "/sys/a/number"));
    g_assert_cmpint(number, ==, -12);

    g_autoptr(CpuSet) set = sysfs_cpuset(root, "/sys/a/list%d", 7);
    g_assert_cmpuint(cpuset_count(set), ==, 3);
    g_assert_null(sysfs_cpuset(root, "/sys/a/text"));
}

static void test_numbered(void)
{
    put("/sys/n/node10/x", "");
    put("/sys/n/node2/x", "");
    put("/sys/n/node0/x", "");
    put("/sys/n/nodes/x", "");
    put("/sys/n/node3x", "");
    put("/sys/n/node", "");
    g_autoptr(GArray) numbers = sysfs_numbered(root, "/sys/n", "node");
    g_assert_cmpuint(numbers->len, ==, 3);
    g_assert_cmpuint(g_array_index(numbers, guint, 0), ==, 0);
    g_assert_cmpuint(g_array_index(numbers, guint, 1), ==, 2);
    g_assert_cmpuint(g_array_index(numbers, guint, 2), ==, 10);
    g_autoptr(GArray) none = sysfs_numbered(root, "/sys/none", "node");
    g_assert_cmpuint(none->len, ==, 0);
}

static void check_field(const char *text, const char *key, const char *expected)
{
    g_autofree char *value = sysfs_field(text, key);
    g_assert_cmpstr(value, ==, expected);
}

static void test_field(void)
{
    const char *cpuinfo = "processor\t: 0\ncpu MHz\t\t: 2445.426  \nempty :\ncpu family\t: 25\nctxt 17\n"
                          "model name: m\nmodel : 1\nlast: end";
    check_field(cpuinfo, "processor", "0");
    check_field(cpuinfo, "cpu MHz", "2445.426");
    check_field(cpuinfo, "cpu family", "25");
    check_field(cpuinfo, "ctxt", "17");
    check_field(cpuinfo, "model", "1");
    check_field(cpuinfo, "model name", "m");
    check_field(cpuinfo, "empty", "");
    check_field(cpuinfo, "last", "end");
    check_field(cpuinfo, "las", NULL);
    check_field(cpuinfo, "family", NULL);
    check_field("", "x", NULL);
    check_field("\n\n", "x", NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    root = g_dir_make_tmp("sysfs-XXXXXX", NULL);
    g_test_add_func("/sysfs/values", test_values);
    g_test_add_func("/sysfs/numbered", test_numbered);
    g_test_add_func("/sysfs/field", test_field);
    int result = g_test_run();
    file_remove_tree(root, NULL);
    g_free(root);
    return result;
}
