/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/validate.h"
#include "driver-kvm/complete.h"
#include "driver-kvm/emulator.h"
#include "driver-kvm/firmware-choose.h"
#include "driver-kvm/machine-options.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/memory.h"
#include "driver-kvm/override.h"
#include "driver-kvm/support.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-plug.h"
#include <string.h>

#define TSEG_STEP 1024 /* KiB */
#define HYPERV_VENDOR_MAX 12
#define REBOOT_TIMEOUT_MAX 65535

static gboolean unsupported(GError **error, const char *text)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text);
}

gboolean validate_emulator(const Domain *def, const Caps *caps, GError **error)
{
    const char *arch = def->os->type->arch;

    if (!emulator_serves(caps_arch(caps), arch))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Emulator '%s' does not support arch '%s'",
                         def->devices->emulator, arch);
    return TRUE;
}

gboolean validate_accel(const Domain *def, const Caps *caps, GError **error)
{
    if ((def->type != DOMAIN_TYPE_QEMU && def->type != DOMAIN_TYPE_KVM) || !caps_has_accel(caps, complete_accel(def)))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Emulator '%s' does not support virt type '%s'",
                         def->devices->emulator, domain_type_to_string(def->type));
    return TRUE;
}

gboolean validate_machine(const Domain *def, const Caps *caps, GError **error)
{
    const FeatureSmm *smm = def->features ? def->features->smm : NULL;

    if (!smm || smm->state == TOGGLE_OFF || smm->tseg == UNSET64)
        return TRUE;
    if (!machine_is_q35(def))
        return unsupported(error, "SMM TSEG is only supported with q35 machine type");
    if (smm->tseg % TSEG_STEP)
        return unsupported(error, "SMM TSEG size must be divisible by 1 MiB");
    return TRUE;
}

static gboolean validate_cpu(const Domain *def, const Caps *caps, GError **error)
{
    const Cpu *cpu = def->cpu;
    const CpuTopology *topology = cpu ? cpu->topology : NULL;
    const CpuCache *cache = cpu ? cpu->cache : NULL;
    const CpuMaxPhys *width = cpu ? cpu->maxphysaddr : NULL;
    gboolean of_host = cpu && (cpu->mode == CPU_MODE_HOST_PASSTHROUGH || cpu->mode == CPU_MODE_MAXIMUM);
    guint max = caps_machine(caps, def->os->type->machine) ? caps_machine(caps, def->os->type->machine)->max_cpus : 0;

    if (cpu && cpu->maxphysaddr && !machine_is_x86(def))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "CPU maximum physical address bits specification is not supported for '%s' architecture",
                         def->os->type->arch);
    if (cpu && cpu->cache && !machine_is_x86(def))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "CPU cache specification is not supported for '%s' architecture", def->os->type->arch);
    if (max && domain_max_vcpus(def) > max)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                         "Maximum CPUs greater than specified machine type limit %u", max);
    if (!cpu)
        return TRUE;
    if (cpu->mode == CPU_MODE_MAXIMUM && !caps_cpu(caps, complete_accel(def), "max"))
        return unsupported(error, "maximum CPU is not supported by QEMU binary");
    if (topology && (guint64)topology->sockets * topology->dies * topology->clusters * topology->cores * topology->threads != domain_max_vcpus(def))
        return unsupported(error, "CPU topology doesn't match maximum vcpu count");
    if (cache && cache->mode == CPU_CACHE_MODE_PASSTHROUGH && !of_host)
        return unsupported(error, "CPU cache mode 'passthrough' can only be used with 'host-passthrough' / 'maximum' CPUs");
    if (cache && cache->mode == CPU_CACHE_MODE_PASSTHROUGH && cache->level != UNSET32)
        return unsupported(error, "unsupported CPU cache level for mode 'passthrough'");
    if (cache && cache->mode == CPU_CACHE_MODE_EMULATE && cache->level != 3)
        return unsupported(error, "unsupported CPU cache level for mode 'emulate'");
    if (width && width->mode == CPU_MAX_PHYS_MODE_PASSTHROUGH && width->bits != UNSET32)
        return unsupported(error, "CPU maximum physical address bits number specification cannot be used with "
                                  "mode='passthrough'");
    if (width && width->mode == CPU_MAX_PHYS_MODE_EMULATE && width->bits == UNSET32)
        return unsupported(error, "if using CPU maximum physical address mode='emulate', bits= must be specified too");
    return TRUE;
}

static gboolean validate_features(const Domain *def, GError **error)
{
    const Features *features = def->features;
    const char *vendor;

    if (!features)
        return TRUE;
    vendor = features->hyperv && features->hyperv->vendor_id ? features->hyperv->vendor_id->value : NULL;
    if (vendor && strlen(vendor) > HYPERV_VENDOR_MAX)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "HyperV vendor_id value must not be more than %d characters.",
                         HYPERV_VENDOR_MAX);
    if (vendor && strchr(vendor, ','))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "HyperV vendor_id value is not valid: '%s'",
                         vendor);
    return TRUE;
}

static gboolean validate_boot(const Domain *def, GError **error)
{
    const OsBios *bios = def->os->bios;

    if (bios && bios->useserial == TOGGLE_ON && !machine_is_x86(def))
        return unsupported(error, "BIOS serial console only supported on x86 architectures");
    if (bios && bios->useserial == TOGGLE_ON && def->devices->serials->len == 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR, "need at least one serial port to use BIOS serial output");
    if (bios && bios->reboot_timeout &&
        (!g_ascii_string_to_signed(bios->reboot_timeout, 10, -1, REBOOT_TIMEOUT_MAX, NULL, NULL)))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                         "invalid value for rebootTimeout, must be in range [-1,%d]", REBOOT_TIMEOUT_MAX);
    return TRUE;
}

