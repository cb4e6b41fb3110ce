/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Tap devices, which end with the last descriptor of them. Everything here takes microseconds: no deadline. */
#include <glib.h>

#define TAP_QUEUES_MAX 256

typedef struct {
    const char *name;   /* wanted; NULL: the first free "vnetN" */
    const char *bridge; /* to be attached to; NULL: none */
    const char *mac;    /* the guest's: the host's end gets one that no bridge prefers */
    guint queues;       /* 1 or more */
    guint mtu;          /* 0: the bridge's, or the default */
    gboolean header;    /* the guest's device understands virtio's packet header */
    gboolean exists;    /* the device is somebody else's and there already */
} TapWish;

/* Appends a descriptor (int) for each queue to FDS. RET_NAME: to free. */
gboolean tap_open(const TapWish *wish, GArray *fds, char **ret_name, GError **error);

/* Descriptors of the kernel's own packet mover, one for each queue; none (which is no error) where there is none. */
void tap_open_vhost(guint queues, GArray *fds);
