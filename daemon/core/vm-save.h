/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the handlers about saved domains (vm-ops-save.c, -image.c, -restore.c) share. */
#include "daemon/core/vm.h"
#include "daemon/rpc/remote-gen.h"
#include "lib/model/model.h"

/* The virDomainSaveRestoreFlags that choose a state; neither: the one it had. */
#define VM_SAVE_STATE_FLAGS (VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED)
gboolean vm_save_check_flags(guint flags, GError **error);

/* A list of VIR_DOMAIN_SAVE_PARAM_...: the file, which must be there, and the document (NULL if absent). Borrowed. */
gboolean vm_save_params(const RemoteTypedParam *params, guint n, const char **ret_path, const char **ret_xml,
                        GError **error);

/* As virDomainManagedSave; FLAGS were checked. Queue. */
gboolean vm_save_managed(Vm *vm, guint flags, GError **error);
