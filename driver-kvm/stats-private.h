/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Parts of stats.c: groups of figures, each a SampleFunc. */
#include "driver-kvm/guest.h"

typedef struct {
    Guest *guest;
    const Domain *live;
    pid_t pid;
    gint64 deadline; /* monotonic */
} Sample;

/* Adds its group's fields to PARAMS. */
typedef gboolean (*SampleFunc)(const Sample *sample, Params *params, GError **error);

/* An answer of the monitor before the deadline; ARGUMENTS is taken over. */
JsonNode *stats_ask(const Sample *sample, const char *command, JsonObject *arguments, GError **error);

gboolean stats_blocks(const Sample *sample, Params *params, GError **error);
gboolean stats_chains(const Sample *sample, Params *params, GError **error); /* DRIVER_STATS_CHAINS */
gboolean stats_accelerator(const Sample *sample, Params *params, GError **error); /* what KVM counts */
gboolean stats_dirty_rate(const Sample *sample, Params *params, GError **error);

/* That LIVE's memory can be measured in the mode that FLAGS (virDomainDirtyRateCalcFlags) ask for. */
gboolean stats_check_dirty_mode(const Domain *live, guint flags, GError **error);
