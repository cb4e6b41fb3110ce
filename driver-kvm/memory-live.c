/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/memory-live.h"

#include "driver-kvm/caps-cache.h"
#include "driver-kvm/device.h"
#include "driver-kvm/qmp-commands.h"
#include "lib/error.h"
#include "lib/json-peek.h"

#define REFUSED VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED

static MemoryDevice *find_alias(const Domain *def, const char *alias)
{
    for (guint i = 0; alias && i < def->devices->memories->len; i++) {
        MemoryDevice *module = def->devices->memories->pdata[i];

        if (module->alias && g_strcmp0(module->alias->name, alias) == 0)
            return module;
    }
    return NULL;
}

/* --- what QEMU tells --- */

/* DATA: QEMU's list. */
static gboolean edit_learn(Domain *live, gpointer data, GError **error)
{
    JsonArray *list = data;

    for (guint i = 0; i < json_peek_length(list); i++) {
        JsonObject *told = json_peek_object(json_peek_object_at(list, i), "data");
        MemoryDevice *module = find_alias(live, json_peek_string(told, "id"));
        gint64 number;

        if (!module)
            continue;
        if (module->model == MEMORY_DEVICE_MODEL_VIRTIO_MEM && json_peek_int(told, "size", &number) && number >= 0)
            module->target->current = (guint64)number / 1024;
        if (module->address && module->address->type == ADDRESS_TYPE_DIMM && json_peek_int(told, "addr", &number) && number > 0)
            module->address->base = (guint64)number;
    }
    return TRUE;
}

gboolean memory_learn(Guest *guest, Qmp *qmp, GError **error)
{
    g_autoptr(Domain) live = guest_live(guest);

    if (live->devices->memories->len == 0)
        return TRUE;
    g_autoptr(JsonNode) answer = qmp_call(qmp, "query-memory-devices", NULL, QMP_DEADLINE, error);
    if (!answer)
        return FALSE;
    JsonArray *list = json_peek_as_array(answer);
    if (!list)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "QEMU's answer to query-memory-devices is not a list");
    return guest_edit(guest, edit_learn, list, error);
}

typedef struct {
    const char *alias;
    guint64 kib;
} Size;

static gboolean edit_current(Domain *live, gpointer data, GError **error)
{
    const Size *size = data;
    MemoryDevice *module = find_alias(live, size->alias);

    if (module)
        module->target->current = size->kib;
    return TRUE;
}

void memory_publish(Guest *guest, const char *alias, guint64 bytes)
{
    Size size = {alias, bytes / 1024 + (bytes % 1024 > 0)};

    guest_edit(guest, edit_current, &size, NULL);
}

/* --- what a client wants --- */

static const char *toggle_word(Toggle value)
{
    return value == TOGGLE_ON ? "yes" : value == TOGGLE_OFF ? "no" : "default";
}

static guint64 or_nothing(guint64 value)
{
    return value == UNSET64 ? 0 : value;
}

static gboolean same_size(const char *what, guint64 old, guint64 wanted, GError **error)
{
    return or_nothing(old) == or_nothing(wanted) ||
           error_set(error, REFUSED, "cannot modify memory %s from '%" G_GUINT64_FORMAT "' to '%" G_GUINT64_FORMAT "'", what,
                     or_nothing(old), or_nothing(wanted));
}

static gboolean same_word(const char *what, const char *old, const char *wanted, GError **error)
{
    return g_strcmp0(old, wanted) == 0 || error_set(error, REFUSED, "cannot modify memory %s from '%s' to '%s'", what,
                                                    old ? old : "default", wanted ? wanted : "default");
}

/* Nothing but how much of it the guest shall have. */
static gboolean check_change(const MemoryDevice *old, const MemoryDevice *wanted, GError **error)
{
    const MemorySource *from = old->source, *to = wanted->source;

    if (old->model != MEMORY_DEVICE_MODEL_VIRTIO_MEM)
        return error_set(error, REFUSED, "cannot modify memory of model '%s'", memory_device_model_to_string(old->model));
    if (!same_word("model", memory_device_model_to_string(old->model), memory_device_model_to_string(wanted->model), error) ||
        !same_word("access", memory_access_to_string(old->access), memory_access_to_string(wanted->access), error) ||
        !same_word("discard", toggle_word(old->discard), toggle_word(wanted->discard), error))
        return FALSE;
    if (g_strcmp0(from ? from->nodemask : NULL, to ? to->nodemask : NULL) != 0)
        return error_set(error, REFUSED, "cannot modify memory source nodes");
    return same_size("pagesize", from ? from->pagesize : 0, to ? to->pagesize : 0, error) &&
           same_size("targetNode", old->target->node, wanted->target->node, error) &&
           same_size("size", old->target->size, wanted->target->size, error) &&
           same_size("block size", old->target->block, wanted->target->block, error);
}

/* The module that WANTED means: at its address, and by its alias if it has one. */
static const MemoryDevice *find_wanted(const Domain *live, const MemoryDevice *wanted, GError **error)
{
    const char *alias = wanted->alias ? wanted->alias->name : NULL;

    for (guint i = 0; wanted->address && i < live->devices->memories->len; i++) {
        const MemoryDevice *module = live->devices->memories->pdata[i];

        if (module->address && address_equal(module->address, wanted->address) &&
            (!alias || g_strcmp0(alias, module->alias->name) == 0))
            return module;
    }
    error_set(error, REFUSED, "memory '%s' not found", alias ? alias : "(null)");
    return NULL;
}

static gboolean edit_requested(Domain *live, gpointer data, GError **error)
{
    const Size *size = data;
    MemoryDevice *module = find_alias(live, size->alias);

    if (module)
        module->target->requested = size->kib;
    return TRUE;
}

gboolean memory_update(gpointer self, Vm *vm, const MemoryDevice *wanted, GError **error)
{
    Kvm *kvm = self;
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Domain) live = guest ? guest_live(guest) : NULL;
    g_autoptr(Caps) caps = live ? caps_cache_get(kvm->caps, live->devices->emulator, error) : NULL;
    g_autoptr(MemoryDevice) complete = memory_device_copy(wanted);

    if (!caps || !device_memory.complete(live, complete, caps, error) ||
        !device_memory.validate(live, complete, caps, error))
        return FALSE;
    const MemoryDevice *old = find_wanted(live, complete, error);
    if (!old || !check_change(old, complete, error))
        return FALSE;
    g_autofree char *path = g_strconcat("/machine/peripheral/", old->alias->name, NULL);
    g_autoptr(Qmp) qmp = guest_qmp(guest, error);
    Size size = {old->alias->name, complete->target->requested};

    return qmp && qmp_qom_set_int(qmp, path, "requested-size", (gint64)(size.kib * 1024), error) &&
           guest_edit(guest, edit_requested, &size, error);
}
