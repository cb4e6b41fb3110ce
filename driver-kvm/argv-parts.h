/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The parts of a command line that are no devices, one file by topic. For argv.c. All append to PARTS. */
#include "driver-kvm/argv.h"
#include "driver-kvm/caps.h"

/* argv-machine.c: the machine, its accelerator and abilities */
gboolean argv_machine(const Domain *live, const Caps *caps, GPtrArray *parts, GError **error);
void argv_power(const Domain *live, const Caps *caps, GPtrArray *parts);
void argv_extras(const Domain *live, GPtrArray *parts);

/* argv-cpu.c: what a CPU is, and how many there are. Before: a model that runs is that one and no other;
 * listed processors have their order. */
void argv_cpu_prepare(Domain *live);
gboolean argv_cpu(const Domain *live, const Caps *caps, GPtrArray *parts, GError **error);
void argv_vcpus(const Domain *live, GPtrArray *parts);
void argv_iothreads(const Domain *live, GPtrArray *parts);

/* argv-memory.c */
gboolean argv_memory(const Domain *live, const Caps *caps, const ArgvContext *context, GPtrArray *parts, GError **error);
gboolean argv_numa(const Domain *live, const Caps *caps, const ArgvContext *context, GPtrArray *parts, GError **error);
/* Nodes have caches, or something between them. */
gboolean argv_has_hmat(const Domain *live);
/* The machine takes a memory backend by name: the name, else NULL. */
const char *argv_main_memory(const Domain *live, const Caps *caps);

/* argv-boot.c: firmware, kernel, boot order, SMBIOS. Flash is made before the machine, which takes it by name; how many there
 * are is the result, and PARTS may be NULL. */
#define ARGV_FLASH "libvirt-pflash%u-format"
guint argv_flash(const Domain *live, GPtrArray *parts);
gboolean argv_firmware(const Domain *live, GPtrArray *parts, GError **error);
void argv_boot(const Domain *live, GPtrArray *parts);
gboolean argv_smbios(const Domain *live, GPtrArray *parts, GError **error);
void argv_firmware_files(const Domain *live, GPtrArray *parts);

/* argv-clock.c: base and timers. Before: a distance from local time becomes one from UTC, as the zone is now. */
void argv_clock_prepare(Domain *live);
void argv_clock(const Domain *live, const Caps *caps, ArgvContext *context, GPtrArray *parts);
