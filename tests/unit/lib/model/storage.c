/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pool documents of the corpus: read and written again they are what a recorded libvirtd answered; so are ours by
 * our schema. And volumes come back as they are.
 *
 *   storage FOLDER POOL.rng VOLUME.rng   FOLDER: the corpus; exit 77 (skip) where it is absent
 */
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "lib/error.h"
#include "lib/model/storage-pool.h"

static guint total, wrong;

static void complain(const char *name, const char *text)
{
    wrong++;
    printf("%s: %s\n", name, text);
}

static void check_schema(const char *name, const char *text, XmlSchema *schema)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDocument) document = xml_parse(text, "pool", &error);
    if (!document || !xml_schema_check(schema, document, &error))
        complain(name, error->message);
}

static char *read_document(const char *folder, const char *kind, const char *name)
{
    g_autofree char *file = g_strdup_printf("%s.xml", name), *path = g_build_filename(folder, kind, file, NULL);
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void check_pool(const char *folder, const char *name, const char *theirs, XmlSchema *schema)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = read_document(folder, "pool", name);
    g_autoptr(XmlDocument) document = text ? xml_parse(text, "pool", &error) : NULL;
    g_autoptr(StoragePool) pool = document ? storage_pool_read(document, &error) : NULL;
    total++;
    if (!pool) {
        complain(name, error ? error->message : "it is missing");
        return;
    }
    g_autofree char *ours = model_format_text(&storage_pool_type, pool, MODEL_FORMAT_INACTIVE);
    if (!g_str_equal(ours, theirs))
        complain(name, ours);
    check_schema(name, ours, schema);
}

static void check_line(const char *folder, const char *line, XmlSchema *schema)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!*line || !json_parser_load_from_data(parser, line, -1, NULL))
        return;
    JsonObject *record = json_node_get_object(json_parser_get_root(parser));
    if (g_str_equal(json_object_get_string_member(record, "kind"), "pool") && json_object_has_member(record, "xml"))
        check_pool(folder, json_object_get_string_member(record, "name"), json_object_get_string_member(record, "xml"),
                   schema);
}

/* Of a folder's files those that a libvirtd accepts for a pool of files. */
static void check_volume(const char *folder, const char *name, XmlSchema *schema)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = read_document(folder, "volume", name);
    g_autoptr(XmlDocument) document = text ? xml_parse(text, "volume", &error) : NULL;
    g_autoptr(StorageVolume) volume =
        document ? storage_volume_read(document, STORAGE_POOL_TYPE_DIR, STORAGE_VOLUME_NO_CAPACITY, &error) : NULL;
    total++;
    if (!volume) {
        complain(name, error ? error->message : "it is missing");
        return;
    }
    g_autofree char *ours = model_format_text(&storage_volume_type, volume, 0);
    g_autoptr(StorageVolume) again = model_parse_text(&storage_volume_type, ours, MODEL_PARSE_INACTIVE, NULL, &error);
    if (!again || !storage_volume_equal(volume, again))
        complain(name, ours);
    check_schema(name, ours, schema);
}

int main(int argc, char **argv)
{
    static const char *const volumes[] = {"vol-file",
                                          "vol-file-naming",
                                          "vol-qcow2-luks",
                                          "vol-qcow2-luks-convert",
                                          "vol-qcow2-nobacking",
                                          "vol-qcow2-nocapacity",
                                          "vol-qcow2-zerocapacity"};
    g_autofree char *text = NULL, *record = argc > 3 ? g_build_filename(argv[1], "libvirtd-9.0.0.jsonl", NULL) : NULL;
    if (!record || !g_file_get_contents(record, &text, NULL, NULL)) {
        printf("the corpus is absent: nothing to compare with\n");
        return 77;
    }
    g_autoptr(XmlSchema) pools = xml_schema_new(argv[2], NULL);
    g_autoptr(XmlSchema) of_volumes = xml_schema_new(argv[3], NULL);
    g_assert_true(pools && of_volumes);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i]; i++)
        check_line(argv[1], lines[i], pools);
    for (guint i = 0; i < G_N_ELEMENTS(volumes); i++)
        check_volume(argv[1], volumes[i], of_volumes);
    printf("%u of %u documents come back as they should\n", total - MIN(wrong, total), total);
    return total > 0 && wrong == 0 ? 0 : 1;
}
