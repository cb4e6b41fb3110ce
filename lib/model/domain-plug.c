/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-plug.h"

#include "lib/model/domain-cpus.h"

VcpuState *domain_vcpu_state(const Domain *def, guint id)
{
    for (guint i = 0; def->vcpus && i < def->vcpus->vcpus->len; i++) {
        VcpuState *state = def->vcpus->vcpus->pdata[i];

        if (state->id == id)
            return state;
    }
    return NULL;
}

gboolean domain_vcpu_enabled(const Domain *def, guint id)
{
    const VcpuState *state = domain_vcpu_state(def, id);

    return state ? state->enabled == TOGGLE_ON : id < domain_vcpus(def);
}

gboolean domain_vcpu_hotpluggable(const Domain *def, guint id)
{
    const VcpuState *state = domain_vcpu_state(def, id);

    return state ? state->hotpluggable == TOGGLE_ON : !domain_vcpu_enabled(def, id);
}

guint domain_boot_vcpus(const Domain *def)
{
    guint n = 0;

    for (guint i = 0; i < domain_max_vcpus(def); i++)
        n += domain_vcpu_enabled(def, i) && !domain_vcpu_hotpluggable(def, i);
    return n;
}

void domain_list_vcpus(Domain *def)
{
    guint plugged = domain_vcpus(def);

    if (def->vcpus && def->vcpus->vcpus->len)
        return;
    if (!def->vcpus)
        def->vcpus = vcpus_new();
    for (guint i = 0; i < domain_max_vcpus(def); i++) {
        VcpuState *state = vcpu_state_new();

        state->id = i;
        state->enabled = i < plugged ? TOGGLE_ON : TOGGLE_OFF;
        state->hotpluggable = i < plugged ? TOGGLE_OFF : TOGGLE_ON;
        g_ptr_array_add(def->vcpus->vcpus, state);
    }
}

/* Those behind the one that went move up. */
static void close_gap(const Domain *def, guint order)
{
    for (guint i = 0; i < def->vcpus->vcpus->len; i++) {
        VcpuState *state = def->vcpus->vcpus->pdata[i];

        if (state->order != UNSET32 && state->order > order)
            state->order--;
    }
}

void domain_plug_vcpu(Domain *def, guint id, gboolean in, gboolean running)
{
    guint plugged = domain_vcpus(def);

    domain_list_vcpus(def);
    VcpuState *state = domain_vcpu_state(def, id);
    if (!state)
        return;
    for (guint i = 0; i < def->vcpus->vcpus->len; i++) {
        VcpuState *other = def->vcpus->vcpus->pdata[i];

        if (!running)
            other->order = UNSET32;
        else if (other->enabled == TOGGLE_ON && other->order == UNSET32)
            other->order = other->id + 1;
    }
    if ((state->enabled == TOGGLE_ON) != in)
        plugged += in ? 1 : -1;
    else if (!in)
        return;
    if (running && in)
        state->order = plugged;
    if (running && !in) {
        close_gap(def, state->order);
        state->order = UNSET32;
    }
    state->enabled = in ? TOGGLE_ON : TOGGLE_OFF;
    state->hotpluggable = TOGGLE_ON;
    def->vcpu->current = plugged == def->vcpu->count ? UNSET32 : plugged;
}
