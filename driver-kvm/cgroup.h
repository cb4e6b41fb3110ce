/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A control group for each guest, below the daemon's own, where the system has handed that one over to us (Delegate=yes
 * on cgroup v2). Elsewhere guests stay in the daemon's group. Controllers are not switched on: a group that has them may not
 * hold processes, and the next daemon is put there by the system. A partition is a path below ours too: what else is on the
 * host is not ours to arrange.
 */
#include <glib.h>

/* Whether <partition> is one; NULL is. */
gboolean cgroup_check(const char *partition, GError **error);

/* The folder of PARTITION (NULL: none) below OWN, with each part spelled as libvirt spells it. To free. */
char *cgroup_below(const char *own, const char *partition);

/* The folder, made; to free. NULL: there is none. */
char *cgroup_make(const char *partition, const char *name);
void cgroup_remove(const char *partition, const char *name);
