/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What no hypervisor can make sense of, in a definition that is complete. */
#include "lib/model/model.h"

gboolean domain_validate(const Domain *def, GError **error);
