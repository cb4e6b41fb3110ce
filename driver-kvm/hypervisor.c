/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/hypervisor.h"

#include "driver-kvm/emulator.h"
#include "lib/error.h"
#include "lib/model/model.h"

void hypervisor_clear(Hypervisor *hypervisor)
{
    g_clear_pointer(&hypervisor->caps, caps_unref);
}

static gboolean choose_accel(const Caps *caps, const char *type, CapsAccel *ret_accel, GError **error)
{
    gboolean kvm = caps_has_accel(caps, CAPS_KVM), tcg = caps_has_accel(caps, CAPS_TCG);

    if (type && domain_type_from_string(type) == DOMAIN_TYPE_UNSET)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "unknown virttype: %s", type);
    if (type && g_str_equal(type, "kvm") && !kvm)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "the accel '%s' is not supported by '%s' on this host", type,
                         caps_binary(caps));
    if (type && !(g_str_equal(type, "kvm") && kvm) && !(g_str_equal(type, "qemu") && tcg))
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "Emulator '%s' does not support virt type '%s'",
                         caps_binary(caps), type);
    *ret_accel = type ? g_str_equal(type, "kvm") ? CAPS_KVM : CAPS_TCG : kvm ? CAPS_KVM : CAPS_TCG;
    return TRUE;
}

gboolean hypervisor_find(CapsCache *cache, const char *emulator, const char *arch, const char *machine, const char *type,
                         Hypervisor *ret_hypervisor, GError **error)
{
    g_autofree char *found = emulator ? g_strdup(emulator) : emulator_of_arch(arch ? arch : emulator_host_arch(), error);
    g_autoptr(Caps) caps = found ? caps_cache_get(cache, found, error) : NULL;
    Hypervisor hypervisor = {NULL};

    if (!caps || !choose_accel(caps, type, &hypervisor.accel, error))
        return FALSE;
    hypervisor.machine = caps_machine(caps, machine);
    if (!hypervisor.machine)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "the machine '%s' is not supported by emulator '%s'",
                         machine ? machine : "(none)", found);
    hypervisor.caps = g_steal_pointer(&caps);
    *ret_hypervisor = hypervisor;
    return TRUE;
}
