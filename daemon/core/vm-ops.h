/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What handlers about domains (vm-ops-*.c) share. */
#include "daemon/core/run.h"
#include "daemon/rpc/call.h"

/* Which definitions a change or a question means: virDomainModificationImpact, resolved. */
typedef struct {
    gboolean live, config;
} OpsAffect;

/* FALSE, in libvirt's words, if VM does not have what FLAGS ask for. VIEW is one of VM. */
gboolean ops_affect(Vm *vm, const VmView *view, guint flags, OpsAffect *ret_affect, GError **error);

/* The definition that a question with FLAGS is about; borrowed from VIEW, NULL with ERROR. */
const Domain *ops_affected(Vm *vm, const VmView *view, guint flags, GError **error);

/* Edits what AFFECT names: the next definition is on disk before anything is published; then the live one is changed, if
 * that is still there. On VM's queue. */
gboolean ops_edit(Vm *vm, OpsAffect affect, VmEdit edit, gpointer data, GError **error);

/* call_defer(), if showing VIEW's definitions takes long: what other programs keep with them is parsed again, and nothing
 * else in them is as large. */
gboolean ops_defer(Call *call, const VmView *view);

/* The driver has no such operation: FALSE with VIR_ERR_NO_SUPPORT. */
gboolean ops_not_offered(Call *call, GError **error);

/* What to tell the caller of a domain that he has just made. */
gboolean ops_reply_domain(Vm *vm, RemoteNonnullDomain *ret);

/* Starts HOW's definition, of a domain that need not exist yet, in its domain's turn and with FLAGS as ops_start. RET, unless
 * it is NULL, is what to tell the caller. */
gboolean ops_create(Call *call, RunStart *how, guint flags, RemoteNonnullDomain *ret, GError **error);

/* run_start() with the FLAGS (virDomainCreateFlags) that concern whoever asks for it. */
gboolean ops_start(Call *call, Vm *vm, RunStart *how, guint flags, GError **error);
