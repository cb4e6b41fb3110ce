/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A control group for each guest, below the daemon's own, where the system has handed that one over to us (Delegate=yes
 * on cgroup v2). Elsewhere guests stay in the daemon's group. Controllers are not switched on: a group that has them may not
 * hold processes, and the next daemon is put there by the system.
 */
#include <glib.h>

/* The group's folder, made; to free. NULL: there is none to be had. */
char *cgroup_make(const char *name);
/* Removes it, if it is there and empty. */
void cgroup_remove(const char *name);
