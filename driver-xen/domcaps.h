/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The domain capabilities document: what this driver can make of a kind of guest. */
#include <glib.h>

/* To free. Arguments may be NULL: the default. VIR_ERR_INVALID_ARG names what is not known here. */
char *domcaps_format(const char *emulator, const char *arch, const char *machine, const char *virt_type, GError **error);
