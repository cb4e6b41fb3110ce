/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a guest sees of its definition, compared: while its memory exists, none of that may change. */
#include "lib/model/model.h"

/* SOURCE, of a guest whose memory exists, may be replaced by TARGET. FALSE with VIR_ERR_CONFIG_UNSUPPORTED that names
 * the first thing that differs, in libvirt's order and words. */
gboolean domain_abi_check(const Domain *source, const Domain *target, GError **error);
