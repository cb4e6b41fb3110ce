/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the host calls itself, as libvirt tells it: with its domain where the resolver knows one. */
#include <glib.h>

/* To free. Gives the bare name once the resolver has taken a second. Any thread that may wait. NULL with
 * ERROR. */
char *hostname_get(GError **error);
