/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-abi-rows.h"

#include "lib/error.h"

gboolean abi_differ(GError **error, const char *text)
{
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text);
}

/* Where REST of a path begins behind FIELD: "" at its end; NULL if it does not lead there. */
static const char *behind(const ModelField *field, const char *rest)
{
    g_autofree char *name =
        g_strdup_printf("%s%s%s%s", field->parent ? field->parent : "", field->parent ? "/" : "",
                        field->place == MODEL_ATTRIBUTE ? "@" : "", field->xml ? field->xml : "text()");
    gsize length = strlen(name);

    if (!g_str_has_prefix(rest, name))
        return NULL;
    return rest[length] == '/' ? rest + length + 1 : rest[length] == '\0' ? rest + length : NULL;
}

const ModelField *abi_find(const ModelType *type, gconstpointer object, const char *path, gconstpointer *ret_object)
{
    for (guint i = 0; object && i < type->n_fields; i++) {
        const ModelField *field = &type->fields[i];
        const char *rest = behind(field, path);
        if (rest && *rest == '\0') {
            *ret_object = object;
            return field;
        }
        if (rest && field->kind == MODEL_STRUCT)
            return abi_find(field->type, MODEL_MEMBER_CONST(object, field, gpointer), rest, ret_object);
    }
    return NULL;
}

char *abi_value(const ModelType *type, gconstpointer object, const char *path)
{
    const ModelField *field = abi_find(type, object, path, &object);
    const char *unit;

    if (!field || model_is_unset(field, object))
        return NULL;
    if (field->kind == MODEL_STRUCT || field->kind == MODEL_FLAG)
        return g_strdup("");
    return model_scalar_format(field, object, &unit);
}

/* Models have one enumeration, and numbers by the kind of controller. */
static int model_number(const Controller *controller)
{
    static const ControllerModel firsts[] = {CONTROLLER_MODEL_PCI_ROOT, CONTROLLER_MODEL_PIIX3_UHCI,
                                             CONTROLLER_MODEL_PIIX3, CONTROLLER_MODEL_AUTO};

    for (guint i = 0; controller->model != CONTROLLER_MODEL_UNSET && i < G_N_ELEMENTS(firsts); i++)
        if (controller->model >= firsts[i])
            return (int)controller->model - (int)firsts[i];
    return -1;
}

static gboolean same_row(const AbiRow *row, const ModelType *type, gconstpointer source, gconstpointer target,
                         GError **error)
{
    g_autofree char *one = abi_value(type, source, row->path), *other = abi_value(type, target, row->path);
    const char *quote = row->kind == ABI_QUOTED ? "'" : "";

    if (row->blank && !one)
        one = g_strdup(row->blank);
    if (row->blank && !other)
        other = g_strdup(row->blank);
    if (row->kind == ABI_PRESENCE ? !one == !other : g_strcmp0(one, other) == 0)
        return TRUE;
    if (row->kind == ABI_PRESENCE || row->kind == ABI_SILENT)
        return abi_differ(error, row->text);
    if (row->kind == ABI_MODEL)
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "%s %d does not match source %d",
                         row->text, model_number(target), model_number(source));
    return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED, "%s %s%s%s does not match source %s%s%s",
                     row->text, quote, other, quote, quote, one, quote);
}

gboolean abi_same_rows(const AbiRow *rows, const ModelType *type, gconstpointer source, gconstpointer target,
                       GError **error)
{
    for (; rows->path; rows++)
        if (!same_row(rows, type, source, target, error))
            return FALSE;
    return TRUE;
}
