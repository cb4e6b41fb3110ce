/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/wire.h"

#include <string.h>

#include "daemon/rpc/wire-private.h"
#include "lib/error.h"

const WireScalar wire_scalars[] = {
    [WIRE_CHAR] = {1, 4, TRUE},    [WIRE_UCHAR] = {1, 4, FALSE}, [WIRE_SHORT] = {2, 4, TRUE},
    [WIRE_USHORT] = {2, 4, FALSE}, [WIRE_INT] = {4, 4, TRUE},    [WIRE_UINT] = {4, 4, FALSE},
    [WIRE_HYPER] = {8, 8, TRUE},   [WIRE_UHYPER] = {8, 8, FALSE}, [WIRE_DOUBLE] = {8, 8, FALSE},
};

gsize wire_c_size(const WireField *field)
{
    if (field->kind == WIRE_STRUCT)
        return field->type->size;
    if (field->kind == WIRE_STRING)
        return sizeof(char *);
    return field->kind == WIRE_OPAQUE ? 1 : wire_scalars[field->kind].size;
}

gsize wire_min_size(const WireField *field)
{
    if (field->kind == WIRE_STRUCT)
        return field->type->min_size;
    if (field->kind == WIRE_STRING)
        return 4;
    return field->kind == WIRE_OPAQUE ? 1 : wire_scalars[field->kind].wire;
}

const WireField *wire_arm(const WireType *type, gconstpointer base)
{
    gint32 discriminant = *(const gint32 *)wire_at(base, type->discriminant);

    for (guint i = 0; i < type->n_fields; i++)
        if (type->fields[i].chosen_by == discriminant)
            return &type->fields[i];
    return NULL;
}

gboolean wire_refuse(const WireType *type, const WireField *field, GError **error, const char *what)
{
    return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s.%s: %s", type->name, field->name, what);
}

gboolean wire_refuse_length(const WireType *type, const WireField *field, gsize n, guint32 max, GError **error)
{
    return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s.%s: length %" G_GSIZE_FORMAT " is above the limit of %u",
                     type->name, field->name, n, max);
}

gboolean wire_refuse_arm(const WireType *type, gint32 discriminant, GError **error)
{
    return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "%s: unknown kind %d", type->name, discriminant);
}

static void clear_struct(const WireType *type, gpointer base);

static void clear_members(const WireField *field, gpointer members, guint32 n)
{
    for (guint32 i = 0; i < n; i++) {
        gpointer slot = wire_at(members, i * wire_c_size(field));

        if (field->kind == WIRE_STRUCT)
            clear_struct(field->type, slot);
        else if (field->kind == WIRE_STRING)
            g_free(*(char **)slot);
        else
            return;
    }
}

static void clear_field(const WireField *field, gpointer base)
{
    gpointer slot = wire_at(base, field->offset);

    switch (field->repeat) {
    case WIRE_ONE:
        clear_members(field, slot, 1);
        break;
    case WIRE_OPTIONAL:
        if (field->kind == WIRE_STRUCT && *(gpointer *)slot)
            clear_struct(field->type, *(gpointer *)slot);
        g_free(*(gpointer *)slot);
        break;
    case WIRE_LIST:
        if (*(gpointer *)slot)
            clear_members(field, *(gpointer *)slot, *wire_count(field, base));
        g_free(*(gpointer *)slot);
        break;
    case WIRE_FIXED: /* scalars only */
        break;
    }
}

static void clear_struct(const WireType *type, gpointer base)
{
    const WireField *arm;

    if (type->is_union) {
        arm = wire_arm(type, base);
        if (arm)
            clear_field(arm, base);
        return;
    }
    for (guint i = 0; i < type->n_fields; i++)
        clear_field(&type->fields[i], base);
}

static void overwrite_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
}

static void overwrite_field(const WireField *field, gpointer base)
{
    gpointer slot = wire_at(base, field->offset);

    if (field->kind == WIRE_OPAQUE && field->repeat == WIRE_LIST && *(gpointer *)slot)
        explicit_bzero(*(gpointer *)slot, *wire_count(field, base));
    else if (field->kind == WIRE_STRING && (field->repeat == WIRE_ONE || field->repeat == WIRE_OPTIONAL))
        overwrite_text(*(char **)slot);
}

void wire_overwrite(const WireType *type, gpointer value)
{
    const WireField *arm = type->is_union ? wire_arm(type, value) : NULL;

    if (arm)
        overwrite_field(arm, value);
    for (guint i = 0; i < type->n_fields && !type->is_union; i++)
        overwrite_field(&type->fields[i], value);
}

void wire_clear(const WireType *type, gpointer value)
{
    clear_struct(type, value);
    memset(value, 0, type->size);
}

const WireProc *wire_proc(const WireProgram *program, guint32 number)
{
    return number >= 1 && number <= program->n_procs ? &program->procs[number - 1] : NULL;
}

guint64 wire_flags(const WireProc *proc, gconstpointer args)
{
    gconstpointer slot = wire_at(args, proc->flags_offset);

    if (proc->flags_size == 0)
        return 0;
    return proc->flags_size == 8 ? *(const guint64 *)slot : *(const guint32 *)slot;
}

/* The four shapes of handlers; the only place where one is called. */
gboolean wire_handle(const WireProc *proc, Call *call, gconstpointer args, gpointer ret, GError **error)
{
    if (proc->args && proc->ret)
        return ((gboolean(*)(Call *, gconstpointer, gpointer, GError **))proc->handler)(call, args, ret, error);
    if (proc->args)
        return ((gboolean(*)(Call *, gconstpointer, GError **))proc->handler)(call, args, error);
    if (proc->ret)
        return ((gboolean(*)(Call *, gpointer, GError **))proc->handler)(call, ret, error);
    return ((gboolean(*)(Call *, GError **))proc->handler)(call, error);
}
