/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Domain-0, which the daemon itself is in. */
#include "driver-xen/context.h"

/* Its definition, a new reference, with its number. */
Domain *host_domain_new(Context *context, GError **error);
