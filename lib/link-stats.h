/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the kernel counted on a network interface of the host. */
#include <glib.h>

typedef struct {
    guint64 bytes, packets, errors, dropped;
} LinkCounters;

/* FALSE if there is no such interface. Any thread; does not wait for anybody. */
gboolean link_stats(const char *name, LinkCounters *ret_received, LinkCounters *ret_sent);
