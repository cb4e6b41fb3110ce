/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * XDR's two ends: a cursor over octets that came in, which never leaves them, and a writer, which never exceeds what
 * one message may hold. Everything is in units of four octets, big endian; FALSE always means "does not fit", and then
 * nothing was read or written.
 *
 * All functions: any thread.
 */
#include <glib.h>

#define XDR_MAX (32 * 1024 * 1024) /* octets of one message */

typedef struct XdrReader {
    const guint8 *at;
    gsize left;
} XdrReader;

gboolean xdr_read_u32(XdrReader *reader, guint32 *ret_value);
gboolean xdr_read_u64(XdrReader *reader, guint64 *ret_value);

/* N octets and their padding, whose content does not matter; *RET_BYTES points into what is being read. */
gboolean xdr_read_bytes(XdrReader *reader, gsize n, const guint8 **ret_bytes);

gboolean xdr_write_u32(GByteArray *out, guint32 value);
gboolean xdr_write_u64(GByteArray *out, guint64 value);

/* N octets (BYTES may be NULL if 0) and zeroes up to the next unit. */
gboolean xdr_write_bytes(GByteArray *out, const guint8 *bytes, gsize n);
