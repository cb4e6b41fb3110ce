/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "lib/model/model.h"

/* That every element and attribute of DEF has an effect in this driver; else VIR_ERR_CONFIG_UNSUPPORTED names the first
 * that has none. */
gboolean support_check(const Domain *def, GError **error);
