/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What one QEMU binary can do, as it said itself. Immutable and reference-counted; any thread.
 *
 * Everything is asked of QEMU by QMP (caps-probe.c), put into a form that can be searched where it lies (caps-form.c) and
 * kept on disk (caps-cache.c). A version number is for people to
 * read: no decision is made from it.
 */
#include <glib.h>

typedef struct Caps Caps;

typedef enum { CAPS_TCG, CAPS_KVM, CAPS_N_ACCELS } CapsAccel;
extern const char *const caps_accel_names[CAPS_N_ACCELS];

typedef struct {
    const char *name;        /* "pc-q35-7.2" */
    const char *alias;       /* "q35"; NULL: none */
    const char *default_cpu; /* QOM type of the CPU it takes unless told; NULL: unknown */
    const char *default_ram; /* id of the memory backend it takes as its main memory ("pc.ram"); NULL: it cannot take one */
    guint max_cpus;
    gboolean is_default; /* what the binary runs when nothing is said */
    gboolean hotplug_cpus;
    gboolean numa_memory; /* -numa node,mem= is accepted */
    gboolean deprecated;
} CapsMachine;

typedef struct {
    const char *name;      /* "qemu64", as in -cpu */
    const char *type;      /* QOM type ("qemu64-x86_64-cpu"); NULL: unknown */
    const char **blockers; /* features that the host lacks under this accelerator; NULL: QEMU did not say */
    gboolean migratable;  /* the model means the same on every host */
    gboolean deprecated;
} CapsCpu;

/* A property of the best CPU there is: the host's under KVM, else all that can be emulated. */
typedef struct {
    const char *name; /* QEMU's */
    const char *text; /* NULL: it is a number, or on or off */
    guint64 number;
    gboolean is_number, on;
    gboolean stays; /* a guest that has it cannot migrate */
} CapsProp;

Caps *caps_ref(const Caps *caps);
void caps_unref(const Caps *caps); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Caps, caps_unref)

const char *caps_binary(const Caps *caps);  /* absolute path */
guint64 caps_version(const Caps *caps);     /* major * 1,000,000 + minor * 1,000 + micro */
const char *caps_package(const Caps *caps); /* the packager's words, "" if none */
const char *caps_arch(const Caps *caps);    /* libvirt's name: "x86_64", "i686", "aarch64", ... */
gboolean caps_has_accel(const Caps *caps, CapsAccel accel); /* works on this host, not merely compiled in */

/* The machine of NAME or alias NAME; NAME NULL: the default one. NULL if there is none. */
const CapsMachine *caps_machine(const Caps *caps, const char *name);
const GPtrArray *caps_machines(const Caps *caps); /* of CapsMachine, in QEMU's order */

/* of CapsCpu, in QEMU's order; empty where ACCEL is not usable */
const GPtrArray *caps_cpus(const Caps *caps, CapsAccel accel);
const CapsCpu *caps_cpu(const Caps *caps, CapsAccel accel, const char *name); /* NULL if there is none */

/* of CapsProp; NULL: QEMU did not say */
const GArray *caps_best(const Caps *caps, CapsAccel accel);
gboolean caps_best_knows_migratable(const Caps *caps, CapsAccel accel); /* CapsProp.stays is known */

/* A QOM type that can be made: a device ("virtio-blk-pci"), an object ("rng-random"), a CPU ... */
gboolean caps_has_type(const Caps *caps, const char *type);
#define caps_has_device caps_has_type
/* PROPERTY of a device that -device takes, or of an -object. FALSE if the type itself is missing. */
gboolean caps_device_has_property(const Caps *caps, const char *device, const char *property);

gboolean caps_has_command(const Caps *caps, const char *command);
gboolean caps_has_event(const Caps *caps, const char *event);

/* Does COMMAND take what PATH names? The segments of PATH, separated by '/', go down from the command's arguments:
 *   name    that member (an array or alternative is looked through)
 *   +tag    the branch of a union that is taken for this value of its tag
 *   =value  last: the enumeration has that value
 *   @name   last: the thing reached so far (the command itself, where it comes first) is marked with that feature
 * caps_has_argument(caps, "blockdev-add", "+qcow2/lazy-refcounts"), (caps, "object-add", "qom-type/=rng-egd"). */
gboolean caps_has_argument(const Caps *caps, const char *command, const char *path);
/* The same for what COMMAND answers. */
gboolean caps_has_answer(const Caps *caps, const char *command, const char *path);

/* Option PARAMETER of command line group GROUP ("smp-opts"); PARAMETER may be NULL. Only the groups QEMU lists. */
gboolean caps_has_option(const Caps *caps, const char *group, const char *parameter);

/* From a form (caps-form.h) in normal form, of which a reference is kept. */
Caps *caps_new(GVariant *form);
/* From what caps_probe() (caps-probe.h) answers. */
Caps *caps_parse(const char *json, GError **error);
