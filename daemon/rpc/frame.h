/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Messages as they lie on a connection: a length word that counts itself, a header of six words, the payload; where the
 * type says "with fds" a count of descriptors stands before the payload and as many octets follow the message, each of
 * which carries one descriptor (SCM_RIGHTS).
 *
 * What arrives is hostile. Nothing is allocated from a length that was read: a reader grows as octets arrive.
 */
#include <glib.h>
#include "daemon/auth/closer.h"
#include "daemon/rpc/netmsg-gen.h"

#define FRAME_LENGTH_SIZE NET_MESSAGE_LEN_MAX
#define FRAME_HEADER_SIZE NET_MESSAGE_HEADER_MAX
#define FRAME_FDS_MAX NET_MESSAGE_NUM_FDS_MAX

typedef struct {
    guint32 program, version;
    gint32 procedure;
    guint32 type; /* NetMessageType */
    guint32 serial;
    guint32 status; /* NetMessageStatus */
} FrameHeader;

typedef struct {
    FrameHeader header;
    const guint8 *payload; /* borrowed from what was cut */
    gsize n_payload;
    guint n_fds; /* octets with a descriptor that follow */
    int *fds;    /* only of frame_reader_next() */
    gsize size;  /* of everything, those included */
} Frame;

typedef enum {
    FRAME_READY,
    FRAME_MORE, /* the rest has not arrived */
    FRAME_BAD,  /* not our protocol: ERROR says why (VIR_ERR_RPC) */
} FrameResult;

/* The message at the start of the N octets at BYTES. RET_FRAME is written for FRAME_READY only. As soon as a length,
 * type or count cannot be right the answer is FRAME_BAD, however little has arrived. Any thread. */
FrameResult frame_cut(const guint8 *bytes, gsize n, Frame *ret_frame, GError **error);

/* What has arrived and was not cut yet. A zeroed reader is empty. One thread at a time. */
typedef struct {
    const guint8 *data; /* in `pending` or in the buffer of the last frame_reader_receive() */
    gsize n;
    GByteArray *pending; /* NULL: nothing was set aside */
    gsize room;          /* octets that it takes without moving */
    int fds[FRAME_FDS_MAX]; /* that arrived; the first n_given belong to the message given last */
    guint n_fds, n_given;
    Closer *closer; /* of those that nobody kept; borrowed; NULL: they are closed where they are */
} FrameReader;

/* Reads what FD has into BUFFER, which must stay as it is until frame_reader_settle(). Returns the number of octets, 0
 * at the end of the stream, or -errno: -EAGAIN if nothing is there, -EPROTO for more descriptors than a message may
 * carry. */
gssize frame_reader_receive(FrameReader *reader, int fd, guint8 *buffer, gsize size);

/* As if BYTES had been received; overwritten where they are set aside, by this or by settle: they may be part of a secret. */
void frame_reader_feed(FrameReader *reader, guint8 *bytes, gsize n);

/* The next message. Its payload is valid until settle, its fds until the next call of next: who keeps one writes -1 in
 * its place. */
FrameResult frame_reader_next(FrameReader *reader, Frame *ret_frame, GError **error);

/* Copies aside what was not cut; the buffer may be used for something else. */
void frame_reader_settle(FrameReader *reader);

/* Closes and frees; empty after. */
void frame_reader_clear(FrameReader *reader);

/* A message to be sent: the length and HEADER, then what the caller appends; frame_finish() sets the length. FALSE with
 * VIR_ERR_RPC if it became longer than the protocol allows. */
GByteArray *frame_begin(const FrameHeader *header);
gboolean frame_finish(GByteArray *frame, GError **error);
