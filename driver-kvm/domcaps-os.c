/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a machine can boot from: the firmware that this host has descriptors of. */
#include <string.h>

#include "driver-kvm/descriptor.h"
#include "driver-kvm/domcaps-parts.h"
#include "driver-kvm/firmware-choose.h"

static void write_enum(XmlWriter *writer, const char *name, const char *first, const char *second)
{
    xml_writer_open(writer, "enum");
    xml_writer_attribute(writer, "name", name);
    if (first)
        xml_writer_element(writer, "value", first);
    if (second)
        xml_writer_element(writer, "value", second);
    xml_writer_close(writer);
}

typedef struct {
    guint interfaces, features;
    GPtrArray *paths; /* borrowed */
} Offer;

static void add_path(GPtrArray *paths, const char *path)
{
    if (!g_ptr_array_find_with_equal_func(paths, path, g_str_equal, NULL) && g_file_test(path, G_FILE_TEST_EXISTS))
        g_ptr_array_add(paths, (gpointer)path);
}

static void collect(const GPtrArray *firmwares, const Caps *caps, const CapsMachine *machine, Offer *offer)
{
    gboolean described = FALSE;

    for (guint i = 0; i < firmwares->len; i++) {
        const Firmware *firmware = g_ptr_array_index(firmwares, i);

        if (!firmware_suits(firmware, caps_arch(caps), machine->name))
            continue;
        offer->interfaces |= firmware->interfaces;
        offer->features |= firmware->features;
        if (firmware->device == FIRMWARE_KERNEL)
            continue;
        described = TRUE;
        add_path(offer->paths, firmware->path);
    }
    for (const FirmwareKnown *known = firmware_known; !described && known->code; known++)
        add_path(offer->paths, known->code);
}

void domcaps_write_os(XmlWriter *writer, const Caps *caps, const CapsMachine *machine)
{
    g_auto(GStrv) folders = descriptor_folders("firmware");
    g_autoptr(GPtrArray) firmwares = firmware_list((const char *const *)folders, NULL, NULL);
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    Offer offer = {0, 0, paths};

    collect(firmwares, caps, machine, &offer);
    xml_writer_open(writer, "os");
    xml_writer_attribute(writer, "supported", "yes");
    write_enum(writer, "firmware", offer.interfaces & FIRMWARE_BIOS ? "bios" : NULL,
               offer.interfaces & FIRMWARE_UEFI ? "efi" : NULL);
    xml_writer_open(writer, "loader");
    xml_writer_attribute(writer, "supported", "yes");
    for (guint i = 0; i < paths->len; i++)
        xml_writer_element(writer, "value", g_ptr_array_index(paths, i));
    write_enum(writer, "type", "rom", "pflash");
    write_enum(writer, "readonly", "yes", "no");
    write_enum(writer, "secure", offer.features & FIRMWARE_REQUIRES_SMM ? "yes" : NULL, "no");
    xml_writer_close(writer);
    xml_writer_close(writer);
}
