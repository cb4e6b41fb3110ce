/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Commands that an administrator sends to QEMU's monitor, past everything we know. */
#include "driver-kvm/guest.h"

#include <string.h>
#include <libvirt/libvirt-qemu.h>

#include "driver-kvm/qmp-commands.h"
#include "lib/error.h"
#include "lib/json-peek.h"

#define COMMAND_VALUES_MAX 10000

static char *human(Qmp *qmp, const char *command, GError **error)
{
    g_autoptr(JsonNode) answer = qmp_call(qmp, "human-monitor-command", qmp_args("s:command-line", command, NULL),
                                          QMP_DEADLINE_LONG, error);

    if (!answer)
        return NULL;
    if (JSON_NODE_HOLDS_VALUE(answer) && json_node_get_value_type(answer) == G_TYPE_STRING)
        return json_node_dup_string(answer);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "QEMU's answer to a human has a foreign shape");
    return NULL;
}

/* The command is a whole message, or, as libvirt has it, only the name of one. An error that QEMU gives is an answer. */
static char *message(Qmp *qmp, const char *command, GError **error)
{
    g_autoptr(JsonNode) node = json_peek_parse(command, strlen(command), COMMAND_VALUES_MAX, NULL);
    g_autoptr(JsonObject) whole = NULL;

    if (json_peek_as_object(node)) {
        whole = json_object_new();
        JsonObjectIter iter;
        const char *name;
        JsonNode *value;
        json_object_iter_init(&iter, json_peek_as_object(node));
        while (json_object_iter_next(&iter, &name, &value))
            json_object_set_member(whole, name, json_node_copy(value));
    } else {
        whole = qmp_args("s:execute", command, NULL);
    }
    g_autoptr(JsonNode) answer = qmp_call_raw(qmp, whole, QMP_DEADLINE_LONG, error);
    return answer ? json_to_string(answer, FALSE) : NULL;
}

static char *monitor_command(gpointer self, Vm *vm, const char *command, guint flags, GError **error)
{
    g_autoptr(Guest) guest = guest_need(self, vm, error);
    g_autoptr(Qmp) qmp = guest ? guest_qmp(guest, error) : NULL;

    if (!qmp)
        return NULL;
    return (flags & VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP ? human : message)(qmp, command, error);
}

const DriverMonitorOps kvm_monitor_ops = {
    .command = monitor_command,
};
