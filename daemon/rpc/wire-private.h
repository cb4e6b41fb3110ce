/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What decoding, encoding and clearing share: how to find things in a struct that only a table describes. */
#include "daemon/rpc/wire.h"

typedef struct WireScalar {
    guint8 size; /* in C */
    guint8 wire; /* octets */
    gboolean is_signed;
} WireScalar;

extern const WireScalar wire_scalars[]; /* by WireKind, up to WIRE_DOUBLE */

static inline gpointer wire_at(gconstpointer base, gsize offset)
{
    return (char *)base + offset;
}

static inline guint32 *wire_count(const WireField *field, gconstpointer base)
{
    return wire_at(base, field->count);
}

/* Octets of one value of FIELD, in C and (the least) on the wire. */
gsize wire_c_size(const WireField *field);
gsize wire_min_size(const WireField *field);

/* The arm of a union that its discriminant chooses; NULL if there is none. */
const WireField *wire_arm(const WireType *type, gconstpointer base);

/* Errors: all are VIR_ERR_RPC and name the struct and its field; each returns FALSE. */
gboolean wire_refuse(const WireType *type, const WireField *field, GError **error, const char *what);
gboolean wire_refuse_length(const WireType *type, const WireField *field, gsize n, guint32 max, GError **error);
gboolean wire_refuse_arm(const WireType *type, gint32 discriminant, GError **error);
