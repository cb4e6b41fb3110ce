/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handler: what a guest tells of itself, as one list of parameters. All kinds at once (types 0) leaves out what the agent does
 * not know; a kind that was asked for by name must be known.
 */
#include "daemon/core/agent-ask.h"
#include "daemon/core/agent-disk.h"
#include "daemon/core/wire-params.h"

typedef struct {
    Vm *vm;
    const Domain *live;
    Params *params;
} Info;

typedef void (*Add)(Info *info, JsonNode *answer);

static void add_text(Params *params, JsonObject *from, const char *member, const char *field)
{
    const char *text = json_peek_string(from, member);
    if (text)
        params_string(params, text, "%s", field);
}

/* Members of FROM, and what they are called behind PREFIX. */
static void add_texts(Params *params, JsonObject *from, const char *prefix, const char *const (*members)[2], guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *field = g_strconcat(prefix, members[i][1], NULL);
        add_text(params, from, members[i][0], field);
    }
}

static void add_users(Info *info, JsonNode *answer)
{
    JsonArray *users = json_peek_as_array(answer);
    params_uint(info->params, json_peek_length(users), "user.count");
    for (guint i = 0; i < json_peek_length(users); i++) {
        static const char *const members[][2] = {{"user", "name"}, {"domain", "domain"}};
        JsonObject *user = json_peek_object_at(users, i);
        JsonNode *time = user ? json_object_get_member(user, "login-time") : NULL;
        g_autofree char *prefix = g_strdup_printf("user.%u.", i);
        double seconds = time && JSON_NODE_HOLDS_VALUE(time) ? json_node_get_double(time) : -1;
        add_texts(info->params, user, prefix, members, G_N_ELEMENTS(members));
        if (seconds >= 0 && seconds < 1e15)
            params_ullong(info->params, (guint64)(seconds * 1000), "user.%u.login-time", i);
    }
}

static void add_os(Info *info, JsonNode *answer)
{
    static const char *const members[][2] = {
        {"id", "id"}, {"name", "name"}, {"pretty-name", "pretty-name"}, {"version", "version"}, {"version-id", "version-id"},
        {"machine", "machine"}, {"variant", "variant"}, {"variant-id", "variant-id"}, {"kernel-release", "kernel-release"},
        {"kernel-version", "kernel-version"},
    };
    add_texts(info->params, json_peek_as_object(answer), "os.", members, G_N_ELEMENTS(members));
}

static void add_timezone(Info *info, JsonNode *answer)
{
    gint64 offset;
    add_text(info->params, json_peek_as_object(answer), "zone", "timezone.name");
    if (json_peek_int(json_peek_as_object(answer), "offset", &offset))
        params_int(info->params, offset, "timezone.offset");
}

static void add_hostname(Info *info, JsonNode *answer)
{
    add_text(info->params, json_peek_as_object(answer), "host-name", "hostname");
}

static void add_below(Info *info, JsonArray *disks, guint number)
{
    guint n = json_peek_length(disks);
    if (n > 0)
        params_uint(info->params, n, "fs.%u.disk.count", number);
    for (guint i = 0; i < n; i++) {
        static const char *const members[][2] = {{"serial", "serial"}, {"dev", "device"}};
        JsonObject *disk = json_peek_object_at(disks, i);
        const char *target = agent_disk_target(info->live, disk);
        g_autofree char *prefix = g_strdup_printf("fs.%u.disk.%u.", number, i);
        if (target)
            params_string(info->params, target, "fs.%u.disk.%u.alias", number, i);
        add_texts(info->params, disk, prefix, members, G_N_ELEMENTS(members));
    }
}

static void add_file_systems(Info *info, JsonNode *answer)
{
    JsonArray *list = json_peek_as_array(answer);
    guint n = json_peek_length(list);
    if (n > 0)
        params_uint(info->params, n, "fs.count");
    for (guint i = 0; i < n; i++) {
        static const char *const members[][2] = {{"name", "name"}, {"mountpoint", "mountpoint"}, {"type", "fstype"}};
        JsonObject *one = json_peek_object_at(list, i);
        g_autofree char *prefix = g_strdup_printf("fs.%u.", i);
        gint64 octets;
        add_texts(info->params, one, prefix, members, G_N_ELEMENTS(members));
        if (json_peek_int(one, "total-bytes", &octets))
            params_ullong(info->params, octets, "fs.%u.total-bytes", i);
        if (json_peek_int(one, "used-bytes", &octets))
            params_ullong(info->params, octets, "fs.%u.used-bytes", i);
        add_below(info, json_peek_array(one, "disk"), i);
    }
}

