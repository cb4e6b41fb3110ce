/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "random-value.h"

static const guint8 sizes[] = {
    [WIRE_CHAR] = 1, [WIRE_UCHAR] = 1, [WIRE_SHORT] = 2,  [WIRE_USHORT] = 2, [WIRE_INT] = 4,
    [WIRE_UINT] = 4, [WIRE_HYPER] = 8, [WIRE_UHYPER] = 8, [WIRE_DOUBLE] = 8, [WIRE_OPAQUE] = 1,
};

static gsize member_size(const WireField *field)
{
    if (field->kind == WIRE_STRUCT)
        return field->type->size;
    return field->kind == WIRE_STRING ? sizeof(char *) : sizes[field->kind];
}

static void fill_string(const WireField *field, char **slot, GRand *rand)
{
    guint n = g_rand_int_range(rand, 0, MIN(field->length, 40) + 1);

    *slot = g_malloc0(n + 1);
    for (guint i = 0; i < n; i++)
        (*slot)[i] = g_rand_int_range(rand, 1, 256);
}

static void fill(const WireField *field, gpointer slot, guint members, GRand *rand)
{
    if (field->kind == WIRE_STRUCT)
        random_value(field->type, slot, members, rand);
    else if (field->kind == WIRE_STRING)
        fill_string(field, slot, rand);
    else
        for (guint i = 0; i < sizes[field->kind]; i++)
            ((guint8 *)slot)[i] = g_rand_int(rand);
}

static void fill_field(const WireField *field, char *base, guint members, GRand *rand)
{
    char *slot = base + field->offset;
    guint n = 1;

    if (field->repeat == WIRE_OPTIONAL) {
        if (g_rand_boolean(rand))
            return;
        if (field->kind == WIRE_STRUCT)
            slot = *(gpointer *)slot = g_malloc0(field->type->size);
    } else if (field->repeat == WIRE_LIST) {
        n = g_rand_int_range(rand, 0, MIN(field->max, members) + 1);
        *(guint32 *)(base + field->count) = n;
        slot = *(gpointer *)slot = n > 0 ? g_malloc0_n(n, member_size(field)) : NULL;
    } else if (field->repeat == WIRE_FIXED) {
        n = field->max;
    }
    for (guint i = 0; i < n; i++)
        fill(field, slot + i * member_size(field), members, rand);
}

void random_value(const WireType *type, gpointer value, guint members, GRand *rand)
{
    if (type->is_union) {
        const WireField *arm = &type->fields[g_rand_int_range(rand, 0, type->n_fields)];

        *(gint32 *)((char *)value + type->discriminant) = arm->chosen_by;
        fill_field(arm, value, members, rand);
        return;
    }
    for (guint i = 0; i < type->n_fields; i++)
        fill_field(&type->fields[i], value, members, rand);
}
