/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the KVM driver makes of domain documents, for the tests around it: reads names of files from standard input, and
 * for each prints one line of JSON:
 *
 *   {"file", "xml"}           the definition as it would be read back; with --argv also "argv", and with --live "live",
 *                             the definition as a running guest would show it
 *   {"file", "error": {"code", "domain", "message", "step"}}
 *
 *   --caps FOLDER      abilities of a binary are in FOLDER/NAME.json, NAME without its folder; else QEMU is asked
 *   --save-caps        writes the abilities of the binaries named on standard input to FOLDER instead
 *   --firmware FOLDER  descriptors of firmware are in FOLDER
 *   --private FOLDER   the run's private folder
 *   --no-key           without a master key file
 *   --touch            as for a real start: opens files, ports and devices (they are closed at once)
 */
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include "driver-kvm/argv.h"
#include "driver-kvm/caps-probe.h"
#include "driver-kvm/complete.h"
#include "driver-kvm/firmware-choose.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/uuid.h"

#define NVRAM "/var/lib/libvirt/qemu/nvram"

static char *caps_folder, *firmware_folder, *private_dir;
static gboolean with_argv, with_live, save_caps, touch, no_key;
static GHashTable *known;

static const GOptionEntry options[] = {
    {"caps", 0, 0, G_OPTION_ARG_FILENAME, &caps_folder, NULL, "FOLDER"},
    {"firmware", 0, 0, G_OPTION_ARG_FILENAME, &firmware_folder, NULL, "FOLDER"},
    {"save-caps", 0, 0, G_OPTION_ARG_NONE, &save_caps, NULL, NULL},
    {"private", 0, 0, G_OPTION_ARG_FILENAME, &private_dir, NULL, "FOLDER"},
    {"argv", 0, 0, G_OPTION_ARG_NONE, &with_argv, NULL, NULL},
    {"live", 0, 0, G_OPTION_ARG_NONE, &with_live, NULL, NULL},
    {"no-key", 0, 0, G_OPTION_ARG_NONE, &no_key, NULL, NULL},
    {"touch", 0, 0, G_OPTION_ARG_NONE, &touch, NULL, NULL},
    {NULL, 0, 0, 0, NULL, NULL, NULL},
};

static char *caps_path(const char *binary)
{
    g_autofree char *base = g_path_get_basename(binary);

    return g_strdup_printf("%s/%s.json", caps_folder, base);
}

static Caps *load_caps(const char *binary, GError **error)
{
    Caps *caps = g_hash_table_lookup(known, binary);
    g_autofree char *path = NULL, *text = NULL;

    if (caps)
        return caps;
    if (caps_folder) {
        path = caps_path(binary);
        text = file_read(path, 64 << 20, NULL, error);
    } else {
        text = caps_probe(binary, NULL, g_file_test("/dev/kvm", G_FILE_TEST_EXISTS), error);
    }
    caps = text ? caps_parse(text, error) : NULL;
    if (caps)
        g_hash_table_insert(known, g_strdup(binary), caps);
    return caps;
}

static char *to_xml(const Domain *def, guint flags)
{
    g_autoptr(XmlWriter) writer = xml_writer_new();

    model_format(&domain_type, def, flags, writer);
    return xml_writer_finish(writer);
}

/* There are none. */
static SecretValue *find_secret(const SecretWish *wish, GError **error)
{
    char uuid[UUID_TEXT];

    if (wish->uuid)
        uuid_format(wish->uuid, uuid);
    error_set(error, VIR_FROM_SECRET, VIR_ERR_NO_SECRET, "no secret with matching %s '%s'", wish->uuid ? "uuid" : "usage",
              wish->uuid ? uuid : wish->usage);
    return NULL;
}

static gboolean find_volume(const char *pool, const char *volume, VolumePlace *ret_place, GError **error)
{
    return error_set(error, VIR_FROM_STORAGE, VIR_ERR_NO_STORAGE_POOL, "no storage pool with matching name '%s'", pool);
}

static gboolean choose_firmware(Domain *live, GError **error)
{
    const char *const folders[] = {firmware_folder, NULL};
    g_autoptr(GPtrArray) firmwares = firmware_list(folders, NULL, NULL);

    return firmware_choose(live, firmwares, NVRAM, error);
}

