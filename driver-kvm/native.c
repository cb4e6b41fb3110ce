/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The same steps as a start, without the host: ports are the first of all, sockets have the names they would get, and what
 * would come as an open descriptor is told by its name where QEMU knows one, else left out.
 */
#include "driver-kvm/native.h"

#include "driver-kvm/argv.h"
#include "driver-kvm/fd-groups.h"
#include "driver-kvm/kvm.h"
#include "lib/uuid.h"

const char *const native_formats[] = {"qemu-argv", NULL};

static char *join(const ArgvContext *context, const GPtrArray *argv)
{
    g_autoptr(GPtrArray) environment = argv_environment(context);
    g_autoptr(GString) line = g_string_new(NULL);

    for (guint i = 0; i < environment->len; i++)
        argv_append_word(line, environment->pdata[i]);
    for (guint i = 0; i < argv->len && argv->pdata[i]; i++)
        argv_append_word(line, argv->pdata[i]);
    return g_string_free(g_steal_pointer(&line), FALSE);
}

static ArgvContext *context_of(const Kvm *kvm, const Domain *def)
{
    char uuid[UUID_TEXT];

    uuid_format(def->uuid.bytes, uuid);
    g_autofree char *folder = g_build_filename(kvm->host->paths->run, "domains", uuid, "guest", NULL);
    ArgvContext *context = argv_context_new(folder);
    context->state_dir = g_strdup(kvm->host->paths->state);
    context->find_secret = kvm->host->secret;
    context->find_volume = kvm->host->volume;
    context->vnc_listen = g_strdup(kvm->host->config("kvm", "vnc_listen"));
    context->spice_listen = g_strdup(kvm->host->config("kvm", "spice_listen"));
    context->sandbox = TRUE;
    return context;
}

char *native_command(gpointer self, const char *format, const Domain *def, GError **error)
{
    Kvm *kvm = self;
    g_autoptr(Domain) live = domain_copy(def);

    if (!kvm_definition_ops.complete(self, live, DRIVER_COMPLETE_START, error))
        return NULL;
    g_autoptr(Caps) caps = caps_cache_get(kvm->caps, live->devices->emulator, error);
    g_autoptr(ArgvContext) context = context_of(kvm, live);
    g_autoptr(GPtrArray) argv = NULL;
    if (!caps || !fd_groups_pass(kvm, NULL, live, context, error) || !argv_prepare(live, caps, context, error) || !argv_build(live, caps, context, &argv, error))
        return NULL;
    return join(context, argv);
}
