/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The monitor's commands that more than one file uses, one function each. All block (qmp_call). */
#include "driver-kvm/qmp.h"

/* Arguments of a command: pairs of a name and a value, ended by NULL. The name's first letter is the type: "s:" const char *
 * (NULL leaves it out), "i:" gint64, "b:" gboolean, "o:" JsonObject * (taken over). */
JsonObject *qmp_args(const char *name, ...) G_GNUC_NULL_TERMINATED;

gboolean qmp_cont(Qmp *qmp, GError **error);
gboolean qmp_stop(Qmp *qmp, GError **error);
gboolean qmp_system_reset(Qmp *qmp, GError **error);
gboolean qmp_system_powerdown(Qmp *qmp, GError **error);

/* RET_STATUS: QEMU's word ("paused"), to free. */
gboolean qmp_query_status(Qmp *qmp, gboolean *ret_running, char **ret_status, GError **error);

/* Gives FD (borrowed) to QEMU under NAME. */
gboolean qmp_getfd(Qmp *qmp, const char *name, int fd, GError **error);

/* RET_THREADS: of gint64, the host thread of each virtual CPU, by its index (0: unknown). */
gboolean qmp_query_cpus(Qmp *qmp, GArray **ret_threads, GError **error);

/* The property at the object of PATH ("/machine/peripheral/balloon0"). */
JsonNode *qmp_qom_get(Qmp *qmp, const char *path, const char *property, guint64 wait, GError **error);
gboolean qmp_qom_set_int(Qmp *qmp, const char *path, const char *property, gint64 value, GError **error);
gboolean qmp_balloon(Qmp *qmp, guint64 bytes, GError **error);
gboolean qmp_query_balloon(Qmp *qmp, guint64 wait, guint64 *ret_kib, GError **error);
