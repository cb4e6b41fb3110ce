/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One value: text to member and back, with libvirt's words for what is wrong. */
#include "lib/model/table.h"

#include <string.h>

#include "lib/cpuset.h"
#include "lib/error.h"
#include "lib/ip.h"
#include "lib/mac.h"
#include "lib/uuid.h"

/* Sizes */

static const struct {
    const char *name; /* compared without regard to case */
    guint64 bytes;
} units[] = {
    {"b", 1},           {"byte", 1},        {"bytes", 1},
    {"k", 1ull << 10},  {"kib", 1ull << 10}, {"kb", 1000ull},
    {"m", 1ull << 20},  {"mib", 1ull << 20}, {"mb", 1000000ull},
    {"g", 1ull << 30},  {"gib", 1ull << 30}, {"gb", 1000000000ull},
    {"t", 1ull << 40},  {"tib", 1ull << 40}, {"tb", 1000000000000ull},
    {"p", 1ull << 50},  {"pib", 1ull << 50}, {"pb", 1000000000000000ull},
    {"e", 1ull << 60},  {"eib", 1ull << 60}, {"eb", 1000000000000000000ull},
};

static guint64 unit_bytes(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(units); i++)
        if (g_ascii_strcasecmp(units[i].name, name) == 0)
            return units[i].bytes;
    return 0;
}

/* The largest unit that divides BYTES. */
static const char *pretty_unit(guint64 bytes, guint64 *ret_value)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    guint i = 0;

    for (; i + 1 < G_N_ELEMENTS(names) && bytes && bytes % 1024 == 0; i++)
        bytes /= 1024;
    *ret_value = bytes;
    return names[i];
}

/* Numbers */

/* All of TEXT is a number in BASE; one with a minus comes back as its two's complement. */
static gboolean parse_number(const char *text, guint base, gboolean minus, guint64 *ret_value)
{
    char *end = NULL;

    while (g_ascii_isspace(*text))
        text++;
    gboolean negative = minus && *text == '-';
    const char *digits = text + (negative || *text == '+');
    if (!g_ascii_isxdigit(*digits))
        return FALSE;
    errno = 0;
    guint64 value = g_ascii_strtoull(digits, &end, base);
    if (errno || end == digits || (negative && value > G_MAXINT64))
        return FALSE;
    while (g_ascii_isspace(*end))
        end++;
    if (*end)
        return FALSE;
    *ret_value = negative ? -value : value;
    return TRUE;
}

static gboolean is_signed(const ModelField *field)
{
    return field->kind == MODEL_INT32 || field->kind == MODEL_INT64;
}

static gboolean is_wide(const ModelField *field)
{
    return field->kind == MODEL_INT64 || field->kind == MODEL_UINT64 || field->kind == MODEL_SIZE;
}

/* The member can hold VALUE, and VALUE does not read as UNSET. */
static gboolean fits(const ModelField *field, guint64 value)
{
    if (is_signed(field))
        return is_wide(field) || (gint64)value == (gint32)value;
    return value < (is_wide(field) ? UNSET64 : UNSET32);
}

static gboolean within_limits(const ModelField *field, guint64 value)
{
    if (is_signed(field))
        return (gint64)value >= field->min && (!field->max || (gint64)value <= (gint64)field->max);
    return value >= (guint64)field->min && (!field->max || value <= field->max);
}

static void store_number(const ModelField *field, gpointer object, guint64 value)
{
    if (is_wide(field))
        MODEL_MEMBER(object, field, guint64) = value;
    else
        MODEL_MEMBER(object, field, guint32) = (guint32)value;
}

static guint64 load_number(const ModelField *field, gconstpointer object)
{
    if (is_wide(field))
        return MODEL_MEMBER_CONST(object, field, guint64);
    return MODEL_MEMBER_CONST(object, field, guint32);
}

/* Errors */

/* Libvirt's own words for a field; a %s in them is TEXT. */
static gboolean say(GError **error, int code, const char *words, const char *text)
{
    if (strstr(words, "%s"))
        return error_set(error, code >> 16, code & 0xffff, words, text);
    return error_set(error, code >> 16, code & 0xffff, "%s", words);
}

#define ATTRIBUTE "{attribute}"

/* Libvirt's words for a wrong value: the field's own, or the general ones with REMARK. */
static gboolean bad_value(const ModelField *field, const char *text, const char *name, const char *element,
                          const char *remark, GError **error)
{
    if (field->bad && strstr(field->bad, ATTRIBUTE)) {
        g_auto(GStrv) parts = g_strsplit(field->bad, ATTRIBUTE, 2);
        g_autofree char *words = g_strjoinv(name, parts);
        return say(error, field->bad_code, words, text);
    }
    if (field->bad)
        return say(error, field->bad_code, field->bad, text);
    if (!name)
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "Invalid value for element '%s': '%s'.%s", element,
                         text, remark);
    return error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                     "Invalid value for attribute '%s' in element '%s': '%s'.%s", name, element, text, remark);
}

