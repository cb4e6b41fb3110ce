/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-sysinfo.h"

#include <stdio.h>
#include <string.h>

#include "lib/error.h"
#include "lib/uuid.h"

#define FIRST_YEAR 1900 /* of a year in four digits; one in two is of this century of SMBIOS's */
#define WRONG VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR
#define DETAIL VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL

const char *const sysinfo_bios[] = {"vendor", "version", "date", "release", NULL};
const char *const sysinfo_system[] = {"manufacturer", "product", "version", "serial", "uuid", "sku", "family", NULL};
const char *const sysinfo_base_board[] = {"manufacturer", "product", "version", "serial", "asset", "location", NULL};
const char *const sysinfo_chassis[] = {"manufacturer", "version", "serial", "asset", "sku", NULL};

static SysinfoEntry *entry_of(const SysinfoTable *table, const char *name)
{
    for (guint i = 0; table && i < table->entries->len; i++) {
        SysinfoEntry *entry = g_ptr_array_index(table->entries, i);

        if (g_strcmp0(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

const char *sysinfo_value(const SysinfoTable *table, const char *name)
{
    const SysinfoEntry *entry = entry_of(table, name);

    return entry ? entry->value : NULL;
}

/* TABLE with the known values alone, each once. NULL (and TABLE is freed) if there is none. */
static SysinfoTable *keep_known(SysinfoTable *table, const char *const *names)
{
    SysinfoTable *kept;

    if (!table)
        return NULL;
    kept = sysinfo_table_new();
    for (; *names; names++) {
        const char *value = sysinfo_value(table, *names);

        if (value && *value)
            g_ptr_array_add(kept->entries, sysinfo_entry_copy(entry_of(table, *names)));
    }
    sysinfo_table_free(table);
    if (kept->entries->len == 0)
        g_clear_pointer(&kept, sysinfo_table_free);
    return kept;
}

static void keep_boards(GPtrArray *boards)
{
    gsize n;
    g_autofree gpointer *all = g_ptr_array_steal(boards, &n);

    for (gsize i = 0; i < n; i++) {
        SysinfoTable *kept = keep_known(all[i], sysinfo_base_board);

        if (kept)
            g_ptr_array_add(boards, kept);
    }
}

static void forget_names(const SysinfoTable *strings)
{
    for (guint i = 0; strings && i < strings->entries->len; i++)
        g_clear_pointer(&((SysinfoEntry *)g_ptr_array_index(strings->entries, i))->name, g_free);
}

/* mm/dd/yyyy or mm/dd/yy, as SMBIOS has it. */
static gboolean is_date(const char *text)
{
    int month, day, year, length = 0;

    if (sscanf(text, "%d/%d/%d%n", &month, &day, &year, &length) != 3 || text[length])
        return FALSE;
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 && year >= 0 && (year < 100 || year >= FIRST_YEAR);
}

static gboolean take_uuid(Domain *def, const SysinfoTable *system, GError **error)
{
    SysinfoEntry *entry = entry_of(system, "uuid");
    guint8 bytes[UUID_BYTES];
    char text[UUID_TEXT];

    if (!entry)
        return TRUE;
    if (!uuid_parse(g_strstrip(entry->value), bytes))
        return error_set(error, DETAIL, "malformed <sysinfo> uuid element");
    if (def->uuid.set && memcmp(def->uuid.bytes, bytes, sizeof bytes) != 0)
        return error_set(error, DETAIL, "UUID mismatch between <uuid> and <sysinfo>");
    memcpy(def->uuid.bytes, bytes, sizeof bytes);
    def->uuid.set = TRUE;
    uuid_format(bytes, text);
    g_free(entry->value);
    entry->value = g_strdup(text);
    return TRUE;
}

static gboolean normalize_smbios(Domain *def, Sysinfo *info, GError **error)
{
    const char *date;

    info->bios = keep_known(info->bios, sysinfo_bios);
    info->system = keep_known(info->system, sysinfo_system);
    info->chassis = keep_known(info->chassis, sysinfo_chassis);
    keep_boards(info->base_boards);
    forget_names(info->oem_strings);
    if (info->oem_strings && info->oem_strings->entries->len == 0)
        g_clear_pointer(&info->oem_strings, sysinfo_table_free);
    date = sysinfo_value(info->bios, "date");
    if (date && !is_date(date))
        return error_set(error, DETAIL, "Invalid BIOS 'date' format");
    return take_uuid(def, info->system, error);
}

static gboolean normalize_files(const GPtrArray *entries, GError **error)
{
    for (guint i = 0; i < entries->len; i++) {
        SysinfoEntry *entry = g_ptr_array_index(entries, i);

        if (!entry->name)
            return error_set(error, WRONG, "Firmware entry is missing 'name' attribute");
        if (!entry->file && (!entry->value || !*entry->value))
            return error_set(error, WRONG, "Firmware entry must have either value or 'file' attribute");
        if (entry->file)
            g_clear_pointer(&entry->value, g_free);
    }
    return TRUE;
}

gboolean domain_normalize_sysinfo(Domain *def, GError **error)
{
    for (guint i = 0; i < def->sysinfo->len; i++) {
        Sysinfo *info = g_ptr_array_index(def->sysinfo, i);
        gboolean fine = info->type == SYSINFO_TYPE_SMBIOS ? normalize_smbios(def, info, error)
                                                          : normalize_files(info->entries, error);

        if (!fine)
            return FALSE;
    }
    return TRUE;
}
