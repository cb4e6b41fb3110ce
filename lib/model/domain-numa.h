/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* NUMA nodes of a guest, which are numbered from 0, and what refers to them. In libvirt's words. */
#include "lib/model/model.h"

/* Caches, distances and what lies between nodes; a distance that is said one way only holds the other way, too. */
gboolean domain_normalize_nodes(Domain *def, GError **error);

/* The sizes of huge pages. A node of a guest without nodes goes without saying. */
gboolean domain_normalize_pages(Domain *def, GError **error);
