/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/cpu-ops.h"

#include "driver-kvm/cpu-model.h"
#include "driver-kvm/cpu-start.h"
#include "driver-kvm/hypervisor.h"
#include "driver-kvm/kvm.h"
#include "lib/cpu/x86-compare.h"
#include "lib/error.h"

static gboolean find(Kvm *kvm, const DriverHypervisor *which, Hypervisor *ret_found, GError **error)
{
    return hypervisor_find(kvm->caps, which->emulator, which->arch, which->machine, which->virt_type, ret_found, error);
}

static gboolean unsupported(const Hypervisor *found, const char *what, GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "QEMU '%s' does not support %s for virttype '%s'",
                     caps_binary(found->caps), what, found->accel == CAPS_KVM ? "kvm" : "qemu");
}

static gboolean check_arch(const Hypervisor *found, const char *what, GError **error)
{
    return x86_is_arch(caps_arch(found->caps)) ||
           error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_UNSUPPORTED, "%s is not supported for arch %s", what,
                     caps_arch(found->caps));
}

int cpu_ops_compare(gpointer self, const DriverHypervisor *which, const char *xml, const char *schema, gboolean fail,
                    GError **error)
{
    g_auto(Hypervisor) found = {NULL};

    if (!find(self, which, &found, error))
        return VIR_CPU_COMPARE_ERROR;
    g_autoptr(Cpu) host = cpu_model_host(found.caps, found.accel, CPU_MODEL_REPORTED);
    if (!host || host->model->fallback != CPU_FALLBACK_FORBID) {
        unsupported(&found, "reporting CPU model", error);
        return VIR_CPU_COMPARE_ERROR;
    }
    if (!check_arch(&found, "comparing with the hypervisor CPU", error))
        return VIR_CPU_COMPARE_ERROR;
    g_autoptr(CpuDocument) document = cpu_document_parse(xml, CPU_DOCUMENT_EITHER, schema, error);
    return document ? x86_compare(host, FALSE, document, fail, error) : VIR_CPU_COMPARE_ERROR;
}

char *cpu_ops_baseline(gpointer self, const DriverHypervisor *which, const char *const *xmls, guint n, guint flags,
                       GError **error)
{
    gboolean migratable = (flags & VIR_CONNECT_BASELINE_CPU_MIGRATABLE) != 0;
    g_autoptr(GPtrArray) documents = cpu_document_parse_all(xmls, n, CPU_DOCUMENT_EITHER, error);
    g_auto(Hypervisor) found = {NULL};
    X86Bits features;

    if (!documents || !find(self, which, &found, error))
        return NULL;
    if (caps_cpus(found.caps, found.accel)->len == 0) {
        unsupported(&found, "any CPU models", error);
        return NULL;
    }
    if (!check_arch(&found, "computing baseline hypervisor CPU", error))
        return NULL;
    g_autoptr(GArray) offers = cpu_model_offers(found.caps, found.accel);
    gboolean told = cpu_model_features(found.caps, found.accel, migratable, &features);
    if (told && caps_best_knows_migratable(found.caps, found.accel))
        migratable = FALSE; /* they are sorted out already */
    g_autoptr(Cpu) cpu = x86_baseline(documents, offers, told ? &features : NULL, migratable, error);
    if (!cpu)
        return NULL;
    cpu->model->fallback = CPU_FALLBACK_FORBID;
    if ((flags & VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES) && !x86_expand(cpu, error))
        return NULL;
    return model_format_text(&cpu_type, cpu, 0);
}

gboolean cpu_ops_foretell(gpointer self, Domain *def, GError **error)
{
    Kvm *kvm = self;
    g_autoptr(Caps) caps = caps_cache_get(kvm->caps, def->devices->emulator, error);

    return caps && cpu_start_foretell(def, caps, error);
}
