/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handler: open files for a domain's disks. What its flags say of labels has no effect: nobody asks for the owner of an open file. */
#include <string.h>

#include "daemon/core/fd-groups.h"
#include "daemon/core/vm-ops.h"

#define NAME_MAX_LENGTH 1024

gboolean remote_domain_fd_associate(Call *call, const RemoteDomainFdAssociateArgs *args, GError **error)
{
    if (!vm_check_present(call->vm, error))
        return FALSE;
    if (call->n_fds == 0)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "no descriptors came with the call");
    if (strlen(args->name) > NAME_MAX_LENGTH)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "a name of more than %d octets", NAME_MAX_LENGTH);
    return fd_groups_add(call->vm, call->client, args->name, call->fds, call->n_fds, error);
}
