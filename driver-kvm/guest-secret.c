/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/guest-secret.h"

#include <string.h>

#include "driver-kvm/master-key.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"

char *guest_secret_id(const char *node, const char *what, guint n)
{
    return g_strdup_printf("%s-%s-secret%u", node, what, n);
}

static gboolean seal(ArgvContext *context, const char *id, const SecretValue *value, GError **error)
{
    char *data, *iv;

    if (!context->master_key)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "a command line that a run has not made cannot hold a secret ('%s')", id);
    if (!master_key_seal(context->master_key, value, &data, &iv, error))
        return FALSE;
    JsonObject *props = props_new("data", data);
    props_string(props, "keyid", MASTER_KEY_ID);
    props_string(props, "iv", iv);
    props_string(props, "format", "base64");
    g_hash_table_replace(context->secrets, g_strdup(id), props);
    g_free(data);
    g_free(iv);
    return TRUE;
}

gboolean guest_secret_take(ArgvContext *context, const char *id, const SecretWish *wish, GError **error)
{
    g_autoptr(SecretValue) value = context->find_secret(wish, error);

    return value && seal(context, id, value, error);
}

gboolean guest_secret_take_text(ArgvContext *context, const char *id, const char *text, GError **error)
{
    g_autoptr(SecretValue) value = secret_value_copy((const guint8 *)text, strlen(text), error);

    return value && seal(context, id, value, error);
}

void guest_secret_build(const ArgvContext *context, const char *id, GPtrArray *parts)
{
    JsonObject *props = props_new("qom-type", "secret"), *taken = g_hash_table_lookup(context->secrets, id);
    g_autoptr(GList) names = taken ? json_object_get_members(taken) : NULL;

    props_string(props, "id", id);
    for (GList *name = names; name; name = name->next)
        props_string(props, name->data, json_object_get_string_member(taken, name->data));
    parts_add(parts, PART_OBJECT, props);
}
