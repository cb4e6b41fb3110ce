/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/host-sysinfo.h"

#include <string.h>

#include "lib/error.h"
#include "lib/sysfs.h"
#include "lib/uuid.h"
#include "lib/xml.h"

#define DMI "/sys/class/dmi/id"

typedef struct {
    const char *file, *entry;
} Entry;

typedef struct {
    const char *element;
    Entry entries[8];
} Section;

/* Processors and memory modules are in the firmware's raw tables only and are left out. */
static const Section sections[] = {
    {"bios",
     {{"bios_vendor", "vendor"}, {"bios_version", "version"}, {"bios_date", "date"}, {"bios_release", "release"}}},
    {"system",
     {{"sys_vendor", "manufacturer"},
      {"product_name", "product"},
      {"product_version", "version"},
      {"product_serial", "serial"},
      {"product_uuid", "uuid"},
      {"product_sku", "sku"},
      {"product_family", "family"}}},
    {"baseBoard",
     {{"board_vendor", "manufacturer"},
      {"board_name", "product"},
      {"board_version", "version"},
      {"board_serial", "serial"},
      {"board_asset_tag", "asset"}}},
    {"chassis",
     {{"chassis_vendor", "manufacturer"},
      {"chassis_version", "version"},
      {"chassis_serial", "serial"},
      {"chassis_asset_tag", "asset"}}},
};

/* The number of entries written. */
static guint write_section(XmlWriter *writer, const char *root, const Section *section)
{
    guint n = 0;
    for (const Entry *entry = section->entries; entry->file; entry++) {
        g_autofree char *value = sysfs_text(root, DMI "/%s", entry->file);
        if (!value || *g_strstrip(value) == '\0')
            continue;
        if (n++ == 0)
            xml_writer_open(writer, section->element);
        xml_writer_open(writer, "entry");
        xml_writer_attribute(writer, "name", entry->entry);
        xml_writer_text(writer, value);
        xml_writer_close(writer);
    }
    if (n > 0)
        xml_writer_close(writer);
    return n;
}

char *host_sysinfo(const char *root, GError **error)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();
    guint n = 0;
    xml_writer_open(writer, "sysinfo");
    xml_writer_attribute(writer, "type", "smbios");
    for (gsize i = 0; i < G_N_ELEMENTS(sections); i++)
        n += write_section(writer, root, &sections[i]);
    xml_writer_close(writer);
    if (n == 0) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "Host SMBIOS information is not available");
        return NULL;
    }
    return xml_writer_finish(writer);
}

char *host_sysinfo_uuid(const char *root)
{
    guint8 bytes[UUID_BYTES], same[UUID_BYTES];
    char text[UUID_TEXT];
    g_autofree char *uuid = sysfs_text(root, DMI "/product_uuid");
    if (!uuid || !uuid_parse(uuid, bytes))
        return NULL;
    memset(same, bytes[0], sizeof(same)); /* firmware that was never told writes 00... or ff... */
    if (memcmp(bytes, same, sizeof(same)) == 0)
        return NULL;
    uuid_format(bytes, text);
    return g_strdup(text);
}
