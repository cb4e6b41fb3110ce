/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What the steps of a start share: start.c has the list of them, start-host.c what is taken of the host, start-launch.c the
 * process. Each step blocks.
 */
#include "driver-kvm/argv.h"
#include "driver-kvm/guest.h"
#include "driver-kvm/launch.h"
#include "lib/model/domain-device.h"

#define START_LOG_SIZE (2 * 1024 * 1024)

typedef struct {
    Kvm *kvm;
    Guest *guest;
    const DriverStart *options;
    Caps *caps;
    ArgvContext *context;
    Domain *live; /* as it is published; a reference */
    GPtrArray *argv;
    Launch *launch;
    int lock, listener;
    char *log;
    gsize log_from; /* where what QEMU says begins in it */
} Start;

/* Changes the published definition. */
gboolean start_edit(Start *start, VmEdit edit, gpointer data, GError **error);

gboolean start_folder(Start *start, GError **error);
gboolean start_prepare(Start *start, GError **error);
gboolean start_firmware(Start *start, GError **error);
gboolean start_access(Start *start, GError **error);
/* What a start and a device that comes later share. */
ArgvContext *start_context(const Guest *guest);
gboolean start_access_device(Guest *guest, const DomainDevice *device, GError **error);
/* GONE is not in the live definition any more: its files go back to whom they were, unless other devices have them. */
void start_access_end(Guest *guest, const DomainDevice *gone);
/* Processes beside QEMU. */
gboolean start_sides(Start *start, GError **error);
gboolean start_side_device(Guest *guest, const DomainDevice *device, GError **error);
gboolean start_describe(Start *start, GError **error);
gboolean start_launch(Start *start, GError **error);

/* A listening socket NAME in FOLDER; -1 with errno. Through the folder's descriptor: a socket's name may have 107 bytes at
 * most. */
int start_listen_below(const char *folder, const char *name);
