/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config.h"

#include <syslog.h>

#include "lib/error.h"

#define SECTION "daemon"

typedef enum { TEXT, NUMBER, OCTAL, WORD } Kind;

typedef struct {
    const char *name;
    Kind kind;
    gsize offset;
    const char *text; /* default of a TEXT */
    guint number;     /* default of the others */
    guint min, max;
    const char *const *words; /* of a WORD: the number is the index */
} Key;

static const char *const levels[] = {"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
                                     NULL};
static const char *const auths[] = {[CONFIG_AUTH_NONE] = "none", [CONFIG_AUTH_POLKIT] = "polkit", NULL};

static const Key keys[] = {
    {"socket_group", TEXT, G_STRUCT_OFFSET(Config, socket_group), .text = "libvirt"},
    {"socket_mode", OCTAL, G_STRUCT_OFFSET(Config, socket_mode), .number = 0770, .max = 0777},
    {"socket_mode_ro", OCTAL, G_STRUCT_OFFSET(Config, socket_mode_ro), .number = 0777, .max = 0777},
    {"auth_unix_rw", WORD, G_STRUCT_OFFSET(Config, auth), .words = auths},
    {"auth_unix_ro", WORD, G_STRUCT_OFFSET(Config, auth_ro), .words = auths},
    {"max_clients", NUMBER, G_STRUCT_OFFSET(Config, max_clients), .number = 5000, .min = 1, .max = 100000},
    {"max_clients_per_user", NUMBER, G_STRUCT_OFFSET(Config, max_clients_per_user), .number = 500, .max = 100000},
    {"max_calls_per_client", NUMBER, G_STRUCT_OFFSET(Config, max_calls_per_client), .number = 1024, .min = 1,
     .max = 65536},
    {"handshake_timeout", NUMBER, G_STRUCT_OFFSET(Config, handshake_timeout), .number = 30, .min = 1, .max = 3600},
    {"keepalive_interval", NUMBER, G_STRUCT_OFFSET(Config, keepalive_interval), .number = 5, .max = 3600},
    {"keepalive_count", NUMBER, G_STRUCT_OFFSET(Config, keepalive_count), .number = 5, .min = 1, .max = 1000},
    {"stop_timeout", NUMBER, G_STRUCT_OFFSET(Config, stop_timeout), .number = 15, .max = 600},
    {"log_level", WORD, G_STRUCT_OFFSET(Config, log_level), .number = LOG_INFO, .words = levels},
    {"autostart_parallel", NUMBER, G_STRUCT_OFFSET(Config, rules.parallel), .number = 4, .min = 1, .max = 256},
    {"autostart_delay", NUMBER, G_STRUCT_OFFSET(Config, rules.delay), .max = HOST_SECONDS_MAX},
    {"host_shutdown", WORD, G_STRUCT_OFFSET(Config, rules.stop), .number = HOST_STOP_UNSET, .words = host_stop_names},
    {"host_shutdown_timeout", NUMBER, G_STRUCT_OFFSET(Config, rules.stop_timeout), .number = 180, .min = 1, .max = 3600},
    {"hook_timeout", NUMBER, G_STRUCT_OFFSET(Config, hook_timeout), .number = 60, .min = 1, .max = 3600},
};

static GMutex drivers_lock;
static GKeyFile *drivers; /* the file as last loaded */

static gboolean refuse(const char *path, const char *key, const char *value, const char *why, GError **error)
{
    return error_set(error, VIR_FROM_CONF, VIR_ERR_CONF_SYNTAX, "%s: [" SECTION "] %s = %s: %s", path, key, value, why);
}