static gboolean refuse_zero(const ModelField *field, const char *name, const char *element, GError **error)
{
    if (field->bad)
        return say(error, field->bad_code, field->bad, "0");
    if (!name)
        return error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR, "Invalid value for element '%s': Zero is not permitted", element);
    return error_set(error, VIR_FROM_XML, VIR_ERR_XML_ERROR,
                     "Invalid value for attribute '%s' in element '%s': Zero is not permitted", name, element);
}

/* Each kind */

static gboolean parse_integer(const ModelField *field, gpointer object, const char *text, const char *name,
                              const char *element, GError **error)
{
    guint64 value = 0;

    if ((field->marks & MODEL_ANY) && g_str_equal(text, "-1")) {
        store_number(field, object, 0);
        return TRUE;
    }
    gboolean minus = is_signed(field) || (field->marks & MODEL_SIGNED);
    if (!parse_number(text, field->base, minus, &value) || !(fits(field, value) || (minus && value == UNSET64)))
        return bad_value(field, text, name, element,
                         minus ? " Expected integer value" : " Expected non-negative integer value", error);
    if (minus && value == UNSET64)
        return is_signed(field) || bad_value(field, text, name, element, " Expected non-negative value", error);
    if (value == 0 && (field->marks & MODEL_POSITIVE))
        return refuse_zero(field, name, element, error);
    if (!within_limits(field, value)) {
        const char *form = field->hex ? "0x%" G_GINT64_MODIFIER "x" : "%" G_GUINT64_FORMAT;
        g_autofree char *shown = g_strdup_printf(form, value);
        if (field->high)
            return say(error, field->high_code, field->high, shown);
        return bad_value(field, text, name, element, "", error);
    }
    if (value != 0 || !(field->marks & MODEL_NOZERO))
        store_number(field, object, value);
    return TRUE;
}

static gboolean parse_size(const ModelField *field, gpointer object, const char *text, const char *unit,
                           const char *name, const char *element, GError **error)
{
    guint64 value = 0;
    guint64 scale = unit && *unit ? unit_bytes(unit) : field->default_scale;

    if (!parse_number(text, 10, FALSE, &value))
        return bad_value(field, text, name, element, " Expected non-negative integer value", error);
    if (scale == 0)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "unknown suffix '%s'", unit);
    if (value > (field->max ? field->max : UNSET64 - field->scale) / scale)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_OVERFLOW, "value too large: %" G_GUINT64_FORMAT "%s", value,
                         unit ? unit : "");
    value = (value * scale + field->scale - 1) / field->scale;
    if (value != 0 || !(field->marks & MODEL_NOZERO))
        store_number(field, object, value);
    return TRUE;
}

/* Compiled once for the life of the process: there are as many as `pattern` lines in the description. */
static GRegex *pattern_regex(const char *pattern)
{
    static GMutex lock;
    static GHashTable *compiled;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    if (!compiled)
        compiled = g_hash_table_new(g_direct_hash, g_direct_equal);
    GRegex *regex = g_hash_table_lookup(compiled, pattern);
    if (!regex) {
        g_autofree char *whole = g_strdup_printf("^(?:%s)$", pattern);
        regex = g_regex_new(whole, G_REGEX_DOLLAR_ENDONLY, 0, NULL);
        g_assert(regex);
        g_hash_table_insert(compiled, (gpointer)pattern, regex);
    }
    return regex;
}

static gboolean parse_string(const ModelField *field, gpointer object, const char *text, const char *name,
                             const char *element, GError **error)
{
    guint8 mac[MAC_BYTES];
    char mac_text[MAC_TEXT];

    if (field->form) {
        char *kept = field->form(text);
        if (!kept)
            return bad_value(field, text, name, element, "", error);
        MODEL_MEMBER(object, field, char *) = kept;
        return TRUE;
    }
    if (field->kind == MODEL_IP) {
        Ip ip;
        if (!ip_parse(text, &ip, field->bad ? NULL : error))
            return field->bad ? bad_value(field, text, name, element, "", error) : FALSE;
        MODEL_MEMBER(object, field, char *) = ip_format(&ip);
        return TRUE;
    }
    if (field->kind == MODEL_CPUSET) {
        g_autoptr(CpuSet) set = cpuset_parse(text, field->bad ? NULL : error);
        if (!set && field->bad)
            return bad_value(field, text, name, element, "", error);
        if (set && *text && cpuset_count(set) == 0)
            return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid value of '%s': %s", name, text);
        if (set && cpuset_count(set) == 0)
            return error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%s'", text);
        if (set)
            MODEL_MEMBER(object, field, char *) = cpuset_format(set);
        return set != NULL;
    }
    if (field->kind == MODEL_MAC) {
        if (!mac_parse(text, mac))
            return field->bad ? bad_value(field, text, name, element, "", error)
                              : error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "unable to parse mac address '%s'", text);
        mac_format(mac, mac_text);
        text = mac_text;
    } else if (field->pattern && !g_regex_match(pattern_regex(field->pattern), text, 0, NULL)) {
        return bad_value(field, text, name, element, "", error);
    }
    MODEL_MEMBER(object, field, char *) = g_strdup(text);
    return TRUE;
}

