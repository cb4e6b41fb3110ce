/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handlers, and the events that they cause. */
#include <string.h>

#include "daemon/core/place.h"
#include "daemon/core/core-config.h"
#include "daemon/rpc/call.h"
#include "daemon/rpc/client.h"
#include "daemon/rpc/subscriber.h"
#include "daemon/secret/secrets.h"
#include "lib/error.h"
#include "lib/uuid.h"

/* The wire's numbers of usage types, which are the public API's. */
static const struct {
    SecretUsageType type;
    int number;
} types[] = {
    {SECRET_USAGE_TYPE_NONE, VIR_SECRET_USAGE_TYPE_NONE},   {SECRET_USAGE_TYPE_VOLUME, VIR_SECRET_USAGE_TYPE_VOLUME},
    {SECRET_USAGE_TYPE_CEPH, VIR_SECRET_USAGE_TYPE_CEPH},   {SECRET_USAGE_TYPE_ISCSI, VIR_SECRET_USAGE_TYPE_ISCSI},
    {SECRET_USAGE_TYPE_TLS, VIR_SECRET_USAGE_TYPE_TLS},     {SECRET_USAGE_TYPE_VTPM, VIR_SECRET_USAGE_TYPE_VTPM},
};

static int number_of(const Secret *def)
{
    SecretUsageType type = def->usage ? def->usage->type : SECRET_USAGE_TYPE_NONE;

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].type == type)
            return types[i].number;
    return VIR_SECRET_USAGE_TYPE_NONE;
}

/* USAGE_ID stays DEF's. */
static RemoteNonnullSecret borrowed(const Secret *def)
{
    RemoteNonnullSecret wire = {.usage_type = number_of(def), .usage_id = (char *)secrets_usage(def)};

    memcpy(wire.uuid, def->uuid.bytes, sizeof wire.uuid);
    return wire;
}

static void fill(const Secret *def, RemoteNonnullSecret *ret)
{
    *ret = borrowed(def);
    ret->usage_id = g_strdup(ret->usage_id);
}

/* --- who hears --- */

static Subscribers *subscribers(void)
{
    static gsize made;
    static Subscribers *all;

    if (g_once_init_enter(&made)) {
        all = subscribers_new();
        g_once_init_leave(&made, 1);
    }
    return all;
}

gboolean remote_connect_secret_event_register_any(Call *call, const RemoteConnectSecretEventRegisterAnyArgs *args,
                                                  RemoteConnectSecretEventRegisterAnyRet *ret, GError **error)
{
    if (args->event_id < 0 || args->event_id > VIR_SECRET_EVENT_ID_VALUE_CHANGED)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "unsupported secret event ID %d", args->event_id);
    return subscribers_add(subscribers(), call, args->event_id, args->secret ? args->secret->uuid : NULL, &ret->callback_id, error);
}

gboolean remote_connect_secret_event_deregister_any(Call *call, const RemoteConnectSecretEventDeregisterAnyArgs *args, GError **error)
{
    return subscribers_remove(subscribers(), call, args->callback_id) ||
           error_set(error, VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "secret event callback %d not registered", args->callback_id);
}

typedef struct {
    RemoteNonnullSecret secret;
    int event;
} Told;

static void send_lifecycle(const Subscriber *to, gpointer data)
{
    const Told *told = data;
    RemoteSecretEventLifecycleMsg message = {.callback_id = to->callback, .secret = told->secret, .event = told->event};

    client_send_message(to->client, wire_proc(&remote_program, REMOTE_PROC_SECRET_EVENT_LIFECYCLE), &message);
}

static void send_value_changed(const Subscriber *to, gpointer data)
{
    const Told *told = data;
    RemoteSecretEventValueChangedMsg message = {.callback_id = to->callback, .secret = told->secret};

    client_send_message(to->client, wire_proc(&remote_program, REMOTE_PROC_SECRET_EVENT_VALUE_CHANGED), &message);
}

