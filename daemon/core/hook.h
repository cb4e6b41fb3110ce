/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Programs of the administrator that are told what happens, as libvirt's hooks are: FOLDER/NAME and then those in
 * FOLDER/NAME.d in the order of their names, with the arguments OBJECT OPERATION SUB-OPERATION EXTRA and a document on
 * standard input.
 *
 * They run with no lock held and may call the daemon; what they would change on the domain they are told of waits for its
 * turn, which comes after them. One that has not ended after a while is killed with its session; what it left running in
 * the background before is not waited for.
 */
#include "daemon/core/vm.h"

/* Hooks lie in FOLDER (copied) and have SECONDS; NULL: there are none. Before threads. */
void hook_open(const char *folder, guint seconds);
/* Any thread. */
void hook_set_time(guint seconds);

/* Tells program NAME; waits. EXTRA and INPUT may be NULL. RET_OUTPUT, unless it is NULL, is what the last that wrote
 * something said, else NULL; to free. FALSE with VIR_ERR_HOOK_SCRIPT_FAILED if one failed, after all have run. */
gboolean hook_call(const char *name, const char *object, const char *operation, const char *sub, const char *extra,
                   const char *input, char **ret_output, GError **error);

/* The daemon's own: failure is logged. */
void hook_daemon(const char *operation, const char *sub, const char *extra);

/* VM's driver's program with DEFINITION. */
gboolean hook_vm(Vm *vm, const Domain *definition, const char *operation, const char *sub, GError **error);
/* The same where nobody can be told of a failure but the log. */
void hook_vm_after(Vm *vm, const Domain *definition, const char *operation, const char *sub);

/* The document that takes DEFINITION's place when it is restored; NULL without ERROR: it stays. To free. */
char *hook_restore(const DriverInstance *instance, const Domain *definition, GError **error);

/* A program is there for INSTANCE's domains: whoever would make a document for it only then. */
gboolean hook_is_there(const DriverInstance *instance);
