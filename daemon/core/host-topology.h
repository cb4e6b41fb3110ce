/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Where the host's processors sit: cells, sockets, dies, cores, threads, and the caches they share.
 *
 * ROOT is put before the paths of the kernel's files ("" on the real host). Any thread.
 */
#include <glib.h>
#include "lib/cpuset.h"

typedef struct {
    guint id, socket, die, core;
    CpuSet *siblings; /* threads of the same core, itself among them; owned */
} HostCpu;

/* The online CPUs of a NUMA cell, ascending; HostCpu, cleared by the array. */
GArray *host_cell_cpus(const char *root, guint cell);

/* The distances to the cells 0, 1, ... as the firmware tells them; guint, 0 for a cell that is not there. Empty:
 * unknown. */
GArray *host_cell_distances(const char *root, guint cell);

typedef struct {
    guint id, level;
    char type[16]; /* "both", "code", "data" */
    guint64 size;  /* KiB */
    CpuSet *cpus;  /* owned */
} HostCache;

/* The caches of level 3 and above, by level and id; HostCache, cleared by the array. */
GArray *host_caches(const char *root);

/* As virNodeInfo. Where a machine's topology is no full product of its parts, libvirt's (and our) answer is one
 * socket of as many cores as there are CPUs. */
typedef struct {
    guint cpus, nodes, sockets, cores, threads;
} HostTopology;

void host_topology(const char *root, HostTopology *ret_topology);

/* Online CPUs; RET_PRESENT is the number of CPUs the host has or had (highest number + 1). NULL where the kernel
 * does not tell. */
CpuSet *host_online_cpus(const char *root, guint *ret_present);