static gboolean add_start(const Domain *def, const Caps *caps, JsonObject *line, const char **step, GError **error)
{
    g_autoptr(Domain) live = domain_copy(def);
    g_autoptr(ArgvContext) context = argv_context_new(private_dir ? private_dir : "/run/guest");
    g_autoptr(GPtrArray) argv = NULL;
    JsonArray *list;
    gboolean built;

    *step = "start";
    context->sandbox = TRUE;
    context->touch_host = touch;
    context->find_secret = find_secret;
    context->find_volume = find_volume;
    context->master_key = no_key ? NULL : g_strdup_printf("%s/master-key.aes", context->private_dir);
    if (!choose_firmware(live, error) || !complete_domain(live, caps, DRIVER_COMPLETE_START, error))
        return FALSE;
    *step = "prepare";
    if (!argv_prepare(live, caps, context, error)) {
        argv_release(live);
        return FALSE;
    }
    *step = "argv";
    built = argv_build(live, caps, context, &argv, error);
    if (touch)
        argv_release(live);
    if (!built)
        return FALSE;
    list = json_array_new();
    for (guint i = 0; i + 1 < argv->len; i++)
        json_array_add_string_element(list, g_ptr_array_index(argv, i));
    json_object_set_array_member(line, "argv", list);
    list = json_array_new();
    for (guint i = 0; i < context->commands->len; i++)
        json_array_add_object_element(list, json_object_ref(g_ptr_array_index(context->commands, i)));
    json_object_set_array_member(line, "commands", list);
    list = json_array_new();
    for (guint i = 0; i < context->environment->len; i++)
        json_array_add_string_element(list, g_ptr_array_index(context->environment, i));
    json_object_set_array_member(line, "environment", list);
    if (with_live) {
        g_autofree char *xml = to_xml(live, MODEL_FORMAT_SECURE);

        json_object_set_string_member(line, "live", xml);
    }
    return TRUE;
}

static gboolean work(const char *file, JsonObject *line, const char **step, GError **error)
{
    g_autofree char *text = NULL, *xml = NULL;
    g_autoptr(XmlDocument) document = NULL;
    g_autoptr(Domain) def = NULL;
    const Caps *caps;

    *step = "read";
    text = file_read(file, XML_DOCUMENT_MAX, NULL, error);
    if (!text)
        return FALSE;
    *step = "parse";
    document = xml_parse(text, "domain", error);
    def = document ? model_parse(&domain_type, xml_root(document), MODEL_PARSE_INACTIVE, NULL, error) : NULL;
    if (!def)
        return FALSE;
    *step = "complete";
    if (!complete_emulator(def, error))
        return FALSE;
    caps = load_caps(def->devices->emulator, error);
    if (!caps || !complete_domain(def, caps, DRIVER_COMPLETE_DEFINE, error))
        return FALSE;
    firmware_complete(def, NVRAM);
    xml = to_xml(def, MODEL_FORMAT_INACTIVE | MODEL_FORMAT_SECURE);
    json_object_set_string_member(line, "xml", xml);
    return !with_argv || add_start(def, caps, line, step, error);
}

static gboolean save(const char *binary, GError **error)
{
    g_autofree char *path = caps_path(binary);
    g_autofree char *text = caps_probe(binary, NULL, g_file_test("/dev/kvm", G_FILE_TEST_EXISTS), error);

    return text && file_replace(path, text, -1, 0644, error);
}

static void print(JsonObject *line)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;

    json_node_set_object(node, line);
    text = json_to_string(node, FALSE);
    puts(text);
    fflush(stdout);
}

static void answer(const char *file)
{
    g_autoptr(JsonObject) line = json_object_new();
    g_autoptr(GError) error = NULL;
    const char *step = "save";

    json_object_set_string_member(line, "file", file);
    if (save_caps ? !save(file, &error) : !work(file, line, &step, &error)) {
        JsonObject *fault = json_object_new();

        json_object_set_int_member(fault, "code", error_code(error));
        json_object_set_int_member(fault, "domain", error_from(error));
        json_object_set_string_member(fault, "message", error->message);
        json_object_set_string_member(fault, "step", step);
        json_object_set_object_member(line, "error", fault);
    }
    print(line);
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("< FILES");
    g_autoptr(GError) error = NULL;
    char file[4096];

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 2;
    }
    known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)caps_unref);
    while (fgets(file, sizeof file, stdin)) {
        g_strchomp(file);
        answer(file);
    }
    g_hash_table_unref(known);
    g_free(caps_folder);
    g_free(firmware_folder);
    g_free(private_dir);
    return 0;
}
