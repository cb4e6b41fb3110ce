/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a Xen guest's definition means beyond what it says. */
#include "lib/model/model.h"

gboolean complete_definition(Domain *def, GError **error);
gboolean complete_start(Domain *live, GError **error);