/* RET_INDEX is written on success. */
static gboolean parse_word(const Key *key, const char *value, guint64 *ret_index)
{
    for (guint i = 0; key->words[i]; i++) {
        if (g_str_equal(key->words[i], value)) {
            *ret_index = i;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean parse_number(const Key *key, const char *value, guint64 *ret_number)
{
    return g_ascii_string_to_unsigned(value, key->kind == OCTAL ? 8 : 10, key->min, key->max, ret_number, NULL);
}

static char *what_it_takes(const Key *key)
{
    g_autofree char *words = key->kind == WORD ? g_strjoinv(", ", (char **)key->words) : NULL;

    if (words)
        return g_strdup_printf("not one of %s", words);
    return g_strdup_printf(key->kind == OCTAL ? "not an octal number from %o to %o" : "not a number from %u to %u",
                           key->min, key->max);
}

static gboolean set(Config *config, const Key *key, const char *path, const char *value, GError **error)
{
    gpointer member = (guint8 *)config + key->offset;
    guint64 number;

    if (key->kind == TEXT) {
        g_free(*(char **)member);
        *(char **)member = g_strdup(value);
        return TRUE;
    }
    if (key->kind == WORD ? !parse_word(key, value, &number) : !parse_number(key, value, &number)) {
        g_autofree char *why = what_it_takes(key);
        return refuse(path, key->name, value, why, error);
    }
    *(guint *)member = (guint)number;
    return TRUE;
}

static const Key *find_key(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (g_str_equal(keys[i].name, name))
            return &keys[i];
    }
    return NULL;
}

static gboolean read_section(Config *config, const char *path, GKeyFile *file, GError **error)
{
    g_auto(GStrv) names = g_key_file_get_keys(file, SECTION, NULL, NULL);

    for (char **name = names; name && *name; name++) {
        g_autofree char *value = g_key_file_get_string(file, SECTION, *name, NULL);
        const Key *key = find_key(*name);
        if (!key || !value)
            return refuse(path, *name, value ? value : "?", "no such key", error);
        if (!set(config, key, path, value, error))
            return FALSE;
    }
    return TRUE;
}

static Config *with_defaults(void)
{
    Config *config = g_new0(Config, 1);

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        gpointer member = (guint8 *)config + keys[i].offset;
        if (keys[i].kind == TEXT)
            *(char **)member = g_strdup(keys[i].text);
        else
            *(guint *)member = keys[i].number;
    }
    return config;
}

Config *config_load(const char *path, GError **error)
{
    g_autoptr(Config) config = with_defaults();
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) cause = NULL;

    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &cause) &&
        !g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        error_set(error, VIR_FROM_CONF, VIR_ERR_CONF_SYNTAX, "%s: %s", path, cause->message);
        return NULL;
    }
    if (!read_section(config, path, file, error))
        return NULL;

    g_mutex_lock(&drivers_lock);
    g_clear_pointer(&drivers, g_key_file_unref);
    drivers = g_steal_pointer(&file);
    g_mutex_unlock(&drivers_lock);
    return g_steal_pointer(&config);
}

void config_free(Config *config)
{
    if (!config)
        return;
    g_free(config->socket_group);
    g_free(config);
}

const char *config_driver(const char *driver, const char *key)
{
    g_autofree char *value = NULL;

    g_mutex_lock(&drivers_lock);
    if (drivers)
        value = g_key_file_get_string(drivers, driver, key, NULL);
    g_mutex_unlock(&drivers_lock);
    return value ? g_intern_string(value) : NULL;
}

char **config_driver_keys(const char *driver)
{
    g_mutex_lock(&drivers_lock);
    char **names = drivers ? g_key_file_get_keys(drivers, driver, NULL, NULL) : NULL;
    g_mutex_unlock(&drivers_lock);
    return names ? names : g_new0(char *, 1);
}

char **config_drivers(void)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) sections = NULL;

    g_mutex_lock(&drivers_lock);
    sections = drivers ? g_key_file_get_groups(drivers, NULL) : NULL;
    g_mutex_unlock(&drivers_lock);
    for (char **section = sections; section && *section; section++) {
        if (!g_str_equal(*section, SECTION))
            g_strv_builder_add(builder, *section);
    }
    return g_strv_builder_end(builder);
}
