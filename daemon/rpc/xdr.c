/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/xdr.h"

#include <string.h>

static gboolean take(XdrReader *reader, gsize n, const guint8 **ret_bytes)
{
    if (n > reader->left)
        return FALSE;
    *ret_bytes = reader->at;
    reader->at += n;
    reader->left -= n;
    return TRUE;
}

gboolean xdr_read_u32(XdrReader *reader, guint32 *ret_value)
{
    const guint8 *bytes;
    guint32 value;

    if (!take(reader, sizeof(value), &bytes))
        return FALSE;
    memcpy(&value, bytes, sizeof(value));
    *ret_value = GUINT32_FROM_BE(value);
    return TRUE;
}

gboolean xdr_read_u64(XdrReader *reader, guint64 *ret_value)
{
    const guint8 *bytes;
    guint64 value;

    if (!take(reader, sizeof(value), &bytes))
        return FALSE;
    memcpy(&value, bytes, sizeof(value));
    *ret_value = GUINT64_FROM_BE(value);
    return TRUE;
}

static gsize padding(gsize n)
{
    return (4 - n % 4) % 4;
}

gboolean xdr_read_bytes(XdrReader *reader, gsize n, const guint8 **ret_bytes)
{
    if (n > reader->left)
        return FALSE;
    return take(reader, n + padding(n), ret_bytes);
}

static gboolean has_room(const GByteArray *out, gsize n)
{
    return out->len <= XDR_MAX && n <= XDR_MAX - out->len;
}

gboolean xdr_write_u32(GByteArray *out, guint32 value)
{
    guint32 be = GUINT32_TO_BE(value);

    if (!has_room(out, sizeof(be)))
        return FALSE;
    g_byte_array_append(out, (const guint8 *)&be, sizeof(be));
    return TRUE;
}

gboolean xdr_write_u64(GByteArray *out, guint64 value)
{
    guint64 be = GUINT64_TO_BE(value);

    if (!has_room(out, sizeof(be)))
        return FALSE;
    g_byte_array_append(out, (const guint8 *)&be, sizeof(be));
    return TRUE;
}

gboolean xdr_write_bytes(GByteArray *out, const guint8 *bytes, gsize n)
{
    static const guint8 zeroes[4];

    if (n > XDR_MAX || !has_room(out, n + padding(n)))
        return FALSE;
    if (n > 0)
        g_byte_array_append(out, bytes, n);
    g_byte_array_append(out, zeroes, padding(n));
    return TRUE;
}
