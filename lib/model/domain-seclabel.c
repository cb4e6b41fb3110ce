/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-seclabel.h"

/* One that leaves the model to the host; there were times when there was but one. */
static void name_model(const GPtrArray *labels)
{
    Seclabel *only = labels->len == 1 ? g_ptr_array_index(labels, 0) : NULL;
    gboolean open = only && !only->model && (only->type == SECLABEL_TYPE_NONE || only->type == SECLABEL_TYPE_DYNAMIC) &&
                    !only->baselabel;

    if (!open || (only->type == SECLABEL_TYPE_DYNAMIC && only->relabel == TOGGLE_OFF))
        return;
    only->model = g_strdup("none");
    only->type = SECLABEL_TYPE_NONE;
    only->relabel = TOGGLE_UNSET;
}

/* A label that is made is that of files as well, one that is given is not. */
static void name_relabelling(const GPtrArray *labels)
{
    for (guint i = 0; i < labels->len; i++) {
        Seclabel *label = g_ptr_array_index(labels, i);

        if (label->relabel == TOGGLE_UNSET && label->type != SECLABEL_TYPE_NONE)
            label->relabel = label->type == SECLABEL_TYPE_DYNAMIC ? TOGGLE_ON : TOGGLE_OFF;
    }
}

/* That a file is labelled goes without saying. */
static void drop_silent(GPtrArray *labels)
{
    for (guint i = labels->len; i > 0; i--) {
        const DeviceSeclabel *label = g_ptr_array_index(labels, i - 1);

        if (!label->label && label->relabel != TOGGLE_OFF)
            g_ptr_array_remove_index(labels, i - 1);
    }
}

void domain_normalize_seclabels(Domain *def)
{
    const Devices *devices = def->devices;
    GPtrArray *const chardevs[] = {devices->serials, devices->parallels, devices->consoles, devices->channels};

    name_model(def->seclabels);
    name_relabelling(def->seclabels);
    for (guint i = 0; i < devices->disks->len; i++) {
        const Disk *disk = g_ptr_array_index(devices->disks, i);

        if (disk->source)
            drop_silent(disk->source->seclabels);
    }
    for (gsize n = 0; n < G_N_ELEMENTS(chardevs); n++)
        for (guint i = 0; i < chardevs[n]->len; i++) {
            const Chardev *chardev = g_ptr_array_index(chardevs[n], i);

            if (chardev->source)
                drop_silent(chardev->source->seclabels);
        }
}
