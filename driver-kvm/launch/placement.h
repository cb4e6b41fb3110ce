/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where the program runs and takes its memory from, before it makes threads that inherit that. */

/* CPUS: "0-3,8". Who must know whether it worked looks later: host CPUs come and go. */
void placement_cpus(const char *cpus);

/* MEMORY: "MODE NODES", MODE one of strict, preferred, interleave. Ends the process if that cannot be had. */
void placement_memory(char *memory);
