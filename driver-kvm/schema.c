/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU sends some 200 kB of JSON, which as a tree would take several MB for as long as the daemon lives. Here an entity is
 * a struct with arrays of words, and each word is kept once.
 */
#include "driver-kvm/schema.h"

#include <string.h>

#include "lib/json-peek.h"

#define DEPTH_MAX 32 /* a type may lead back to itself */

typedef struct {
    const char *name;
    const char *type; /* NULL in an enumeration */
    const char **features; /* NULL terminated; NULL: none */
} Member;

typedef struct {
    char kind;                        /* first letter of the meta-type; 'v' for an event */
    const char *argument, *answer;    /* command, event */
    const char *element;              /* array */
    const char **features;
    Member *members;                  /* object, enumeration, alternative */
    Member *branches;                 /* object: by value of its tag */
    guint n_members, n_branches;
} Entity;

struct Schema {
    GStringChunk *words;
    GHashTable *entities; /* const char * -> Entity */
};

static void entity_free(gpointer data)
{
    Entity *entity = data;

    for (guint i = 0; i < entity->n_members; i++)
        g_free(entity->members[i].features);
    g_free(entity->members);
    g_free(entity->branches);
    g_free(entity->features);
    g_free(entity);
}

static const char *keep(Schema *schema, const char *word)
{
    return word ? g_string_chunk_insert_const(schema->words, word) : NULL;
}

static const char **read_features(Schema *schema, JsonObject *of)
{
    JsonArray *array = json_peek_array(of, "features");
    guint n = json_peek_length(array);

    if (n == 0)
        return NULL;
    const char **features = g_new0(const char *, n + 1);
    for (guint i = 0, at = 0; i < n; i++)
        if (json_peek_string_at(array, i))
            features[at++] = keep(schema, json_peek_string_at(array, i));
    return features;
}

static Member *read_members(Schema *schema, JsonArray *array, const char *key, guint *ret_n)
{
    guint n = json_peek_length(array);
    Member *members = g_new0(Member, n);

    for (guint i = 0; i < n; i++) {
        JsonObject *object = json_peek_object_at(array, i);
        const char *name = object ? json_peek_string(object, key) : json_peek_string_at(array, i);
        members[i] = (Member){keep(schema, name), keep(schema, json_peek_string(object, "type")),
                              read_features(schema, object)};
    }
    *ret_n = n;
    return members;
}

static Entity *read_entity(Schema *schema, JsonObject *object, const char *meta)
{
    Entity *entity = g_new0(Entity, 1);
    JsonArray *members = json_peek_array(object, "members");

    entity->kind = g_str_equal(meta, "event") ? 'v' : g_str_equal(meta, "alternate") ? 't' : meta[0];
    entity->argument = keep(schema, json_peek_string(object, "arg-type"));
    entity->answer = keep(schema, json_peek_string(object, "ret-type"));
    entity->element = keep(schema, json_peek_string(object, "element-type"));
    entity->features = read_features(schema, object);
    /* QEMU below 6.2 lists an enumeration's words only as "values" */
    entity->members = read_members(schema, members ? members : json_peek_array(object, "values"), "name",
                                   &entity->n_members);
    entity->branches = read_members(schema, json_peek_array(object, "variants"), "case", &entity->n_branches);
    return entity;
}

Schema *schema_new(JsonArray *entities)
{
    Schema *schema = g_new0(Schema, 1);

    schema->words = g_string_chunk_new(4096);
    schema->entities = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entity_free);
    for (guint i = 0; i < json_peek_length(entities); i++) {
        JsonObject *object = json_peek_object_at(entities, i);
        const char *name = json_peek_string(object, "name");
        const char *meta = json_peek_string(object, "meta-type");
        if (name && meta)
            g_hash_table_insert(schema->entities, (gpointer)keep(schema, name), read_entity(schema, object, meta));
    }
    return schema;
}

void schema_free(Schema *schema)
{
    if (!schema)
        return;
    g_hash_table_unref(schema->entities);
    g_string_chunk_free(schema->words);
    g_free(schema);
}

static const Entity *lookup(const Schema *schema, const char *name)
{
    return name ? g_hash_table_lookup(schema->entities, name) : NULL;
}

static gboolean is_kind(const Schema *schema, const char *name, char kind)
{
    const Entity *entity = lookup(schema, name);

    return entity && entity->kind == kind;
}

gboolean schema_has_command(const Schema *schema, const char *name)
{
    return is_kind(schema, name, 'c');
}

gboolean schema_has_event(const Schema *schema, const char *name)
{
    return is_kind(schema, name, 'v');
}

static const Member *find(const Member *members, guint n, const char *name, gsize length)
{
    for (guint i = 0; i < n; i++)
        if (members[i].name && strlen(members[i].name) == length && memcmp(members[i].name, name, length) == 0)
            return &members[i];
    return NULL;
}

static gboolean has_feature(const char **features, const char *name)
{
    return features && g_strv_contains(features, name);
}

/* OWN: the features of what led to TYPE. */
static gboolean walk(const Schema *schema, const char *type, const char **own, const char *path, guint depth)
{
    const Entity *entity = lookup(schema, type);
    gsize length = strcspn(path, "/");
    const char *rest = path[length] ? path + length + 1 : NULL;

    if (path[0] == '@')
        return has_feature(own, path + 1) || (entity && has_feature(entity->features, path + 1));
    if (!entity || depth == DEPTH_MAX)
        return FALSE;
    if (entity->kind == 'a')
        return walk(schema, entity->element, own, path, depth + 1);
    if (entity->kind == 't') {
        for (guint i = 0; i < entity->n_members; i++)
            if (walk(schema, entity->members[i].type, NULL, path, depth + 1))
                return TRUE;
        return FALSE;
    }
    if (path[0] == '=')
        return entity->kind == 'e' && find(entity->members, entity->n_members, path + 1, length - 1);
    if (entity->kind != 'o')
        return FALSE;

    const Member *member = path[0] == '+' ? find(entity->branches, entity->n_branches, path + 1, length - 1)
                                          : find(entity->members, entity->n_members, path, length);
    return member && (!rest || walk(schema, member->type, member->features, rest, depth + 1));
}

gboolean schema_has(const Schema *schema, const char *name, gboolean answer, const char *path)
{
    const Entity *command = lookup(schema, name);

    if (!command || command->kind != 'c')
        return FALSE;
    return walk(schema, answer ? command->answer : command->argument, command->features, path, 0);
}
