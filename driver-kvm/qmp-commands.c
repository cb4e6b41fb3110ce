/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/qmp-commands.h"

#include "lib/error.h"
#include "lib/json-peek.h"

#define CPUS_MAX 4096

JsonObject *qmp_args(const char *name, ...)
{
    JsonObject *object = json_object_new();
    va_list args;

    va_start(args, name);
    for (; name; name = va_arg(args, const char *)) {
        const char *text;
        switch (name[0]) {
        case 's':
            if ((text = va_arg(args, const char *)))
                json_object_set_string_member(object, name + 2, text);
            break;
        case 'i':
            json_object_set_int_member(object, name + 2, va_arg(args, gint64));
            break;
        case 'b':
            json_object_set_boolean_member(object, name + 2, va_arg(args, gboolean));
            break;
        case 'o':
            json_object_set_object_member(object, name + 2, va_arg(args, JsonObject *));
            break;
        default:
            g_assert_not_reached();
        }
    }
    va_end(args);
    return object;
}

/* Both wait for the block devices. */
gboolean qmp_cont(Qmp *qmp, GError **error)
{
    return qmp_do(qmp, "cont", NULL, QMP_DEADLINE_LONG, error);
}

gboolean qmp_stop(Qmp *qmp, GError **error)
{
    return qmp_do(qmp, "stop", NULL, QMP_DEADLINE_LONG, error);
}

gboolean qmp_system_reset(Qmp *qmp, GError **error)
{
    return qmp_do(qmp, "system_reset", NULL, QMP_DEADLINE, error);
}

gboolean qmp_system_powerdown(Qmp *qmp, GError **error)
{
    return qmp_do(qmp, "system_powerdown", NULL, QMP_DEADLINE, error);
}

static gboolean foreign(const char *command, GError **error)
{
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "QEMU's answer to '%s' has a foreign shape", command);
}

gboolean qmp_query_status(Qmp *qmp, gboolean *ret_running, char **ret_status, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call(qmp, "query-status", NULL, QMP_DEADLINE, error);
    JsonObject *object = json_peek_as_object(answer);
    const char *status = json_peek_string(object, "status");

    if (!answer)
        return FALSE;
    if (!status)
        return foreign("query-status", error);
    *ret_running = json_peek_true(object, "running");
    *ret_status = g_strdup(status);
    return TRUE;
}

gboolean qmp_getfd(Qmp *qmp, const char *name, int fd, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call_with_fd(qmp, "getfd", qmp_args("s:fdname", name, NULL), fd, QMP_DEADLINE, error);

    return answer != NULL;
}

gboolean qmp_query_cpus(Qmp *qmp, GArray **ret_threads, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call(qmp, "query-cpus-fast", NULL, QMP_DEADLINE, error);
    JsonArray *cpus = json_peek_as_array(answer);

    if (!answer)
        return FALSE;
    if (!cpus)
        return foreign("query-cpus-fast", error);
    GArray *threads = g_array_new(FALSE, TRUE, sizeof(gint64));
    for (guint i = 0; i < json_peek_length(cpus); i++) {
        JsonObject *cpu = json_peek_object_at(cpus, i);
        gint64 index, thread;
        if (!json_peek_int(cpu, "cpu-index", &index) || !json_peek_int(cpu, "thread-id", &thread) || index < 0 ||
            index >= CPUS_MAX)
            continue;
        if (threads->len <= index)
            g_array_set_size(threads, index + 1);
        g_array_index(threads, gint64, index) = thread;
    }
    *ret_threads = threads;
    return TRUE;
}

JsonNode *qmp_qom_get(Qmp *qmp, const char *path, const char *property, guint64 wait, GError **error)
{
    return qmp_call(qmp, "qom-get", qmp_args("s:path", path, "s:property", property, NULL), wait, error);
}

gboolean qmp_qom_set_int(Qmp *qmp, const char *path, const char *property, gint64 value, GError **error)
{
    return qmp_do(qmp, "qom-set", qmp_args("s:path", path, "s:property", property, "i:value", value, NULL), QMP_DEADLINE,
                  error);
}

gboolean qmp_balloon(Qmp *qmp, guint64 bytes, GError **error)
{
    return qmp_do(qmp, "balloon", qmp_args("i:value", (gint64)bytes, NULL), QMP_DEADLINE, error);
}

gboolean qmp_query_balloon(Qmp *qmp, guint64 wait, guint64 *ret_kib, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call(qmp, "query-balloon", NULL, wait, error);
    gint64 bytes;

    if (!answer)
        return FALSE;
    if (!json_peek_int(json_peek_as_object(answer), "actual", &bytes) || bytes < 0)
        return foreign("query-balloon", error);
    *ret_kib = (guint64)bytes / 1024;
    return TRUE;
}
