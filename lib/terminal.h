/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Terminals of the host that stand for a guest's. */
#include <glib.h>

/* A descriptor of the terminal at PATH, not blocking, that passes bytes and not lines; -1 with VIR_ERR_SYSTEM_ERROR. */
int terminal_open(const char *path, GError **error);
