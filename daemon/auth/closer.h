/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Closes descriptors that strangers passed to us: the last close() of a socket that lingers waits for its peer, that of
 * a file on FUSE for whoever serves it, perhaps for ever. Each user has one, so that nobody waits for another's.
 */
#include <glib.h>

/* Descriptors of a user that wait to be closed at which no more are accepted from him. */
#define CLOSER_WAITING_MAX 1024

typedef struct Closer Closer;

Closer *closer_new(void);
void closer_unref(Closer *closer); /* NULL is allowed; what waits is still closed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Closer, closer_unref)

/* FD is taken over. Never blocks. Any thread, as all below. */
void closer_close(Closer *closer, int fd);

/* The same for a connection to a peer: at once where nothing that could carry descriptors waits in it. */
void closer_close_connection(Closer *closer, int fd);

/* How many wait, or are being closed. */
guint closer_waiting(Closer *closer);
