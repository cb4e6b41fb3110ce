/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Records of runs in run/domains/UUID/status.xml: what a restarted daemon finds its guests by. Each may block on the
 * file system of /run (memory).
 */
#include "daemon/core/vm.h"

#define RECORD_VERSION 1

/* Records are kept below FOLDERS (copied) from now on. */
gboolean record_open(const DriverPaths *folders, GError **error);

/* Makes VM's empty run folder. VIR_ERR_OPERATION_INVALID if another driver's domain with that UUID uses it, or it holds a
 * record that nobody could read or take over: then nobody knows what runs. */
gboolean record_prepare(const Vm *vm, GError **error);

/* Whether a record with LIVE could be read again, and has room for what comes while it runs. FALSE with
 * VIR_ERR_XML_DETAIL. */
gboolean record_check(Vm *vm, const Domain *live, GError **error);

/* Writes what VM's view and driver say now. Waits for a write by another thread, so that the last to begin wins. */
gboolean record_save(Vm *vm, GError **error);
/* The same if it is still about the run RUN: from elsewhere than the domain's queue. */
gboolean record_save_run(Vm *vm, guint64 run, GError **error);

/* Removes the run folder and what is in it. */
gboolean record_remove(Vm *vm, GError **error);

/* Calls FOUND for each record of INSTANCE (STATUS is given away). What cannot be read is logged and left. */
typedef void (*RecordFound)(const DriverInstance *instance, Status *status);
void record_load(const DriverInstance *instance, RecordFound found);

/* What the record's driver part says, as Driver.run->reconnect takes it. */
GHashTable *record_entries(const Status *status);