static void tell(const Secret *def, int id, int event, SubscriberFunc send)
{
    Told told = {borrowed(def), event};

    subscribers_tell(subscribers(), id, def->uuid.bytes, send, &told);
}

/* --- which there are --- */

static const struct {
    guint flag;
    guint group;
    Toggle ephemeral, private;
} filters[] = {
    {VIR_CONNECT_LIST_SECRETS_EPHEMERAL, 0, TOGGLE_ON, TOGGLE_UNSET},
    {VIR_CONNECT_LIST_SECRETS_NO_EPHEMERAL, 0, TOGGLE_OFF, TOGGLE_UNSET},
    {VIR_CONNECT_LIST_SECRETS_PRIVATE, 1, TOGGLE_UNSET, TOGGLE_ON},
    {VIR_CONNECT_LIST_SECRETS_NO_PRIVATE, 1, TOGGLE_UNSET, TOGGLE_OFF},
};

static gboolean is(Toggle wanted, Toggle has)
{
    return wanted == TOGGLE_UNSET || (wanted == TOGGLE_ON) == (has == TOGGLE_ON);
}

static gboolean passes(const Secret *def, guint flags)
{
    guint asked = 0, passed = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
        if (!(flags & filters[i].flag))
            continue;
        asked |= 1u << filters[i].group;
        if (is(filters[i].ephemeral, def->ephemeral) && is(filters[i].private, def->private))
            passed |= 1u << filters[i].group;
    }
    return asked == passed;
}

static GPtrArray *chosen(guint flags)
{
    GPtrArray *all = secrets_all();

    for (guint i = all->len; i-- > 0;)
        if (!passes(all->pdata[i], flags))
            g_ptr_array_remove_index(all, i);
    return all;
}

gboolean remote_connect_list_all_secrets(Call *call, const RemoteConnectListAllSecretsArgs *args, RemoteConnectListAllSecretsRet *ret,
                                         GError **error)
{
    g_autoptr(GPtrArray) some = chosen(args->flags);

    ret->ret = some->len;
    if (!args->need_results)
        return TRUE;
    ret->n_secrets = some->len;
    ret->secrets = g_new0(RemoteNonnullSecret, some->len);
    for (guint i = 0; i < some->len; i++)
        fill(some->pdata[i], &ret->secrets[i]);
    return TRUE;
}

gboolean remote_connect_num_of_secrets(Call *call, RemoteConnectNumOfSecretsRet *ret, GError **error)
{
    g_autoptr(GPtrArray) all = chosen(0);

    ret->num = (gint32)all->len;
    return TRUE;
}

gboolean remote_connect_list_secrets(Call *call, const RemoteConnectListSecretsArgs *args, RemoteConnectListSecretsRet *ret, GError **error)
{
    g_autoptr(GPtrArray) all = chosen(0);

    if (args->maxuuids < 0 || args->maxuuids > REMOTE_SECRET_LIST_MAX)
        return error_set(error, VIR_FROM_RPC, VIR_ERR_RPC, "too many secrets to list: maxuuids %d is not in 0 to %d", args->maxuuids,
                         REMOTE_SECRET_LIST_MAX);
    ret->n_uuids = MIN(all->len, (guint)args->maxuuids);
    ret->uuids = g_new0(char *, ret->n_uuids);
    for (guint i = 0; i < ret->n_uuids; i++) {
        ret->uuids[i] = g_malloc(UUID_TEXT);
        uuid_format(((const Secret *)all->pdata[i])->uuid.bytes, ret->uuids[i]);
    }
    return TRUE;
}

gboolean remote_secret_lookup_by_uuid(Call *call, const RemoteSecretLookupByUuidArgs *args, RemoteSecretLookupByUuidRet *ret, GError **error)
{
    g_autoptr(Secret) def = secrets_find(args->uuid, error);

    if (def)
        fill(def, &ret->secret);
    return def != NULL;
}

