/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers by which a client says who it is, before it chooses a driver. All on the I/O loop. */
#include "daemon/rpc/call.h"
#include "daemon/rpc/client-private.h"
#include "lib/error.h"

gboolean remote_auth_list(Call *call, RemoteAuthListRet *ret, GError **error)
{
    ret->types = g_new(gint32, 1);
    ret->types[0] = call->client->rights == CLIENT_ASKS_POLKIT ? REMOTE_AUTH_POLKIT : REMOTE_AUTH_NONE;
    ret->n_types = 1;
    return TRUE;
}

static gboolean auth_failed(GError **error)
{
    return error_set(error, VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "authentication failed");
}

/* What auth_list did not offer. */
gboolean remote_auth_sasl_init(Call *call, RemoteAuthSaslInitRet *ret, GError **error)
{
    return auth_failed(error);
}

gboolean remote_auth_sasl_start(Call *call, const RemoteAuthSaslStartArgs *args, RemoteAuthSaslStartRet *ret,
                                GError **error)
{
    return auth_failed(error);
}

gboolean remote_auth_sasl_step(Call *call, const RemoteAuthSaslStepArgs *args, RemoteAuthSaslStepRet *ret,
                               GError **error)
{
    return auth_failed(error);
}

/* A question to polkit and what became of it. */
typedef struct {
    Call *call;
    RemoteAuthPolkitRet *ret;
    GError *error; /* NULL: admitted */
} Answer;

static void apply_answer(gpointer data)
{
    g_autofree Answer *answer = data;
    g_autoptr(GError) error = g_steal_pointer(&answer->error);
    Client *client = answer->call->client;

    client_remove_close_hook(client, client->question_hook);
    client->question = 0;
    if (!client->leaving)
        client_expect_open(client, 0);
    if (!error)
        client->rights = CLIENT_ADMITTED;
    answer->ret->complete = !error;
    call_finish(answer->call, error);
}

static void on_answer(gpointer data, const GError *error)
{
    Answer *answer = data;

    answer->error = error ? g_error_copy(error) : NULL;
    loop_post(server_loop(answer->call->client->server), apply_answer, answer);
}

static void withdraw(gpointer data)
{
    Client *client = data;

    polkit_withdraw(server_polkit(client->server), client->question);
}

gboolean remote_auth_polkit(Call *call, RemoteAuthPolkitRet *ret, GError **error)
{
    Client *client = call->client;
    Answer *answer;

    if (client->rights != CLIENT_ASKS_POLKIT || client->question != 0)
        return auth_failed(error);
    answer = g_new0(Answer, 1);
    answer->call = call;
    answer->ret = ret;
    call_finish_later(call);
    client_expect_open(client, POLKIT_SECONDS);
    client->question = polkit_ask(server_polkit(client->server), client->identity,
                                  client->identity->read_only ? "org.libvirt.unix.monitor" : "org.libvirt.unix.manage",
                                  on_answer, answer);
    client->question_hook = client_add_close_hook(client, withdraw, client);
    if (client->question_hook == 0)
        withdraw(client);
    return FALSE;
}
