/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A procedure's name is the function's name in small letters, so only the words that are not just capitalized need
 * saying. A column in the description was ruled out: 440 names that follow from others.
 */
#include "daemon/rpc/api.h"

#include <string.h>

static const char *const words[][2] = {
    {"cpu", "CPU"},
    {"dhcp", "DHCP"},
    {"fd", "FD"},
    {"fsfreeze", "FSFreeze"},
    {"fsinfo", "FSInfo"},
    {"fsthaw", "FSThaw"},
    {"fstrim", "FSTrim"},
    {"id", "ID"},
    {"iothread", "IOThread"},
    {"mac", "MAC"},
    {"nmi", "NMI"},
    {"nwfilter", "NWFilter"},
    {"nwfilters", "NWFilters"},
    {"os", "OS"},
    {"pm", "PM"},
    {"scsi", "SCSI"},
    {"sev", "SEV"},
    {"ssh", "SSH"},
    {"uri", "URI"},
    {"uuid", "UUID"},
    {"wwn", "WWN"},
    {"xml", "XML"},
};

/* The first that is part of a procedure's name decides. */
static const struct {
    const char *part;
    virErrorDomain domain;
} domains[] = {
    {"domain_snapshot", VIR_FROM_DOMAIN_SNAPSHOT},
    {"domain_list_all_snapshots", VIR_FROM_DOMAIN_SNAPSHOT},
    {"domain_has_current_snapshot", VIR_FROM_DOMAIN_SNAPSHOT},
    {"domain_revert_to_snapshot", VIR_FROM_DOMAIN_SNAPSHOT},
    {"domain_checkpoint", VIR_FROM_DOMAIN_CHECKPOINT},
    {"domain_list_all_checkpoints", VIR_FROM_DOMAIN_CHECKPOINT},
    {"domain_", VIR_FROM_DOMAIN},
    {"nwfilter", VIR_FROM_NWFILTER},
    {"secret", VIR_FROM_SECRET},
    {"interface", VIR_FROM_INTERFACE},
    {"network", VIR_FROM_NETWORK},
    {"storage", VIR_FROM_STORAGE},
    {"node_device", VIR_FROM_NODEDEV},
    {"node_num_of_devices", VIR_FROM_NODEDEV},
    {"node_list_devices", VIR_FROM_NODEDEV},
};

static void append_word(GString *name, const char *word)
{
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_equal(word, words[i][0])) {
            g_string_append(name, words[i][1]);
            return;
        }
    }
    g_string_append_c(name, g_ascii_toupper(word[0]));
    g_string_append(name, word + 1);
}

char *api_name(const WireProc *proc)
{
    gboolean qemu = g_str_equal(proc->program->name, "qemu");
    g_auto(GStrv) parts = g_strsplit(proc->name, "_", -1);
    GString *name = g_string_new("vir");

    for (char **part = parts; *part; part++) {
        append_word(name, *part);
        if (qemu && g_str_equal(*part, "domain"))
            g_string_append(name, "Qemu");
    }
    return g_string_free(name, FALSE);
}

virErrorDomain api_domain(const WireProc *proc)
{
    if (g_str_equal(proc->program->name, "qemu"))
        return VIR_FROM_NONE;
    for (gsize i = 0; i < G_N_ELEMENTS(domains); i++) {
        if (strstr(proc->name, domains[i].part))
            return domains[i].domain;
    }
    return VIR_FROM_DOMAIN;
}

/* Objects that libvirt has drivers of their own for. */
static const struct {
    virErrorDomain domain;
    const char *word, *prefix;
} drivers[] = {
    {VIR_FROM_STORAGE, "storage", "virStorage"},
    {VIR_FROM_SECRET, "secret", "virSecret"},
};

char *api_driver_name(const WireProc *proc, virErrorDomain *ret_domain)
{
    g_autofree char *name = api_name(proc);
    virErrorDomain domain = api_domain(proc);

    for (gsize i = 0; i < G_N_ELEMENTS(drivers); i++) {
        if (drivers[i].domain != domain)
            continue;
        *ret_domain = domain;
        return g_strconcat(drivers[i].word, name + strlen(g_str_has_prefix(name, drivers[i].prefix) ? drivers[i].prefix : "vir"), NULL);
    }
    return NULL;
}
