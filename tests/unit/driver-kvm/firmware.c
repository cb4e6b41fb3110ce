/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/firmware.h"

#include <glib/gstdio.h>
#include <string.h>

#include "lib/error.h"

#define FLASH(code) "\"mapping\": {\"device\": \"flash\", \"executable\": {\"filename\": \"" code "\", \"format\": \"raw\"}, " \
                    "\"nvram-template\": {\"filename\": \"/vars\", \"format\": \"raw\"}}"
#define TARGETS "\"targets\": [{\"architecture\": \"x86_64\", \"machines\": [\"pc-q35-*\"]}]"
#define WHOLE(code, features) \
    "{\"interface-types\": [\"uefi\"], " FLASH(code) ", " TARGETS ", \"features\": [" features "], \"tags\": []}"

static Firmware *parse(const char *text, GError **error)
{
    return firmware_parse(text, strlen(text), error);
}

static void test_parse(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Firmware) firmware = parse(WHOLE("/code", "\"secure-boot\", \"requires-smm\", \"of-tomorrow\""), &error);

    g_assert_no_error(error);
    g_assert_cmpuint(firmware->interfaces, ==, FIRMWARE_UEFI);
    g_assert_cmpuint(firmware->features, ==, FIRMWARE_SECURE_BOOT | FIRMWARE_REQUIRES_SMM);
    g_assert_cmpint(firmware->device, ==, FIRMWARE_FLASH);
    g_assert_cmpint(firmware->mode, ==, FIRMWARE_SPLIT);
    g_assert_cmpstr(firmware->path, ==, "/code");
    g_assert_cmpstr(firmware->nvram, ==, "/vars");
    g_assert_true(firmware_suits(firmware, "x86_64", "pc-q35-7.2"));
    g_assert_false(firmware_suits(firmware, "x86_64", "pc-i440fx-7.2"));
    g_assert_false(firmware_suits(firmware, "i686", "pc-q35-7.2"));
}

/* Whatever it says, it is refused and nothing is done with it. */
static void test_hostile(void)
{
    static const char *const texts[] = {
        "", "{", "[]", "null", "{}", "\"uefi\"", WHOLE("relative/code", ""), WHOLE("", ""),
        "{\"interface-types\": \"uefi\", " FLASH("/c") ", " TARGETS ", \"features\": []}",
        "{\"interface-types\": [1], " FLASH("/c") ", " TARGETS ", \"features\": []}",
        "{\"interface-types\": [\"uefi\"], " FLASH("/c") ", \"targets\": [], \"features\": []}",
        "{\"interface-types\": [\"uefi\"], " FLASH("/c") ", \"targets\": [5], \"features\": []}",
        "{\"interface-types\": [\"uefi\"], " FLASH("/c") ", \"targets\": [{\"architecture\": \"x\", \"machines\": [{}]}], \"features\": []}",
        "{\"interface-types\": [\"uefi\"], " FLASH("/c") ", " TARGETS "}",
        "{\"interface-types\": [\"uefi\"], " FLASH("/c") ", " TARGETS ", \"features\": [[]]}",
        "{\"interface-types\": [\"uefi\"], \"mapping\": {}, " TARGETS ", \"features\": []}",
        "{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"tape\"}, " TARGETS ", \"features\": []}",
        "{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"memory\", \"filename\": 1}, " TARGETS ", \"features\": []}",
        "{\"interface-types\": [\"uefi\"], \"mapping\": {\"device\": \"flash\", \"mode\": \"x\"}, " TARGETS ", \"features\": []}",
    };
    g_autofree char *deep = g_strnfill(100000, '[');

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(parse(texts[i], &error));
        g_assert_nonnull(error);
    }
    g_assert_null(parse(deep, NULL));
}

/* Every part of a good one, and every one with an octet that is another. */
static void test_mangled(void)
{
    const char *whole = WHOLE("/code", "\"secure-boot\"");
    gsize length = strlen(whole);

    for (gsize i = 0; i <= length; i++)
        firmware_free(firmware_parse(whole, i, NULL));
    for (gsize i = 0; i < length; i++) {
        g_autofree char *text = g_strdup(whole);
        for (guint octet = 1; octet < 256; octet += 7) {
            text[i] = (char)octet;
            firmware_free(firmware_parse(text, length, NULL));
        }
    }
}

static void put(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void count_bad(const char *path, const char *why, gpointer data)
{
    g_assert_nonnull(why);
    ++*(guint *)data;
}

static void test_folders(void)
{
    g_autofree char *first = g_dir_make_tmp("firmware-XXXXXX", NULL), *second = g_dir_make_tmp("firmware-XXXXXX", NULL);
    const char *const folders[] = {first, "/nonexistent", second, NULL};
    guint bad = 0;

    put(first, "50-b.json", WHOLE("/b", ""));
    put(first, "40-a.json", WHOLE("/a", ""));
    put(first, "60-c.json", WHOLE("/c", ""));
    put(first, "70-d.json", WHOLE("/d", ""));
    put(first, ".hidden.json", WHOLE("/hidden", ""));
    put(first, "80-e.json", "what is this?");
    put(second, "50-b.json", WHOLE("/other", "")); /* instead of the first folder's */
    put(second, "60-c.json", "");                  /* hides it */
    put(second, "10-z.json", WHOLE("/z", ""));
    g_autoptr(GPtrArray) list = firmware_list(folders, count_bad, &bad);
    const char *const expected[] = {"/z", "/a", "/other", "/d"};
    g_assert_cmpuint(list->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < list->len; i++)
        g_assert_cmpstr(((Firmware *)list->pdata[i])->path, ==, expected[i]);
    g_assert_cmpuint(bad, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firmware/parse", test_parse);
    g_test_add_func("/firmware/hostile", test_hostile);
    g_test_add_func("/firmware/mangled", test_mangled);
    g_test_add_func("/firmware/folders", test_folders);
    return g_test_run();
}
