/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The firmware that a host offers, by descriptors (descriptor.h) of the form that QEMU's docs/interop/firmware.json describes.
 * A file that is none is passed over, with its reason for whoever wants to log it.
 */
#include <glib.h>

typedef enum { FIRMWARE_BIOS = 1 << 0, FIRMWARE_UEFI = 1 << 1 } FirmwareInterface;
typedef enum { FIRMWARE_FLASH, FIRMWARE_KERNEL, FIRMWARE_MEMORY } FirmwareDevice;
typedef enum { FIRMWARE_SPLIT, FIRMWARE_COMBINED, FIRMWARE_STATELESS } FirmwareMode;
typedef enum {
    FIRMWARE_ACPI_S3 = 1 << 0,
    FIRMWARE_ACPI_S4 = 1 << 1,
    FIRMWARE_ENROLLED_KEYS = 1 << 2,
    FIRMWARE_REQUIRES_SMM = 1 << 3,
    FIRMWARE_SECURE_BOOT = 1 << 4,
} FirmwareFeature;

typedef struct {
    char *arch;      /* libvirt's name of it */
    char **machines; /* patterns */
} FirmwareTarget;

typedef struct {
    guint interfaces; /* FirmwareInterface */
    FirmwareDevice device;
    FirmwareMode mode;         /* of flash */
    char *path, *format;       /* the code; `format` is of flash */
    char *nvram, *nvram_format; /* what a guest's variables are made from; FIRMWARE_SPLIT only */
    GPtrArray *targets;        /* of FirmwareTarget */
    guint features;            /* FirmwareFeature */
} Firmware;

void firmware_free(Firmware *firmware); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Firmware, firmware_free)

/* One descriptor. NULL with VIR_ERR_INTERNAL_ERROR. */
Firmware *firmware_parse(const char *text, gsize length, GError **error);

/* Of Firmware, in order, from descriptor_folders("firmware"). BAD (or NULL) is told of each file that is none. Blocks on the
 * disk. */
typedef void (*FirmwareBad)(const char *path, const char *why, gpointer data);
GPtrArray *firmware_list(const char *const *folders, FirmwareBad bad, gpointer data);

/* It is for this machine (its own name, not an alias) of that architecture. */
gboolean firmware_suits(const Firmware *firmware, const char *arch, const char *machine);
