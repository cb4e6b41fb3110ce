/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "daemon/rpc/wire-private.h"
#include "daemon/rpc/xdr.h"
#include "lib/error.h"

static const char long_message[] = "the message would be longer than a message may be";

static gboolean encode_struct(const WireType *type, gconstpointer base, GByteArray *out, GError **error);

static gboolean encode_scalar(WireKind kind, gconstpointer slot, GByteArray *out)
{
    gboolean is_signed = wire_scalars[kind].is_signed;

    if (wire_scalars[kind].wire == 8)
        return xdr_write_u64(out, *(const guint64 *)slot);
    if (wire_scalars[kind].size == 1)
        return xdr_write_u32(out, is_signed ? (guint32)*(const gint8 *)slot : *(const guint8 *)slot);
    if (wire_scalars[kind].size == 2)
        return xdr_write_u32(out, is_signed ? (guint32)*(const gint16 *)slot : *(const guint16 *)slot);
    return xdr_write_u32(out, *(const guint32 *)slot);
}

static gboolean encode_string(const WireType *type, const WireField *field, const char *value, GByteArray *out,
                              GError **error)
{
    gsize n;

    if (!value)
        return wire_refuse(type, field, error, "a string that must be there is missing");
    n = strlen(value);
    if (n > field->length)
        return wire_refuse_length(type, field, n, field->length, error);
    return (xdr_write_u32(out, n) && xdr_write_bytes(out, (const guint8 *)value, n)) ||
           wire_refuse(type, field, error, long_message);
}

static gboolean encode_value(const WireType *type, const WireField *field, gconstpointer slot, GByteArray *out,
                             GError **error)
{
    if (field->kind == WIRE_STRUCT)
        return encode_struct(field->type, slot, out, error);
    if (field->kind == WIRE_STRING)
        return encode_string(type, field, *(char *const *)slot, out, error);
    return encode_scalar(field->kind, slot, out) || wire_refuse(type, field, error, long_message);
}

static gboolean encode_optional(const WireType *type, const WireField *field, gconstpointer value, GByteArray *out,
                                GError **error)
{
    if (!xdr_write_u32(out, value != NULL))
        return wire_refuse(type, field, error, long_message);
    if (!value)
        return TRUE;
    return field->kind == WIRE_STRING ? encode_string(type, field, value, out, error)
                                      : encode_struct(field->type, value, out, error);
}

static gboolean encode_members(const WireType *type, const WireField *field, gconstpointer members, guint32 n,
                               GByteArray *out, GError **error)
{
    if (field->kind == WIRE_OPAQUE)
        return xdr_write_bytes(out, members, n) || wire_refuse(type, field, error, long_message);
    for (guint32 i = 0; i < n; i++)
        if (!encode_value(type, field, wire_at(members, i * wire_c_size(field)), out, error))
            return FALSE;
    return TRUE;
}

static gboolean encode_list(const WireType *type, const WireField *field, gconstpointer base, GByteArray *out,
                            GError **error)
{
    guint32 n = *wire_count(field, base);

    if (n > field->max)
        return wire_refuse_length(type, field, n, field->max, error);
    if (!xdr_write_u32(out, n))
        return wire_refuse(type, field, error, long_message);
    return encode_members(type, field, *(gpointer *)wire_at(base, field->offset), n, out, error);
}

static gboolean encode_field(const WireType *type, const WireField *field, gconstpointer base, GByteArray *out,
                             GError **error)
{
    gconstpointer slot = wire_at(base, field->offset);

    switch (field->repeat) {
    case WIRE_ONE:
        return encode_value(type, field, slot, out, error);
    case WIRE_OPTIONAL:
        return encode_optional(type, field, *(gpointer const *)slot, out, error);
    case WIRE_LIST:
        return encode_list(type, field, base, out, error);
    case WIRE_FIXED:
        return encode_members(type, field, slot, field->max, out, error);
    }
    g_assert_not_reached();
}

static gboolean encode_struct(const WireType *type, gconstpointer base, GByteArray *out, GError **error)
{
    const WireField *arm;
    gint32 discriminant;

    if (!type->is_union) {
        for (guint i = 0; i < type->n_fields; i++)
            if (!encode_field(type, &type->fields[i], base, out, error))
                return FALSE;
        return TRUE;
    }
    discriminant = *(const gint32 *)wire_at(base, type->discriminant);
    arm = wire_arm(type, base);
    if (!arm)
        return wire_refuse_arm(type, discriminant, error);
    if (!xdr_write_u32(out, discriminant))
        return wire_refuse(type, arm, error, long_message);
    return encode_field(type, arm, base, out, error);
}

gboolean wire_encode(const WireType *type, gconstpointer in, GByteArray *out, GError **error)
{
    guint before = out->len;

    if (encode_struct(type, in, out, error))
        return TRUE;
    g_prefix_error(error, "Unable to encode message payload: ");
    g_byte_array_set_size(out, before);
    return FALSE;
}
