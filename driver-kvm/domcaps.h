/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The domain capabilities document: what this driver can make of one QEMU binary. To free. Every argument but CACHE may be NULL. */
#include "driver-kvm/caps-cache.h"

char *domcaps_format(CapsCache *cache, const char *emulator, const char *arch, const char *machine, const char *type,
                     GError **error);
