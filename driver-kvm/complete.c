/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order is libvirt's, for two reasons: a default may depend on an earlier one, and of several faults libvirt names
 * the first that it meets.
 */
#include "driver-kvm/complete.h"
#include "driver-kvm/cpu-start.h"
#include "driver-kvm/address.h"
#include "driver-kvm/device.h"
#include "driver-kvm/emulator.h"
#include "driver-kvm/firmware-choose.h"
#include "driver-kvm/implied.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/serial.h"
#include "driver-kvm/validate.h"
#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/domain-clock.h"
#include "lib/model/domain-defaults.h"
#include "lib/model/domain-hostdev.h"
#include "lib/model/domain-validate.h"
#include <string.h>
#include <sys/utsname.h>

CapsAccel complete_accel(const Domain *def)
{
    return def->type == DOMAIN_TYPE_KVM ? CAPS_KVM : CAPS_TCG;
}

gboolean complete_emulator(Domain *def, GError **error)
{
    struct utsname host;

    if (def->os->type->value != OS_TYPE_HVM)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                         "could not find capabilities for ostype=%s", os_type_to_string(def->os->type->value));
    if (!def->os->type->arch) {
        uname(&host);
        def->os->type->arch = g_strdup(host.machine);
    }
    if (strpbrk(def->os->type->arch, "/ "))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "Unknown architecture %s", def->os->type->arch);
    if (!def->devices->emulator)
        def->devices->emulator = emulator_of_arch(def->os->type->arch, NULL);
    if (!def->devices->emulator)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "No emulator found for arch '%s'",
                         def->os->type->arch);
    return TRUE;
}

static gboolean complete_machine(Domain *def, const Caps *caps, GError **error)
{
    const CapsMachine *machine = caps_machine(caps, def->os->type->machine);

    if (!machine && !def->os->type->machine)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "could not get preferred machine for %s type=%s",
                         def->devices->emulator, domain_type_to_string(def->type));
    if (!machine && !validate_accel(def, caps, error))
        return FALSE;
    if (!machine)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Emulator '%s' does not support machine type '%s'",
                         def->devices->emulator, def->os->type->machine);
    g_free(def->os->type->machine);
    def->os->type->machine = g_strdup(machine->name);
    return TRUE;
}

/* The name of a CPU's QOM type without the architecture: "qemu64-x86_64-cpu" is "qemu64". To free. */
static char *cpu_name(const Caps *caps, const char *type)
{
    GPtrArray const *cpus = caps_cpus(caps, CAPS_TCG);
    const char *dash = g_strrstr(type, "-");

    for (guint i = 0; i < cpus->len; i++) {
        const CapsCpu *cpu = g_ptr_array_index(cpus, i);

        if (g_strcmp0(cpu->type, type) != 0)
            continue;
        /* documents write POWER9, which QEMU takes as well */
        return g_str_has_prefix(cpu->name, "power") && g_ascii_isdigit(cpu->name[5]) ? g_ascii_strup(cpu->name, -1)
                                                                                     : g_strdup(cpu->name);
    }
    dash = dash ? g_strrstr_len(type, dash - type, "-") : NULL;
    return dash ? g_strndup(type, (gsize)(dash - type)) : g_strdup(type);
}

/* What QEMU takes by itself is known to be right for an emulated guest, and for one of a host that QEMU has models for.
 */
static void default_cpu(Domain *def, const Caps *caps)
{
    const CapsMachine *machine = caps_machine(caps, def->os->type->machine);
    gboolean modelled = machine_is_x86(def) || machine_is_s390(def) || machine_is_ppc64(def);

    if (!machine->default_cpu || !(modelled || (machine_is_arm(def) && def->type == DOMAIN_TYPE_QEMU)))
        return;
    if (!def->cpu)
        def->cpu = cpu_new();
    def->cpu->mode = CPU_MODE_CUSTOM;
    def->cpu->match = CPU_MATCH_EXACT;
    def->cpu->check = CPU_CHECK_NONE;
    cpu_model_free(def->cpu->model);
    def->cpu->model = cpu_model_new();
    def->cpu->model->name = cpu_name(caps, machine->default_cpu);
    def->cpu->model->fallback = CPU_FALLBACK_FORBID;
}

/* The lengths of ARM's vectors come with the vectors. */
static gboolean complete_vectors(Cpu *cpu, GError **error)
{
    CpuFeature *vectors = NULL;
    gboolean lengths = FALSE;

    for (guint i = 0; i < cpu->features->len; i++) {
        CpuFeature *feature = g_ptr_array_index(cpu->features, i);

        if (g_strcmp0(feature->name, "sve") == 0)
            vectors = feature;
        else if (g_str_has_prefix(feature->name, "sve"))
            lengths = TRUE;
    }
    if (!lengths)
        return TRUE;
    if (vectors && (vectors->policy == CPU_POLICY_DISABLE || vectors->policy == CPU_POLICY_FORBID))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "SVE disabled, but SVE vector lengths provided");
    if (!vectors) {
        vectors = cpu_feature_new();
        vectors->name = g_strdup("sve");
        g_ptr_array_add(cpu->features, vectors);
    }
    vectors->policy = CPU_POLICY_REQUIRE;
    return TRUE;
}

