/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/argv-parts.h"
#include "driver-kvm/machine.h"
#include "driver-kvm/part.h"
#include <stdlib.h>

void argv_clock_prepare(Domain *live)
{
    Clock *clock = live->clock;

    if (clock->offset != CLOCK_OFFSET_VARIABLE || clock->basis != CLOCK_BASIS_LOCALTIME)
        return;
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    gint64 zone = g_date_time_get_utc_offset(now) / G_TIME_SPAN_SECOND;
    gint64 said = clock->adjustment ? g_ascii_strtoll(clock->adjustment, NULL, 10) : 0;
    g_free(clock->adjustment);
    clock->adjustment = g_strdup_printf("%" G_GINT64_FORMAT, said + zone);
    clock->basis = CLOCK_BASIS_UTC;
}

/* The guest's clock at this moment, where the document gives a distance. */
static char *moment(const Clock *clock)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) then = g_date_time_add_seconds(now, clock->adjustment ? strtol(clock->adjustment, NULL, 10) : 0);

    return g_date_time_format(then ? then : now, "%Y-%m-%dT%H:%M:%S");
}

static char *absolute(const Clock *clock)
{
    g_autoptr(GDateTime) then = g_date_time_new_from_unix_utc(clock->start);

    return then ? g_date_time_format(then, "%Y-%m-%dT%H:%M:%S") : g_strdup("utc");
}

static void add_base(const Clock *clock, ArgvContext *context, GString *text)
{
    g_autofree char *base = NULL;

    switch (clock->offset) {
    case CLOCK_OFFSET_LOCALTIME:
        base = g_strdup("localtime");
        break;
    case CLOCK_OFFSET_TIMEZONE:
        base = g_strdup("localtime");
        g_ptr_array_add(context->environment, g_strdup_printf("TZ=%s", clock->timezone ? clock->timezone : "UTC"));
        break;
    case CLOCK_OFFSET_VARIABLE:
        base = moment(clock);
        break;
    case CLOCK_OFFSET_ABSOLUTE:
        base = absolute(clock);
        break;
    default:
        base = g_strdup("utc");
        break;
    }
    g_string_append_printf(text, "base=%s", base);
}

/* What -rtc says of a timer. */
static void add_rtc(const Timer *timer, GString *text)
{
    static const char *const clocks[] = {
        [TIMER_TRACK_BOOT] = NULL, [TIMER_TRACK_GUEST] = "vm", [TIMER_TRACK_WALL] = "host", [TIMER_TRACK_REALTIME] = "rt",
    };

    if (timer->track != TIMER_TRACK_UNSET && clocks[timer->track])
        g_string_append_printf(text, ",clock=%s", clocks[timer->track]);
    if (timer->tickpolicy == TIMER_TICK_POLICY_CATCHUP)
        g_string_append(text, ",driftfix=slew");
}

static void add_timer(const Domain *live, const Timer *timer, GPtrArray *parts)
{
    if (timer->name == TIMER_NAME_PIT && timer->tickpolicy == TIMER_TICK_POLICY_DELAY)
        parts_add_option(parts, "-global", g_strdup("kvm-pit.lost_tick_policy=delay"));
    else if (timer->name == TIMER_NAME_PIT && timer->tickpolicy == TIMER_TICK_POLICY_DISCARD)
        parts_add_option(parts, "-global", g_strdup("kvm-pit.lost_tick_policy=discard"));
    else if (timer->name == TIMER_NAME_HPET && timer->present == TOGGLE_OFF && machine_is_x86(live))
        parts_add_option(parts, "-no-hpet", NULL);
}

void argv_clock(const Domain *live, const Caps *caps, ArgvContext *context, GPtrArray *parts)
{
    GString *text = g_string_new(NULL);

    add_base(live->clock, context, text);
    for (guint i = 0; i < live->clock->timers->len; i++) {
        const Timer *timer = g_ptr_array_index(live->clock->timers, i);

        if (timer->name == TIMER_NAME_RTC)
            add_rtc(timer, text);
    }
    parts_add_option(parts, "-rtc", g_string_free(text, FALSE));
    for (guint i = 0; i < live->clock->timers->len; i++)
        add_timer(live, g_ptr_array_index(live->clock->timers, i), parts);
}
