/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a document says in QEMU's own words, past all that is understood here: properties of devices, and what QEMU does when something
 * deprecated is used. */
#include "driver-kvm/argv.h"

/* Whether values are of their types. VIR_ERR_XML_ERROR. */
gboolean override_validate(const Domain *def, GError **error);

/* Changes devices that are in PARTS; LIVE was validated. */
void override_apply(const Domain *live, GPtrArray *parts);

void override_deprecation(const Domain *live, GPtrArray *parts);
