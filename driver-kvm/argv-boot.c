/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/argv-parts.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/model/domain-sysinfo.h"

static gboolean is_flash(const OsLoader *loader)
{
    return loader && loader->path && loader->type == LOADER_TYPE_PFLASH;
}

/* The file of variables; NULL if there is none. */
static const char *flash_variables(const Domain *live)
{
    const OsNvram *nvram = is_flash(live->os->loader) ? live->os->nvram : NULL;

    return !nvram ? NULL : nvram->source ? nvram->source->file : nvram->path;
}

static void add_flash(guint number, const char *path, StorageFormat kind, gboolean readonly, GPtrArray *parts)
{
    g_autofree char *storage = g_strdup_printf("libvirt-pflash%u-storage", number);
    JsonObject *file = props_new("driver", "file"), *format = json_object_new();

    props_string(file, "filename", path);
    props_string(file, "node-name", storage);
    props_bool(file, "auto-read-only", TRUE);
    props_string(file, "discard", "unmap");
    parts_add(parts, PART_BLOCKDEV, file);
    props_format(format, "node-name", ARGV_FLASH, number);
    props_bool(format, "read-only", readonly);
    props_string(format, "driver", storage_format_to_string(kind ? kind : STORAGE_FORMAT_RAW));
    props_string(format, "file", storage);
    parts_add(parts, PART_BLOCKDEV, format);
}

guint argv_flash(const Domain *live, GPtrArray *parts)
{
    const OsLoader *loader = live->os->loader;
    const char *variables = flash_variables(live);

    if (!is_flash(loader))
        return 0;
    if (parts)
        add_flash(0, loader->path, loader->format, loader->readonly == TOGGLE_ON, parts);
    if (parts && variables)
        add_flash(1, variables, live->os->nvram->format, FALSE, parts);
    return variables ? 2 : 1;
}

gboolean argv_firmware(const Domain *live, GPtrArray *parts, GError **error)
{
    const OsLoader *loader = live->os->loader;
    const OsNvram *nvram = live->os->nvram;

    if (nvram && nvram->source && nvram->type != STORAGE_TYPE_FILE)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "<nvram type='%s'> is not supported by this driver",
                         storage_type_to_string(nvram->type));
    if (!loader || !loader->path)
        return TRUE;
    if (loader->type == LOADER_TYPE_NONE)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "<loader type='none'> is not supported by this "
                         "driver");
    if (loader->type == LOADER_TYPE_ROM)
        parts_add_option(parts, "-bios", g_strdup(loader->path));
    else if (loader->secure == TOGGLE_ON) /* only code in the guarded mode may write to it */
        parts_add_option(parts, "-global", g_strdup("driver=cfi.pflash01,property=secure,value=on"));
    return TRUE;
}

static void add_file(const char *option, const char *value, GPtrArray *parts)
{
    if (value)
        parts_add_option(parts, option, g_strdup(value));
}

void argv_boot(const Domain *live, GPtrArray *parts)
{
    const OsBootmenu *menu = live->os->bootmenu;
    const OsBios *bios = live->os->bios;
    GString *text = g_string_new(NULL);

    if (menu && menu->enable != TOGGLE_UNSET)
        g_string_append_printf(text, "menu=%s,", menu->enable == TOGGLE_ON ? "on" : "off");
    if (menu && menu->enable == TOGGLE_ON && menu->timeout != UNSET32)
        g_string_append_printf(text, "splash-time=%u,", menu->timeout);
    if (bios && bios->reboot_timeout)
        g_string_append_printf(text, "reboot-timeout=%s,", bios->reboot_timeout);
    g_string_append(text, "strict=on"); /* from what is listed or from nothing */
    parts_add_option(parts, "-boot", g_string_free(text, FALSE));
    add_file("-kernel", live->os->kernel, parts);
    add_file("-initrd", live->os->initrd, parts);
    add_file("-append", live->os->cmdline, parts);
    add_file("-dtb", live->os->dtb, parts);
    add_file("-shim", live->os->shim, parts);
}

/* QEMU has libvirt's names for the values. */
static void add_table(const SysinfoTable *table, int number, const char *const *names, GPtrArray *parts)
{
    GString *text;

    if (!table)
        return;
    text = g_string_new(NULL);
    g_string_append_printf(text, "type=%d", number);
    for (; *names; names++) {
        const char *value = sysinfo_value(table, *names);
        g_autofree char *escaped = value ? part_escape(value) : NULL;

        if (escaped)
            g_string_append_printf(text, ",%s=%s", *names, escaped);
    }
    parts_add_option(parts, "-smbios", g_string_free(text, FALSE));
}

static void add_strings(const SysinfoTable *table, GPtrArray *parts)
{
    GString *text;

    if (!table || table->entries->len == 0)
        return;
    text = g_string_new("type=11");
    for (guint i = 0; i < table->entries->len; i++) {
        const SysinfoEntry *entry = g_ptr_array_index(table->entries, i);
        g_autofree char *escaped = part_escape(entry->value ? entry->value : "");

        g_string_append_printf(text, ",value=%s", escaped);
    }
    parts_add_option(parts, "-smbios", g_string_free(text, FALSE));
}

void argv_firmware_files(const Domain *live, GPtrArray *parts)
{
    for (guint i = 0; i < live->sysinfo->len; i++) {
        const Sysinfo *info = g_ptr_array_index(live->sysinfo, i);

        for (guint n = 0; n < info->entries->len; n++) {
            const SysinfoEntry *entry = g_ptr_array_index(info->entries, n);
            g_autofree char *name = part_escape(entry->name);
            g_autofree char *value = part_escape(entry->file ? entry->file : entry->value);

            parts_add_option(parts, "-fw_cfg", g_strdup_printf("name=%s,%s=%s", name, entry->file ? "file" : "string", value));
        }
    }
}

gboolean argv_smbios(const Domain *live, GPtrArray *parts, GError **error)
{
    if (!live->os->smbios || live->os->smbios->mode != SMBIOS_MODE_SYSINFO)
        return TRUE;
    for (guint i = 0; i < live->sysinfo->len; i++) {
        const Sysinfo *info = g_ptr_array_index(live->sysinfo, i);

        if (info->type != SYSINFO_TYPE_SMBIOS)
            continue;
        add_table(info->bios, 0, sysinfo_bios, parts);
        add_table(info->system, 1, sysinfo_system, parts);
        if (info->base_boards->len > 1) /* it would take the last */
            return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED,
                             "qemu does not support more than one entry to Type 2 in SMBIOS table");
        for (guint n = 0; n < info->base_boards->len; n++)
            add_table(g_ptr_array_index(info->base_boards, n), 2, sysinfo_base_board, parts);
        add_table(info->chassis, 3, sysinfo_chassis, parts);
        add_strings(info->oem_strings, parts);
    }
    return TRUE;
}
