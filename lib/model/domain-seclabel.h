/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Security labels of a definition, on a host that runs no security model for its guests. */
#include "lib/model/model.h"

/* The one label without a model is that of no model; labels of files that say nothing are dropped. */
void domain_normalize_seclabels(Domain *def);
