/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/registry.h"

#include "lib/uuid.h"

static const DriverInstance instance = {.from = VIR_FROM_QEMU};

static Domain *definition(const char *name, guint last)
{
    Domain *def = domain_new();
    def->name = g_strdup(name);
    def->uuid.set = TRUE;
    def->uuid.bytes[15] = (guint8)last;
    return def;
}

static Vm *claim(Registry *registry, const char *name, guint last, GError **error)
{
    g_autoptr(Domain) def = definition(name, last);
    return registry_claim(registry, def, TRUE, error);
}

static Vm *add(Registry *registry, const char *name, guint last)
{
    Vm *vm = claim(registry, name, last, NULL);
    registry_list(registry, vm);
    registry_release(registry, vm);
    return vm; /* the list's reference keeps it */
}

static void test_look_ups(void)
{
    g_autoptr(Registry) registry = registry_new(&instance);
    Vm *vm = claim(registry, "a", 1, NULL);
    g_autoptr(Domain) def = definition("a", 1);
    g_assert_null(registry_find_name(registry, "a")); /* claimed is not there */
    registry_list(registry, vm);
    registry_list(registry, vm);
    registry_release(registry, vm);
    g_autoptr(Vm) by_name = registry_find_name(registry, "a");
    g_autoptr(Vm) by_uuid = registry_find_uuid(registry, def->uuid.bytes);
    g_assert_true(by_name == vm && by_uuid == vm);
    registry_remove(registry, vm);
    registry_remove(registry, vm);
    g_assert_null(registry_find_name(registry, "a"));
    g_assert_true(by_name->removed);
}

static void test_uniqueness(void)
{
    g_autoptr(Registry) registry = registry_new(&instance);
    Vm *a = add(registry, "a", 1);
    g_autoptr(GError) error = NULL;
    g_assert_null(claim(registry, "a", 2, &error));
    g_assert_cmpstr(error->message, ==,
                    "operation failed: domain 'a' already exists with uuid 00000000-0000-0000-0000-000000000001");
    g_clear_error(&error);
    g_assert_null(claim(registry, "b", 1, &error));
    g_assert_cmpstr(error->message, ==,
                    "operation failed: domain 'a' is already defined with uuid 00000000-0000-0000-0000-000000000001");
    g_clear_error(&error);
    add(registry, "b", 2);
    g_assert_null(claim(registry, "a", 2, &error));
    g_assert_cmpint(error_from(error), ==, VIR_FROM_DOMAIN);
    Vm *again = claim(registry, "a", 1, NULL);
    g_assert_true(again == a);
    registry_release(registry, again);
}

/* Two who make the same domain meet; what neither finishes leaves nothing. */
static void test_claims(void)
{
    g_autoptr(Registry) registry = registry_new(&instance);
    g_autoptr(GError) error = NULL;
    Vm *one = claim(registry, "a", 1, NULL), *two = claim(registry, "a", 1, NULL);
    g_assert_true(one == two);
    g_assert_null(claim(registry, "a", 2, &error));
    registry_release(registry, one);
    g_clear_error(&error);
    g_assert_null(claim(registry, "a", 2, &error));
    registry_release(registry, two);
    Vm *other = claim(registry, "a", 2, NULL);
    g_assert_nonnull(other);
    registry_release(registry, other);
}

/* As long as a run is not cleaned up, its name is not free. */
static void test_hold(void)
{
    g_autoptr(Registry) registry = registry_new(&instance);
    Vm *vm = add(registry, "a", 1);
    registry_hold(registry, vm);
    registry_remove(registry, vm);
    g_assert_null(claim(registry, "a", 2, NULL));
    Vm *same = claim(registry, "a", 1, NULL);
    g_assert_true(same == vm);
    registry_list(registry, vm); /* brought back */
    g_assert_false(vm->removed);
    registry_release(registry, same);
    registry_drop(registry, vm);
    g_autoptr(Vm) found = registry_find_name(registry, "a");
    g_assert_true(found == vm);
}

