/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Whom the host's kernel has met on its networks: the neighbour tables of IPv4 and IPv6. */
#include <glib.h>

typedef struct {
    char mac[18];     /* "52:54:00:00:00:01" */
    char address[46];
    int family;       /* virIPAddrType */
} Neighbour;

/* Of Neighbour; owns them. Does not wait for anybody but the kernel. */
GPtrArray *neighbours_list(GError **error);
