/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets over restarts, changes of the key, and what a kill leaves. */
#include "daemon/secret/secrets.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"
#include "lib/uuid.h"

#define ONE "00000000-0000-4000-8000-000000000001"
#define TWO "00000000-0000-4000-8000-000000000002"

static char *root;
static DriverPaths paths;

static void open_all(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(secrets_open(&paths, &error));
    g_assert_no_error(error);
}

static char *path_of(const char *name)
{
    return g_build_filename(paths.state, name, NULL);
}

static const guint8 *id_of(const char *uuid)
{
    static guint8 bytes[2][16];
    guint i = g_str_equal(uuid, ONE) ? 0 : 1;

    g_assert_true(uuid_parse(uuid, bytes[i]));
    return bytes[i];
}

static void define(const char *uuid, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("<secret %s><uuid>%s</uuid></secret>", words, uuid);
    g_autoptr(XmlDocument) document = xml_parse(text, "secret", &error);
    g_autoptr(Secret) def = secret_read(document, &error);

    g_assert_true(secrets_define(def, &error));
    g_assert_no_error(error);
}

static gboolean set(const char *uuid, const char *words, GError **error)
{
    g_autoptr(SecretValue) value = secret_value_copy((const guint8 *)words, strlen(words), NULL);
    g_autoptr(Secret) def = NULL;

    return secrets_set_value(id_of(uuid), value, &def, error);
}

static void expect(const char *uuid, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SecretValue) value = secrets_get_value(id_of(uuid), &error);

    if (words) {
        g_assert_no_error(error);
        g_assert_cmpmem(value->octets, value->length, words, strlen(words));
    } else {
        g_assert_null(value);
        g_assert_nonnull(error);
    }
}

static void setup(void)
{
    root = g_dir_make_tmp("secrets-XXXXXX", NULL);
    paths.state = g_build_filename(root, "state", NULL);
    open_all();
}

static void teardown(void)
{
    g_assert_true(file_remove_tree(root, NULL));
    g_free(root);
    g_free((char *)paths.state);
}

static void test_restart(void)
{
    setup();
    define(ONE, "");
    define(TWO, "ephemeral='yes'");
    g_assert_true(set(ONE, "stays", NULL));
    g_assert_true(set(TWO, "goes", NULL));
    expect(TWO, "goes");
    open_all();
    expect(ONE, "stays");
    expect(TWO, NULL);
    teardown();
}

static void test_new_key(void)
{
    setup();
    g_autofree char *key = path_of("secrets.key"), *old = path_of("secrets.key.old");
    define(ONE, "");
    g_assert_true(set(ONE, "sealed", NULL));
    g_autofree char *before = file_read(key, 64, NULL, NULL);
    g_assert_cmpint(rename(key, old), ==, 0);
    open_all();
    expect(ONE, "sealed");
    g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
    g_autofree char *after = file_read(key, 64, NULL, NULL);
    g_assert_cmpint(memcmp(before, after, 32), !=, 0);
    open_all();
    expect(ONE, "sealed");
    teardown();
}

/* It is not made anew over what it sealed. */
static void test_missing_key(void)
{
    g_autoptr(GError) error = NULL;

    setup();
    g_autofree char *key = path_of("secrets.key"), *aside = path_of("aside");
    define(ONE, "");
    g_assert_true(set(ONE, "sealed", NULL));
    g_assert_cmpint(rename(key, aside), ==, 0);
    open_all();
    expect(ONE, NULL);
    g_assert_false(set(ONE, "other", &error));
    g_assert_nonnull(strstr(error->message, "is missing"));
    g_assert_cmpint(rename(aside, key), ==, 0);
    open_all();
    expect(ONE, "sealed");
    teardown();
}

static void test_no_key(void)
{
    g_autoptr(GError) error = NULL;

    setup();
    g_autofree char *key = path_of("secrets.key");
    g_assert_true(g_file_set_contents(key, "short", 5, NULL));
    g_assert_false(secrets_open(&paths, &error));
    g_assert_nonnull(strstr(error->message, "is no key"));
    teardown();
}

/* A value belongs to its secret. */
static void test_swapped(void)
{
    setup();
    g_autofree char *one = path_of("secrets/" ONE ".value"), *two = path_of("secrets/" TWO ".value");
    define(ONE, "");
    define(TWO, "");
    g_assert_true(set(ONE, "first", NULL));
    g_assert_true(set(TWO, "second", NULL));
    g_assert_cmpint(rename(one, two), ==, 0);
    open_all();
    expect(TWO, NULL);
    teardown();
}

static void test_leftovers(void)
{
    setup();
    g_autofree char *definition = path_of("secrets/" ONE ".xml"), *value = path_of("secrets/" ONE ".value");
    define(ONE, "");
    g_assert_true(set(ONE, "x", NULL));
    g_assert_cmpint(unlink(definition), ==, 0);
    open_all();
    g_assert_false(g_file_test(value, G_FILE_TEST_EXISTS));
    define(ONE, "");
    expect(ONE, NULL);
    teardown();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(void);
    } tests[] = {
        {"/secrets/restart", test_restart},   {"/secrets/new-key", test_new_key},     {"/secrets/missing-key", test_missing_key},
        {"/secrets/no-key", test_no_key},     {"/secrets/swapped", test_swapped},     {"/secrets/leftovers", test_leftovers},
    };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].test);
    return g_test_run();
}
