/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * TCP ports for displays.
 *
 * There is no list of ports in use: the kernel has one, and daemons that share a machine (all of them share the ports,
 * 5900 to 65535) see the same. A port is taken by binding it, so that nobody else who asks this way gets it, and in a
 * manner that lets QEMU, which reuses addresses, bind it again and listen. The descriptor is held until QEMU listens.
 */
#include <glib.h>

#define PORT_VNC_FIRST 5900
#define PORT_WEBSOCKET_FIRST 5700
#define PORT_LAST 65535

/* The first free port from FIRST to LAST, on all addresses. Appends the descriptors (int) that hold it to FDS.
 * VIR_ERR_INTERNAL_ERROR if all are taken; WHAT ("VNC") is for the message. */
gboolean port_reserve(const char *what, guint first, guint last, GArray *fds, guint *ret_port, GError **error);
