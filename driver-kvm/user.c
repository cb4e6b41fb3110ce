/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/user.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "lib/error.h"

#define GROUPS_MAX 256

struct User {
    ProcessIds ids;
    gid_t groups[GROUPS_MAX];
};

static const char *const usual_names[] = {"libvirt-qemu", "qemu", NULL};

/* A name may be all digits; "+" before a number says that it is none. */
static gboolean is_number(const char *text, guint64 *ret_number)
{
    return g_ascii_string_to_unsigned(text + (text[0] == '+'), 10, 0, G_MAXUINT32 - 1, ret_number, NULL);
}

/* The entry stays with the C library until the next question; drivers are opened by one thread. */
static const struct passwd *find(const char *name, GError **error)
{
    guint64 number;
    const struct passwd *entry = getpwnam(name);

    if (!entry && is_number(name, &number))
        entry = getpwuid(number);
    if (!entry)
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "there is no user '%s'", name);
    return entry;
}

static const struct passwd *find_usual(void)
{
    for (guint i = 0; usual_names[i]; i++) {
        const struct passwd *entry = getpwnam(usual_names[i]);
        if (entry)
            return entry;
    }
    return NULL;
}

static gboolean find_group(const char *name, gid_t *ret_gid, GError **error)
{
    guint64 number;
    const struct group *entry = getgrnam(name);

    if (!entry && is_number(name, &number))
        entry = getgrgid(number);
    if (!entry)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "there is no group '%s'", name);
    *ret_gid = entry->gr_gid;
    return TRUE;
}

/* Every group of NAME, the first one (of the user's entry) included, and IDS.gid. */
static gboolean find_groups(User *user, const char *name, gid_t first, GError **error)
{
    int n = GROUPS_MAX - 1;

    if (getgrouplist(name, first, user->groups, &n) < 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "user '%s' is in more than %d groups", name,
                         GROUPS_MAX - 1);
    gboolean listed = FALSE;
    for (int i = 0; i < n; i++)
        listed |= user->groups[i] == user->ids.gid;
    if (!listed)
        user->groups[n++] = user->ids.gid;
    user->ids.groups = user->groups;
    user->ids.n_groups = n;
    return TRUE;
}

gboolean user_new(const char *name, const char *group, User **ret_user, GError **error)
{
    *ret_user = NULL;
    if (geteuid() != 0)
        return TRUE;
    const struct passwd *entry = name ? find(name, error) : find_usual();
    if (!entry)
        return !name;
    g_autofree User *user = g_new0(User, 1);
    g_autofree char *user_name = g_strdup(entry->pw_name);
    gid_t first = entry->pw_gid;
    user->ids.uid = entry->pw_uid;
    user->ids.gid = first;
    /* the user's own group, where there is one: its first one may be shared ("kvm") */
    const struct group *own = group ? NULL : getgrnam(user_name);
    if (own)
        user->ids.gid = own->gr_gid;
    if (group && !find_group(group, &user->ids.gid, error))
        return FALSE;
    if (!find_groups(user, user_name, first, error))
        return FALSE;
    *ret_user = g_steal_pointer(&user);
    return TRUE;
}

void user_free(User *user)
{
    g_free(user);
}

const ProcessIds *user_ids(const User *user)
{
    return user ? &user->ids : NULL;
}
