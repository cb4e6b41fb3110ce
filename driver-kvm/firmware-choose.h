/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The firmware of a domain: what its document says of it, and what that becomes on this host.
 *
 * A document that only asks for a kind of firmware keeps doing so: what was found for it stands in the live definition, and
 * may be another at the next start. NVRAM_FOLDER is where guests' variables lie that have no place by their document.
 */
#include "driver-kvm/firmware.h"
#include "lib/model/model.h"

/* At a definition: the path of the variables of firmware that is named. Before it: a feature that another one implies. */
gboolean firmware_normalize(Domain *def, GError **error);
void firmware_complete(Domain *def, const char *nvram_folder);
gboolean firmware_validate(const Domain *def, GError **error);

/* At a start: chooses what the document asks for, or finds what the variables of firmware that it names are made from.
 * FIRMWARES is what firmware_list() says. VIR_ERR_OPERATION_FAILED if none of them will do. */
gboolean firmware_choose(Domain *live, const GPtrArray *firmwares, const char *nvram_folder, GError **error);

/* The file of DEF's variables, to free; NULL if it has none that is a file of this host. */
char *firmware_nvram(const Domain *def, const char *nvram_folder);

/* Firmware in flash as distributions had it before there were descriptors; ends with a NULL. */
typedef struct {
    const char *code, *nvram;
} FirmwareKnown;
extern const FirmwareKnown firmware_known[];