static void add_disks(Info *info, JsonNode *answer)
{
    JsonArray *list = json_peek_as_array(answer);
    guint n = json_peek_length(list);
    if (n > 0)
        params_uint(info->params, n, "disk.count");
    for (guint i = 0; i < n; i++) {
        JsonObject *one = json_peek_object_at(list, i), *place = json_peek_object(one, "address");
        JsonArray *below = json_peek_array(one, "dependencies");
        g_autofree char *name = g_strdup_printf("disk.%u.name", i), *alias = g_strdup_printf("disk.%u.guest_alias", i);
        g_autofree char *serial = g_strdup_printf("disk.%u.serial", i);
        const char *target = place ? agent_disk_target(info->live, place) : NULL;
        add_text(info->params, one, "name", name);
        params_boolean(info->params, json_peek_true(one, "partition"), "disk.%u.partition", i);
        if (json_peek_length(below) > 0)
            params_uint(info->params, json_peek_length(below), "disk.%u.dependency.count", i);
        for (guint k = 0; k < json_peek_length(below); k++)
            if (json_peek_string_at(below, k))
                params_string(info->params, json_peek_string_at(below, k), "disk.%u.dependency.%u.name", i, k);
        add_text(info->params, place, "serial", serial);
        if (target)
            params_string(info->params, target, "disk.%u.alias", i);
        add_text(info->params, one, "alias", alias);
    }
}

static void add_interfaces(Info *info, JsonNode *answer)
{
    JsonArray *list = json_peek_as_array(answer);
    guint n = json_peek_length(list);
    if (n > 0)
        params_uint(info->params, n, "if.count");
    for (guint i = 0; i < n; i++) {
        static const char *const members[][2] = {{"name", "name"}, {"hardware-address", "hwaddr"}};
        JsonObject *one = json_peek_object_at(list, i);
        JsonArray *addresses = json_peek_array(one, "ip-addresses");
        g_autofree char *prefix = g_strdup_printf("if.%u.", i);
        add_texts(info->params, one, prefix, members, G_N_ELEMENTS(members));
        if (json_peek_length(addresses) > 0)
            params_uint(info->params, json_peek_length(addresses), "if.%u.addr.count", i);
        for (guint k = 0; k < json_peek_length(addresses); k++) {
            static const char *const parts[][2] = {{"ip-address-type", "type"}, {"ip-address", "addr"}};
            JsonObject *address = json_peek_object_at(addresses, k);
            g_autofree char *inner = g_strdup_printf("if.%u.addr.%u.", i, k);
            gint64 length;
            add_texts(info->params, address, inner, parts, G_N_ELEMENTS(parts));
            if (json_peek_int(address, "prefix", &length))
                params_uint(info->params, length, "if.%u.addr.%u.prefix", i, k);
        }
    }
}

static const struct {
    guint type;
    const char *command;
    Add add;
} kinds[] = {
    {VIR_DOMAIN_GUEST_INFO_USERS, "guest-get-users", add_users},
    {VIR_DOMAIN_GUEST_INFO_OS, "guest-get-osinfo", add_os},
    {VIR_DOMAIN_GUEST_INFO_TIMEZONE, "guest-get-timezone", add_timezone},
    {VIR_DOMAIN_GUEST_INFO_HOSTNAME, "guest-get-host-name", add_hostname},
    {VIR_DOMAIN_GUEST_INFO_FILESYSTEM, "guest-get-fsinfo", add_file_systems},
    {VIR_DOMAIN_GUEST_INFO_DISKS, "guest-get-disks", add_disks},
    {VIR_DOMAIN_GUEST_INFO_INTERFACES, "guest-network-get-interfaces", add_interfaces},
};

static gboolean check_types(Vm *vm, guint types, GError **error)
{
    guint unknown = types;
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        unknown &= ~kinds[i].type;
    return !unknown || error_set(error, vm->instance->from, VIR_ERR_INVALID_ARG, "unsupported guest information types '0x%x'",
                                 unknown);
}

static gboolean add_kind(Info *info, guint number, gboolean by_name, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(JsonNode) answer = by_name ? agent_ask(info->vm, kinds[number].command, NULL, &cause)
                                         : agent_ask_if_known(info->vm, kinds[number].command, &cause);
    if (answer)
        kinds[number].add(info, answer);
    if (!cause)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&cause));
    return FALSE;
}

gboolean remote_domain_get_guest_info(Call *call, const RemoteDomainGetGuestInfoArgs *args, RemoteDomainGetGuestInfoRet *ret,
                                      GError **error)
{
    g_autoptr(Params) params = params_new();
    g_autoptr(VmView) view = vm_view(call->vm);
    Info info = {call->vm, vm_view_def(view), params};
    if (!agent_offered(call, error) || !check_types(call->vm, args->types, error) || !agent_ready(call, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        if ((!args->types || (args->types & kinds[i].type)) && !add_kind(&info, i, args->types != 0, error))
            return FALSE;
    ret->params = wire_params(params, &ret->n_params);
    return TRUE;
}
