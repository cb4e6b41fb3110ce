/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The file with a guest's firmware variables. It is made of a template before the guest's first start, belongs to QEMU's user
 * and to nobody else, and stays until somebody asks for its removal.
 */
#include "lib/model/model.h"
#include "lib/process.h"

/* LIVE has a file, which is not there yet or is to be made anew: RESET. Waits for the disk. */
gboolean nvram_is_wanted(const Domain *live, const char *folder, gboolean reset);

/* Makes LIVE's file where it has one that is not there yet, or anew with RESET. FOLDER: where files are that have no place of
 * their own; made where missing. IDS: QEMU's user; NULL: us. Waits for the disk, not for ever. */
gboolean nvram_prepare(const Domain *live, const char *folder, const ProcessIds *ids, gboolean reset, GError **error);

/* At the end of a definition, with virDomainUndefineFlagsValues FLAGS: removes DEF's file or leaves it.
 * VIR_ERR_OPERATION_INVALID if there is one and FLAGS do not say which. */
gboolean nvram_undefine(const Domain *def, const char *folder, guint flags, GError **error);
