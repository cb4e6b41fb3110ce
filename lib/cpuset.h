/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Sets of CPU (or NUMA node) numbers below CPUSET_MAX, as the kernel and libvirt write them: "0-3,8". One owner. */
#include <glib.h>

#define CPUSET_MAX 16384

typedef struct CpuSet CpuSet;

CpuSet *cpuset_new(void); /* empty */
CpuSet *cpuset_copy(const CpuSet *set);
void cpuset_free(CpuSet *set); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CpuSet, cpuset_free)

/* TEXT is numbers and ranges between commas, blanks allowed; "^N" takes N out again. An empty TEXT is the empty set.
 * NULL with VIR_ERR_INVALID_ARG that quotes TEXT. */
CpuSet *cpuset_parse(const char *text, GError **error);
char *cpuset_format(const CpuSet *set); /* "0-3,8"; "" if empty; to free */

void cpuset_add(CpuSet *set, guint cpu); /* CPU must be below CPUSET_MAX */
void cpuset_remove(CpuSet *set, guint cpu);
gboolean cpuset_has(const CpuSet *set, guint cpu);
guint cpuset_count(const CpuSet *set);
int cpuset_next(const CpuSet *set, int after); /* the smallest member above AFTER (-1: the first); -1 if none */
int cpuset_last(const CpuSet *set);            /* the largest member; -1 if empty */

/* The low LENGTH bytes as the wire's bit maps: CPU n is bit n % 8 of byte n / 8. */
CpuSet *cpuset_from_map(const guint8 *map, gsize length); /* what is beyond CPUSET_MAX is dropped */
void cpuset_to_map(const CpuSet *set, guint8 *map, gsize length);
