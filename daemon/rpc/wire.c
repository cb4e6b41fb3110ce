/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One walker over the emitted tables, in three gaits: decode, encode, clear.
 *
 * Decoding hostile octets: a struct is zeroed before anything is put into it, and the count of a list is stored together
 * with its zeroed members, so that at any moment clearing the outermost struct frees exactly what there is. A length is
 * held against its declared maximum and against what the octets that are left could possibly spell (the shortest form
 * of a member is known to the table) before memory is asked for. The tables do not recurse (the generator refuses that),
 * so neither depth nor the ratio of memory to octets can be driven from outside.
 *
 * Ruled out: code per type as rpcgen writes it (17,000 lines that check nothing of this), and a cleverer table (opcodes):
 * decoding a call is under a microsecond as it is.
 */
#include "daemon/rpc/wire.h"

#include <string.h>
#include "daemon/rpc/xdr.h"
#include "lib/error.h"

static const struct {
    guint8 size; /* in C */
    guint8 wire; /* octets */
    gboolean is_signed;
} scalars[] = {
    [WIRE_CHAR] = {1, 4, TRUE},    [WIRE_UCHAR] = {1, 4, FALSE}, [WIRE_SHORT] = {2, 4, TRUE},
    [WIRE_USHORT] = {2, 4, FALSE}, [WIRE_INT] = {4, 4, TRUE},    [WIRE_UINT] = {4, 4, FALSE},
    [WIRE_HYPER] = {8, 8, TRUE},   [WIRE_UHYPER] = {8, 8, FALSE}, [WIRE_DOUBLE] = {8, 8, FALSE},
};

static gpointer at(gconstpointer base, gsize offset)
{
    return (char *)base + offset;
}

static guint32 *count_of(const WireField *field, gconstpointer base)
{
    return at(base, field->count);
}

/* Octets of one value of FIELD, in C and (the least) on the wire. */
static gsize c_size(const WireField *field)
{
    if (field->kind == WIRE_STRUCT)
        return field->type->size;
    return field->kind == WIRE_STRING ? sizeof(char *) : field->kind == WIRE_OPAQUE ? 1 : scalars[field->kind].size;
}

static gsize wire_size(const WireField *field)
{
    if (field->kind == WIRE_STRUCT)
        return field->type->min_size;
    return field->kind == WIRE_STRING ? 4 : field->kind == WIRE_OPAQUE ? 1 : scalars[field->kind].wire;
}

/* The arm of a union that its discriminant chooses; NULL if there is none. */
static const WireField *chosen_arm(const WireType *type, gconstpointer base)
{
    gint32 discriminant = *(const gint32 *)at(base, type->discriminant);

    for (guint i = 0; i < type->n_fields; i++)
        if (type->fields[i].chosen_by == discriminant)
            return &type->fields[i];
    return NULL;
}

static gboolean refuse(const WireType *type, const WireField *field, GError **error, const char *what)
{
    return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s.%s: %s", type->name, field->name, what);
}

static gboolean refuse_length(const WireType *type, const WireField *field, gsize n, guint32 max, GError **error)
{
    return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s.%s: length %" G_GSIZE_FORMAT " is above the limit of %u",
                     type->name, field->name, n, max);
}

static const char short_message[] = "the message ends before the value does";
static const char long_message[] = "the message would be longer than a message may be";

static gboolean decode_struct(const WireType *type, XdrReader *reader, gpointer base, GError **error);

static gboolean decode_scalar(WireKind kind, XdrReader *reader, gpointer slot)
{
    guint64 wide;
    guint32 value;

    if (scalars[kind].wire == 8) {
        if (!xdr_read_u64(reader, &wide))
            return FALSE;
        *(guint64 *)slot = wide;
        return TRUE;
    }
    if (!xdr_read_u32(reader, &value))
        return FALSE;
    if (scalars[kind].size == 1)
        *(guint8 *)slot = value;
    else if (scalars[kind].size == 2)
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
        return refuse(type, field, error, short_message);
    if (n > field->length)
        return refuse_length(type, field, n, field->length, error);
    if (!xdr_read_bytes(reader, n, &bytes))
        return refuse(type, field, error, short_message);
    if (n > 0 && memchr(bytes, '\0', n) != NULL)
        return refuse(type, field, error, "a NUL inside a string");
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
    return decode_scalar(field->kind, reader, slot) || refuse(type, field, error, short_message);
}

