/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Typed parameters from a client against what a call knows. Any thread. */
#include "lib/params.h"

typedef struct {
    const char *field;
    gint32 type;       /* virTypedParameterType */
} ParamKnown;

/* KNOWN (N of them) has the name and type of each of PARAMS, and none comes twice; in libvirt's words.
 * VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_INVALID_ARG. */
gboolean params_check(const Params *params, const ParamKnown *known, guint n, GError **error);
