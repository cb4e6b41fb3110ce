/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Domain documents as clients send and see them. */
#include "daemon/core/vm.h"

/* XML, which need not be trusted, as a definition with every default filled in by INSTANCE's driver. VALIDATE: also held
 * against the schema. NULL with ERROR. May take long: not on a loop. */
Domain *vm_document_read(const DriverInstance *instance, const char *xml, gboolean validate, GError **error);

/* What virDomainGetXMLDesc shows for FLAGS (virDomainXMLFlags). To free. */
char *vm_document_show(const VmView *view, guint flags);
