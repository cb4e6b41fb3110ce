/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/store.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"

static char *root;
static DriverPaths paths;
static const Driver driver = {.name = "none"};
static const DriverInstance instance = {.driver = &driver, .from = VIR_FROM_QEMU};

static GPtrArray *names; /* what the loader found: "name autostart managed-save" */

static void found(const DriverInstance *of, Domain *definition, gboolean autostart, gboolean managed_save)
{
    g_ptr_array_add(names, g_strdup_printf("%s %d %d", definition->name, autostart, managed_save));
    domain_unref(definition);
}

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *load(void)
{
    names = g_ptr_array_new_with_free_func(g_free);
    store_load(&instance, found);
    g_ptr_array_sort(names, by_text);
    g_ptr_array_add(names, NULL);
    char *all = g_strjoinv("|", (char **)names->pdata);
    g_ptr_array_unref(names);
    return all;
}

static Vm *make(const char *name, guint last)
{
    g_autofree char *xml = g_strdup_printf("<domain type='test'><name>%s</name><uuid>11111111-2222-4333-8444-0000000000%02x"
                                           "</uuid><memory>65536</memory><os><type>hvm</type></os></domain>", name, last);
    return vm_new(&instance, model_parse_text(&domain_type, xml, MODEL_PARSE_INACTIVE, NULL, NULL), TRUE);
}

static void save(Vm *vm)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VmView) view = vm_view(vm);
    g_assert_true(store_save(vm, view->next, &error));
}

static char *in_folder(const char *name)
{
    return g_build_filename(paths.state, "domains/none", name, NULL);
}

static void expect(const char *text)
{
    g_autofree char *all = load();
    g_assert_cmpstr(all, ==, text);
}

static void begin(void)
{
    g_autoptr(GError) error = NULL;
    root = g_dir_make_tmp("duovirt-store-XXXXXX", NULL);
    paths.state = root;
    g_assert_true(store_open(&paths, &instance, &error));
}

static void end(void)
{
    file_remove_tree(root, NULL);
    g_free(root);
}

static void test_save_and_load(void)
{
    begin();
    g_autoptr(Vm) a = make("a", 1), b = make("&quot;/../&lt;b&#10;\303\244", 2);
    save(a);
    save(b);
    g_assert_true(store_set_autostart(b, TRUE, NULL));
    expect("\"/../<b\n\303\244 1 0|a 0 0");
    g_assert_true(store_set_autostart(b, FALSE, NULL));
    g_assert_true(store_remove(b, NULL));
    expect("a 0 0");
    end();
}

static void test_readable(void)
{
    begin();
    g_autoptr(Vm) a = make("a", 1);
    save(a);
    g_autofree char *path = in_folder("11111111-2222-4333-8444-000000000001.xml");
    g_autofree char *text = file_read(path, 65536, NULL, NULL);
    g_assert_true(g_str_has_prefix(text, "<!-- "));
    g_assert_nonnull(strstr(text, "\n  <name>a</name>\n"));
    end();
}

/* A file nobody can read is kept, and its domain can be made anew. */
static void test_broken(void)
{
    begin();
    g_autoptr(Vm) a = make("a", 1), b = make("b", 2);
    save(a);
    save(b);
    g_autofree char *path = in_folder("11111111-2222-4333-8444-000000000001.xml");
    g_autofree char *aside = g_strconcat(path, ".broken", NULL);
    g_assert_true(file_replace(path, "<domain type='test'><name>a", -1, 0600, NULL));
    expect("b 0 0");
    g_assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
    expect("b 0 0");
    save(a);
    expect("a 0 0|b 0 0");
    end();
}

static void test_wrong_name(void)
{
    begin();
    g_autoptr(Vm) a = make("a", 1);
    save(a);
    g_autofree char *path = in_folder("11111111-2222-4333-8444-000000000001.xml");
    g_autofree char *other = in_folder("11111111-2222-4333-8444-000000000002.xml");
    g_assert_cmpint(g_rename(path, other), ==, 0);
    expect("");
    end();
}

