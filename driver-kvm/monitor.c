/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that an administrator sends to QEMU's monitor, past everything we know. */
#include "driver-kvm/guest.h"

#include <string.h>
#include <libvirt/libvirt-qemu.h>

#include "driver-kvm/qmp-commands.h"
#include "lib/error.h"
#include "lib/json-peek.h"

#define COMMAND_VALUES_MAX 10000

static char *human(Qmp *qmp, const char *command, int fd, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call_with_fd(qmp, "human-monitor-command", qmp_args("s:command-line", command, NULL),
                                                  fd, QMP_DEADLINE_LONG, error);

    if (!answer)
        return NULL;
    if (JSON_NODE_HOLDS_VALUE(answer) && json_node_get_value_type(answer) == G_TYPE_STRING)
        return json_node_dup_string(answer);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "QEMU's answer to a human has a foreign shape");
    return NULL;
}

/* What QEMU says to such a message. It could not be sent: the answer would not say what it is the answer to. */
#define NOT_AN_OBJECT "{\"error\":{\"class\":\"GenericError\",\"desc\":\"QMP input must be a JSON object\"}}"

/* The command is a whole message, but for its id, which is ours. An error that QEMU gives is an answer. */
static char *message(Qmp *qmp, const char *command, int fd, GError **error)
{
    g_autoptr(JsonNode) node = json_peek_parse(command, strlen(command), COMMAND_VALUES_MAX, error);
    JsonObject *object = json_peek_as_object(node);

    if (!node)
        return NULL;
    if (!object)
        return g_strdup(NOT_AN_OBJECT);
    if (json_object_has_member(object, "id")) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Unable to append command 'id' string");
        return NULL;
    }
    g_autoptr(JsonNode) answer = qmp_call_raw(qmp, object, fd, QMP_DEADLINE_LONG, error);
    return answer ? json_to_string(answer, FALSE) : NULL;
}

static char *monitor_command(gpointer self, Vm *vm, const char *command, guint flags, int fd, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    if (!qmp)
        return NULL;
    return flags & VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP ? human(qmp, command, fd, error) : message(qmp, command, fd, error);
}

const DriverMonitorOps kvm_monitor_ops = {
    .command = monitor_command,
};
