/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The time stamp counter of the host's processors, as KVM knows it, and whether it suits what a document asks for. */
#include <glib.h>
#include "lib/model/model.h"

typedef struct {
    guint64 frequency; /* Hz; 0: not known */
    gboolean scaling;  /* a guest's counter may run at another speed */
} Tsc;

/* KVM is asked until it has answered once, then the answer stays. Waits within a deadline of its own. Any thread. */
Tsc tsc_of_host(void);

/* What HOST makes of the frequency that DEF asks for; VIR_ERR_CONFIG_UNSUPPORTED. */
gboolean tsc_check(const Domain *def, const Tsc *host, GError **error);

/* The frequency that DEF asks for, Hz; 0: none. */
guint64 tsc_wanted(const Domain *def);
