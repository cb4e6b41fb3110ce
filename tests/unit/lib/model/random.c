/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/lib/model/random.h"

#include <string.h>

#include "lib/model/model-samples.h"
#include "lib/uuid.h"

#define DEPTH_MAX 8

static void fill(const ModelType *type, gpointer object, const ModelFrame *outer, guint depth, GRand *rand);

static gboolean chance(GRand *rand, guint percent)
{
    return g_rand_int_range(rand, 0, 100) < (gint32)percent;
}

static char *random_text(GRand *rand)
{
    static const char *const words[] = {"a", "x-1", "<tag>", "&amp;", "it's", "\"q\"", "two words", "\xc3\xa4\xc3\xb6",
                                        "/path/to", "tab\there", "1", "]]>"};
    GString *text = g_string_new(words[g_rand_int_range(rand, 0, G_N_ELEMENTS(words))]);

    while (chance(rand, 40))
        g_string_append(text, words[g_rand_int_range(rand, 0, G_N_ELEMENTS(words))]);
    return g_string_free(text, FALSE);
}

static char *random_match(const char *pattern, GRand *rand)
{
    for (guint i = 0; i < G_N_ELEMENTS(model_samples); i++) {
        if (!g_str_equal(model_samples[i].pattern, pattern))
            continue;
        guint n = 0;
        while (model_samples[i].examples[n])
            n++;
        return g_strdup(model_samples[i].examples[g_rand_int_range(rand, 0, (gint32)n)]);
    }
    g_assert_not_reached();
}

static char *random_string(const ModelField *field, GRand *rand)
{
    static const char *const sets[] = {"0", "0-3", "1,5", "2-4,7,100-101"};

    if (field->kind == MODEL_MAC)
        return g_strdup_printf("52:54:00:%02x:%02x:%02x", g_rand_int(rand) & 0xff, g_rand_int(rand) & 0xff,
                               g_rand_int(rand) & 0xff);
    if (field->kind == MODEL_IP)
        return g_strdup(chance(rand, 50) ? "192.168.122.1" : "fd00::1");
    if (field->kind == MODEL_CPUSET)
        return g_strdup(sets[g_rand_int_range(rand, 0, G_N_ELEMENTS(sets))]);
    return field->pattern ? random_match(field->pattern, rand) : random_text(rand);
}

static guint64 random_number(const ModelField *field, GRand *rand)
{
    guint64 bits = (guint64)g_rand_int(rand) << 32 | g_rand_int(rand);
    gboolean with_sign = field->kind == MODEL_INT32 || field->kind == MODEL_INT64;
    guint64 low = (guint64)MAX(field->min, with_sign ? 1 : 0);
    guint64 high = field->max ? field->max : field->kind == MODEL_INT32 ? G_MAXINT32 : G_MAXUINT32 - 1;

    if (field->kind == MODEL_SIZE)
        high = 1ull << 40;
    if (low == 0 && (field->marks & (MODEL_NOZERO | MODEL_POSITIVE)))
        low = 1;
    if ((field->marks & MODEL_ANY) && chance(rand, 30))
        return 0;
    return low + (high > low ? (bits >> g_rand_int_range(rand, 0, 60)) % (high - low + 1) : 0);
}

static guint random_constant(const ModelField *field, GRand *rand)
{
    for (;;) {
        guint value = (guint)g_rand_int_range(rand, 1, (gint32)field->values->n_values + 1);
        if (!field->only || ((field->only >> value) & 1))
            return value;
    }
}

static void set_scalar(const ModelField *field, gpointer object, GRand *rand)
{
    switch (field->kind) {
    case MODEL_STRING:
    case MODEL_MAC:
    case MODEL_IP:
    case MODEL_CPUSET:
        MODEL_MEMBER(object, field, char *) = random_string(field, rand);
        break;
    case MODEL_XML:
        MODEL_MEMBER(object, field, char *) =
            g_strdup_printf("<%s>\n  <x:some xmlns:x=\"urn:x\" y=\"1\">\n    <x:thing>a b</x:thing>\n"
                            "  </x:some>\n</%s>", field->xml, field->xml);
        break;
    case MODEL_YESNO:
    case MODEL_ONOFF:
        MODEL_MEMBER(object, field, Toggle) = chance(rand, 50) ? TOGGLE_ON : TOGGLE_OFF;
        break;
    case MODEL_FLAG:
        MODEL_MEMBER(object, field, gboolean) = TRUE;
        break;
    case MODEL_ENUM:
        MODEL_MEMBER(object, field, guint32) = random_constant(field, rand);
        break;
    case MODEL_UUID:
        MODEL_MEMBER(object, field, Uuid).set = TRUE;
        for (guint i = 0; i < UUID_BYTES; i++)
            MODEL_MEMBER(object, field, Uuid).bytes[i] = (guint8)g_rand_int(rand);
        break;
    case MODEL_INT32:
    case MODEL_UINT32:
        MODEL_MEMBER(object, field, guint32) = (guint32)random_number(field, rand);
        break;
    default:
        MODEL_MEMBER(object, field, guint64) = random_number(field, rand);
    }
}

