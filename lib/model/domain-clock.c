/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/model/domain-clock.h"

#include <string.h>

#include "lib/error.h"

/* A distance from UTC or from local time makes a clock variable. */
static gboolean complete_distance(Clock *clock, GError **error)
{
    gboolean fixed = clock->offset == CLOCK_OFFSET_UTC || clock->offset == CLOCK_OFFSET_LOCALTIME;
    gint64 seconds;

    if (!fixed || !clock->adjustment || strcmp(clock->adjustment, "reset") == 0)
        return TRUE;
    if (!*clock->adjustment) {
        g_clear_pointer(&clock->adjustment, g_free);
        return TRUE;
    }
    if (!g_ascii_string_to_signed(clock->adjustment, 10, G_MININT64, G_MAXINT64, &seconds, NULL))
        return error_set(error, VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, "unknown clock adjustment '%s'", clock->adjustment);
    clock->basis = clock->offset == CLOCK_OFFSET_UTC ? CLOCK_BASIS_UTC : CLOCK_BASIS_LOCALTIME;
    clock->offset = CLOCK_OFFSET_VARIABLE;
    return TRUE;
}

static void complete_variable(Clock *clock)
{
    if (clock->offset != CLOCK_OFFSET_VARIABLE)
        return;
    if (!clock->adjustment || !g_ascii_string_to_signed(clock->adjustment, 10, G_MININT64, G_MAXINT64, NULL, NULL)) {
        g_free(clock->adjustment);
        clock->adjustment = g_strdup("0");
    }
    if (clock->basis == CLOCK_BASIS_UNSET)
        clock->basis = CLOCK_BASIS_UTC;
}

gboolean domain_complete_clock(Domain *def, GError **error)
{
    if (!def->clock)
        return TRUE;
    if (!complete_distance(def->clock, error))
        return FALSE;
    complete_variable(def->clock);
    return TRUE;
}
