/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a definition's clock means. */
#include "lib/model/model.h"

/* One form for what can be written in several: a clock at a distance from UTC or local time is a variable one. VIR_ERR_XML_ERROR: the
 * distance is no number. */
gboolean domain_complete_clock(Domain *def, GError **error);
