/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config.h"

#include <glib/gstdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/error.h"

static Config *load_text(const char *text, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("config-XXXXXX", &path, NULL);
    Config *config;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    config = config_load(path, error);
    g_unlink(path);
    return config;
}

static void test_defaults(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_load("/nonexistent/file", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(config->socket_group, ==, "libvirt");
    g_assert_cmpuint(config->socket_mode, ==, 0770);
    g_assert_cmpuint(config->log_level, ==, LOG_INFO);
    g_assert_null(config_driver("kvm", "user"));
}

static void test_values(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = load_text("[daemon]\nmax_clients = 7\nsocket_mode=0700\nlog_level = debug\nauth_unix_ro = polkit\n"
                                         "socket_group =\n[kvm]\nuser = somebody\n", &error);
    g_auto(GStrv) drivers = config_drivers();

    g_assert_no_error(error);
    g_assert_cmpuint(config->max_clients, ==, 7);
    g_assert_cmpuint(config->socket_mode, ==, 0700);
    g_assert_cmpuint(config->log_level, ==, LOG_DEBUG);
    g_assert_cmpuint(config->auth_ro, ==, CONFIG_AUTH_POLKIT);
    g_assert_cmpstr(config->socket_group, ==, "");
    g_assert_cmpstr(config_driver("kvm", "user"), ==, "somebody");
    g_assert_null(config_driver("kvm", "group"));
    g_auto(GStrv) keys = config_driver_keys("kvm"), none = config_driver_keys("xen");
    g_assert_cmpstr(keys[0], ==, "user");
    g_assert_cmpuint(g_strv_length(none), ==, 0);
    g_assert_cmpuint(g_strv_length(drivers), ==, 1);
    g_assert_cmpstr(drivers[0], ==, "kvm");
}

static void test_refused(void)
{
    const char *const cases[][2] = {
        {"[daemon]\nmax_client = 1\n", "no such key"},
        {"[daemon]\nmax_clients = 0\n", "not a number from 1"},
        {"[daemon]\nmax_clients = many\n", "not a number"},
        {"[daemon]\nmax_clients = -1\n", "not a number"},
        {"[daemon]\nsocket_mode = 0888\n", "not an octal number"},
        {"[daemon]\nsocket_mode = 01777\n", "not an octal number"},
        {"[daemon]\nlog_level = loud\n", "log_level = loud: not one of emergency, alert"},
        {"[daemon]\nauth_unix_rw = sasl\n", "auth_unix_rw = sasl: not one of none, polkit"},
        {"no section\n", "config-"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(load_text(cases[i][0], &error));
        g_assert_error(error, error_domain(VIR_FROM_CONF), VIR_ERR_CONF_SYNTAX);
        g_assert_nonnull(strstr(error->message, cases[i][1]));
    }
}

/* The sample shows each default as it is: taking the # off changes nothing. */
static void test_sample(void)
{
    g_autoptr(Config) defaults = config_load("/nonexistent/file", NULL);
    g_autoptr(GRegex) commented = g_regex_new("^#([a-z_]+ =)", G_REGEX_MULTILINE, 0, NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "duovirtd.conf", NULL);
    g_autofree char *sample = NULL, *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = NULL;

    g_assert_true(g_file_get_contents(path, &sample, NULL, NULL));
    text = g_regex_replace(commented, sample, -1, 0, "\\1", 0, NULL);
    config = load_text(text, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(config->socket_group, ==, defaults->socket_group);
    g_clear_pointer(&config->socket_group, g_free);
    g_clear_pointer(&defaults->socket_group, g_free);
    g_assert_cmpint(config->rules.stop, ==, HOST_STOP_SHUTDOWN); /* unset is the same, but in a user's own daemon */
    config->rules.stop = defaults->rules.stop;
    g_assert_cmpmem(config, sizeof(*config), defaults, sizeof(*defaults));
    g_assert_nonnull(config_driver("kvm", "user"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/defaults", test_defaults);
    g_test_add_func("/config/values", test_values);
    g_test_add_func("/config/refused", test_refused);
    g_test_add_func("/config/sample", test_sample);
    return g_test_run();
}