static void test_list(void)
{
    g_autoptr(Registry) registry = registry_new(&instance);
    const char *const names[] = {"delta", "alpha", "charlie", "bravo"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        add(registry, names[i], i + 1);
    g_autoptr(GPtrArray) all = registry_domains(registry);
    g_autoptr(GPtrArray) same = registry_domains(registry);
    g_assert_true(all == same);
    g_assert_cmpuint(all->len, ==, 4);
    for (guint i = 0; i < all->len; i++) {
        g_autoptr(VmView) view = vm_view(all->pdata[i]);
        g_assert_cmpint(view->next->name[0], ==, 'a' + (int)i);
    }
    registry_remove(registry, all->pdata[0]);
    g_autoptr(GPtrArray) fewer = registry_domains(registry);
    g_assert_cmpuint(fewer->len, ==, 3);
    g_assert_cmpuint(all->len, ==, 4); /* what somebody has does not change */
}

static void test_rename(void)
{
    g_autoptr(Registry) registry = registry_new(&instance);
    Vm *vm = add(registry, "a", 1);
    add(registry, "b", 2);
    g_autoptr(GError) error = NULL;
    g_assert_false(registry_rename_begin(registry, vm, "b", &error));
    g_assert_cmpstr(error->message, ==, "Requested operation is not valid: domain with name 'b' already exists");
    g_assert_true(registry_rename_begin(registry, vm, "c", NULL));
    g_assert_null(claim(registry, "c", 3, NULL)); /* reserved */
    registry_rename_end(registry, vm, FALSE);
    g_assert_true(registry_rename_begin(registry, vm, "d", NULL));
    registry_rename_end(registry, vm, TRUE);
    g_assert_null(registry_find_name(registry, "a"));
    g_autoptr(Vm) found = registry_find_name(registry, "d");
    g_assert_true(found == vm);
    add(registry, "a", 4);
    add(registry, "c", 5);
}

static void test_ids(void)
{
    g_autoptr(Registry) registry = registry_new(&instance);
    Vm *a = add(registry, "a", 1), *b = add(registry, "b", 2);
    registry_adopt_id(registry, a, 7);
    g_assert_cmpint(registry_take_id(registry, b), ==, 8);
    g_autoptr(Vm) found = registry_find_id(registry, 7);
    g_assert_true(found == a);
    registry_drop_id(registry, b, 7); /* not his */
    registry_drop_id(registry, a, 7);
    g_assert_null(registry_find_id(registry, 7));
    g_assert_cmpint(registry_take_id(registry, a), ==, 9); /* never again */
}

static gpointer hammer(gpointer data)
{
    Registry *registry = data;
    for (guint i = 0; i < 2000; i++) {
        Vm *vm = claim(registry, "x", 9, NULL);
        registry_list(registry, vm);
        g_autoptr(Vm) found = registry_find_name(registry, "x");
        g_autoptr(GPtrArray) all = registry_domains(registry);
        registry_remove(registry, vm);
        registry_release(registry, vm);
    }
    return NULL;
}

static void test_threads(void)
{
    g_autoptr(Registry) registry = registry_new(&instance);
    GThread *threads[4];
    for (guint i = 0; i < 4; i++)
        threads[i] = g_thread_new("hammer", hammer, registry);
    for (guint i = 0; i < 4; i++)
        g_thread_join(threads[i]);
    g_autoptr(GPtrArray) all = registry_domains(registry);
    g_assert_cmpuint(all->len, ==, 0);
    Vm *vm = claim(registry, "x", 10, NULL);
    g_assert_nonnull(vm);
    registry_release(registry, vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/registry/look-ups", test_look_ups);
    g_test_add_func("/registry/uniqueness", test_uniqueness);
    g_test_add_func("/registry/claims", test_claims);
    g_test_add_func("/registry/hold", test_hold);
    g_test_add_func("/registry/list", test_list);
    g_test_add_func("/registry/rename", test_rename);
    g_test_add_func("/registry/ids", test_ids);
    g_test_add_func("/registry/threads", test_threads);
    return g_test_run();
}