static gboolean decode_optional(const WireType *type, const WireField *field, XdrReader *reader, gpointer slot,
                                GError **error)
{
    guint32 present;

    if (!xdr_read_u32(reader, &present))
        return refuse(type, field, error, short_message);
    if (!present)
        return TRUE;
    if (field->kind == WIRE_STRING)
        return decode_string(type, field, reader, slot, error);
    if (reader->left < field->type->min_size)
        return refuse(type, field, error, short_message);
    *(gpointer *)slot = g_malloc0(field->type->size);
    return decode_struct(field->type, reader, *(gpointer *)slot, error);
}

static gboolean decode_members(const WireType *type, const WireField *field, XdrReader *reader, gpointer members,
                               guint32 n, GError **error)
{
    const guint8 *bytes;

    if (field->kind == WIRE_OPAQUE) {
        if (!xdr_read_bytes(reader, n, &bytes))
            return refuse(type, field, error, short_message);
        memcpy(members, bytes, n);
        return TRUE;
    }
    for (guint32 i = 0; i < n; i++)
        if (!decode_value(type, field, reader, at(members, i * c_size(field)), error))
            return FALSE;
    return TRUE;
}

static gboolean decode_list(const WireType *type, const WireField *field, XdrReader *reader, gpointer base,
                            GError **error)
{
    gpointer members;
    guint32 n;

    if (!xdr_read_u32(reader, &n))
        return refuse(type, field, error, short_message);
    if (n > field->max)
        return refuse_length(type, field, n, field->max, error);
    if (n > reader->left / wire_size(field))
        return refuse(type, field, error, short_message);
    if (n == 0)
        return TRUE;
    members = g_malloc0_n(n, c_size(field));
    *(gpointer *)at(base, field->offset) = members;
    *count_of(field, base) = n;
    return decode_members(type, field, reader, members, n, error);
}

