/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/storage/backend.h"

static const Backend *const backends[] = {
    &backend_dir,
};

const Backend *backend_for(StoragePoolType type, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(backends); i++)
        if (backends[i]->type == type)
            return backends[i];
    error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "missing backend for pool type %d (%s)", type - 1,
              storage_pool_type_to_string(type)); /* libvirt counts from 0 */
    return NULL;
}