/* What kill -9 leaves between two steps. */
static void test_leftovers(void)
{
    begin();
    g_autoptr(Vm) a = make("a", 1);
    save(a);
    g_autofree char *half = in_folder("11111111-2222-4333-8444-000000000001.xml.new");
    g_autofree char *orphan = in_folder("11111111-2222-4333-8444-000000000009.autostart");
    g_autofree char *own = in_folder("11111111-2222-4333-8444-000000000001.autostart");
    g_autofree char *foreign = in_folder("notes.txt");
    g_assert_true(file_replace(half, "<dom", -1, 0600, NULL) && file_replace(orphan, "", -1, 0600, NULL) &&
                  file_replace(own, "", -1, 0600, NULL) && file_replace(foreign, "x", -1, 0600, NULL));
    expect("a 1 0");
    g_assert_false(g_file_test(half, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(orphan, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(own, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(foreign, G_FILE_TEST_EXISTS));
    end();
}

static gboolean save_described(Vm *vm, gsize length, char filler, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    g_autoptr(Domain) definition = domain_copy(view->next);
    definition->description = g_strnfill(length, filler);
    return store_save(vm, definition, error);
}

/* What could not be read again is not written: it grows by what is escaped, and by the program's own line. */
static void test_too_large(void)
{
    begin();
    g_autoptr(GError) error = NULL;
    g_autoptr(Vm) a = make("a", 1);
    save(a);
    g_assert_false(save_described(a, XML_DOCUMENT_MAX / 2, '&', &error));
    g_assert_true(error_is(error, VIR_ERR_XML_DETAIL));
    g_assert_nonnull(strstr(error->message, "'a'"));
    for (gsize less = 0; less < 800; less += 50)
        save_described(a, XML_DOCUMENT_MAX - less, 'x', NULL);
    expect("a 0 0");
    end();
}

static char *nested(guint depth)
{
    GString *text = g_string_new("<metadata><x xmlns='http://x'>");
    for (guint i = 0; i < depth; i++)
        g_string_append(text, "<y>");
    for (guint i = 0; i < depth; i++)
        g_string_append(text, "</y>");
    return g_string_free(g_string_append(text, "</x></metadata>"), FALSE);
}

static void test_too_deep(void)
{
    begin();
    g_autoptr(GError) error = NULL;
    g_autoptr(Vm) a = make("a", 1);
    g_autoptr(VmView) view = vm_view(a);
    g_autoptr(Domain) definition = domain_copy(view->next);
    definition->metadata = nested(XML_DEPTH_MAX - 2);
    save(a);
    g_assert_false(store_save(a, definition, &error));
    g_assert_true(error_is(error, VIR_ERR_XML_DETAIL));
    expect("a 0 0");
    end();
}

static void test_managed_save(void)
{
    begin();
    g_autoptr(Vm) a = make("a", 1);
    save(a);
    g_autofree char *path = store_managed_save_path(a);
    g_autofree char *half = g_strconcat(path, ".new", NULL), *part = g_strconcat(path, ".0123abcd.part", NULL);
    g_assert_true(file_replace(path, "x", -1, 0600, NULL) && file_replace(half, "x", -1, 0600, NULL) &&
                  file_replace(part, "x", -1, 0600, NULL));
    expect("a 0 1");
    g_assert_false(g_file_test(half, G_FILE_TEST_EXISTS) || g_file_test(part, G_FILE_TEST_EXISTS));
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    log_set_level(LOG_EMERG);
    g_test_add_func("/store/save-and-load", test_save_and_load);
    g_test_add_func("/store/readable", test_readable);
    g_test_add_func("/store/broken", test_broken);
    g_test_add_func("/store/wrong-name", test_wrong_name);
    g_test_add_func("/store/leftovers", test_leftovers);
    g_test_add_func("/store/too-large", test_too_large);
    g_test_add_func("/store/too-deep", test_too_deep);
    g_test_add_func("/store/managed-save", test_managed_save);
    return g_test_run();
}
