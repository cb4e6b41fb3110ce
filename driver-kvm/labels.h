/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a document says of labels: as whom QEMU is to run, and which files it is to be given. Any thread but a loop's. */
#include "lib/model/model.h"
#include "lib/process.h"

/* Refuses models that this host has not, and owners other than QEMU's user. IDS: that user; NULL: QEMU runs as we do. */
gboolean labels_check(const Domain *def, const ProcessIds *ids, GError **error);

/* The files of LIVE are given to QEMU's user, unless a device says something else. */
gboolean labels_give(const Domain *live);

/* The file with LABELS is. */
gboolean labels_give_file(const GPtrArray *labels);

/* Writes into LIVE which labels it has got. */
void labels_write(Domain *live, const ProcessIds *ids);
