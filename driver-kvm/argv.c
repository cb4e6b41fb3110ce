/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/argv.h"
#include "driver-kvm/argv-parts.h"
#include "driver-kvm/block.h"
#include "driver-kvm/device.h"
#include "driver-kvm/fd-groups.h"
#include "driver-kvm/hugepages.h"
#include "driver-kvm/master-key.h"
#include "driver-kvm/memory.h"
#include "driver-kvm/override.h"
#include "driver-kvm/part.h"
#include "driver-kvm/props.h"
#include "lib/error.h"
#include "lib/uuid.h"
#include <string.h>
#include <unistd.h>

#define SHELL_SPECIAL "\r\t\n !\"#$&'()*;<>?[\\]^`{|}~"
#define FIRST_FD 20 /* above what the launcher itself needs */

static void close_fd(gpointer data)
{
    close(((ArgvFd *)data)->fd);
}

static void close_held(gpointer data)
{
    close(*(int *)data);
}

ArgvContext *argv_context_new(const char *private_dir)
{
    ArgvContext *context = g_new0(ArgvContext, 1);

    context->private_dir = g_strdup(private_dir);
    context->monitor_fd = -1;
    context->first_fd = FIRST_FD;
    context->fds = g_array_new(FALSE, FALSE, sizeof(ArgvFd));
    g_array_set_clear_func(context->fds, close_fd);
    context->held = g_array_new(FALSE, FALSE, sizeof(int));
    g_array_set_clear_func(context->held, close_held);
    context->hugepages = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    context->passed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    context->secrets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_object_unref);
    context->commands = g_ptr_array_new_with_free_func((GDestroyNotify)json_object_unref);
    context->environment = g_ptr_array_new_with_free_func(g_free);
    return context;
}

void argv_context_free(ArgvContext *context)
{
    if (!context)
        return;
    g_free(context->private_dir);
    g_free(context->state_dir);
    g_free(context->master_key);
    g_free(context->vnc_listen);
    g_free(context->spice_listen);
    g_array_unref(context->fds);
    g_array_unref(context->held);
    g_hash_table_unref(context->hugepages);
    g_hash_table_unref(context->passed);
    g_hash_table_unref(context->secrets);
    g_ptr_array_unref(context->commands);
    g_ptr_array_unref(context->environment);
    g_free(context);
}

int argv_context_pass(ArgvContext *context, int fd, const char *name)
{
    ArgvFd passed = {fd, context->first_fd + (int)context->fds->len};

    g_array_append_val(context->fds, passed);
    if (name)
        g_hash_table_insert(context->passed, g_strdup(name), GINT_TO_POINTER(passed.number + 1));
    return passed.number;
}

int argv_context_passed(const ArgvContext *context, const char *name)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(context->passed, name)) - 1;
}

char *argv_context_fd_name(const ArgvContext *context, int number)
{
    return g_strdup_printf(context->live ? "duovirt-%d" : "%d", number);
}

void argv_context_command(ArgvContext *context, const char *execute, JsonObject *arguments)
{
    JsonObject *command = props_new("execute", execute);

    if (arguments)
        json_object_set_object_member(command, "arguments", arguments);
    g_ptr_array_add(context->commands, command);
}

gboolean argv_prepare(Domain *live, const Caps *caps, ArgvContext *context, GError **error)
{
    argv_cpu_prepare(live);
    argv_clock_prepare(live);
    memory_align(live);
    block_number_said(live, context);
    if (!hugepages_prepare(live, context, error) || !device_prepare_all(live, caps, context, error))
        return FALSE;
    block_number_found(live, context);
    return TRUE;
}

void argv_release(const Domain *live)
{
    device_release_all(live);
    hugepages_release(live);
}

static void add(GPtrArray *parts, const char *option, const char *value)
{
    parts_add_option(parts, option, g_strdup(value));
}

static void add_identity(const Domain *live, const ArgvContext *context, GPtrArray *parts)
{
    g_autofree char *name = part_escape(live->name);
    JsonObject *key;

    parts_add_option(parts, "-name", g_strdup_printf("guest=%s,debug-threads=on", name));
    override_deprecation(live, parts);
    add(parts, "-S", NULL);
    if (!context->master_key)
        return;
    key = props_new("qom-type", "secret");
    props_string(key, "id", MASTER_KEY_ID);
    props_string(key, "format", "raw");
    props_string(key, "file", context->master_key);
    parts_add(parts, PART_OBJECT, key);
}

