/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What libvirt's public API calls a procedure, for the messages in which clients expect that name. Any thread. */
#include <glib.h>
#include "daemon/rpc/wire.h"
#include "lib/error.h"

/* "virDomainGetXMLDesc", to free. */
char *api_name(const WireProc *proc);

/* The error domain that libvirt's API layer uses for it. */
virErrorDomain api_domain(const WireProc *proc);

/* The name of the function behind it in libvirt's own driver for such objects (storagePoolBuild), to free, and that driver's error
 * domain. NULL: it is a hypervisor's. */
char *api_driver_name(const WireProc *proc, virErrorDomain *ret_domain);
