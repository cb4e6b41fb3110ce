/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decoding hostile octets: a struct is zeroed before anything is put into it, and the count of a list is stored
 * together with its zeroed members, so that at any moment clearing the outermost struct frees exactly what there is. A
 * length is held against its declared maximum and against what the octets that are left could possibly spell (the
 * shortest form of a member is known to the table) before memory is asked for. The tables do not recurse (the generator
 * refuses that), so neither depth nor the ratio of memory to octets can be driven from outside.
 *
 * Ruled out: code per type, as rpcgen writes it, where each of 600 functions would have to be right; and a cleverer
 * table (opcodes): decoding the arguments of a call takes some 150 ns as it is.
 */
#include <string.h>

#include "daemon/rpc/wire-private.h"
#include "daemon/rpc/xdr.h"
#include "lib/error.h"

static const char short_message[] = "the message ends before the value does";

static gboolean decode_struct(const WireType *type, XdrReader *reader, gpointer base, GError **error);

static gboolean decode_scalar(WireKind kind, XdrReader *reader, gpointer slot)
{
    guint64 wide;
    guint32 value;

    if (wire_scalars[kind].wire == 8) {
        if (!xdr_read_u64(reader, &wide))
            return FALSE;
        *(guint64 *)slot = wide;
        return TRUE;
    }
    if (!xdr_read_u32(reader, &value))
        return FALSE;
    if (wire_scalars[kind].size == 1)
        *(guint8 *)slot = value;
    else if (wire_scalars[kind].size == 2)
        *(guint16 *)slot = value;
    else
        *(guint32 *)slot = value;
    return TRUE;
}

static gboolean decode_string(const WireType *type, const WireField *field, XdrReader *reader, char **slot,
                              GError **error)
{
    const guint8 *bytes;
    guint32 n;

    if (!xdr_read_u32(reader, &n))
        return wire_refuse(type, field, error, short_message);
    if (n > field->length)
        return wire_refuse_length(type, field, n, field->length, error);
    if (!xdr_read_bytes(reader, n, &bytes))
        return wire_refuse(type, field, error, short_message);
    if (n > 0 && memchr(bytes, '\0', n) != NULL)
        return wire_refuse(type, field, error, "a NUL inside a string");
    *slot = g_strndup((const char *)bytes, n);
    return TRUE;
}

static gboolean decode_value(const WireType *type, const WireField *field, XdrReader *reader, gpointer slot,
                             GError **error)
{
    if (field->kind == WIRE_STRUCT)
        return decode_struct(field->type, reader, slot, error);
    if (field->kind == WIRE_STRING)
        return decode_string(type, field, reader, slot, error);
    return decode_scalar(field->kind, reader, slot) || wire_refuse(type, field, error, short_message);
}

static gboolean decode_optional(const WireType *type, const WireField *field, XdrReader *reader, gpointer slot,
                                GError **error)
{
    guint32 present;

    if (!xdr_read_u32(reader, &present))
        return wire_refuse(type, field, error, short_message);
    if (!present)
        return TRUE;
    if (field->kind == WIRE_STRING)
        return decode_string(type, field, reader, slot, error);
    if (reader->left < field->type->min_size)
        return wire_refuse(type, field, error, short_message);
    *(gpointer *)slot = g_malloc0(field->type->size);
    return decode_struct(field->type, reader, *(gpointer *)slot, error);
}

static gboolean decode_members(const WireType *type, const WireField *field, XdrReader *reader, gpointer members,
                               guint32 n, GError **error)
{
    const guint8 *bytes;

    if (field->kind == WIRE_OPAQUE) {
        if (!xdr_read_bytes(reader, n, &bytes))
            return wire_refuse(type, field, error, short_message);
        memcpy(members, bytes, n);
        return TRUE;
    }
    for (guint32 i = 0; i < n; i++)
        if (!decode_value(type, field, reader, wire_at(members, i * wire_c_size(field)), error))
            return FALSE;
    return TRUE;
}

static gboolean decode_list(const WireType *type, const WireField *field, XdrReader *reader, gpointer base,
                            GError **error)
{
    gpointer members;
    guint32 n;

    if (!xdr_read_u32(reader, &n))
        return wire_refuse(type, field, error, short_message);
    if (n > field->max)
        return wire_refuse_length(type, field, n, field->max, error);
    if (n > reader->left / wire_min_size(field))
        return wire_refuse(type, field, error, short_message);
    if (n == 0)
        return TRUE;
    members = g_malloc0_n(n, wire_c_size(field));
    *(gpointer *)wire_at(base, field->offset) = members;
    *wire_count(field, base) = n;
    return decode_members(type, field, reader, members, n, error);
}

static gboolean decode_field(const WireType *type, const WireField *field, XdrReader *reader, gpointer base,
                             GError **error)
{
    gpointer slot = wire_at(base, field->offset);

    switch (field->repeat) {
    case WIRE_ONE:
        return decode_value(type, field, reader, slot, error);
    case WIRE_OPTIONAL:
        return decode_optional(type, field, reader, slot, error);
    case WIRE_LIST:
        return decode_list(type, field, reader, base, error);
    case WIRE_FIXED:
        return decode_members(type, field, reader, slot, field->max, error);
    }
    g_assert_not_reached();
}

/* BASE is zeroed. */
static gboolean decode_struct(const WireType *type, XdrReader *reader, gpointer base, GError **error)
{
    const WireField *arm;
    guint32 discriminant;

    if (!type->is_union) {
        for (guint i = 0; i < type->n_fields; i++)
            if (!decode_field(type, &type->fields[i], reader, base, error))
                return FALSE;
        return TRUE;
    }
    if (!xdr_read_u32(reader, &discriminant))
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s: %s", type->name, short_message);
    *(gint32 *)wire_at(base, type->discriminant) = discriminant;
    arm = wire_arm(type, base);
    if (!arm)
        return wire_refuse_arm(type, discriminant, error);
    return decode_field(type, arm, reader, base, error);
}

gboolean wire_decode(const WireType *type, const guint8 *bytes, gsize n, gpointer out, GError **error)
{
    XdrReader reader = {bytes, n};

    memset(out, 0, type->size);
    if (decode_struct(type, &reader, out, error))
        return TRUE;
    g_prefix_error(error, "Unable to decode message payload: ");
    wire_clear(type, out);
    return FALSE;
}
