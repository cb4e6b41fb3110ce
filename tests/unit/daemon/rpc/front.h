/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The front door with nothing behind it: a server on a loop, and sockets into it. What it needs of daemon/core/ is
 * replaced: there is one driver (scheme "test"), one domain that every look-up finds, and each queued call has a
 * thread of its own. Handlers are the test's own.
 */
#include "daemon/rpc/call.h"
#include "daemon/rpc/client-private.h"
#include "daemon/rpc/server.h"

typedef struct {
    Loop *io;
    Server *server;
    ServerLimits limits;
} Front;

/* A message from the server. */
typedef struct {
    FrameHeader header;
    GByteArray *payload;
} Message;

void front_setup(Front *front, gconstpointer data);
void front_teardown(Front *front, gconstpointer data);

/* The client's end of a new connection; opened: connect_open has succeeded. */
int front_connect(Front *front, gboolean read_only);
int front_open(Front *front, gboolean read_only);

/* To the server. */
void send_frame(int fd, FrameHeader header, gconstpointer payload, gsize n);
void send_call(int fd, const WireProc *proc, guint32 serial, gconstpointer args);
void send_ping(int fd);

/* From it; each waits some seconds at most. NULL: the connection has ended. */
Message *receive(int fd);
void message_free(Message *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Message, message_free)

gboolean has_ended(int fd);            /* waits for the end, reading nothing but it */
gboolean is_quiet(int fd, guint msec); /* nothing comes */

/* The reply to SERIAL: fine, or an error with CODE whose message contains TEXT. */
void assert_ok(const Message *message, guint32 serial);
void assert_refused(const Message *message, guint32 serial, int code, const char *text);

#define PROC(name) wire_proc(&remote_program, REMOTE_PROC_##name)