static gboolean decode_field(const WireType *type, const WireField *field, XdrReader *reader, gpointer base,
                             GError **error)
{
    gpointer slot = at(base, field->offset);

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
    *(gint32 *)at(base, type->discriminant) = discriminant;
    arm = chosen_arm(type, base);
    if (!arm)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s: unknown kind %d", type->name, (gint32)discriminant);
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

static gboolean encode_struct(const WireType *type, gconstpointer base, GByteArray *out, GError **error);

static gboolean encode_scalar(WireKind kind, gconstpointer slot, GByteArray *out)
{
    gboolean is_signed = scalars[kind].is_signed;

    if (scalars[kind].wire == 8)
        return xdr_write_u64(out, *(const guint64 *)slot);
    if (scalars[kind].size == 1)
        return xdr_write_u32(out, is_signed ? (guint32)*(const gint8 *)slot : *(const guint8 *)slot);
    if (scalars[kind].size == 2)
        return xdr_write_u32(out, is_signed ? (guint32)*(const gint16 *)slot : *(const guint16 *)slot);
    return xdr_write_u32(out, *(const guint32 *)slot);
}

static gboolean encode_string(const WireType *type, const WireField *field, const char *value, GByteArray *out,
                              GError **error)
{
    gsize n;

    if (!value)
        return refuse(type, field, error, "a string that must be there is missing");
    n = strlen(value);
    if (n > field->length)
        return refuse_length(type, field, n, field->length, error);
    return (xdr_write_u32(out, n) && xdr_write_bytes(out, (const guint8 *)value, n)) ||
           refuse(type, field, error, long_message);
}

static gboolean encode_value(const WireType *type, const WireField *field, gconstpointer slot, GByteArray *out,
                             GError **error)
{
    if (field->kind == WIRE_STRUCT)
        return encode_struct(field->type, slot, out, error);
    if (field->kind == WIRE_STRING)
        return encode_string(type, field, *(char *const *)slot, out, error);
    return encode_scalar(field->kind, slot, out) || refuse(type, field, error, long_message);
}

static gboolean encode_optional(const WireType *type, const WireField *field, gconstpointer value, GByteArray *out,
                                GError **error)
{
    if (!xdr_write_u32(out, value != NULL))
        return refuse(type, field, error, long_message);
    if (!value)
        return TRUE;
    return field->kind == WIRE_STRING ? encode_string(type, field, value, out, error)
                                      : encode_struct(field->type, value, out, error);
}

static gboolean encode_members(const WireType *type, const WireField *field, gconstpointer members, guint32 n,
                               GByteArray *out, GError **error)
{
    if (field->kind == WIRE_OPAQUE)
        return xdr_write_bytes(out, members, n) || refuse(type, field, error, long_message);
    for (guint32 i = 0; i < n; i++)
        if (!encode_value(type, field, at(members, i * c_size(field)), out, error))
            return FALSE;
    return TRUE;
}

static gboolean encode_list(const WireType *type, const WireField *field, gconstpointer base, GByteArray *out,
                            GError **error)
{
    guint32 n = *count_of(field, base);

    if (n > field->max)
        return refuse_length(type, field, n, field->max, error);
    if (!xdr_write_u32(out, n))
        return refuse(type, field, error, long_message);
    return encode_members(type, field, *(gpointer *)at(base, field->offset), n, out, error);
}

static gboolean encode_field(const WireType *type, const WireField *field, gconstpointer base, GByteArray *out,
                             GError **error)
{
    gconstpointer slot = at(base, field->offset);

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
    discriminant = *(const gint32 *)at(base, type->discriminant);
    arm = chosen_arm(type, base);
    if (!arm)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s: unknown kind %d", type->name, discriminant);
    if (!xdr_write_u32(out, discriminant))
        return refuse(type, arm, error, long_message);
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

static void clear_struct(const WireType *type, gpointer base);

static void clear_members(const WireField *field, gpointer members, guint32 n)
{
    for (guint32 i = 0; i < n; i++) {
        gpointer slot = at(members, i * c_size(field));

        if (field->kind == WIRE_STRUCT)
            clear_struct(field->type, slot);
        else if (field->kind == WIRE_STRING)
            g_free(*(char **)slot);
        else
            return;
    }
}

static void clear_field(const WireField *field, gpointer base)
{
    gpointer slot = at(base, field->offset);

    switch (field->repeat) {
    case WIRE_ONE:
        clear_members(field, slot, 1);
        break;
    case WIRE_OPTIONAL:
        if (field->kind == WIRE_STRUCT && *(gpointer *)slot)
            clear_struct(field->type, *(gpointer *)slot);
        g_free(*(gpointer *)slot);
        break;
    case WIRE_LIST:
        if (*(gpointer *)slot)
            clear_members(field, *(gpointer *)slot, *count_of(field, base));
        g_free(*(gpointer *)slot);
        break;
    case WIRE_FIXED: /* scalars only */
        break;
    }
}

static void clear_struct(const WireType *type, gpointer base)
{
    const WireField *arm;

    if (type->is_union) {
        arm = chosen_arm(type, base);
        if (arm)
            clear_field(arm, base);
        return;
    }
    for (guint i = 0; i < type->n_fields; i++)
        clear_field(&type->fields[i], base);
}

void wire_clear(const WireType *type, gpointer value)
{
    clear_struct(type, value);
    memset(value, 0, type->size);
}

const WireProc *wire_proc(const WireProgram *program, guint32 number)
{
    return number >= 1 && number <= program->n_procs ? &program->procs[number - 1] : NULL;
}

guint64 wire_flags(const WireProc *proc, gconstpointer args)
{
    gconstpointer slot = at(args, proc->flags_offset);

    if (proc->flags_size == 0)
        return 0;
    return proc->flags_size == 8 ? *(const guint64 *)slot : *(const guint32 *)slot;
}

/* The four shapes of handlers; the only place where one is called. */
gboolean wire_handle(const WireProc *proc, Call *call, gconstpointer args, gpointer ret, GError **error)
{
    if (proc->args && proc->ret)
        return ((gboolean(*)(Call *, gconstpointer, gpointer, GError **))proc->handler)(call, args, ret, error);
    if (proc->args)
        return ((gboolean(*)(Call *, gconstpointer, GError **))proc->handler)(call, args, error);
    if (proc->ret)
        return ((gboolean(*)(Call *, gpointer, GError **))proc->handler)(call, ret, error);
    return ((gboolean(*)(Call *, GError **))proc->handler)(call, error);
}