static void add_uuid(const Domain *live, GPtrArray *parts)
{
    char uuid[UUID_TEXT];

    uuid_format(live->uuid.bytes, uuid);
    add(parts, "-uuid", uuid);
}

static void add_monitor(const Domain *live, const ArgvContext *context, GPtrArray *parts)
{
    g_autofree char *folder = part_escape(context->private_dir);

    if (live->devices->graphics->len == 0)
        add(parts, "-display", "none");
    add(parts, "-no-user-config", NULL);
    add(parts, "-nodefaults", NULL);
    parts_add_option(parts, "-chardev",
                     context->monitor_fd >= 0
                         ? g_strdup_printf("socket,id=charmonitor,fd=%d,server=on,wait=off", context->monitor_fd)
                         : g_strdup_printf("socket,id=charmonitor,path=%s/monitor.sock,server=on,wait=off", folder));
    add(parts, "-mon", "chardev=charmonitor,id=monitor,mode=control");
}

/* What the user passes on to QEMU by himself. */
static void add_passthrough(const Domain *live, ArgvContext *context, GPtrArray *parts)
{
    const QemuCommandline *own = live->commandline;

    for (guint i = 0; own && i < own->args->len; i++)
        add(parts, ((const QemuArg *)g_ptr_array_index(own->args, i))->value, NULL);
    for (guint i = 0; own && i < own->envs->len; i++) {
        const QemuEnv *env = g_ptr_array_index(own->envs, i);

        g_ptr_array_add(context->environment, g_strdup_printf("%s=%s", env->name, env->value ? env->value : ""));
    }
}

static void add_end(const Domain *live, ArgvContext *context, GPtrArray *parts)
{
    add_passthrough(live, context, parts);
    if (context->sandbox)
        add(parts, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
    add(parts, "-msg", "timestamp=on");
}

gboolean argv_build(const Domain *live, const Caps *caps, ArgvContext *context, GPtrArray **ret_argv, GError **error)
{
    g_autoptr(GPtrArray) parts = parts_new();
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);

    add_identity(live, context, parts);
    argv_flash(live, parts);
    if (!argv_machine(live, caps, parts, error) || !argv_cpu(live, caps, parts, error))
        return FALSE;
    if (!argv_firmware(live, parts, error) || !argv_memory(live, caps, context, parts, error))
        return FALSE;
    argv_vcpus(live, parts);
    argv_iothreads(live, parts);
    if (!argv_numa(live, caps, context, parts, error))
        return FALSE;
    add_uuid(live, parts);
    if (!argv_smbios(live, parts, error))
        return FALSE;
    argv_firmware_files(live, parts);
    add_monitor(live, context, parts);
    argv_clock(live, caps, context, parts);
    argv_power(live, caps, parts);
    argv_boot(live, parts);
    fd_groups_build(live, context, parts);
    if (!device_build_all(live, caps, context, parts, error))
        return FALSE;
    if (context->incoming)
        add(parts, "-incoming", "defer");
    argv_extras(live, parts);
    override_apply(live, parts);
    add_end(live, context, parts);

    g_ptr_array_add(argv, g_strdup(live->devices->emulator));
    parts_to_argv(parts, argv);
    g_ptr_array_add(argv, NULL);
    *ret_argv = g_steal_pointer(&argv);
    return TRUE;
}

GPtrArray *argv_environment(const ArgvContext *context)
{
    static const char *const below_home[][2] = {
        {"HOME", ""}, {"XDG_DATA_HOME", "/.local/share"}, {"XDG_CACHE_HOME", "/.cache"}, {"XDG_CONFIG_HOME", "/.config"}};
    GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(all, g_strdup("LC_ALL=C"));
    g_ptr_array_add(all, g_strdup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
    for (guint i = 0; i < G_N_ELEMENTS(below_home); i++)
        g_ptr_array_add(all, g_strdup_printf("%s=%s%s", below_home[i][0], context->private_dir, below_home[i][1]));
    for (guint i = 0; i < context->environment->len; i++)
        g_ptr_array_add(all, g_strdup(context->environment->pdata[i]));
    return all;
}

void argv_append_word(GString *line, const char *word)
{
    g_autofree char *quoted = !*word || strpbrk(word, SHELL_SPECIAL) ? g_shell_quote(word) : NULL;

    if (line->len > 0 && line->str[line->len - 1] != '\n')
        g_string_append_c(line, ' ');
    g_string_append(line, quoted ? quoted : word);
}
