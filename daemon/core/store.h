/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Definitions on disk. What a function that returned TRUE did survives kill -9 and loss of power. Each may block on the
 * disk: the domain's queue, or before there are clients.
 */
#include "daemon/core/vm.h"

/* Definitions are kept below FOLDERS (copied) from now on. Makes its folder for INSTANCE. */
gboolean store_open(const DriverPaths *folders, const DriverInstance *instance, GError **error);

/* VIR_ERR_XML_DETAIL for a definition that could not be read again. */
gboolean store_save(const Vm *vm, const Domain *definition, GError **error);
/* The definition and all that belongs to it. */
gboolean store_remove(const Vm *vm, GError **error);

gboolean store_set_autostart(const Vm *vm, gboolean autostart, GError **error);

/* The file of VM's managed save. To free. */
char *store_managed_save_path(const Vm *vm);

/* Calls FOUND for each definition of INSTANCE (DEFINITION is given away). What cannot be read is logged and kept aside. */
typedef void (*StoreFound)(const DriverInstance *instance, Domain *definition, gboolean autostart, gboolean managed_save);
void store_load(const DriverInstance *instance, StoreFound found);
