/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Virtual CPUs: how many, in which NUMA cells, with what settings. */
#include "lib/model/model.h"

/* One form for what can be written in several: part of domain_normalize(). After it, DEF has a vcpu. */
gboolean domain_normalize_cpus(Domain *def, GError **error);

/* domain-resctrl.c: groups of virtual CPUs that share caches and memory bandwidth, once the CPUs are known. */
gboolean domain_normalize_resctrl(Domain *def, GError **error);

/* Number of virtual CPUs: all there can be, and those plugged in. */
guint domain_max_vcpus(const Domain *def);
guint domain_vcpus(const Domain *def);
