/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The host's threads of a guest: which they are, where they may run, and how they are scheduled. */
#include "driver-kvm/guest.h"
#include "lib/cpuset.h"
#include "lib/driver/driver.h"

/* RET_THREADS: of DriverIothread. Blocks (qmp_call). */
gboolean threads_query_iothreads(Qmp *qmp, guint64 wait, GArray **ret_threads, GError **error);

/* Whether the values in CPUTUNE are such that the kernel can take them. */
gboolean threads_check(const Domain *live, GError **error);

/* Puts every thread of a guest that has just been made where it belongs. */
gboolean threads_place(Guest *guest, Qmp *qmp, GError **error);
/* One that has just been made. */
gboolean threads_place_vcpu(const Domain *live, guint vcpu, pid_t tid, GError **error);
gboolean threads_place_iothread(const Domain *live, const DriverIothread *thread, GError **error);

/* The threads of process PID that are none of VCPUS (of gint64) and IOTHREADS (of DriverIothread) may run on CPUS. */
gboolean threads_set_emulator(pid_t pid, const GArray *vcpus, const GArray *iothreads, const CpuSet *cpus, GError **error);

/* Thread TID may run on CPUS. VIR_ERR_SYSTEM_ERROR. */
gboolean threads_set_affinity(pid_t tid, const CpuSet *cpus, GError **error);
