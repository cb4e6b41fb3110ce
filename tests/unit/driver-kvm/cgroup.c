/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/cgroup.h"

#include "lib/error.h"

static void expect(const char *partition, const char *folder)
{
    g_autofree char *found = cgroup_below("/own", partition);

    g_assert_cmpstr(found, ==, folder);
}

/* As libvirtd 9.0.0 spells them; whatever is said, it stays below. */
static void test_partition(void)
{
    g_autoptr(GError) error = NULL;

    expect(NULL, "/own");
    expect("/", "/own");
    expect("/machine", "/own/machine");
    expect("//machine/", "/own/machine");
    expect("/machine/mine", "/own/machine/mine.partition");
    expect("/m/../x", "/own/m.partition/_../x.partition");
    expect("/a/machine/_b", "/own/a.partition/machine.partition/__b.partition");
    expect("/machine.slice/cgroup.procs", "/own/machine.slice/_cgroup.procs");
    g_assert_true(cgroup_check(NULL, &error));
    g_assert_true(cgroup_check("/machine", &error));
    g_assert_false(cgroup_check("machine", &error));
    g_assert_cmpstr(error->message, ==, "unsupported configuration: Resource partition 'machine' must start with '/'");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cgroup/partition", test_partition);
    return g_test_run();
}