static gboolean parse_toggle(const ModelField *field, gpointer object, const char *text, const char *name,
                             const char *element, GError **error)
{
    gboolean words = field->kind == MODEL_YESNO;

    if (g_str_equal(text, words ? "yes" : "on"))
        MODEL_MEMBER(object, field, Toggle) = TOGGLE_ON;
    else if (g_str_equal(text, words ? "no" : "off"))
        MODEL_MEMBER(object, field, Toggle) = TOGGLE_OFF;
    else
        return bad_value(field, text, name, element, "", error);
    return TRUE;
}

static gboolean parse_value(const ModelField *field, gpointer object, const char *text, const char *unit,
                            const char *name, const char *element, GError **error)
{
    switch (field->kind) {
    case MODEL_STRING:
    case MODEL_MAC:
    case MODEL_IP:
    case MODEL_CPUSET:
        return parse_string(field, object, text, name, element, error);
    case MODEL_YESNO:
    case MODEL_ONOFF:
        return parse_toggle(field, object, text, name, element, error);
    case MODEL_SIZE:
        return parse_size(field, object, text, unit, name, element, error);
    case MODEL_ENUM: {
        guint value = model_enum_from_string(field->values, text);
        if (value == 0 || (field->only && !((field->only >> value) & 1)))
            return bad_value(field, text, name, element, "", error);
        MODEL_MEMBER(object, field, guint32) = value;
        return TRUE;
    }
    case MODEL_UUID: {
        Uuid *uuid = &MODEL_MEMBER(object, field, Uuid);
        if (!uuid_parse(text, uuid->bytes))
            return bad_value(field, text, name, element, " Expected UUID", error);
        uuid->set = TRUE;
        return TRUE;
    }
    default:
        return parse_integer(field, object, text, name, element, error);
    }
}

gboolean model_scalar_parse(const ModelField *field, gpointer object, const char *text, const char *unit,
                            const char *name, const char *element, GError **error)
{
    g_autoptr(GError) wrong = NULL;

    if (*text == '\0' && ((field->marks & MODEL_NONEMPTY) || (!name && field->kind != MODEL_STRING)))
        return TRUE;
    if (parse_value(field, object, text, unit, name, element, &wrong) || (field->marks & MODEL_LAX))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&wrong));
    return FALSE;
}

static char *format_integer(const ModelField *field, gconstpointer object)
{
    guint64 value = load_number(field, object);

    if ((field->marks & MODEL_ANY) && value == 0)
        return g_strdup("-1");
    if (field->hex && (field->marks & MODEL_UPPER))
        return g_strdup_printf("0x%0*" G_GINT64_MODIFIER "X", field->hex - 1, value);
    if (field->hex)
        return g_strdup_printf("0x%0*" G_GINT64_MODIFIER "x", field->hex - 1, value);
    if (field->base == 8)
        return g_strdup_printf("0%" G_GINT64_MODIFIER "o", value);
    if (field->kind == MODEL_INT32)
        return g_strdup_printf("%d", (gint32)value);
    return g_strdup_printf(is_signed(field) ? "%" G_GINT64_FORMAT : "%" G_GUINT64_FORMAT, value);
}

char *model_scalar_format(const ModelField *field, gconstpointer object, const char **ret_unit)
{
    char uuid[UUID_TEXT];

    *ret_unit = NULL;
    if (model_is_unset(field, object))
        return g_strdup(field->marks & MODEL_ANY ? NULL : field->blank);
    switch (field->kind) {
    case MODEL_STRING:
    case MODEL_MAC:
    case MODEL_IP:
    case MODEL_CPUSET:
        return g_strdup(MODEL_MEMBER_CONST(object, field, char *));
    case MODEL_YESNO:
        return g_strdup(MODEL_MEMBER_CONST(object, field, Toggle) == TOGGLE_ON ? "yes" : "no");
    case MODEL_ONOFF:
        return g_strdup(MODEL_MEMBER_CONST(object, field, Toggle) == TOGGLE_ON ? "on" : "off");
    case MODEL_ENUM:
        return g_strdup(model_enum_to_string(field->values, MODEL_MEMBER_CONST(object, field, guint32)));
    case MODEL_UUID:
        uuid_format(MODEL_MEMBER_CONST(object, field, Uuid).bytes, uuid);
        return g_strdup(uuid);
    case MODEL_SIZE: {
        guint64 value = load_number(field, object);
        *ret_unit = field->unit ? field->unit : pretty_unit(value * field->scale, &value);
        return g_strdup_printf("%" G_GUINT64_FORMAT, value);
    }
    default:
        return format_integer(field, object);
    }
}
