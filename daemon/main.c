/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program: its options, then the daemon until a signal ends it. */
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "lib/log.h"

enum { EXIT_FINE, EXIT_CANNOT_START, EXIT_WRONG_USE };

static const char description[] =
    "Runs in the foreground and logs to the journal, or to standard error where that is not connected to it.\n"
    "Started by a user other than root it is that user's own (qemu:///session) and keeps to his XDG folders.\n"
    "\n"
    "SIGTERM, SIGINT   stop; calls in progress may end, guests go on\n"
    "SIGHUP            read the configuration again\n"
    "\n"
    "Exit status: 0 after a stop, 1 if it cannot start, 2 for wrong options.";

typedef struct {
    char *root, *config, *drivers;
    int timeout;
    gboolean verbose, version;
} Options;

static void options_clear(Options *options)
{
    g_free(options->root);
    g_free(options->config);
    g_free(options->drivers);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean parse(Options *options, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"root", 'r', 0, G_OPTION_ARG_FILENAME, &options->root, "Keep everything below DIR, sockets in DIR/run/libvirt",
         "DIR"},
        {"config", 'f', 0, G_OPTION_ARG_FILENAME, &options->config, "The configuration (etc/duovirt/duovirtd.conf)",
         "FILE"},
        {"drivers", 0, 0, G_OPTION_ARG_STRING, &options->drivers, "Folders with drivers, separated by colons", "PATH"},
        {"timeout", 't', 0, G_OPTION_ARG_INT, &options->timeout, "End after SECONDS without clients and running domains",
         "SECONDS"},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &options->verbose, "Log everything", NULL},
        {"version", 'V', 0, G_OPTION_ARG_NONE, &options->version, "Say which version this is", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- serves virtual machines to libvirt's clients");

    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_description(context, description);
    if (!g_option_context_parse(context, argc, argv, error))
        return FALSE;
    if (*argc > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "unexpected argument '%s'", (*argv)[1]);
        return FALSE;
    }
    if (options->timeout < 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--timeout cannot be less than 0");
        return FALSE;
    }
    return TRUE;
}

/* Who starts us without the usual three must not find our files under their numbers. */
static void fill_standard(void)
{
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = dup(fd);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    g_auto(Options) options = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(Daemon) daemon = NULL;

    fill_standard();
    if (!parse(&options, &argc, &argv, &error)) {
        g_printerr("duovirtd: %s (see duovirtd --help)\n", error->message);
        return EXIT_WRONG_USE;
    }
    if (options.version) {
        g_print("duovirtd %s\n", DRIVER_BUILD);
        return EXIT_FINE;
    }
    log_open("duovirtd");
    daemon = daemon_new(&(DaemonOptions){options.root, options.config, options.drivers, options.timeout, options.verbose}, &error);
    if (!daemon) {
        log_line(LOG_ERR, "cannot start: %s", error->message);
        return EXIT_CANNOT_START;
    }
    daemon_run(daemon);
    return EXIT_FINE;
}
