/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads the module as the daemon does. argv[1] is its path. */
#include <gmodule.h>
#include <string.h>

#include "driver-xen/presence.h"
#include "lib/driver/driver.h"
#include "lib/error.h"

static const Driver *driver;

static void test_entry(void)
{
    g_assert_cmpstr(driver->build, ==, DRIVER_BUILD);
    g_assert_cmpstr(driver->name, ==, "xen");
    g_assert_cmpstr(driver->scheme, ==, "xen");
    g_assert_true(g_strv_contains(driver->domain_types, "xen"));
    g_assert_nonnull(driver->close);
    g_assert_nonnull(driver->definition->complete);
    g_assert_nonnull(driver->run->start);
    g_assert_nonnull(driver->run->kill);
    g_assert_nonnull(driver->run->cleanup);
    g_assert_nonnull(driver->run->reconnect);
}

static void ignore_log(Vm *vm, int priority, const char *text)
{
    g_test_message("%s", text);
}

static void test_open(void)
{
    const DriverHost host = {.log = ignore_log};
    g_autoptr(GError) absent = NULL;
    gboolean present = presence_check("", &absent);
    g_autoptr(GError) error = NULL;
    gpointer self = driver->open(&host, &error);
    if (!present) {
        g_assert_null(self);
        g_assert_true(error_is(error, VIR_ERR_CONFIG_UNSUPPORTED));
        g_assert_cmpstr(error->message, ==, absent->message);
        return;
    }
    g_assert_no_error(error);
    guint64 version = 0;
    g_assert_true(driver->node->version(self, &version, &error));
    g_assert_cmpuint(version, >=, 4000000);
    g_assert_false(driver->run->start(self, NULL, NULL, &error));
    g_assert_true(error_is(error, VIR_ERR_NO_SUPPORT));
    driver->close(self);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, ==, 2);
    GModule *module = g_module_open(argv[1], G_MODULE_BIND_LOCAL);
    if (!module)
        g_error("%s", g_module_error());
    g_assert_true(g_module_symbol(module, DRIVER_ENTRY_NAME, (gpointer *)&driver));
    g_test_add_func("/xen/entry", test_entry);
    g_test_add_func("/xen/open", test_open);
    int result = g_test_run();
    g_module_close(module);
    return result;
}