static const ModelField *find_attribute(const ModelType *type, const char *name)
{
    for (guint i = 0; i < type->n_fields; i++)
        if (type->fields[i].place == MODEL_ATTRIBUTE && g_str_equal(type->fields[i].xml, name))
            return &type->fields[i];
    g_assert_not_reached();
}

/* Of several children of one name, each has to be recognized as the one it is. */
static void make_recognizable(const ModelField *field, const ModelFrame *frame, gpointer child)
{
    if (field->match) {
        if (!field->match_value)
            return;
        const ModelField *attribute = find_attribute(field->type, field->match);
        MODEL_MEMBER(child, attribute, guint32) = model_enum_from_string(attribute->values, field->match_value);
        return;
    }
    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *other = &frame->type->fields[i];
        if (other->match && g_str_equal(other->xml, field->xml) && model_applies(other, frame)) {
            const ModelField *attribute = find_attribute(field->type, other->match);
            if (!other->match_value) /* an attribute that always is there tells them apart */
                continue;
            guint taken = model_enum_from_string(attribute->values, other->match_value);
            if (MODEL_MEMBER(child, attribute, guint32) == taken)
                MODEL_MEMBER(child, attribute, guint32) = 0;
        }
    }
}

static gboolean is_empty(const ModelType *type, gconstpointer object)
{
    for (guint i = 0; i < type->n_fields; i++)
        if (!model_is_unset(&type->fields[i], object))
            return FALSE;
    return TRUE;
}

static gpointer random_child(const ModelField *field, const ModelFrame *frame, guint depth, GRand *rand)
{
    gpointer child = model_new(field->type);

    fill(field->type, child, frame, depth + 1, rand);
    make_recognizable(field, frame, child);
    return child;
}

static void set_child(const ModelField *field, const ModelFrame *frame, gpointer object, guint depth, GRand *rand)
{
    if (field->kind == MODEL_LIST) {
        do
            g_ptr_array_add(MODEL_MEMBER(object, field, GPtrArray *), random_child(field, frame, depth, rand));
        while (chance(rand, 30));
        return;
    }
    gpointer child = random_child(field, frame, depth, rand);
    if (is_empty(field->type, child) && !(field->marks & MODEL_KEEP) && !field->type->root)
        model_free(field->type, child);
    else
        MODEL_MEMBER(object, field, gpointer) = child;
}

/* An attribute that lies in a text element needs that element. */
static gboolean has_carrier(const ModelField *field, const ModelFrame *frame)
{
    for (guint i = 0; field->parent && i < frame->type->n_fields; i++) {
        const ModelField *carrier = &frame->type->fields[i];
        if (carrier->place == MODEL_ELEMENT && g_str_equal(carrier->xml, field->parent))
            return !model_is_unset(carrier, frame->object);
    }
    return !field->parent;
}

static void fill_field(const ModelField *field, const ModelFrame *frame, gpointer object, guint depth, GRand *rand)
{
    gboolean needed = field->initial || (field->marks & (MODEL_REQUIRED | MODEL_ALWAYS | MODEL_NAME));
    gboolean is_child = field->kind == MODEL_STRUCT || field->kind == MODEL_LIST;

    if (!model_is_unset(field, object) || !model_applies(field, frame) || field->mirror || field->refused || !has_carrier(field, frame))
        return;
    if (!needed && (is_child && depth >= DEPTH_MAX ? TRUE : !chance(rand, is_child ? 60 - 5 * depth : 50)))
        return;
    if (is_child)
        set_child(field, frame, object, depth, rand);
    else
        set_scalar(field, object, rand);
}

static void fill_mirror(const ModelField *field, const ModelFrame *frame, gpointer object)
{
    for (guint i = 0; i < frame->type->n_fields; i++) {
        const ModelField *list = &frame->type->fields[i];
        if (list->kind != MODEL_LIST || !g_str_equal(list->xml, field->mirror) || model_is_unset(list, object))
            continue;
        gpointer first = g_ptr_array_index(MODEL_MEMBER(object, list, GPtrArray *), 0);
        const ModelField *attribute = find_attribute(list->type, field->mirror_attribute);
        MODEL_MEMBER(object, field, char *) = g_strdup(MODEL_MEMBER(first, attribute, char *));
        return;
    }
}

static void fill(const ModelType *type, gpointer object, const ModelFrame *outer, guint depth, GRand *rand)
{
    ModelFrame frame = {type, object, outer};

    for (guint i = 0; i < type->n_attributes; i++)
        fill_field(&type->fields[type->attributes[i]], &frame, object, depth, rand);
    for (guint i = 0; i < type->n_fields; i++)
        if (type->fields[i].place != MODEL_ATTRIBUTE) /* what they depend on stays as it is now */
            fill_field(&type->fields[i], &frame, object, depth, rand);
    for (guint i = 0; i < type->n_fields; i++)
        if (type->fields[i].parent)
            fill_field(&type->fields[i], &frame, object, depth, rand);
    for (guint i = 0; i < type->n_fields; i++)
        if (type->fields[i].mirror)
            fill_mirror(&type->fields[i], &frame, object);
}

gpointer random_object(const ModelType *type, GRand *rand)
{
    gpointer object = model_new(type);

    fill(type, object, NULL, 0, rand);
    return object;
}
