/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The domain that the host itself is, where its hypervisor counts the host among its domains (Xen's Domain-0). Nobody defines,
 * starts or ends it, and nothing of it is on disk: it is there for as long as the driver is.
 */
#include "daemon/core/vm.h"

/* Shows that of INSTANCE, if there is one. Before the daemon serves. */
void host_domain_adopt(const DriverInstance *instance);
