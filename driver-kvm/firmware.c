/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/firmware.h"

#include <string.h>

#include "driver-kvm/descriptor.h"
#include "driver-kvm/emulator.h"
#include "lib/error.h"
#include "lib/json-peek.h"

#define VALUES_MAX 10000

static void target_free(gpointer data)
{
    FirmwareTarget *target = data;

    g_free(target->arch);
    g_strfreev(target->machines);
    g_free(target);
}

void firmware_free(Firmware *firmware)
{
    if (!firmware)
        return;
    g_free(firmware->path);
    g_free(firmware->format);
    g_free(firmware->nvram);
    g_free(firmware->nvram_format);
    g_ptr_array_unref(firmware->targets);
    g_free(firmware);
}

static gboolean wrong(GError **error, const char *what)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "%s", what);
}

/* --- one descriptor --- */

typedef struct {
    const char *name;
    guint bit;
} Name;

/* What is not listed is of no interest here. */
static const Name interfaces[] = {{"bios", FIRMWARE_BIOS}, {"uefi", FIRMWARE_UEFI}, {NULL, 0}};
static const Name features[] = {{"acpi-s3", FIRMWARE_ACPI_S3},
                                {"acpi-s4", FIRMWARE_ACPI_S4},
                                {"enrolled-keys", FIRMWARE_ENROLLED_KEYS},
                                {"requires-smm", FIRMWARE_REQUIRES_SMM},
                                {"secure-boot", FIRMWARE_SECURE_BOOT},
                                {NULL, 0}};

static gboolean read_bits(JsonArray *array, const Name *names, guint *ret_bits)
{
    for (guint i = 0; i < json_peek_length(array); i++) {
        const char *text = json_peek_string_at(array, i);

        if (!text)
            return FALSE;
        for (const Name *name = names; name->name; name++)
            if (strcmp(name->name, text) == 0)
                *ret_bits |= name->bit;
    }
    return TRUE;
}

/* A file and its format, in an object of its own. Paths are absolute: there is nothing else that they could be below. */
static gboolean read_file(JsonObject *from, char **ret_path, char **ret_format)
{
    const char *path = json_peek_string(from, "filename"), *format = json_peek_string(from, "format");

    if (!path || !g_path_is_absolute(path) || (ret_format && !format))
        return FALSE;
    *ret_path = g_strdup(path);
    if (ret_format)
        *ret_format = g_strdup(format);
    return TRUE;
}

static gboolean read_flash(Firmware *firmware, JsonObject *mapping, GError **error)
{
    static const char *const modes[] = {
        [FIRMWARE_SPLIT] = "split", [FIRMWARE_COMBINED] = "combined", [FIRMWARE_STATELESS] = "stateless"};
    const char *mode = json_peek_string(mapping, "mode");
    guint found = FIRMWARE_SPLIT;

    while (mode && found < G_N_ELEMENTS(modes) && strcmp(modes[found], mode) != 0)
        found++;
    if (found == G_N_ELEMENTS(modes))
        return wrong(error, "unknown mode of flash");
    firmware->device = FIRMWARE_FLASH;
    firmware->mode = found;
    if (!read_file(json_peek_object(mapping, "executable"), &firmware->path, &firmware->format))
        return wrong(error, "missing 'executable'");
    return found != FIRMWARE_SPLIT ||
           read_file(json_peek_object(mapping, "nvram-template"), &firmware->nvram, &firmware->nvram_format) ||
           wrong(error, "missing 'nvram-template'");
}

static gboolean read_mapping(Firmware *firmware, JsonObject *mapping, GError **error)
{
    const char *device = json_peek_string(mapping, "device");

    if (!device)
        return wrong(error, "missing 'device' of 'mapping'");
    if (strcmp(device, "flash") == 0)
        return read_flash(firmware, mapping, error);
    if (strcmp(device, "kernel") != 0 && strcmp(device, "memory") != 0)
        return wrong(error, "unknown device of 'mapping'");
    firmware->device = strcmp(device, "kernel") == 0 ? FIRMWARE_KERNEL : FIRMWARE_MEMORY;
    return read_file(mapping, &firmware->path, NULL) || wrong(error, "missing 'filename'");
}

static gboolean read_target(Firmware *firmware, JsonObject *object, GError **error)
{
    const char *arch = json_peek_string(object, "architecture");
    JsonArray *machines = json_peek_array(object, "machines");
    g_autoptr(GStrvBuilder) patterns = g_strv_builder_new();

    if (!arch || !machines)
        return wrong(error, "missing 'architecture' or 'machines' of a target");
    for (guint i = 0; i < json_peek_length(machines); i++) {
        if (!json_peek_string_at(machines, i))
            return wrong(error, "a machine is no string");
        g_strv_builder_add(patterns, json_peek_string_at(machines, i));
    }
    FirmwareTarget *target = g_new0(FirmwareTarget, 1);
    target->arch = g_strdup(emulator_arch_name(arch));
    target->machines = g_strv_builder_end(patterns);
    g_ptr_array_add(firmware->targets, target);
    return TRUE;
}

Firmware *firmware_parse(const char *text, gsize length, GError **error)
{
    g_autoptr(JsonNode) node = json_peek_parse(text, length, VALUES_MAX, error);
    JsonObject *root = json_peek_as_object(node);
    g_autoptr(Firmware) firmware = g_new0(Firmware, 1);

    firmware->targets = g_ptr_array_new_with_free_func(target_free);
    if (!node)
        return NULL;
    JsonArray *targets = json_peek_array(root, "targets");
    JsonArray *kinds = json_peek_array(root, "interface-types"), *can = json_peek_array(root, "features");
    if (json_peek_length(kinds) == 0 || json_peek_length(targets) == 0 || !can) {
        wrong(error, "missing 'interface-types', 'targets' or 'features'");
        return NULL;
    }
    if (!read_bits(kinds, interfaces, &firmware->interfaces) || !read_bits(can, features, &firmware->features)) {
        wrong(error, "an interface or feature is no string");
        return NULL;
    }
    if (!read_mapping(firmware, json_peek_object(root, "mapping"), error))
        return NULL;
    for (guint i = 0; i < json_peek_length(targets); i++)
        if (!read_target(firmware, json_peek_object_at(targets, i), error))
            return NULL;
    return g_steal_pointer(&firmware);
}

/* --- all of them --- */

typedef struct {
    GPtrArray *found;
    FirmwareBad bad;
    gpointer data;
} Listing;

static gboolean add(const char *path, const char *text, gsize length, const char *why, gpointer data)
{
    Listing *listing = data;
    g_autoptr(GError) error = NULL;
    Firmware *firmware = text ? firmware_parse(text, length, &error) : NULL;

    if (firmware)
        g_ptr_array_add(listing->found, firmware);
    else if (listing->bad)
        listing->bad(path, error ? error_detail(error) : why, listing->data);
    return TRUE;
}

GPtrArray *firmware_list(const char *const *folders, FirmwareBad bad, gpointer data)
{
    Listing listing = {g_ptr_array_new_with_free_func((GDestroyNotify)firmware_free), bad, data};

    descriptor_each(folders, add, &listing);
    return listing.found;
}

gboolean firmware_suits(const Firmware *firmware, const char *arch, const char *machine)
{
    for (guint i = 0; i < firmware->targets->len; i++) {
        const FirmwareTarget *target = g_ptr_array_index(firmware->targets, i);

        for (char **pattern = target->machines; g_strcmp0(target->arch, arch) == 0 && *pattern; pattern++)
            if (g_pattern_match_simple(*pattern, machine))
                return TRUE;
    }
    return FALSE;
}
