/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/call.h"

#include <string.h>

#include "daemon/core/registry.h"
#include "lib/error.h"
#include "lib/uuid.h"

Vm *call_lookup(Call *call, const RemoteNonnullDomain *dom, GError **error)
{
    Vm *vm = registry_find_uuid(call->instance->registry, dom->uuid);

    if (!vm) {
        char uuid[UUID_TEXT];
        uuid_format(dom->uuid, uuid);
        error_set(error, call->instance->from, VIR_ERR_NO_DOMAIN, "no domain with matching uuid '%s' (%s)", uuid,
                  dom->name);
    }
    return vm;
}

void call_domain(Vm *vm, RemoteNonnullDomain *ret)
{
    g_autoptr(VmView) view = vm_view(vm);

    ret->name = g_strdup(vm_view_def(view)->name);
    memcpy(ret->uuid, vm->uuid, sizeof(ret->uuid));
    ret->id = view->id;
}
