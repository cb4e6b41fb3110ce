/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-xen/host-domain.h"

#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-defaults.h"

#define NAME "Domain-0"
#define LIMIT_WORD "dom0_mem="
#define LIMIT_PART "max:"

/* A size as Xen's command line takes it (xen-command-line(7)), in KiB, which is what a bare number is in. 0: it is none. */
static guint64 parse_size(const char *text)
{
    static const char units[] = "kmgt";
    char *end;
    guint64 size = g_ascii_strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, g_ascii_tolower(*end)) : units;

    if (end == text || !unit || (*end && end[1]))
        return 0;
    guint shift = 10 * (guint)(unit - units);
    return size << shift >> shift == size ? size << shift : 0;
}

/* What the host's own domain may have at most, as the hypervisor was told; 0: nobody has said. */
static guint64 memory_limit(const char *commandline)
{
    g_auto(GStrv) words = g_strsplit(commandline ? commandline : "", " ", -1);

    for (guint i = 0; words[i]; i++) {
        if (!g_str_has_prefix(words[i], LIMIT_WORD))
            continue;
        g_auto(GStrv) parts = g_strsplit(words[i] + strlen(LIMIT_WORD), ",", -1);
        for (guint j = 0; parts[j]; j++)
            if (g_str_has_prefix(parts[j], LIMIT_PART))
                return parse_size(parts[j] + strlen(LIMIT_PART));
    }
    return 0;
}

static guint64 host_memory(Context *context, const libxl_version_info *version)
{
    libxl_physinfo info;

    libxl_physinfo_init(&info);
    guint64 memory = libxl_get_physinfo(context->libxl, &info) == 0 ? info.total_pages * (version->pagesize / 1024) : 0;
    libxl_physinfo_dispose(&info);
    return memory;
}

static Domain *define(const libxl_dominfo *info, guint64 limit, GError **error)
{
    g_autofree char *text = g_strdup_printf(
        "<domain type='xen'><name>" NAME "</name><uuid>00000000-0000-0000-0000-000000000000</uuid>"
        "<memory>%" G_GUINT64_FORMAT "</memory><currentMemory>%" G_GUINT64_FORMAT "</currentMemory>"
        "<vcpu current='%u'>%u</vcpu><os><type>linux</type></os><on_reboot>destroy</on_reboot></domain>",
        MAX(limit, info->current_memkb), (guint64)info->current_memkb, info->vcpu_online, info->vcpu_max_id + 1);
    Domain *domain = model_parse_text(&domain_type, text, 0, NULL, error);

    if (domain && !domain_normalize(domain, error))
        g_clear_pointer(&domain, domain_unref);
    if (domain)
        domain->id = 0;
    return domain;
}

Domain *host_domain_new(Context *context, GError **error)
{
    const libxl_version_info *version = libxl_get_version_info(context->libxl);
    libxl_dominfo info;

    libxl_dominfo_init(&info);
    if (!version || libxl_domain_info(context->libxl, &info, 0) != 0) {
        libxl_dominfo_dispose(&info);
        context_failed(context, VIR_ERR_INTERNAL_ERROR, error, "unable to get Domain-0 information from libxenlight");
        return NULL;
    }
    guint64 limit = memory_limit(version->commandline);
    Domain *domain = define(&info, limit ? limit : host_memory(context, version), error);
    libxl_dominfo_dispose(&info);
    return domain;
}
