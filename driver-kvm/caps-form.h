/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a QEMU binary answered, as one serialized GVariant: the cache's file is that, and a Caps (caps.h) looks things up in
 * it where it lies, mapped from the file. A tree of the same JSON took 3 MB for each binary as long as the daemon lived.
 */
#include <glib.h>

#include "driver-kvm/schema.h"

#define CAPS_FORM_MACHINES "a(ssssuy)"    /* name, alias, CPU, memory's id ("": none), most CPUs, CapsMachineMark */
#define CAPS_FORM_CPUS "a(ssyas)"         /* name, type, CapsCpuMark, what it lacks here */
#define CAPS_FORM_PROPS "a(syst)"          /* name, CapsPropMark, text, number */
/* Those that can be used, sorted; each with its CPUs, CapsBestMark, and the properties of the best CPU. */
#define CAPS_FORM_ACCELS "a(s" CAPS_FORM_CPUS "y" CAPS_FORM_PROPS ")"
#define CAPS_FORM_SETS "a(sas)"           /* sorted, and so is each */
#define CAPS_FORM "(sssst" CAPS_FORM_MACHINES CAPS_FORM_ACCELS CAPS_FORM_SETS "as" CAPS_FORM_SETS SCHEMA_FORM ")"

/* The members. */
typedef enum {
    CAPS_AT_IDENTITY, /* whatever the owner of the file knows the binary by */
    CAPS_AT_BINARY,
    CAPS_AT_ARCH,
    CAPS_AT_PACKAGE,
    CAPS_AT_VERSION,
    CAPS_AT_MACHINES,
    CAPS_AT_ACCELS,
    CAPS_AT_PROPERTIES, /* of those types that were asked */
    CAPS_AT_TYPES,      /* all, sorted */
    CAPS_AT_OPTIONS,
    CAPS_AT_SCHEMA,
} CapsAt;

typedef enum {
    CAPS_MACHINE_DEFAULT = 1 << 0,
    CAPS_MACHINE_HOTPLUG = 1 << 1,
    CAPS_MACHINE_NUMA = 1 << 2,
    CAPS_MACHINE_DEPRECATED = 1 << 3,
} CapsMachineMark;

typedef enum {
    CAPS_CPU_MIGRATABLE = 1 << 0,
    CAPS_CPU_DEPRECATED = 1 << 1,
    CAPS_CPU_TOLD = 1 << 2, /* QEMU said what it lacks */
} CapsCpuMark;

typedef enum {
    CAPS_BEST_TOLD = 1 << 0,       /* the properties are known */
    CAPS_BEST_MIGRATABLE = 1 << 1, /* and which of them migrate */
} CapsBestMark;

typedef enum {
    CAPS_PROP_ON = 1 << 0,
    CAPS_PROP_STAYS = 1 << 1, /* a guest that has it cannot migrate */
    CAPS_PROP_TEXT = 1 << 2,
    CAPS_PROP_NUMBER = 1 << 3, /* none of both: it is on or off */
} CapsPropMark;

/* From the JSON that caps_probe() answers. NULL with VIR_ERR_INTERNAL_ERROR. */
GVariant *caps_form_new(const char *identity, const char *json, GError **error);
