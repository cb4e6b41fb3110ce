/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The configuration file: [daemon] by a table of keys, and a section for each driver, whose keys are the driver's own.
 * daemon/data/duovirtd.conf says what each means.
 */
#include "daemon/core/host-policy.h"

typedef enum { CONFIG_AUTH_NONE, CONFIG_AUTH_POLKIT } ConfigAuth;

typedef struct {
    char *socket_group;
    guint socket_mode, socket_mode_ro;
    guint auth, auth_ro; /* ConfigAuth */
    guint max_clients, max_clients_per_user, max_calls_per_client;
    guint handshake_timeout;
    guint keepalive_interval, keepalive_count;
    guint stop_timeout;
    guint log_level;
    HostRules rules;
    guint hook_timeout;
} Config;

/* What PATH says, and defaults for the rest; a file that is not there says nothing. NULL with VIR_ERR_CONF_SYNTAX,
 * which names the file, the key and the value. The drivers' sections are kept for config_driver() if all is well. */
Config *config_load(const char *path, GError **error);
void config_free(Config *config); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

/* The value of KEY in the section of DRIVER, as it was last loaded; NULL if it is not set. The string stays for ever.
 * Any thread. */
const char *config_driver(const char *driver, const char *key);

/* The keys of the section of DRIVER; NULL terminated, to free with g_strfreev(). */
char **config_driver_keys(const char *driver);

/* Names of the sections that are not [daemon]; NULL terminated, to free with g_strfreev(). */
char **config_drivers(void);
