/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program: its options, then the daemon until a signal ends it. */
#include <glib.h>
#include <stdlib.h>

#include "lib/log.h"

typedef struct {
    gboolean version;
} Options;

static gboolean parse(Options *options, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Say which version this is and exit", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- serves virtual machines to libvirt's clients");

    g_option_context_add_main_entries(context, entries, NULL);
    return g_option_context_parse(context, argc, argv, error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Options options = {0};

    if (!parse(&options, &argc, &argv, &error)) {
        g_printerr("duovirtd: %s\n", error->message);
        return EXIT_FAILURE;
    }
    if (options.version) {
        g_print("duovirtd " DRIVER_BUILD "\n");
        return EXIT_SUCCESS;
    }
    g_printerr("duovirtd: nothing to serve yet\n");
    return EXIT_FAILURE;
}
