/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Three loops: "io" and "event" on threads of their own, and one on the main thread for signals and systemd's
 * watchdog, so that the end can wait for what the other two still have to do.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/core/core.h"
#include "daemon/core/event.h"
#include "daemon/core/hook.h"
#include "daemon/core/host-sleep.h"
#include "daemon/host-end.h"
#include "daemon/idle.h"
#include "daemon/places.h"
#include "daemon/rpc/listener.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/log.h"

#define DESCRIPTORS_MAX (1024 * 1024)
#define SESSION_STOP_MAX 100u /* seconds: systemd kills what is left of a session after 120 (user@.service) */

struct Daemon {
    gboolean verbose;
    char *config_path;
    Places *places;
    Config *config;
    int lock;
    Loop *main, *io, *event;
    Listener *listener;
    Bus *bus; /* on the event loop */
    Polkit *polkit;
    CoreOptions core_options;
    Core *core;
    HostEnd *host_end;
    Server *server;
    gboolean serving;
    Idle *idle; /* NULL: it stays */
    sd_event_source *watchdog;
    guint64 watchdog_usec;
};

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

/* The signals come by the main loop: every thread must be born with them blocked. */
static void block_signals(int how)
{
    sigset_t set;

    sigemptyset(&set);
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaddset(&set, signals[i]);
    pthread_sigmask(how, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* A connection needs one descriptor, a guest several. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = MIN(limit.rlim_max, DESCRIPTORS_MAX);
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* A session has no sockets for others. */
static gid_t socket_group(const Daemon *daemon)
{
    const char *name = daemon->places->session ? "" : daemon->config->socket_group;
    const struct group *group = name[0] != '\0' ? getgrnam(name) : NULL;

    return group ? group->gr_gid : (gid_t)-1;
}

static ServerLimits limits_of(const Daemon *daemon)
{
    const Config *config = daemon->config;

    return (ServerLimits){
        .max_clients = config->max_clients,
        .max_clients_per_user = config->max_clients_per_user,
        .max_calls = config->max_calls_per_client,
        .handshake_timeout = config->handshake_timeout,
        .keepalive_interval = config->keepalive_interval,
        .keepalive_count = config->keepalive_count,
        .group = socket_group(daemon),
        .polkit = config->auth == CONFIG_AUTH_POLKIT,
        .polkit_ro = config->auth_ro == CONFIG_AUTH_POLKIT,
    };
}

static HostRules rules_of(const Daemon *daemon)
{
    HostRules rules = daemon->config->rules;

    if (rules.stop == HOST_STOP_UNSET)
        rules.stop = daemon->places->session ? HOST_STOP_SAVE : HOST_STOP_SHUTDOWN;
    if (daemon->places->session)
        rules.stop_timeout = MIN(rules.stop_timeout, SESSION_STOP_MAX);
    return rules;
}

static void set_log_level(const Daemon *daemon)
{
    log_set_level(daemon->verbose ? LOG_DEBUG : (int)daemon->config->log_level);
}

static gboolean read_config(Daemon *daemon, const DaemonOptions *options, GError **error)
{
    daemon->verbose = options->verbose;
    daemon->config_path = g_strdup(options->config ? options->config : daemon->places->config);
    if (options->config && access(options->config, R_OK) < 0)
        return error_set_errno(error, VIR_FROM_CONF, errno, "cannot read %s", options->config);
    daemon->config = config_load(daemon->config_path, error);
    if (!daemon->config)
        return FALSE;
    set_log_level(daemon);
    return TRUE;
}

static gboolean take_lock(Daemon *daemon, GError **error)
{
    if (!file_make_folder(daemon->places->driver.run, 0755, error))
        return FALSE;
    daemon->lock = file_lock(daemon->places->lock, error);
    if (daemon->lock < 0)
        g_prefix_error(error, "another duovirtd runs here: ");
    return daemon->lock >= 0;
}

static gboolean start_loops(Daemon *daemon, GError **error)
{
    return (daemon->main = loop_new("main", error)) && (daemon->event = loop_new("event", error)) &&
           (daemon->io = loop_new("io", error)) && loop_start(daemon->event, error) && loop_start(daemon->io, error);
}

static gboolean open_listener(Daemon *daemon, GError **error)
{
    gid_t group = socket_group(daemon);
    ListenerOptions options = {
        .folder = daemon->places->sockets,
        .session = daemon->places->session,
        /* Without a group the mode's bits for it would mean root's own group. */
        .mode = group == (gid_t)-1 ? daemon->config->socket_mode & 0707 : daemon->config->socket_mode,
        .mode_ro = daemon->config->socket_mode_ro,
        .group = group,
    };

    daemon->listener = listener_open(&options, error);
    return daemon->listener != NULL;
}

static gboolean open_core(Daemon *daemon, const DaemonOptions *options, GError **error)
{
    daemon->core_options = (CoreOptions){
        .paths = daemon->places->driver,
        .loop = daemon->event,
        .config = config_driver,
        .rules = rules_of(daemon),
        .hooks = daemon->places->hooks,
        .hook_timeout = daemon->config->hook_timeout,
        .driver_path = options->drivers,
    };
    daemon->core = core_open(&daemon->core_options, error);
    return daemon->core != NULL;
}

static gboolean open_server(Daemon *daemon, GError **error)
{
    ServerLimits limits = limits_of(daemon);

    daemon->bus = bus_new(daemon->event);
    host_sleep_open(daemon->event, daemon->bus, "");
    daemon->polkit = polkit_new(daemon->event, daemon->bus);
    daemon->server = server_new(daemon->io, core_loader(daemon->core), daemon->polkit);
    server_set_before_answer(daemon->server, event_settle);
    server_set_limits(daemon->server, &limits);
    return TRUE;
}

typedef struct {
    Daemon *daemon;
    gboolean ok;
    GError *error;
} Start;

static void start_listening(gpointer data)
{
    Start *start = data;

    start->ok = listener_start(start->daemon->listener, start->daemon->server, &start->error);
}

static gboolean start_serving(Daemon *daemon, GError **error)
{
    Start start = {.daemon = daemon};

    loop_call(daemon->io, start_listening, &start);
    daemon->serving = start.ok;
    if (!start.ok)
        g_propagate_error(error, start.error);
    return start.ok;
}

static int on_end(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    Daemon *daemon = userdata;

    log_line(LOG_INFO, "stopping: signal %u from pid %u", info->ssi_signo, info->ssi_pid);
    loop_quit(daemon->main);
    return 0;
}

static void warn_of_keys(const Daemon *daemon, const Driver *driver)
{
    static const char *const none[] = {NULL};
    const char *const *known = driver->config_keys ? driver->config_keys : none;
    g_auto(GStrv) keys = config_driver_keys(driver->name);

    for (char **key = keys; *key; key++) {
        if (!g_strv_contains(known, *key))
            log_line(LOG_WARNING, "%s: [%s] %s: no such key", daemon->config_path, driver->name, *key);
    }
}

/* A driver may be missing on purpose, so its section does not keep the daemon from starting. */
static void warn_of_sections(const Daemon *daemon)
{
    g_auto(GStrv) sections = config_drivers();

    for (char **section = sections; *section; section++) {
        const Driver *driver = loader_driver(core_loader(daemon->core), *section);
        if (driver)
            warn_of_keys(daemon, driver);
        else
            log_line(LOG_WARNING, "%s: no driver is named like section [%s]", daemon->config_path, *section);
    }
}

static void reload(Daemon *daemon)
{
    g_autoptr(GError) error = NULL;
    Config *config = config_load(daemon->config_path, &error);
    ServerLimits limits;
    HostRules rules;

    if (!config) {
        log_line(LOG_ERR, "the configuration stays as it was: %s", error->message);
        return;
    }
    config_free(daemon->config);
    daemon->config = config;
    set_log_level(daemon);
    limits = limits_of(daemon);
    server_set_limits(daemon->server, &limits);
    rules = rules_of(daemon);
    host_end_set_rules(daemon->host_end, &rules);
    hook_set_time(config->hook_timeout);
    warn_of_sections(daemon);
    log_line(LOG_INFO, "%s was read again", daemon->config_path);
}

static void tell_reload(gpointer unused)
{
    hook_daemon("reload", "begin", "SIGHUP");
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    sd_notifyf(FALSE, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
    reload(userdata);
    pool_push(POOL_CONTROL, tell_reload, NULL, NULL); /* it may take its time */
    sd_notify(FALSE, "READY=1");
    return 0;
}

static gboolean watch_signals(Daemon *daemon, GError **error)
{
    sd_event *event = loop_event(daemon->main);
    int r = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(signals) && r >= 0; i++)
        r = sd_event_add_signal(event, NULL, signals[i], signals[i] == SIGHUP ? on_reload : on_end, daemon);
    return r >= 0 || error_set_errno(error, VIR_FROM_NONE, -r, "cannot wait for signals");
}

static void beat_main(gpointer data);

/* Each loop passes the beat on; systemd hears of it only if it came through all. */
static void beat_io(gpointer data)
{
    sd_notify(FALSE, "WATCHDOG=1");
}

static void beat_event(gpointer data)
{
    Daemon *daemon = data;

    loop_post(daemon->io, beat_io, daemon);
}

static void beat_main(gpointer data)
{
    Daemon *daemon = data;

    loop_post(daemon->event, beat_event, daemon);
    sd_event_source_unref(daemon->watchdog);
    daemon->watchdog = loop_after(daemon->main, daemon->watchdog_usec / 2, beat_main, daemon);
}

static void start_watchdog(Daemon *daemon)
{
    if (sd_watchdog_enabled(FALSE, &daemon->watchdog_usec) > 0)
        beat_main(daemon);
}

static void say_ready(const Daemon *daemon)
{
    warn_of_sections(daemon);
    log_line(LOG_INFO, "ready: sockets in %s", daemon->places->sockets);
    sd_notify(FALSE, "READY=1");
}

/* Everything in its order; what fails says why. */
static gboolean start(Daemon *daemon, const DaemonOptions *options, GError **error)
{
    daemon->places = places_new(options->root);
    if (daemon->places->session)
        umask(077);
    return read_config(daemon, options, error) &&
           take_lock(daemon, error) &&
           open_listener(daemon, error) && /* early: clients that come now wait for us */
           start_loops(daemon, error) &&
           open_core(daemon, options, error) &&
           open_server(daemon, error) &&
           watch_signals(daemon, error) &&
           start_serving(daemon, error);
}

Daemon *daemon_new(const DaemonOptions *options, GError **error)
{
    g_autoptr(Daemon) daemon = g_new0(Daemon, 1);

    daemon->lock = -1;
    block_signals(SIG_BLOCK);
    raise_descriptors();
    if (!start(daemon, options, error))
        return NULL;
    hook_daemon("start", "-", "start"); /* it may be a client already */
    core_start(daemon->core);
    daemon->host_end = host_end_new(daemon->event, daemon->bus, daemon->core, &daemon->core_options.rules, daemon->places->session);
    if (options->timeout > 0)
        daemon->idle = idle_new(daemon->main, daemon->server, daemon->core, options->timeout);
    start_watchdog(daemon);
    say_ready(daemon);
    return g_steal_pointer(&daemon);
}

void daemon_run(Daemon *daemon)
{
    loop_run(daemon->main);
    sd_notify(FALSE, "STOPPING=1");
    hook_daemon("shutdown", "-", "shutdown");
    host_end_finish(daemon->host_end); /* clients are served meanwhile */
}

static void stop_listening(gpointer data)
{
    listener_close(data);
}

static void close_bus(gpointer data)
{
    host_sleep_close();
    g_clear_pointer(&((Daemon *)data)->bus, bus_free);
}

/* What is still at work then is left as a kill -9 would leave it, which the next start knows how to take up. */
static gpointer end_anyway(gpointer seconds)
{
    g_usleep(GPOINTER_TO_UINT(seconds) * G_USEC_PER_SEC);
    log_line(LOG_NOTICE, "stopped in the middle of an operation; the next start takes it up");
    log_flush();
    _exit(EXIT_SUCCESS);
}

static void stop_serving(Daemon *daemon)
{
    /* From here on a second signal ends the process as it would any other: nothing on disk depends on what follows. */
    g_clear_pointer(&daemon->main, loop_free);
    block_signals(SIG_UNBLOCK);
    loop_call(daemon->io, stop_listening, g_steal_pointer(&daemon->listener));
    server_stop(daemon->server, daemon->config->stop_timeout);
    g_thread_unref(g_thread_new("end", end_anyway, GUINT_TO_POINTER(MAX(daemon->config->stop_timeout, 1))));
}

void daemon_free(Daemon *daemon)
{
    if (!daemon)
        return;
    g_clear_pointer(&daemon->watchdog, sd_event_source_unref);
    g_clear_pointer(&daemon->idle, idle_free);
    if (daemon->serving)
        stop_serving(daemon);
    listener_close(daemon->listener);
    core_close(daemon->core);
    host_end_free(daemon->host_end);
    if (daemon->bus)
        loop_call(daemon->event, close_bus, daemon);
    loop_free(daemon->main);
    loop_free(daemon->io);
    loop_free(daemon->event);
    server_free(daemon->server);
    polkit_free(daemon->polkit);
    if (daemon->lock >= 0)
        close(daemon->lock);
    config_free(daemon->config);
    places_free(daemon->places);
    g_free(daemon->config_path);
    g_free(daemon);
}