/* ARM's "virt" always has an interrupt controller. The third version that TCG emulates has no MSI. */
static void complete_gic(Domain *def)
{
    if (!def->features)
        def->features = features_new();
    if (!def->features->gic)
        def->features->gic = feature_gic_new();
    if (def->features->gic->version == GIC_VERSION_UNSET)
        def->features->gic->version = GIC_VERSION_2;
}

static gboolean complete_cpu(Domain *def, const Caps *caps, GError **error)
{
    Cpu *cpu = def->cpu;
    gboolean custom = !cpu || cpu->mode == CPU_MODE_UNSET || cpu->mode == CPU_MODE_CUSTOM;

    if (custom && (!cpu || !cpu->model || !cpu->model->name || !*cpu->model->name)) {
        if (cpu && cpu->check != CPU_CHECK_UNSET)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                             "check attribute specified for CPU with no model");
        default_cpu(def, caps);
        return TRUE;
    }
    if (!complete_vectors(cpu, error))
        return FALSE;
    if (custom) {
        cpu->mode = CPU_MODE_CUSTOM;
        if (cpu->match == CPU_MATCH_UNSET)
            cpu->match = CPU_MATCH_EXACT;
        if (cpu->model->fallback == CPU_FALLBACK_UNSET)
            cpu->model->fallback = CPU_FALLBACK_ALLOW;
    }
    if (cpu->mode == CPU_MODE_HOST_PASSTHROUGH && cpu->migratable == TOGGLE_UNSET && machine_is_x86(def))
        cpu->migratable = g_strcmp0(caps_arch(caps), "x86_64") == 0 ? TOGGLE_ON : TOGGLE_OFF;
    if (cpu->check != CPU_CHECK_UNSET)
        return TRUE;
    if (cpu->mode == CPU_MODE_HOST_PASSTHROUGH || cpu->mode == CPU_MODE_MAXIMUM)
        cpu->check = CPU_CHECK_NONE;
    else if (cpu->mode == CPU_MODE_CUSTOM && def->type == DOMAIN_TYPE_QEMU)
        cpu->check = CPU_CHECK_NONE;
    else
        cpu->check = CPU_CHECK_PARTIAL;
    return TRUE;
}

static gboolean complete_os(Domain *def, GError **error)
{
    OsLoader *loader = def->os->loader;
    Features *features = def->features;

    if (features && features->vmcoreinfo && features->vmcoreinfo->state == TOGGLE_UNSET)
        features->vmcoreinfo->state = TOGGLE_ON;

    if (loader && loader->path && loader->type == LOADER_TYPE_UNSET)
        loader->type = LOADER_TYPE_ROM;
    return TRUE;
}

/* Devices that domain_imply() added have no defaults yet. */
static gboolean complete_implied(Domain *def, const Caps *caps, GError **error)
{
    const Devices *devices = def->devices;

    if (devices->videos->len && !device_video.complete(def, g_ptr_array_index(devices->videos, 0), caps, error))
        return FALSE;
    if (devices->serials->len && !device_serial.complete(def, g_ptr_array_index(devices->serials, 0), caps, error))
        return FALSE;
    for (guint i = 0; i < devices->controllers->len; i++)
        if (!device_controller.complete(def, g_ptr_array_index(devices->controllers, i), caps, error))
            return FALSE;
    domain_twin_consoles(def);
    return TRUE;
}

static gboolean complete_define(Domain *def, const Caps *caps, GError **error)
{
    if (!domain_complete_clock(def, error))
        return FALSE;
    if (!firmware_normalize(def, error) || !domain_normalize(def, error) || !validate_emulator(def, caps, error) || !complete_machine(def, caps, error))
        return FALSE;
    domain_want_hostdev_controllers(def);
    if (machine_has(def, MACHINE_GIC) || (def->features && def->features->gic))
        complete_gic(def);
    if (!implied_devices(def, caps, error) || !complete_cpu(def, caps, error) || !validate_machine(def, caps, error))
        return FALSE;
    if (!serial_number_isa(def, error) || !device_complete_all(def, caps, error) || !domain_imply(def, error))
        return FALSE;
    if (!complete_os(def, error) || !complete_implied(def, caps, error) || !address_assign(def, caps, error))
        return FALSE;
    domain_twin_consoles(def);
    return validate_accel(def, caps, error) && domain_validate(def, error) && address_validate(def, caps, error) &&
           validate_domain(def, caps, error) && device_validate_all(def, caps, error);
}

gboolean complete_domain(Domain *def, const Caps *caps, DriverComplete when, GError **error)
{
    if (when == DRIVER_COMPLETE_DEFINE)
        return complete_define(def, caps, error);
    return validate_emulator(def, caps, error) && validate_accel(def, caps, error) &&
           validate_start(def, caps, error) && cpu_start_settle(def, caps, error) && device_assign_aliases(def, error);
}

gboolean complete_plugged(Domain *live, const DomainDevice *which, gpointer held, const Caps *caps, GError **error)
{
    const DeviceKind *kind = device_kind(which->name);

    if (!domain_normalize_device(live, which, held, error) ||
        (kind->complete && !kind->complete(live, held, caps, error)))
        return FALSE;
    if (kind->validate && !kind->validate(live, held, caps, error))
        return FALSE;
    if (!domain_validate(live, error) || !address_plug(live, kind, held, error))
        return FALSE;
    device_assign_alias(kind, live, held);
    return TRUE;
}
