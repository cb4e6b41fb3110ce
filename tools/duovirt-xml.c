/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * duovirt-xml FILE...: whether documents are right, of whatever kind: by the schema, by what a daemon checks before it looks at
 * its host, and what of them it would ignore. "-" is standard input.
 *
 *   --format          writes each as a daemon would give it back
 *   --schemas FOLDER  the schemas are there
 *   --json            for programs: a line {"file", "xml"} or {"file", "error": {"code", "domain", "message"}} each; nothing is
 *                     held against a schema
 *
 * Ends with 1 if any document is wrong.
 */
#include <json-glib/json-glib.h>
#include <stdio.h>

#include "lib/error.h"
#include "lib/file.h"
#include "lib/model/document.h"

static gboolean format, as_json;
static char *schemas;

static const GOptionEntry options[] = {
    {"format", 0, 0, G_OPTION_ARG_NONE, &format, "Write documents as a daemon would give them back", NULL},
    {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "A line of JSON each", NULL},
    {"schemas", 0, 0, G_OPTION_ARG_FILENAME, &schemas, "Where the schemas are", "FOLDER"},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

/* A document that is too long is cut, and is none any more. */
static char *read_stdin(void)
{
    GString *text = g_string_new(NULL);
    char buffer[4096];
    for (gsize n; text->len < XML_DOCUMENT_MAX && (n = fread(buffer, 1, sizeof(buffer), stdin)) > 0;)
        g_string_append_len(text, buffer, (gssize)n);
    return g_string_free(text, FALSE);
}

static char *read_text(const char *file, GError **error)
{
    return g_str_equal(file, "-") ? read_stdin() : file_read(file, XML_DOCUMENT_MAX, NULL, error);
}

static gboolean check_schema(const DocumentKind *kind, XmlDocument *document, GError **error)
{
    g_autofree char *path = g_build_filename(schemas ? schemas : SCHEMA_FOLDER, kind->schema, NULL);
    return as_json || xml_validate(document, path, error);
}

/* The document as it would come back, or NULL. */
static char *check(const char *file, GPtrArray *warnings, GError **error)
{
    g_autofree char *text = read_text(file, error);
    g_autoptr(XmlDocument) document = text ? xml_parse(text, "document", error) : NULL;
    const DocumentKind *kind = document ? document_kind(document, error) : NULL;
    gpointer object = kind && check_schema(kind, document, error) ? document_read(kind, document, warnings, error) : NULL;
    char *out = object ? model_format_text(kind->type, object, MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE) : NULL;
    if (object)
        document_free(kind, object);
    return out;
}

static void print_json(const char *file, const char *out, const GError *error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "file");
    json_builder_add_string_value(builder, file);
    json_builder_set_member_name(builder, out ? "xml" : "error");
    if (out) {
        json_builder_add_string_value(builder, out);
    } else {
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "code");
        json_builder_add_int_value(builder, error_code(error));
        json_builder_set_member_name(builder, "domain");
        json_builder_add_int_value(builder, error_from(error));
        json_builder_set_member_name(builder, "message");
        json_builder_add_string_value(builder, error->message);
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *line = json_to_string(root, FALSE);
    puts(line);
}

static void print_words(const char *file, const char *out, const GPtrArray *warnings, const GError *error)
{
    for (guint i = 0; i < warnings->len; i++)
        fprintf(stderr, "%s: %s\n", file, (const char *)warnings->pdata[i]);
    if (!out)
        fprintf(stderr, "%s: %s\n", file, error->message);
    else if (format)
        fputs(out, stdout);
    else
        printf("%s: right\n", file);
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("FILE...");
    g_autoptr(GError) wrong = NULL;
    gboolean all = TRUE;
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &wrong) || argc < 2) {
        fprintf(stderr, "%s\n", wrong ? wrong->message : "no document is named; see --help");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GError) error = NULL;
        g_autofree char *out = check(argv[i], warnings, &error);
        all = all && out;
        if (as_json)
            print_json(argv[i], out, error);
        else
            print_words(argv[i], out, warnings, error);
    }
    return all ? 0 : 1;
}
