/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/part.h"

#include "driver-kvm/props.h"

static const struct {
    const char *option;  /* of the command line */
    const char *command; /* of the monitor */
    const char *undo;
    const char *key;     /* member that names the thing, in both */
} kinds[] = {
    [PART_OBJECT] = {"-object", "object-add", "object-del", "id"},
    [PART_CHARDEV] = {"-chardev", "chardev-add", "chardev-remove", "id"},
    [PART_BLOCKDEV] = {"-blockdev", "blockdev-add", "blockdev-del", "node-name"},
    [PART_NETDEV] = {"-netdev", "netdev_add", "netdev_del", "id"},
    [PART_AUDIODEV] = {"-audiodev", NULL, NULL, "id"},
    [PART_DEVICE] = {"-device", "device_add", "device_del", "id"},
    [PART_FDSET] = {"-add-fd", "add-fd", "remove-fd", "fdset-id"},
    [PART_OPTION] = {NULL, NULL, NULL, NULL},
};

static void part_free(gpointer data)
{
    Part *part = data;

    if (part->props)
        json_object_unref(part->props);
    g_free(part->option);
    g_free(part->text);
    g_free(part);
}

GPtrArray *parts_new(void)
{
    return g_ptr_array_new_with_free_func(part_free);
}

static Part *part_new(GPtrArray *parts, PartKind kind, JsonObject *props)
{
    Part *part = g_new0(Part, 1);

    part->kind = kind;
    part->props = props;
    g_ptr_array_add(parts, part);
    return part;
}

void parts_add(GPtrArray *parts, PartKind kind, JsonObject *props)
{
    part_new(parts, kind, props);
}

void parts_add_chardev(GPtrArray *parts, JsonObject *props, char *text)
{
    part_new(parts, PART_CHARDEV, props)->text = text;
}

void parts_add_socket(GPtrArray *parts, const char *id, const char *path)
{
    JsonObject *chardev = props_new("id", id), *backend = props_new("type", "socket"), *data = json_object_new();
    JsonObject *address = props_new("type", "unix"), *where = props_new("path", path);
    g_autofree char *escaped = part_escape(path);

    json_object_set_object_member(address, "data", where);
    json_object_set_object_member(data, "addr", address);
    props_bool(data, "server", FALSE);
    json_object_set_object_member(backend, "data", data);
    json_object_set_object_member(chardev, "backend", backend);
    parts_add_chardev(parts, chardev, g_strdup_printf("socket,id=%s,path=%s", id, escaped));
}

void parts_add_fdset(GPtrArray *parts, int number, const char *name)
{
    Part *part = part_new(parts, PART_FDSET, json_object_new());

    json_object_set_int_member(part->props, "fdset-id", number);
    part->text = g_strdup_printf("set=%d,fd=%d,opaque=%s", number, number, name);
}

void parts_add_option(GPtrArray *parts, const char *option, char *text)
{
    Part *part = part_new(parts, PART_OPTION, NULL);

    part->option = g_strdup(option);
    part->text = text;
}

static char *to_json(JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

    json_node_set_object(node, object);
    return json_to_string(node, FALSE);
}

void parts_to_argv(const GPtrArray *parts, GPtrArray *argv)
{
    for (guint i = 0; i < parts->len; i++) {
        const Part *part = g_ptr_array_index(parts, i);
        const char *option = part->kind == PART_OPTION ? part->option : kinds[part->kind].option;

        g_ptr_array_add(argv, g_strdup(option));
        if (part->text)
            g_ptr_array_add(argv, g_strdup(part->text));
        else if (part->props)
            g_ptr_array_add(argv, to_json(part->props));
    }
}

gboolean part_to_command(const Part *part, const char **ret_command, JsonObject **ret_arguments)
{
    if (!kinds[part->kind].command)
        return FALSE;
    *ret_command = kinds[part->kind].command;
    *ret_arguments = json_object_ref(part->props);
    return TRUE;
}

gboolean part_to_undo(const Part *part, const char **ret_command, JsonObject **ret_arguments)
{
    const char *key = kinds[part->kind].key;

    if (!kinds[part->kind].undo || !json_object_has_member(part->props, key))
        return FALSE;
    *ret_command = kinds[part->kind].undo;
    *ret_arguments = json_object_new();
    json_object_set_member(*ret_arguments, key, json_node_copy(json_object_get_member(part->props, key)));
    return TRUE;
}

char *part_escape(const char *value)
{
    GString *out = g_string_new(NULL);

    for (const char *c = value; *c; c++)
        g_string_append(out, *c == ',' ? ",," : (char[]){*c, '\0'});
    return g_string_free(out, FALSE);
}
