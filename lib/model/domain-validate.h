/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What no hypervisor can make sense of, in a definition that is complete. */
#include "lib/model/model.h"

/* Of controllers alone, which can be said before anything has its place. */
gboolean domain_validate_controllers(const Domain *def, GError **error);

gboolean domain_validate(const Domain *def, GError **error);
