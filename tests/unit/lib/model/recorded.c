/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The domain documents that a recorded libvirtd answered with: reading one and writing it again gives the same text.
 *
 *   recorded FILE.jsonl [SCHEMA [NAME]]   with SCHEMA: they also have to agree with it; with NAME: shows that one
 *
 * Exit 77 (skip) where FILE is absent.
 */
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "lib/error.h"
#include "lib/model/model.h"

typedef struct {
    guint total, equal;
    XmlSchema *schema; /* NULL: none */
    const char *only;  /* NULL: all */
} Run;

/* The first line in which A and B differ, as "theirs | ours". */
static char *first_difference(const char *a, const char *b)
{
    g_auto(GStrv) left = g_strsplit(a, "\n", -1);
    g_auto(GStrv) right = g_strsplit(b, "\n", -1);

    for (guint i = 0; left[i] || right[i]; i++) {
        if (g_strcmp0(left[i], right[i]) != 0)
            return g_strdup_printf("%s | %s", left[i] ? g_strstrip(left[i]) : "", right[i] ? g_strstrip(right[i]) : "");
        if (!left[i] || !right[i])
            break;
    }
    return g_strdup("");
}

/* The recorder replaced what a server makes up; put something readable in its place. */
static char *readable(const char *xml)
{
    g_autoptr(GRegex) uuid = g_regex_new("<uuid>GENERATED</uuid>", 0, 0, NULL);
    g_autoptr(GRegex) mac = g_regex_new("mac address='GENERATED'", 0, 0, NULL);
    g_autofree char *text = g_regex_replace_literal(uuid, xml, -1, 0,
                                                    "<uuid>00000000-0000-0000-0000-000000000001</uuid>", 0, NULL);
    return g_regex_replace_literal(mac, text, -1, 0, "mac address='52:54:00:00:00:01'", 0, NULL);
}

static gboolean is_valid(const Run *run, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDocument) document = xml_parse(text, "domain", &error);

    if (document && (!run->schema || xml_schema_check(run->schema, document, &error)))
        return TRUE;
    printf("%s: %s\n", name, error->message);
    return FALSE;
}

static void check(Run *run, const char *name, const char *xml)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *theirs = readable(xml);
    g_autoptr(Domain) domain = model_parse_text(&domain_type, theirs, MODEL_PARSE_INACTIVE, warnings, &error);
    const guint flags = MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE;
    g_autofree char *ours = domain ? model_format_text(&domain_type, domain, flags) : g_strdup(error->message);

    run->total++;
    if (run->only)
        printf("%s", ours);
    if (warnings->len)
        printf("%s: %s\n", name, (char *)g_ptr_array_index(warnings, 0));
    if (!is_valid(run, name, ours))
        return;
    if (g_str_equal(theirs, ours)) {
        run->equal++;
        return;
    }
    g_autofree char *difference = first_difference(theirs, ours);
    printf("%s: %s\n", name, difference);
}

static void check_line(Run *run, const char *line)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!*line || !json_parser_load_from_data(parser, line, -1, NULL))
        return;
    JsonObject *record = json_node_get_object(json_parser_get_root(parser));
    JsonNode *define = json_object_get_member(record, "define");
    const char *name = json_object_get_string_member(record, "name");

    if (!g_str_equal(json_object_get_string_member(record, "kind"), "domain") || !define ||
        !JSON_NODE_HOLDS_VALUE(define) || g_strcmp0(json_node_get_string(define), "ok") != 0 ||
        !json_object_has_member(record, "xml") || (run->only && !g_str_equal(run->only, name)))
        return;
    check(run, name, json_object_get_string_member(record, "xml"));
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlSchema) schema = argc > 2 ? xml_schema_new(argv[2], &error) : NULL;
    Run run = {0, 0, schema, argc > 3 ? argv[3] : NULL};
    g_autofree char *text = NULL;

    if (argc < 2 || !g_file_get_contents(argv[1], &text, NULL, NULL)) {
        printf("%s is absent: nothing to compare with\n", argc < 2 ? "the record" : argv[1]);
        return 77;
    }
    if (error)
        g_error("%s", error->message);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++)
        check_line(&run, lines[i]);
    printf("%u of %u documents come back byte for byte\n", run.equal, run.total);
    return run.total > 0 && run.equal == run.total ? 0 : 1;
}
