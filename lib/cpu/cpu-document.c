/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/cpu/cpu-document.h"

#include <string.h>

#include "lib/error.h"
#include "lib/xml.h"

gboolean cpu_document_is_arch(const char *name)
{
    return processor_arch_from_string(name) != PROCESSOR_ARCH_UNSET;
}

void cpu_document_free(CpuDocument *document)
{
    if (!document)
        return;
    cpu_free(document->cpu);
    g_free(document->arch);
    g_free(document);
}

static gboolean wrong(GError **error, virErrorNumber code, const char *what)
{
    return error_set(error, VIR_FROM_CPU, code, "%s", what);
}

static gboolean has_attribute(const XmlNode *node, const char *name)
{
    g_autofree char *value = xml_attribute(node, name);

    return value != NULL;
}

static gboolean is_nothing(const char *text)
{
    return !text || !*text;
}

/* Nothing of what a host's document says of its clocks and caches plays a part. */
static gboolean read_host(const XmlNode *node, CpuDocument *document, GError **error)
{
    if (has_attribute(node, "mode"))
        return wrong(error, VIR_ERR_CONFIG_UNSUPPORTED, "Attribute mode is only allowed for guest CPU");
    const XmlNode *arch = xml_child(node, "arch");
    g_autofree char *name = arch ? xml_content(arch) : NULL;
    if (is_nothing(name)) /* before all that it may have wrong besides */
        return wrong(error, VIR_ERR_XML_ERROR, "Missing CPU architecture");
    g_autoptr(HostProcessor) host = model_parse(&host_processor_type, node, 0, NULL, error);
    if (!host)
        return FALSE;
    if (is_nothing(host->model))
        return wrong(error, VIR_ERR_XML_ERROR, "Missing CPU model name");

    Cpu *cpu = document->cpu = cpu_new();
    document->arch = g_steal_pointer(&name);
    cpu->model = cpu_model_new();
    cpu->model->name = g_steal_pointer(&host->model);
    cpu->vendor = is_nothing(host->vendor) ? NULL : g_steal_pointer(&host->vendor);
    for (guint i = 0; i < host->features->len; i++) {
        CpuFeature *feature = cpu_feature_new();
        feature->name = g_steal_pointer(&((HostProcessorFeature *)host->features->pdata[i])->name);
        feature->policy = CPU_POLICY_UNSET;
        g_ptr_array_add(cpu->features, feature);
    }
    return TRUE;
}

static gboolean read_guest(const XmlNode *node, CpuDocument *document, GError **error)
{
    Cpu *cpu = document->cpu = model_parse(&cpu_type, node, 0, NULL, error);

    if (!cpu)
        return FALSE;
    if (cpu->mode == CPU_MODE_UNSET)
        cpu->mode = CPU_MODE_CUSTOM;
    gboolean described = cpu->mode == CPU_MODE_CUSTOM || cpu->mode == CPU_MODE_HOST_MODEL;
    if (cpu->migratable != TOGGLE_UNSET && described)
        return wrong(error, VIR_ERR_CONFIG_UNSUPPORTED,
                     "Attribute migratable is only allowed for 'host-passthrough' / 'maximum' CPU mode");
    if (cpu->model && is_nothing(cpu->model->name))
        g_clear_pointer(&cpu->model->name, g_free);
    gboolean named = cpu->model && cpu->model->name;
    if (is_nothing(cpu->vendor))
        g_clear_pointer(&cpu->vendor, g_free);
    if (cpu->vendor && !named)
        return wrong(error, VIR_ERR_XML_ERROR, "CPU vendor specified without CPU model");
    return named || cpu->mode != CPU_MODE_CUSTOM || cpu->features->len == 0 ||
           wrong(error, VIR_ERR_XML_ERROR, "Non-empty feature list specified without CPU model");
}

static gboolean check_features(const Cpu *cpu, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < cpu->features->len; i++) {
        CpuFeature *feature = cpu->features->pdata[i];
        if (is_nothing(feature->name))
            return wrong(error, VIR_ERR_XML_ERROR, "Invalid CPU feature name");
        if (!g_hash_table_add(seen, feature->name))
            return error_set(error, VIR_FROM_CPU, VIR_ERR_XML_ERROR, "CPU feature '%s' specified more than once", feature->name);
    }
    return TRUE;
}

CpuDocument *cpu_document_parse(const char *xml, CpuDocumentKind kind, const char *schema, GError **error)
{
    g_autoptr(XmlDocument) text = xml_parse(xml, "CPU", error);
    g_autoptr(CpuDocument) document = g_new0(CpuDocument, 1);

    if (!text)
        return NULL;
    const XmlNode *root = xml_root(text);
    if (strcmp(xml_name(root), "cpu") != 0) {
        wrong(error, VIR_ERR_XML_ERROR, "XML does not contain expected 'cpu' element");
        return NULL;
    }
    if (schema && !xml_validate(text, schema, error))
        return NULL;
    document->host = kind == CPU_DOCUMENT_HOST || xml_child(root, "arch");
    if (document->host && kind == CPU_DOCUMENT_EITHER && has_attribute(root, "match")) {
        wrong(error, VIR_ERR_XML_ERROR, "'arch' element cannot be used inside 'cpu' element with 'match' attribute'");
        return NULL;
    }
    if (!(document->host ? read_host : read_guest)(root, document, error) || !check_features(document->cpu, error))
        return NULL;
    return g_steal_pointer(&document);
}

GPtrArray *cpu_document_parse_all(const char *const *xmls, guint n, CpuDocumentKind kind, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)cpu_document_free);

    if (n == 0)
        error_set(error, VIR_FROM_CPU, VIR_ERR_INVALID_ARG, "no CPUs given");
    for (guint i = 0; i < n; i++) {
        CpuDocument *document = cpu_document_parse(xmls[i], kind, NULL, error);
        if (!document)
            return NULL;
        g_ptr_array_add(all, document);
    }
    return n ? g_steal_pointer(&all) : NULL;
}
