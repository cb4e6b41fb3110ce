/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The driver as a whole: what its files share, and the tables that kvm.c puts together. */
#include "driver-kvm/caps-cache.h"
#include "driver-kvm/dac.h"
#include "driver-kvm/user.h"
#include "lib/driver/driver.h"

typedef struct Kvm {
    const DriverHost *host;
    User *user; /* NULL: QEMU runs as we do */
    CapsCache *caps;
    Dac *dac;
    GMutex lock; /* guards the rest */
    GHashTable *guests; /* Vm * -> Guest * (guest.h), each with a reference */
    guint busy; /* threads of our own */
    GCond idle;
} Kvm;

extern const DriverNodeOps kvm_node_ops;
extern const DriverDefinitionOps kvm_definition_ops;
extern const DriverSaveOps kvm_save_ops;
extern const DriverStatsOps kvm_stats_ops;
extern const DriverResizeOps kvm_resize_ops;
extern const DriverTuningOps kvm_tuning_ops;
extern const DriverChardevOps kvm_chardev_ops;
extern const DriverDisplayOps kvm_display_ops;
extern const DriverDeviceOps kvm_device_ops;
extern const DriverMonitorOps kvm_monitor_ops;
extern const DriverAgentOps kvm_agent_ops;

/* The slots of DriverRunOps; SELF is a Kvm. */
gboolean start_guest(gpointer self, Vm *vm, const DriverStart *options, GError **error);
gboolean stop_kill(gpointer self, Vm *vm, gboolean graceful, GError **error);
void stop_cleanup(gpointer self, Vm *vm);
gboolean reconnect_guest(gpointer self, Vm *vm, GHashTable *status, GError **error);
void reconnect_status(gpointer self, Vm *vm, GHashTable *out);
gboolean run_suspend(gpointer self, Vm *vm, GError **error);
gboolean run_resume(gpointer self, Vm *vm, GError **error);
gboolean run_shutdown(gpointer self, Vm *vm, guint flags, GError **error);
gboolean run_reboot(gpointer self, Vm *vm, guint flags, GError **error);
gboolean run_reset(gpointer self, Vm *vm, GError **error);
gboolean run_wakeup(gpointer self, Vm *vm, GError **error);
gboolean run_set_actions(gpointer self, Vm *vm, const Domain *def, gboolean live, GError **error);
