/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A connection as the files of daemon/rpc/ see it. */
#include "daemon/auth/account.h"
#include "daemon/rpc/client.h"
#include "daemon/rpc/frame.h"
#include "daemon/rpc/keepalive.h"
#include "daemon/rpc/outbox.h"
#include "daemon/rpc/server.h"

/* Octets of calls in flight at which a connection is not read any more. */
#define CLIENT_CALL_OCTETS_MAX (64 * 1024 * 1024)

typedef struct Stream Stream;

/* What may be called. */
typedef enum {
    CLIENT_REFUSED,     /* nothing but to be told so */
    CLIENT_ASKS_POLKIT, /* what asks polkit */
    CLIENT_ADMITTED,
} ClientRights;

struct Client {
    gatomicrefcount refs;
    guint64 id;
    Server *server;
    Account *account;
    Identity *identity;
    Identity *viewer; /* the same, read-only: who it is once opened with VIR_CONNECT_RO; made then */

    Outbox outbox; /* any thread */

    gint calls;       /* atomic: in flight */
    gssize octets;    /* atomic: of their messages */
    gsize expected;   /* atomic: of answers that are being made elsewhere than on the I/O loop, where that is known */
    gsize unread;     /* atomic: octets in `reader`, charged to the account; the I/O loop writes */
    gsize streaming;  /* atomic: octets held for its streams' descriptors, charged to the account; the I/O loop writes */
    gint paused;      /* atomic: not read until client_resume() */
    gint closing;     /* atomic: nothing is read any more, the end is posted */
    gpointer instance; /* atomic: const DriverInstance *, set once by connect_open */

    GMutex hooks_lock;
    GArray *hooks; /* of Hook; NULL: closed */
    guint last_hook;

    GMutex streams_lock;
    GHashTable *streams; /* serial -> Stream (a reference) */

    /* I/O loop only. */
    LoopWatch *watch;
    FrameReader reader;
    gboolean continuing; /* more of what was read is dispatched by a posted function */
    ClientRights rights;
    gboolean leaving;    /* ends when what waits has been sent */
    guint64 question;    /* to polkit that is open; 0: none */
    guint question_hook; /* takes it back when the connection ends */
    gint64 deadline;     /* for connect_open, and for leaving; microseconds, monotonic; 0: none */
    Keepalive keepalive;
    guint stalled;       /* streams whose descriptor takes nothing while much waits for it */
    char *uri;           /* of connect_open */
    GList link;          /* in the server's list */
};

/* FD and IDENTITY are taken over. I/O loop. */
Client *client_new(Server *server, int fd, Identity *identity, Account *account, ClientRights rights, guint64 id,
                   GError **error);

/* Sends MESSAGE (taken over) and FDS (taken over; NULL: none). Any thread. */
gboolean client_send(Client *client, GByteArray *message, GArray *fds);

/* The end: at once, or when what waits has been sent. Any thread; the hooks run on the I/O loop, later. */
void client_close(Client *client);
void client_leave(Client *client); /* I/O loop */

/* The peer broke the rules: one line to the log (not for each), and the end. WHY may quote it. Any thread. */
void client_refuse(Client *client, const char *why);

/* Closes CLIENT if it and its user's other connections hold too much. Any thread. */
void client_refuse_if_over(Client *client);

/* The faces of client-io.c. I/O loop. */
void client_on_io(guint32 events, gpointer client);
void client_set_events(Client *client);    /* what the loop waits for has changed */
void client_charge_unread(Client *client); /* so has what was received and not dispatched */

/* A call of N octets begins or ended. An answer of EXPECTED octets is being made: while much is expected, the connection
 * is not read. Begin and expect: I/O loop; end: any thread. */
void client_call_begin(Client *client, gsize octets);
void client_expect(Client *client, gsize expected);
void client_call_end(Client *client, gsize octets, gsize expected);

/* Something that kept it from being read is over. Any thread. */
void client_resume(Client *client);

/* Looks after its deadlines. I/O loop, about once a second. */
void client_tick(Client *client, gint64 now);

/* It has the handshake's time, and SECONDS more, until connect_open. I/O loop. */
void client_expect_open(Client *client, guint seconds);

/* connect_open succeeded. I/O loop. */
void client_opened(Client *client, const DriverInstance *instance, const char *uri, gboolean read_only);
