/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers about processors: this host's, others', and what guests can get of them. */
#include "daemon/core/core-config.h"
#include "daemon/core/place.h"
#include "daemon/core/vm-ops.h"
#include "lib/cpu/x86-compare.h"
#include "lib/cpu/x86-host.h"
#include "lib/error.h"

/* Names for those architectures whose processors libvirt tells apart; their features are not ours to reckon with. */
static const struct {
    const char *arch;
    const char *const *models; /* NULL: the x86 ones */
} known[] = {
    {"x86_64", NULL},
    {"i686", NULL},
    {"ppc64", (const char *const[]){"POWER6", "POWER7", "POWER8", "POWER9", "POWER10", "POWERPC_e5500", "POWERPC_e6500", NULL}},
    {"ppc64le", (const char *const[]){"POWER6", "POWER7", "POWER8", "POWER9", "POWER10", "POWERPC_e5500", "POWERPC_e6500", NULL}},
    {"armv6l", (const char *const[]){NULL}},
    {"armv7l", (const char *const[]){NULL}},
    {"armv7b", (const char *const[]){NULL}},
    {"aarch64", (const char *const[]){NULL}},
    {"s390", (const char *const[]){NULL}},
    {"s390x", (const char *const[]){NULL}},
};

static GPtrArray *names_of(const char *const *models)
{
    GPtrArray *names = g_ptr_array_new();

    for (guint i = 0; !models && i < X86_N_MODELS; i++)
        g_ptr_array_add(names, g_strdup(x86_models[i].name));
    for (guint i = 0; models && models[i]; i++)
        g_ptr_array_add(names, g_strdup(models[i]));
    return names;
}

gboolean remote_connect_get_cpu_model_names(Call *call, const RemoteConnectGetCpuModelNamesArgs *args,
                                            RemoteConnectGetCpuModelNamesRet *ret, GError **error)
{
    guint i = 0;

    if (!cpu_document_is_arch(args->arch))
        return error_set(error, call->instance->from, VIR_ERR_INVALID_ARG, "cannot find architecture %s", args->arch);
    while (i < G_N_ELEMENTS(known) && !g_str_equal(known[i].arch, args->arch))
        i++;
    if (i == G_N_ELEMENTS(known))
        return error_set(error, VIR_FROM_CPU, VIR_ERR_NO_SUPPORT, "'%s' architecture is not supported by CPU driver", args->arch);
    GPtrArray *names = names_of(known[i].models);
    ret->ret = (gint32)names->len;
    if (args->need_results) {
        ret->n_models = names->len;
        ret->models = (char **)g_ptr_array_free(names, FALSE);
        return TRUE;
    }
    g_ptr_array_set_free_func(names, g_free);
    g_ptr_array_unref(names);
    return TRUE;
}

/* Path of the schema where FLAGS ask for it; to free. */
static char *schema_for(guint flags)
{
    return flags & VIR_CONNECT_COMPARE_CPU_VALIDATE_XML ? place_of("lib/model/cpu.rng", SCHEMA_FOLDER "/cpu.rng") : NULL;
}

gboolean remote_connect_compare_cpu(Call *call, const RemoteConnectCompareCpuArgs *args, RemoteConnectCompareCpuRet *ret,
                                    GError **error)
{
    g_autofree char *schema = schema_for(args->flags);
    g_autoptr(Cpu) host = x86_host_cpu(TRUE, NULL);
    g_autoptr(CpuDocument) document = cpu_document_parse(args->xml, CPU_DOCUMENT_EITHER, schema, error);

    if (!document)
        return FALSE;
    ret->result = x86_compare(host, TRUE, document, (args->flags & VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE) != 0, error);
    return ret->result != VIR_CPU_COMPARE_ERROR;
}

gboolean remote_connect_baseline_cpu(Call *call, const RemoteConnectBaselineCpuArgs *args, RemoteConnectBaselineCpuRet *ret,
                                     GError **error)
{
    g_autoptr(GPtrArray) documents =
        cpu_document_parse_all((const char *const *)args->xml_cpus, args->n_xml_cpus, CPU_DOCUMENT_HOST, error);

    if (!documents)
        return FALSE;
    const char *arch = ((const CpuDocument *)documents->pdata[0])->arch;
    if (g_str_has_prefix(arch, "s390"))
        return error_set(error, VIR_FROM_CPU, VIR_ERR_NO_SUPPORT, "cannot compute baseline CPU of %s architecture", arch);
    if (!x86_is_arch(arch))
        return error_set(error, VIR_FROM_CPU, VIR_ERR_NO_SUPPORT, "'%s' architecture is not supported by CPU driver", arch);
    g_autoptr(Cpu) cpu =
        x86_baseline(documents, NULL, NULL, (args->flags & VIR_CONNECT_BASELINE_CPU_MIGRATABLE) != 0, error);
    if (!cpu)
        return FALSE;
    x86_list_filter(cpu, x86_list_is_for_guests, NULL);
    if ((args->flags & VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES) && !x86_expand(cpu, error))
        return FALSE;
    ret->cpu = model_format_text(&cpu_type, cpu, 0);
    return TRUE;
}

gboolean remote_connect_compare_hypervisor_cpu(Call *call, const RemoteConnectCompareHypervisorCpuArgs *args,
                                               RemoteConnectCompareHypervisorCpuRet *ret, GError **error)
{
    const DriverNodeOps *node = call->instance->driver->node;
    const DriverHypervisor which = {args->emulator, args->arch, args->machine, args->virttype};
    g_autofree char *schema = schema_for(args->flags);

    if (!node || !node->compare_cpu)
        return ops_not_offered(call, error);
    ret->result = node->compare_cpu(call->instance->self, &which, args->xml_cpu, schema,
                                    (args->flags & VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE) != 0, error);
    return ret->result != VIR_CPU_COMPARE_ERROR;
}

gboolean remote_connect_baseline_hypervisor_cpu(Call *call, const RemoteConnectBaselineHypervisorCpuArgs *args,
                                                RemoteConnectBaselineHypervisorCpuRet *ret, GError **error)
{
    const DriverNodeOps *node = call->instance->driver->node;
    const DriverHypervisor which = {args->emulator, args->arch, args->machine, args->virttype};

    if (!node || !node->baseline_cpu)
        return ops_not_offered(call, error);
    ret->cpu = node->baseline_cpu(call->instance->self, &which, (const char *const *)args->xml_cpus, args->n_xml_cpus,
                                  args->flags, error);
    return ret->cpu != NULL;
}
