/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/server.h"

#include <unistd.h>

#include "daemon/auth/acl.h"
#include "daemon/rpc/client-private.h"
#include "lib/log.h"

#define TICK_USEC G_USEC_PER_SEC
#define STOP_POLL_USEC 5000

struct Server {
    Loop *io;
    const Loader *loader;
    Polkit *polkit;
    ServerLimits limits;
    void (*before_answer)(void); /* may be NULL */
    GQueue clients;        /* of Client, each by its own link; one reference */
    GHashTable *accounts;  /* uid -> Account (a reference), of those who have connections or hold something still */
    guint64 last_id;
    sd_event_source *tick; /* NULL: nobody is connected */
    gint connected;        /* atomic */
    gint stopping;         /* atomic */
    Costs costs;           /* any thread */
    guint8 buffer[SERVER_BUFFER_SIZE];
};

Server *server_new(Loop *io, const Loader *loader, Polkit *polkit)
{
    Server *server = g_new0(Server, 1);

    server->io = io;
    server->loader = loader;
    server->polkit = polkit;
    server->accounts = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)account_unref);
    g_queue_init(&server->clients);
    g_mutex_init(&server->costs.lock);
    return server;
}

void server_free(Server *server)
{
    if (!server)
        return;
    g_hash_table_unref(server->accounts);
    g_mutex_clear(&server->costs.lock);
    g_free(server);
}

void server_set_before_answer(Server *server, void (*fn)(void))
{
    server->before_answer = fn;
}

void server_before_answer(const Server *server)
{
    if (server->before_answer && !loop_is_current(server->io))
        server->before_answer();
}

Loop *server_loop(const Server *server)
{
    return server->io;
}

const Loader *server_loader(const Server *server)
{
    return server->loader;
}

Polkit *server_polkit(const Server *server)
{
    return server->polkit;
}

Costs *server_costs(Server *server)
{
    return &server->costs;
}

ServerLimits server_limits(const Server *server)
{
    return server->limits;
}

gboolean server_is_stopping(const Server *server)
{
    return g_atomic_int_get(&server->stopping);
}

gboolean server_is_idle(const Server *server)
{
    return g_atomic_int_get(&server->connected) == 0;
}

guint8 *server_buffer(Server *server)
{
    return server->buffer;
}

typedef struct {
    Server *server;
    const ServerLimits *limits;
} SetLimits;

static void set_limits(gpointer data)
{
    SetLimits *set = data;

    set->server->limits = *set->limits;
}

void server_set_limits(Server *server, const ServerLimits *limits)
{
    SetLimits set = {server, limits};

    loop_call(server->io, set_limits, &set);
}

static void tick(gpointer data)
{
    Server *server = data;
    gint64 now = g_get_monotonic_time();

    g_clear_pointer(&server->tick, sd_event_source_unref);
    for (GList *link = server->clients.head, *next; link; link = next) {
        next = link->next;
        client_tick(link->data, now);
    }
    if (server->clients.head)
        server->tick = loop_after(server->io, TICK_USEC, tick, server);
}

/* Borrowed until close_accounts(). */
static Account *account_of(Server *server, uid_t uid)
{
    Account *account = g_hash_table_lookup(server->accounts, GUINT_TO_POINTER(uid));

    if (!account) {
        account = account_new(uid);
        g_hash_table_insert(server->accounts, GUINT_TO_POINTER(uid), account);
    }
    return account;
}

static gboolean is_idle(gpointer uid, gpointer account, gpointer data)
{
    return account_is_idle(account);
}

/* One that still holds something is looked at again when the next connection ends. */
static void close_accounts(Server *server)
{
    g_hash_table_foreach_remove(server->accounts, is_idle, NULL);
}

/* NULL: there is room for one more. */
static const char *why_full(Server *server, const Account *account)
{
    if (server->clients.length >= server->limits.max_clients)
        return "max_clients is reached";
    if (account->uid != 0 && account->connections >= server->limits.max_clients_per_user)
        return "max_clients_per_user is reached";
    if (closer_waiting(account->closer) >= CLOSER_WAITING_MAX)
        return "too much that this user passed waits to be closed";
    return NULL;
}

static void refuse(const char *who, const char *why)
{
    static LogLimit limit = LOG_LIMIT_INIT(5, 60);

    log_limited(&limit, LOG_WARNING, "refused a connection of %s: %s", who, why);
}

static gboolean asks_polkit(const Server *server, gboolean read_only)
{
    return read_only ? server->limits.polkit_ro : server->limits.polkit;
}

static ClientRights rights_of(const Server *server, const Identity *identity, int fd)
{
    if (acl_admits(identity, fd, server->limits.group))
        return CLIENT_ADMITTED;
    if (asks_polkit(server, identity->read_only))
        return CLIENT_ASKS_POLKIT;
    if (identity->read_only)
        return CLIENT_ADMITTED;
    refuse(identity->name, "neither root nor a member of the configured group");
    return CLIENT_REFUSED;
}

static Client *accept_client(Server *server, Account *account, int fd, Identity *identity, GError **error)
{
    const char *why = why_full(server, account);

    if (why) {
        refuse(identity->name, why);
        identity_unref(identity);
        closer_close_connection(account->closer, fd);
        return NULL;
    }
    return client_new(server, fd, identity, account, rights_of(server, identity, fd), ++server->last_id, error);
}

static void add_client(Server *server, Client *client)
{
    client->link.data = client;
    g_queue_push_tail_link(&server->clients, &client->link);
    client->account->connections++;
    g_atomic_int_inc(&server->connected);
    if (!server->tick)
        server->tick = loop_after(server->io, TICK_USEC, tick, server);
}

void server_accept(Server *server, int fd, gboolean read_only)
{
    g_autoptr(GError) error = NULL;
    Identity *identity = identity_new_unix(fd, read_only, asks_polkit(server, read_only), &error);
    Account *account;
    Client *client;

    if (!identity) {
        refuse("somebody", error->message);
        close(fd);
        return;
    }
    account = account_of(server, identity->uid);
    client = accept_client(server, account, fd, identity, &error);
    if (client)
        add_client(server, client);
    if (error)
        refuse("somebody", error->message);
    close_accounts(server);
}

void server_forget(Server *server, Client *client)
{
    g_queue_unlink(&server->clients, &client->link);
    client->account->connections--;
    close_accounts(server);
    g_atomic_int_add(&server->connected, -1);
    client_unref(client);
}

/* Each connection ends when its last answer is out; none begins a new call. */
static void leave_idle(gpointer data)
{
    Server *server = data;

    for (GList *link = server->clients.head, *next; link; link = next) {
        Client *client = link->data;
        next = link->next;
        if (g_atomic_int_get(&client->calls) == 0)
            client_leave(client);
    }
}

static void close_all(gpointer data)
{
    Server *server = data;

    for (GList *link = server->clients.head; link; link = link->next)
        client_close(link->data);
}

static void end_tick(gpointer data)
{
    g_clear_pointer(&((Server *)data)->tick, sd_event_source_unref);
}

void server_stop(Server *server, guint seconds)
{
    gint64 deadline = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;

    g_atomic_int_set(&server->stopping, TRUE);
    while (g_atomic_int_get(&server->connected) > 0 && g_get_monotonic_time() < deadline) {
        loop_call(server->io, leave_idle, server);
        g_usleep(STOP_POLL_USEC);
    }
    loop_call(server->io, close_all, server);
    while (g_atomic_int_get(&server->connected) > 0)
        g_usleep(STOP_POLL_USEC); /* the ends are posted already: the loop needs no event for them */
    loop_call(server->io, end_tick, server);
}
