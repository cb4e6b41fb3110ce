/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What clients ask about CPUs of this driver's guests (lib/driver/driver.h). */
#include "lib/driver/driver.h"

int cpu_ops_compare(gpointer self, const DriverHypervisor *which, const char *xml, const char *schema, gboolean fail,
                    GError **error);
char *cpu_ops_baseline(gpointer self, const DriverHypervisor *which, const char *const *xmls, guint n, guint flags,
                       GError **error);
gboolean cpu_ops_foretell(gpointer self, Domain *def, GError **error);
