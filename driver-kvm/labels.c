/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/labels.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "lib/error.h"

#define DAC "dac"
#define ENTRY_MAX 65536

/* --- owners --- */

/* "+" before a number says that it is none of a name. */
static gboolean is_number(const char *text, guint *ret_number)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text + (text[0] == '+'), 10, 0, G_MAXUINT32 - 1, &number, NULL))
        return FALSE;
    *ret_number = (guint)number;
    return TRUE;
}

static gboolean find_user(const char *name, guint *ret_uid)
{
    g_autofree char *buffer = g_malloc(ENTRY_MAX);
    struct passwd entry, *found = NULL;

    if (name[0] != '+' && getpwnam_r(name, &entry, buffer, ENTRY_MAX, &found) == 0 && found)
        *ret_uid = entry.pw_uid;
    return found || is_number(name, ret_uid);
}

static gboolean find_group(const char *name, guint *ret_gid)
{
    g_autofree char *buffer = g_malloc(ENTRY_MAX);
    struct group entry, *found = NULL;

    if (name[0] != '+' && getgrnam_r(name, &entry, buffer, ENTRY_MAX, &found) == 0 && found)
        *ret_gid = entry.gr_gid;
    return found || is_number(name, ret_gid);
}

/* LABEL, "USER:GROUP", means IDS. */
static gboolean check_owner(const char *label, const ProcessIds *ids, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(label, ":", 2);
    guint uid = 0, gid = 0;

    if (!parts[0] || !parts[1])
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
                         "Failed to parse uid and gid from label '%s'", label);
    if (!find_user(parts[0], &uid))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse user '%s'", parts[0]);
    if (!find_group(parts[1], &gid))
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse group '%s'", parts[1]);
    return (uid == (ids ? ids->uid : geteuid()) && gid == (ids ? ids->gid : getegid())) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                     "label '%s' is not that of QEMU's user: not supported by this driver", label);
}

/* --- what is said --- */

static gboolean check_model(const char *model, GError **error)
{
    return g_strcmp0(model, DAC) == 0 || g_strcmp0(model, "none") == 0 ||
           error_set(error, VIR_FROM_SECURITY, VIR_ERR_CONFIG_UNSUPPORTED,
                     "Security driver model '%s' is not available",
                     model ? model : "(null)");
}

static gboolean check_file(const GPtrArray *labels, const ProcessIds *ids, GError **error)
{
    for (guint i = 0; i < labels->len; i++) {
        const DeviceSeclabel *label = labels->pdata[i];

        if (!check_model(label->model, error) || (label->label && !check_owner(label->label, ids, error)))
            return FALSE;
    }
    return TRUE;
}

static gboolean check_disk(const Disk *disk, const ProcessIds *ids, GError **error)
{
    if (disk->source && !check_file(disk->source->seclabels, ids, error))
        return FALSE;
    for (const DiskBackingStore *store = disk->backing_store; store; store = store->backing_store)
        if (store->source && !check_file(store->source->seclabels, ids, error))
            return FALSE;
    return TRUE;
}

gboolean labels_check(const Domain *def, const ProcessIds *ids, GError **error)
{
    const Devices *devices = def->devices;
    GPtrArray *const chardevs[] = {devices->serials, devices->parallels, devices->consoles, devices->channels};

    for (guint i = 0; i < def->seclabels->len; i++) {
        const Seclabel *label = def->seclabels->pdata[i];

        if (!check_model(label->model, error) ||
            (label->type == SECLABEL_TYPE_STATIC && label->label && !check_owner(label->label, ids, error)))
            return FALSE;
    }
    for (guint i = 0; i < devices->disks->len; i++)
        if (!check_disk(devices->disks->pdata[i], ids, error))
            return FALSE;
    for (gsize n = 0; n < G_N_ELEMENTS(chardevs); n++)
        for (guint i = 0; i < chardevs[n]->len; i++) {
            const Chardev *chardev = chardevs[n]->pdata[i];

            if (chardev->source && !check_file(chardev->source->seclabels, ids, error))
                return FALSE;
        }
    return TRUE;
}

gboolean labels_give(const Domain *live)
{
    for (guint i = 0; i < live->seclabels->len; i++) {
        const Seclabel *label = live->seclabels->pdata[i];

        if (g_strcmp0(label->model, DAC) == 0 && (label->type == SECLABEL_TYPE_NONE || label->relabel == TOGGLE_OFF))
            return FALSE;
    }
    return TRUE;
}

gboolean labels_give_file(const GPtrArray *labels)
{
    for (guint i = 0; i < labels->len; i++) {
        const DeviceSeclabel *label = labels->pdata[i];

        if (g_strcmp0(label->model, DAC) == 0 && label->relabel == TOGGLE_OFF)
            return FALSE;
    }
    return TRUE;
}

void labels_write(Domain *live, const ProcessIds *ids)
{
    for (guint i = 0; i < live->seclabels->len; i++) {
        Seclabel *label = live->seclabels->pdata[i];

        if (g_strcmp0(label->model, DAC) != 0 || label->type == SECLABEL_TYPE_NONE)
            continue;
        if (label->type == SECLABEL_TYPE_DYNAMIC) {
            g_free(label->label);
            label->label = g_strdup_printf("+%u:+%u", ids ? ids->uid : geteuid(), ids ? ids->gid : getegid());
        }
        g_free(label->imagelabel);
        label->imagelabel = label->relabel == TOGGLE_OFF ? NULL : g_strdup(label->label);
    }
}
