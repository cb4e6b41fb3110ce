/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Whether xenstored answers. libxl asks it without a deadline, so that one that is stopped would stop whoever asks; so it is
 * asked something small before (xenstore's protocol, xen/io/xs_wire.h).
 */
#include <glib.h>

/* Waits for an answer, three seconds at most. VIR_ERR_OPERATION_TIMEOUT; VIR_ERR_INTERNAL_ERROR: nobody is there. Where xenstore
 * is no process of this domain's, it cannot be asked: TRUE. */
gboolean xenstore_check(GError **error);

/* The value at PATH, to free; NULL: there is none, or nobody answers. The same deadline. */
char *xenstore_read(const char *path);
