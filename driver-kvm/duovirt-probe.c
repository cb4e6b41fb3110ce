/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program that caps-ask.h describes. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "driver-kvm/caps-form.h"
#include "driver-kvm/caps-probe.h"
#include "lib/error.h"

enum { ARG_BINARY = 1, ARG_IDENTITY, ARG_ACCEL, ARG_UID, ARG_GID, ARG_GROUPS };

static char *probe(int argc, char **argv, GError **error)
{
    g_autofree gid_t *groups = g_new0(gid_t, argc);
    ProcessIds ids = {.groups = groups};

    if (argc > ARG_GID) {
        ids.uid = (uid_t)strtoul(argv[ARG_UID], NULL, 10);
        ids.gid = (gid_t)strtoul(argv[ARG_GID], NULL, 10);
    }
    for (int i = ARG_GROUPS; i < argc; i++)
        groups[ids.n_groups++] = (gid_t)strtoul(argv[i], NULL, 10);
    return caps_probe(argv[ARG_BINARY], argc > ARG_GID ? &ids : NULL, g_str_equal(argv[ARG_ACCEL], "kvm"), error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (argc <= ARG_ACCEL) {
        fprintf(stderr, "this program is run by the KVM driver\n");
        return EXIT_FAILURE;
    }
    g_autofree char *json = probe(argc, argv, &error);
    g_autoptr(GVariant) form = json ? caps_form_new(argv[ARG_IDENTITY], json, &error) : NULL;
    if (!form) {
        fprintf(stderr, "%s\n", error_detail(error));
        return EXIT_FAILURE;
    }
    gsize size = g_variant_get_size(form);
    return write(STDOUT_FILENO, g_variant_get_data(form), size) == (gssize)size ? EXIT_SUCCESS : EXIT_FAILURE;
}
