/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/schema.h"

#include <string.h>

#include "driver-kvm/variant-find.h"
#include "lib/json-peek.h"

#define DEPTH_MAX 32 /* a type may lead back to itself */

enum { AT_NAME, AT_KIND, AT_ARGUMENT, AT_ANSWER, AT_ELEMENT, AT_FEATURES, AT_MEMBERS, AT_BRANCHES };
enum { MEMBER_NAME, MEMBER_TYPE, MEMBER_FEATURES };

/* --- from QEMU's answer --- */

static const char *word(JsonObject *object, const char *key)
{
    const char *value = json_peek_string(object, key);
    return value ? value : "";
}

static GVariant *compile_features(JsonObject *of)
{
    GVariantBuilder builder;
    JsonArray *array = json_peek_array(of, "features");

    g_variant_builder_init(&builder, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < json_peek_length(array); i++)
        if (json_peek_string_at(array, i))
            g_variant_builder_add(&builder, "s", json_peek_string_at(array, i));
    return g_variant_builder_end(&builder);
}

static GVariant *compile_members(JsonArray *array, const char *key)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ssas)"));
    for (guint i = 0; i < json_peek_length(array); i++) {
        JsonObject *object = json_peek_object_at(array, i);
        const char *name = object ? word(object, key) : json_peek_string_at(array, i);
        g_variant_builder_add(&builder, "(ss@as)", name ? name : "", word(object, "type"), compile_features(object));
    }
    return g_variant_builder_end(&builder);
}

static GVariant *compile_entity(JsonObject *object)
{
    const char *meta = word(object, "meta-type");
    guchar kind = g_str_equal(meta, "event") ? 'v' : g_str_equal(meta, "alternate") ? 't' : (guchar)meta[0];
    JsonArray *members = json_peek_array(object, "members");

    /* QEMU below 6.2 lists an enumeration's words only as "values" */
    return g_variant_new("(sysss@as@a(ssas)@a(ssas))", word(object, "name"), kind, word(object, "arg-type"),
                         word(object, "ret-type"), word(object, "element-type"), compile_features(object),
                         compile_members(members ? members : json_peek_array(object, "values"), "name"),
                         compile_members(json_peek_array(object, "variants"), "case"));
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(word(*(JsonObject *const *)a, "name"), word(*(JsonObject *const *)b, "name"));
}

GVariant *schema_compile(JsonArray *entities)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    GVariantBuilder builder;

    for (guint i = 0; i < json_peek_length(entities); i++) {
        JsonObject *object = json_peek_object_at(entities, i);
        if (object && word(object, "name")[0] && word(object, "meta-type")[0])
            g_ptr_array_add(sorted, object);
    }
    g_ptr_array_sort(sorted, by_name);
    g_variant_builder_init(&builder, G_VARIANT_TYPE(SCHEMA_FORM));
    for (guint i = 0; i < sorted->len; i++)
        g_variant_builder_add_value(&builder, compile_entity(sorted->pdata[i]));
    return g_variant_builder_end(&builder);
}

/* --- questions --- */

static guchar kind_of(GVariant *entity)
{
    guchar kind;

    g_variant_get_child(entity, AT_KIND, "y", &kind);
    return kind;
}

static const char *word_at(GVariant *tuple, gsize index)
{
    const char *text;

    g_variant_get_child(tuple, index, "&s", &text);
    return text;
}

static gboolean is_kind(GVariant *schema, const char *name, guchar kind)
{
    g_autoptr(GVariant) entity = variant_find(schema, name);

    return entity && kind_of(entity) == kind;
}

gboolean schema_has_command(GVariant *schema, const char *name)
{
    return is_kind(schema, name, 'c');
}

gboolean schema_has_event(GVariant *schema, const char *name)
{
    return is_kind(schema, name, 'v');
}

/* Of the members or branches of ENTITY the one named by the first LENGTH bytes of NAME; to unref. NULL: there is none. */
static GVariant *find_member(GVariant *entity, gsize where, const char *name, gsize length)
{
    g_autoptr(GVariant) members = g_variant_get_child_value(entity, where);

    for (gsize i = 0; i < g_variant_n_children(members); i++) {
        g_autoptr(GVariant) member = g_variant_get_child_value(members, i);
        const char *own = word_at(member, MEMBER_NAME);
        if (strlen(own) == length && memcmp(own, name, length) == 0)
            return g_steal_pointer(&member);
    }
    return NULL;
}

/* OF: an entity or a member. */
static gboolean has_feature(GVariant *of, gsize where, const char *name)
{
    g_autoptr(GVariant) features = g_variant_get_child_value(of, where);
    g_autofree const char **words = g_variant_get_strv(features, NULL);

    return g_strv_contains(words, name);
}

static gboolean walk(GVariant *schema, const char *type, const char *path, guint depth);

static gboolean walk_alternatives(GVariant *schema, GVariant *entity, const char *path, guint depth)
{
    g_autoptr(GVariant) members = g_variant_get_child_value(entity, AT_MEMBERS);

    for (gsize i = 0; i < g_variant_n_children(members); i++) {
        g_autoptr(GVariant) member = g_variant_get_child_value(members, i);
        if (walk(schema, word_at(member, MEMBER_TYPE), path, depth))
            return TRUE;
    }
    return FALSE;
}

static gboolean has_value(GVariant *entity, const char *value)
{
    g_autoptr(GVariant) member = find_member(entity, AT_MEMBERS, value, strlen(value));

    return member != NULL;
}

static gboolean walk_member(GVariant *schema, GVariant *entity, const char *path, guint depth)
{
    gsize length = strcspn(path, "/");
    const char *rest = path[length] ? path + length + 1 : NULL;
    g_autoptr(GVariant) member = path[0] == '+' ? find_member(entity, AT_BRANCHES, path + 1, length - 1)
                                                : find_member(entity, AT_MEMBERS, path, length);

    if (!member || !rest)
        return member != NULL;
    if (rest[0] == '@' && has_feature(member, MEMBER_FEATURES, rest + 1))
        return TRUE;
    return walk(schema, word_at(member, MEMBER_TYPE), rest, depth + 1);
}

static gboolean walk(GVariant *schema, const char *type, const char *path, guint depth)
{
    g_autoptr(GVariant) entity = depth < DEPTH_MAX ? variant_find(schema, type) : NULL;

    if (!entity)
        return FALSE;
    if (path[0] == '@')
        return has_feature(entity, AT_FEATURES, path + 1);
    switch (kind_of(entity)) {
    case 'a':
        return walk(schema, word_at(entity, AT_ELEMENT), path, depth + 1);
    case 't':
        return walk_alternatives(schema, entity, path, depth + 1);
    case 'e':
        return path[0] == '=' && has_value(entity, path + 1);
    case 'o':
        return path[0] != '=' && walk_member(schema, entity, path, depth);
    default:
        return FALSE;
    }
}

gboolean schema_has(GVariant *schema, const char *name, gboolean answer, const char *path)
{
    g_autoptr(GVariant) command = variant_find(schema, name);

    if (!command || kind_of(command) != 'c')
        return FALSE;
    return (path[0] == '@' && has_feature(command, AT_FEATURES, path + 1)) ||
           walk(schema, word_at(command, answer ? AT_ANSWER : AT_ARGUMENT), path, 0);
}
