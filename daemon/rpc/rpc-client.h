/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The other end of the wire: a small blocking client over a connected socket. The typed calls
 * (remote_client_domain_create() and so on) are emitted into remote-client-gen.h; each is rpc_client_call() of its row.
 *
 * One thread at a time. While a call waits, pings are answered and events are handed over. No streams, no descriptors.
 */
#include "daemon/rpc/wire.h"

typedef struct RpcClient RpcClient;

/* Takes over FD, a connected stream socket. A call that has no answer after TIMEOUT microseconds fails. */
RpcClient *rpc_client_new(int fd, gint64 timeout);
void rpc_client_free(RpcClient *client); /* closes the socket; NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RpcClient, rpc_client_free)

/* FN is called, from within a call, for each event of PROGRAM; MSG is freed after. */
typedef void (*RpcClientEvent)(const WireProc *event, gconstpointer msg, gpointer data);
void rpc_client_listen(RpcClient *client, const WireProgram *program, RpcClientEvent fn, gpointer data);

/* Calls PROC and waits. ARGS and RET as PROC says, NULL where it has none; RET need not be initialized and is to be
 * cleared with wire_clear() after success. An error that the other side answered has its code, domain and text;
 * VIR_ERR_RPC, VIR_ERR_OPERATION_TIMEOUT and VIR_ERR_SYSTEM_ERROR from VIR_FROM_RPC are our own. After the last two,
 * and once the other side did not keep to the protocol, every further call fails. */
gboolean rpc_client_call(RpcClient *client, const WireProc *proc, gconstpointer args, gpointer ret, GError **error);
