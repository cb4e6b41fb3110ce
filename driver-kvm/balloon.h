/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* How much of its memory a guest has: what QEMU says, not what was wished for. */
#include "driver-kvm/guest.h"

/* The device; NULL if there is none. */
const Memballoon *balloon_of(const Domain *live);

/* Tells QEMU what the definition wishes; RESTORED: only how often the guest is asked for figures. Blocks. */
gboolean balloon_set(Guest *guest, Qmp *qmp, gboolean restored, GError **error);

/* Asks QEMU, and publishes the answer. Blocks. */
gboolean balloon_learn(Guest *guest, Qmp *qmp, GError **error);

void balloon_publish(Guest *guest, guint64 kib);