gboolean remote_secret_lookup_by_usage(Call *call, const RemoteSecretLookupByUsageArgs *args, RemoteSecretLookupByUsageRet *ret,
                                       GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (types[i].number != args->usage_type || types[i].type == SECRET_USAGE_TYPE_NONE)
            continue;
        g_autoptr(Secret) def = secrets_find_usage(types[i].type, args->usage_id, error);
        if (def)
            fill(def, &ret->secret);
        return def != NULL;
    }
    return error_set(error, VIR_FROM_SECRET, VIR_ERR_NO_SECRET, "no secret with matching usage '%s'", args->usage_id);
}

gboolean remote_secret_get_xml_desc(Call *call, const RemoteSecretGetXmlDescArgs *args, RemoteSecretGetXmlDescRet *ret, GError **error)
{
    g_autoptr(Secret) def = secrets_find(args->secret.uuid, error);

    if (def)
        ret->xml = model_format_text(&secret_type, def, 0);
    return def != NULL;
}

/* --- changes --- */

static XmlDocument *parse(const char *text, gboolean validate, GError **error)
{
    g_autoptr(XmlDocument) document = xml_parse(text, "secret", error);
    g_autofree char *schema = place_of("lib/model/secret.rng", SCHEMA_FOLDER "/secret.rng");

    if (!document || (validate && !xml_validate(document, schema, error)))
        return NULL;
    return g_steal_pointer(&document);
}

gboolean remote_secret_define_xml(Call *call, const RemoteSecretDefineXmlArgs *args, RemoteSecretDefineXmlRet *ret, GError **error)
{
    g_autoptr(XmlDocument) document = parse(args->xml, (args->flags & VIR_SECRET_DEFINE_VALIDATE) != 0, error);
    g_autoptr(Secret) def = document ? secret_read(document, error) : NULL;

    if (!def || !secrets_define(def, error))
        return FALSE;
    tell(def, VIR_SECRET_EVENT_ID_LIFECYCLE, VIR_SECRET_EVENT_DEFINED, send_lifecycle);
    fill(def, &ret->secret);
    return TRUE;
}

gboolean remote_secret_undefine(Call *call, const RemoteSecretUndefineArgs *args, GError **error)
{
    g_autoptr(Secret) gone = NULL;

    if (!secrets_undefine(args->secret.uuid, &gone, error))
        return FALSE;
    tell(gone, VIR_SECRET_EVENT_ID_LIFECYCLE, VIR_SECRET_EVENT_UNDEFINED, send_lifecycle);
    return TRUE;
}

gboolean remote_secret_set_value(Call *call, const RemoteSecretSetValueArgs *args, GError **error)
{
    if (args->n_value == 0)
        return error_set_plain(error, VIR_FROM_SECRET, VIR_ERR_INVALID_ARG, "value in virSecretSetValue must not be NULL");
    g_autoptr(SecretValue) value = secret_value_copy(args->value, args->n_value, error);
    g_autoptr(Secret) def = NULL;

    explicit_bzero(args->value, args->n_value);
    if (!value || !secrets_set_value(args->secret.uuid, value, &def, error))
        return FALSE;
    tell(def, VIR_SECRET_EVENT_ID_VALUE_CHANGED, 0, send_value_changed);
    return TRUE;
}

gboolean remote_secret_get_value(Call *call, const RemoteSecretGetValueArgs *args, RemoteSecretGetValueRet *ret, GError **error)
{
    g_autoptr(Secret) def = secrets_find(args->secret.uuid, error);

    if (def && def->private == TOGGLE_ON)
        return error_set(error, VIR_FROM_SECRET, VIR_ERR_INVALID_SECRET, "secret is private");
    g_autoptr(SecretValue) value = def ? secrets_get_value(args->secret.uuid, error) : NULL;
    if (!value)
        return FALSE;
    ret->value = g_memdup2(value->octets, value->length);
    ret->n_value = (guint32)value->length;
    return TRUE;
}
