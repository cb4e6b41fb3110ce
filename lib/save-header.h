/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The head of a file that holds a saved guest, byte for byte libvirt's, so that either daemon can restore what the
 * other saved: a fixed part, the domain's XML, perhaps a cookie (a second document, of the driver's), room to grow,
 * then the hypervisor's own stream. While the stream is being written the head says so (PARTIAL) and is refused by
 * readers.
 *
 * Errors: VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED with libvirt's words, or VIR_ERR_SYSTEM_ERROR naming the path.
 */
#include <glib.h>

#define SAVE_HEADER_FIXED 92                 /* bytes of the fixed part */
#define SAVE_HEADER_DATA_MAX (8 * 1024 * 1024) /* of what is between it and the stream */

typedef struct {
    char *xml;           /* owned, never NULL */
    char *cookie;        /* owned; NULL if there is none */
    guint32 data_length; /* bytes between the fixed part and the stream */
    guint32 compression; /* of the stream: 0 is none; save_header_compression() names the others */
    gboolean was_running;
} SaveHeader;

/* With room for XML to grow by 64 KiB, and the stream at a multiple of a page. NULL if XML is over the limit. */
SaveHeader *save_header_new(const char *xml, const char *cookie, gboolean was_running, GError **error);
void save_header_free(SaveHeader *header); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SaveHeader, save_header_free)

/* Replaces the XML; FALSE if it does not fit in the room there is. */
gboolean save_header_set_xml(SaveHeader *header, const char *xml, GError **error);

/* The program that unpacks the stream ("gzip"), or NULL for compression 0. */
const char *save_header_compression(const SaveHeader *header);

/* DATA need not be trusted. LENGTH bytes are the head and may be more. */
SaveHeader *save_header_decode(const guint8 *data, gsize length, GError **error);

/* The head as bytes (owned by the result). */
GByteArray *save_header_encode(const SaveHeader *header, gboolean partial);

/* Reads the head of the file FD at its start; FD then stands at the stream. PATH is for messages. A file that hangs costs
 * no more than PATIENT_USEC (lib/patient.h), as below. */
SaveHeader *save_header_read(int fd, const char *path, GError **error);

/* What ERROR tells of a file is that the save which made it did not come to its end, so that there is nothing to restore. */
gboolean save_header_is_unfinished(const GError *error);

/* Writes the head, not partial, at the start of the file FD and to the disk. */
gboolean save_header_write(const SaveHeader *header, int fd, const char *path, GError **error);
