/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Limits of a disk as typed parameters (virDomainSetBlockIoTune): some are set, the others follow from what was set before, from
 * the group that the disk is or comes to be in, and from each other. Any thread.
 */
#include "lib/model/model.h"
#include "lib/params.h"

#define DISK_IOTUNE_FIELDS 20

/* The name of parameter INDEX, and whether it is a text (the others are ULLONG). */
const char *disk_iotune_field(guint index, gboolean *ret_is_text);

/* Appends all DISK_IOTUNE_FIELDS to PARAMS: what TUNE (NULL is allowed) says, or what comes of it in a hypervisor where a
 * disk that says no group is alone in OWN_GROUP (not NULL then). */
void disk_iotune_to_params(const DiskIoTune *tune, const char *own_group, Params *params);

/* PARAMS, whose names and types were checked, do not contradict each other: VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_INVALID_ARG. */
gboolean disk_iotune_check(const Params *params, GError **error);

/* What DISK of DEF has for limits when PARAMS are set, never NULL on success; VIR_ERR_CONFIG_UNSUPPORTED. LIVE: also that a running
 * hypervisor would take them. */
DiskIoTune *disk_iotune_merge(const Domain *def, const Disk *disk, const Params *params, gboolean live, GError **error);

/* DISK of DEF has TUNE (copied) from now on, and so has every other disk of the same group. */
void disk_iotune_set(Domain *def, Disk *disk, const DiskIoTune *tune);
