/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random objects of every struct: written, read and written again, copied, compared. A seed that failed is in the
 * message; MODEL_ROUNDS in the environment makes the test longer. */
#include <stdlib.h>
#include <string.h>

#include "lib/error.h"
#include "lib/model/document.h"
#include "tests/unit/lib/model/random.h"

static char *format(const ModelType *type, gconstpointer object, guint flags)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    const char *own = model_element_name(type, object);
    model_format_as(type, own ? own : type->xml ? type->xml : "thing", object, flags, writer);
    return xml_writer_finish(writer);
}

static gpointer parse(const ModelType *type, const char *text, guint flags, guint32 seed)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(XmlDocument) document = xml_parse(text, "test", &error);

    g_assert_no_error(error);
    gpointer object = model_parse(type, xml_root(document), flags, warnings, &error);
    if (error)
        g_error("%s, seed %u: %s\n%s", type->name, seed, error->message, text);
    if (warnings->len)
        g_error("%s, seed %u: %s\n%s", type->name, seed, (char *)g_ptr_array_index(warnings, 0), text);
    return object;
}

static gboolean print_difference(const char *path, gpointer data)
{
    g_test_message("differs: %s", path);
    return TRUE;
}

static void expect_equal(const ModelType *type, gconstpointer a, gconstpointer b, guint32 seed, const char *text)
{
    if (model_equal(type, a, b))
        return;
    model_compare(type, a, b, MODEL_COMPARE_ALL, print_difference, NULL);
    g_error("%s, seed %u: not the same after\n%s", type->name, seed, text);
}

static gboolean count_difference(const char *path, gpointer data)
{
    ++*(guint *)data;
    return TRUE;
}

static void release(const ModelType *type, gpointer object)
{
    if (type->root)
        model_unref(type, object);
    else
        model_free(type, object);
}

static void round_trip(const ModelType *type, guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    gpointer object = random_object(type, rand);
    guint differences = 0;
    const guint as_definition = MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE | MODEL_FORMAT_MIGRATABLE;

    g_autofree char *text = format(type, object, MODEL_FORMAT_STATUS);
    gpointer again = parse(type, text, MODEL_PARSE_STATUS, seed);
    expect_equal(type, object, again, seed, text);
    g_autofree char *text_again = format(type, again, MODEL_FORMAT_STATUS);
    g_assert_cmpstr(text, ==, text_again);

    gpointer copy = model_copy(type, object);
    expect_equal(type, object, copy, seed, text);
    model_compare(type, object, copy, MODEL_COMPARE_ALL, count_difference, &differences);
    g_assert_cmpuint(differences, ==, 0);

    gpointer other = random_object(type, rand);
    model_compare(type, object, other, MODEL_COMPARE_ALL, count_difference, &differences);
    g_assert_cmpint(differences == 0, ==, model_equal(type, object, other));

    g_autofree char *defined = format(type, object, as_definition);
    gpointer definition = parse(type, defined, MODEL_PARSE_INACTIVE, seed);
    g_autofree char *defined_again = format(type, definition, as_definition);
    g_assert_cmpstr(defined, ==, defined_again);

    release(type, object);
    release(type, again);
    release(type, copy);
    release(type, other);
    release(type, definition);
}

/* Whether what TYPE holds depends on more than LEVELS elements around it, or on the namespaces that a root declares;
 * those are tested within them. */
static gboolean depends(const ModelType *type, guint levels)
{
    for (guint i = 0; i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        if (field->space && !type->root)
            return TRUE;
        for (guint j = 0; j < field->n_conditions; j++)
            if (field->conditions[j].outer > levels)
                return TRUE;
        if (field->type && !type->root && levels < 3 && depends(field->type, levels + 1))
            return TRUE;
    }
    return FALSE;
}

static guint32 rounds_of(guint32 usual)
{
    const char *rounds = g_getenv("MODEL_ROUNDS");

    return rounds ? (guint32)atoi(rounds) : usual;
}

static void test_structs(void)
{
    for (guint32 seed = 1; seed <= rounds_of(10); seed++)
        for (guint i = 0; model_types[i]; i++)
            if (!depends(model_types[i], 0))
                round_trip(model_types[i], seed);
}

static void check_schema(const DocumentKind *kind, XmlSchema *schema, guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autoptr(GError) error = NULL;
    gpointer object = random_object(kind->type, rand);
    g_autofree char *text = format(kind->type, object, MODEL_FORMAT_SECURE);
    g_autoptr(XmlDocument) document = xml_parse(text, "test", &error);
    g_assert_no_error(error);
    if (!xml_schema_check(schema, document, &error))
        g_error("%s, seed %u: %s\n%s", kind->root, seed, error->message, text);
    document_free(kind, object);
}

/* What we write as a definition is what our schema accepts. */
static void test_schemas(gconstpointer folder)
{
    guint n;
    const DocumentKind *kinds = document_kinds(&n);
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = g_build_filename(folder, kinds[i].schema, NULL);
        g_autoptr(XmlSchema) schema = xml_schema_new(path, NULL);
        g_assert_nonnull(schema);
        for (guint32 seed = 1; seed <= rounds_of(30); seed++)
            check_schema(&kinds[i], schema, seed);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/roundtrip/structs", test_structs);
    if (argc > 1)
        g_test_add_data_func("/model/roundtrip/schemas", argv[1], test_schemas);
    return g_test_run();
}
