/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The host's UUID: the firmware's, or, where that has none, one made up once and kept in the state folder. */
#include <glib.h>

/* As text; stays for ever. NULL with ERROR if it cannot be kept. Any thread that may wait for the disk. */
const char *host_id(GError **error);
