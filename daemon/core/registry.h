/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The domains of one driver: by UUID, name and id.
 *
 * Who is about to make a domain claims it first: the claim keeps its name and UUID, and whoever claims the same pair gets
 * the same Vm, so that the two meet in its queue. A domain is seen by look-ups and lists from registry_list() until
 * registry_remove(). It stays reserved while it is listed, claimed, or its last run is not yet cleaned up.
 *
 * All functions: any thread, never block.
 */
#include "daemon/core/vm.h"

#define REGISTRY_MAX 16384 /* domains of one driver: what the protocol's lists can carry */

Registry *registry_new(const DriverInstance *instance);
void registry_free(Registry *registry); /* NULL is allowed; Vms that others hold live on */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Registry, registry_free)

/* Look-ups: a new reference, or NULL. */
Vm *registry_find_uuid(Registry *registry, const guint8 uuid[16]);
Vm *registry_find_name(Registry *registry, const char *name);
Vm *registry_find_id(Registry *registry, int id);

/* The listed domains in the order of their names; immutable, to unref. Elements are owned by the array. */
GPtrArray *registry_domains(Registry *registry);

/* The Vm for DEFINITION, which is refused with libvirt's words if its name belongs to another UUID or its UUID to another
 * name. Where who has it is gone but for what its run left, that is waited for (5 s). The Vm is new (and then shaped by
 * vm_new(DEFINITION, PERSISTENT)) or not. Release it with registry_release(). Any thread that may wait so long. */
Vm *registry_claim(Registry *registry, Domain *definition, gboolean persistent, GError **error);
void registry_release(Registry *registry, Vm *vm); /* the claim and the reference */

/* A claim by a run of VM: no reference, so that runs that go on when the daemon ends hold nothing. */
void registry_hold(Registry *registry, Vm *vm);
void registry_drop(Registry *registry, Vm *vm);

/* Shows VM; harmless if it is shown already. Vm.removed follows. */
void registry_list(Registry *registry, Vm *vm);
/* Hides VM; harmless if it is hidden already. */
void registry_remove(Registry *registry, Vm *vm);
/* The same if it has no definition for a next run: who publishes one and then lists it finds it listed. */
void registry_remove_transient(Registry *registry, Vm *vm);

/* Reserves NAME for VM beside its own; then one of the two goes, by registry_rename_end(). */
gboolean registry_rename_begin(Registry *registry, Vm *vm, const char *name, GError **error);
void registry_rename_end(Registry *registry, Vm *vm, gboolean renamed);

/* A number for a run of VM, not used before; or, with ID, the one it has already. */
int registry_take_id(Registry *registry, Vm *vm);
void registry_adopt_id(Registry *registry, Vm *vm, int id);
void registry_drop_id(Registry *registry, Vm *vm, int id);
