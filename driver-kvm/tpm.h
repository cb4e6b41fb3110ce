/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * An emulated TPM: its state, and swtpm, which serves it beside QEMU.
 *
 * The state lies below a folder of ours by the domain's UUID, made before the first start in one rename, so that it is there
 * whole or not at all. swtpm and QEMU are given the two ends of a connection: swtpm ends when QEMU's is closed.
 */
#include "driver-kvm/guest.h"

/* Makes the state unless it is there or comes with a saved guest (INCOMING), and starts swtpm. RET_FD is QEMU's end. */
gboolean tpm_start(Guest *guest, const Tpm *tpm, gboolean incoming, int *ret_fd, GError **error);

/* DEF is forgotten, with virDomainUndefineFlagsValues FLAGS: its TPM's state goes or stays. */
gboolean tpm_undefine(const Kvm *kvm, const Domain *def, guint flags, GError **error);
