/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What documents of snapshots, checkpoints and backups mean beyond their description, before they are held against the domain they
 * are for. Any thread.
 */
#include "lib/model/model.h"

/* REDEFINE: the document tells of one that was taken before: it has a name, a state and a time. Without it, what it says of
 * these (but for the name) and of the domain is passed over. A bitmap has the name of its checkpoint where it has none. */
Snapshot *snapshot_read(XmlDocument *document, gboolean redefine, GError **error);
Checkpoint *checkpoint_read(XmlDocument *document, gboolean redefine, GError **error);

Backup *backup_read(XmlDocument *document, GError **error);

/* Whether memory or a disk of it lies outside of the guest's own images. */
gboolean snapshot_is_external(const Snapshot *snapshot);
