/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Devices that come to a guest that runs and go from it.
 *
 * One comes in the order of a start: completed and checked in a copy of the live definition, given what it needs of the
 * host, published and written to the run record, and only then made in QEMU, so that a daemon that is killed in between
 * leaves one that the next daemon finds missing and takes out again. What it is made of are the parts that a start
 * would have had.
 *
 * One goes when its guest lets it: QEMU tells by DEVICE_DELETED, now, in an hour or never. Whoever asked waits
 * PLUG_PATIENCE for that and is content then, as libvirt is. What stood behind it is undone when that event comes, by a
 * thread, since the loop never waits.
 */
#include "driver-kvm/guest.h"
#include "lib/model/domain-device.h"

#define PLUG_PATIENCE (5 * G_USEC_PER_SEC)
#define PLUG_FIRST_FD 1000 /* numbers of descriptors, beyond those of a start */

/* The slots of DriverDeviceOps. */
gboolean plug_attach(gpointer self, Vm *vm, const DomainDevice *wanted, GError **error);
gboolean unplug_detach(gpointer self, Vm *vm, const DomainDevice *kind, const char *alias, GError **error);

/* plug-check.c: WANTED is of a kind that this host can have come. */
gboolean plug_check_kind(const DomainDevice *wanted, GError **error);
/* DEVICE may come to LIVE, or go; it is LIVE's own then. */
gboolean plug_check_in(const Domain *live, const DomainDevice *device, GError **error);
gboolean plug_check_out(const Domain *live, const DomainDevice *device, GError **error);

/* QEMU tells that the device with ALIAS is gone, or that the guest keeps it. Loop thread. */
void unplug_gone(Guest *guest, const char *alias);
void unplug_refused(Guest *guest, const char *alias);

/* After a restart of the daemon: takes out what QEMU does not have, with what stands behind it. */
gboolean unplug_learn(Guest *guest, Qmp *qmp, GError **error);