/* QEMU keeps all names but those below opt/ to itself, and there those of its firmware. */
static gboolean validate_firmware_files(const Domain *def, GError **error)
{
    for (guint i = 0; i < def->sysinfo->len; i++) {
        const GPtrArray *entries = ((const Sysinfo *)g_ptr_array_index(def->sysinfo, i))->entries;

        for (guint n = 0; n < entries->len; n++) {
            const char *name = ((const SysinfoEntry *)g_ptr_array_index(entries, n))->name;

            if (!g_str_has_prefix(name, "opt/"))
                return unsupported(error, "Invalid firmware name");
            if (g_str_has_prefix(name, "opt/ovmf/") || g_str_has_prefix(name, "opt/org.qemu/"))
                return unsupported(error, "That firmware name is reserved");
        }
    }
    return TRUE;
}

/* Guests that their host cannot look into. */
static gboolean validate_secret_guest(const Domain *def, GError **error)
{
    const LaunchSecurity *security = def->launch_security;

    if (!security)
        return TRUE;
    return unsupported(error, security->type == LAUNCH_SECURITY_TYPE_SEV
                                  ? "SEV launch security is not supported with this QEMU binary"
                                  : "S390 PV launch security is not supported with this QEMU binary");
}

/* A guest that was told to stay after its power off would never end, and QEMU has one switch for what both others make of it. */
gboolean validate_lifecycle(const Domain *def, GError **error)
{
    if (def->on_poweroff == LIFECYCLE_RENAME_RESTART || def->on_reboot == LIFECYCLE_RENAME_RESTART ||
        def->on_crash == CRASH_ACTION_RENAME_RESTART)
        return unsupported(error, "qemu driver doesn't support the 'rename-restart' action for 'on_reboot'/'on_poweroff'/'on_crash'");
    if (def->on_poweroff == LIFECYCLE_PRESERVE || def->on_reboot == LIFECYCLE_PRESERVE)
        return unsupported(error, "qemu driver doesn't support the 'preserve' action for 'on_reboot'/'on_poweroff'");
    return def->on_poweroff != LIFECYCLE_RESTART || def->on_reboot != LIFECYCLE_DESTROY ||
           unsupported(error, "qemu driver doesn't support 'onReboot' set to 'destroy and 'onPoweroff' set to 'reboot'");
}

gboolean validate_domain(const Domain *def, const Caps *caps, GError **error)
{
    return firmware_validate(def, error) && validate_boot(def, error) && validate_cpu(def, caps, error) &&
           validate_features(def, error) && machine_options_validate(def, caps, error) &&
           validate_firmware_files(def, error) && validate_secret_guest(def, error) && validate_lifecycle(def, error) &&
           validate_tunable(def, error) && memory_validate(def, error) && override_validate(def, error);
}

/* What each timer can be told. */
static gboolean validate_timer(const Timer *timer, GError **error)
{
    const char *name = timer_name_to_string(timer->name);
    gboolean fine = TRUE;

    switch (timer->name) {
    case TIMER_NAME_RTC:
        fine = timer->tickpolicy != TIMER_TICK_POLICY_MERGE && timer->tickpolicy != TIMER_TICK_POLICY_DISCARD;
        break;
    case TIMER_NAME_PIT:
        fine = timer->tickpolicy != TIMER_TICK_POLICY_MERGE;
        break;
    case TIMER_NAME_HPET:
    case TIMER_NAME_TSC:
    case TIMER_NAME_KVMCLOCK:
    case TIMER_NAME_HYPERVCLOCK:
        break; /* no policy has an effect: passed over, as by libvirtd */
    default:
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported timer type (name) '%s'", name);
    }
    if (!fine)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported %s timer tickpolicy '%s'", name,
                         timer_tick_policy_to_string(timer->tickpolicy));
    if (timer->present == TOGGLE_OFF && (timer->name == TIMER_NAME_RTC || timer->name == TIMER_NAME_PIT))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "<timer name='%s' present='no'> is not supported by "
                         "this driver", name);
    return TRUE;
}

/* QEMU begins with the first of all processors; the others are plugged in before the guest runs, or later. */
static gboolean validate_vcpus(const Domain *def, GError **error)
{
    for (guint i = 0; def->vcpus && i < def->vcpus->vcpus->len; i++) {
        const VcpuState *vcpu = g_ptr_array_index(def->vcpus->vcpus, i);
        gboolean for_good = vcpu->enabled == TOGGLE_ON && vcpu->hotpluggable != TOGGLE_ON;

        if (for_good != (vcpu->id < domain_boot_vcpus(def)))
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "a <vcpu id='%u'> that is to be there from the start behind one that is not is not supported by this driver",
                             vcpu->id);
    }
    return TRUE;
}

/* Values of supported attributes that are not. */
static gboolean validate_values(const Domain *def, GError **error)
{
    const FeatureState *spinlock = def->features ? def->features->pvspinlock : NULL;

    if (spinlock && spinlock->state == TOGGLE_ON && def->type != DOMAIN_TYPE_KVM)
        return unsupported(error, "host doesn't support paravirtual spinlocks");
    if (!validate_vcpus(def, error))
        return FALSE;
    if (!validate_tuning(def, error))
        return FALSE;
    if (def->os->smbios && def->os->smbios->mode == SMBIOS_MODE_HOST)
        return unsupported(error, "<smbios mode='host'> is not supported by this driver");
    for (guint i = 0; i < def->clock->timers->len; i++)
        if (!validate_timer(g_ptr_array_index(def->clock->timers, i), error))
            return FALSE;
    return TRUE;
}

gboolean validate_start(const Domain *def, const Caps *caps, GError **error)
{
    return support_check(def, error) && validate_values(def, error);
}
