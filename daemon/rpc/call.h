/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a handler sees of the call it answers.
 *
 * A handler is a function named as its row: for remote procedure domain_create,
 *
 *   gboolean remote_domain_create(Call *call, const RemoteDomainCreateArgs *args, GError **error);
 *   gboolean remote_node_get_info(Call *call, RemoteNodeGetInfoRet *ret, GError **error);
 *   gboolean remote_domain_get_info(Call *call, const RemoteDomainGetInfoArgs *args, RemoteDomainGetInfoRet *ret, GError **error);
 *
 * emitted (as weak symbols) in remote-gen.h: a row whose handler nobody wrote answers VIR_ERR_NO_SUPPORT. Before it runs,
 * dispatch has decoded ARGS, refused flags the row does not accept, and checked the caller's permission. It runs on
 * the row's lane:
 *
 *   read     the I/O thread; answers from published state, never waits, and if there is much to answer, by call_defer()
 *   work     a pool thread; may block within a budget of its own (parsing a document, sampling a guest)
 *   write    the queue of the domain named in its arguments, alone on it
 *   control  a pool thread of its own, may overtake the queue (destroy, abort)
 *
 * ARGS belong to dispatch; a handler may steal a pointer out of them by g_steal_pointer through a cast. RET starts zeroed;
 * what is put there must be g_malloc'ed and is freed by dispatch after encoding.
 */
#include <glib.h>
#include "daemon/auth/identity.h"
#include "daemon/core/vm.h"
#include "daemon/rpc/remote-gen.h"

typedef struct Client Client;
typedef struct WireProc WireProc;

typedef struct Call {
    Client *client;          /* never NULL; one reference held by the call */
    const WireProc *proc;
    guint32 serial;
    const DriverInstance *instance; /* the connection's driver; NULL before connect_open */
    const Identity *identity;
    Vm *vm;                  /* the domain its arguments name, already looked up, where the row has lane write or control;
                              * else NULL; borrowed. A handler that makes a domain puts a reference here, so that what is
                              * logged for the call has its name */
    int *fds;                /* descriptors that came with the call; a handler that keeps one sets it to -1 here */
    guint n_fds;
    GArray *ret_fds;         /* of int: descriptors to send with the reply; closed after; NULL where the row sends none */
    struct Stream *stream;   /* set by stream_new() (stream.h), where the row has a stream */
    gboolean on_loop;        /* call_defer() is meant */
    gsize deferred;          /* by call_defer() */
    gboolean later;          /* by call_finish_later() */
} Call;

/* TRUE: the handler holds up the I/O thread; it is to return FALSE at once, without an error, and is called again on a
 * pool thread. OCTETS, not 0: about how many it is going to answer. */
static inline gboolean call_defer(Call *call, gsize octets)
{
    call->deferred = call->on_loop ? octets : 0;
    return call->on_loop;
}

/* For the read lane: the handler does not know the answer yet and is to return FALSE at once, without an error. Who knows it
 * later fills the RET that the handler was given and calls call_finish(), once. Until then CALL stays as it is. */
static inline void call_finish_later(Call *call)
{
    call->later = TRUE;
}

/* ERROR (borrowed): NULL where it succeeded. CALL is gone after. I/O loop, after the handler's return. */
void call_finish(Call *call, const GError *error);

/* The domain of a wire argument for the read and work lanes: a new reference, or NULL with VIR_ERR_NO_DOMAIN. */
Vm *call_lookup(Call *call, const RemoteNonnullDomain *dom, GError **error);

/* Fills the wire's idea of VM (name copied, to be freed with the reply). */
void call_domain(Vm *vm, RemoteNonnullDomain *ret);
