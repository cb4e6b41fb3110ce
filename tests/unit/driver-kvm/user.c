/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The users and groups are those that every Debian has. */
#include "driver-kvm/user.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "lib/error.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(User, user_free)

static gboolean is_in(const ProcessIds *ids, gid_t gid)
{
    for (gsize i = 0; i < ids->n_groups; i++)
        if (ids->groups[i] == gid)
            return TRUE;
    return FALSE;
}

/* Both the group that was asked for and the user's own are QEMU's: the one may be needed for /dev/kvm. */
static void test_groups(void)
{
    static const char *const spelled[][2] = {{"daemon", "bin"}, {"1", "2"}, {"+1", "+2"}};

    for (gsize i = 0; i < G_N_ELEMENTS(spelled); i++) {
        g_autoptr(User) user = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_true(user_new(spelled[i][0], spelled[i][1], &user, &error));
        const ProcessIds *ids = user_ids(user);
        g_assert_cmpuint(ids->uid, ==, 1);
        g_assert_cmpuint(ids->gid, ==, 2);
        g_assert_true(is_in(ids, 1) && is_in(ids, 2));
    }
}

static void test_usual(void)
{
    g_autoptr(User) user = NULL;
    const struct passwd *entry = getpwnam("libvirt-qemu");

    if (!entry) {
        g_test_skip("no user libvirt-qemu here");
        return;
    }
    gid_t first = entry->pw_gid;
    g_assert_true(user_new(NULL, NULL, &user, NULL));
    g_assert_cmpuint(user_ids(user)->gid, ==, getgrnam("libvirt-qemu")->gr_gid);
    g_assert_true(is_in(user_ids(user), first) && is_in(user_ids(user), user_ids(user)->gid));
}

static void test_unknown(void)
{
    g_autoptr(GError) error = NULL;
    User *user;

    g_assert_false(user_new("no such user", NULL, &user, &error));
    g_assert_true(error_is(error, VIR_ERR_CONFIG_UNSUPPORTED));
    g_assert_false(user_new("daemon", "no such group", &user, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (geteuid() != 0)
        return 77;
    g_test_add_func("/user/groups", test_groups);
    g_test_add_func("/user/usual", test_usual);
    g_test_add_func("/user/unknown", test_unknown);
    return g_test_run();
}
