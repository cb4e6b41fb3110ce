/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/cpuset.h"

#include <string.h>

#include "lib/error.h"

struct CpuSet {
    guint8 bits[CPUSET_MAX / 8];
};

CpuSet *cpuset_new(void)
{
    return g_new0(CpuSet, 1);
}

CpuSet *cpuset_copy(const CpuSet *set)
{
    return g_memdup2(set, sizeof(CpuSet));
}

void cpuset_free(CpuSet *set)
{
    g_free(set);
}

void cpuset_add(CpuSet *set, guint cpu)
{
    g_assert(cpu < CPUSET_MAX);
    set->bits[cpu / 8] |= 1u << cpu % 8;
}

void cpuset_remove(CpuSet *set, guint cpu)
{
    if (cpu < CPUSET_MAX)
        set->bits[cpu / 8] &= ~(1u << cpu % 8);
}

gboolean cpuset_has(const CpuSet *set, guint cpu)
{
    return cpu < CPUSET_MAX && (set->bits[cpu / 8] >> cpu % 8 & 1);
}

guint cpuset_count(const CpuSet *set)
{
    guint count = 0;
    for (gsize i = 0; i < sizeof(set->bits); i++)
        count += __builtin_popcount(set->bits[i]);
    return count;
}

int cpuset_next(const CpuSet *set, int after)
{
    for (guint cpu = after + 1; cpu < CPUSET_MAX; cpu++) {
        if (cpu % 8 == 0 && set->bits[cpu / 8] == 0)
            cpu += 7;
        else if (cpuset_has(set, cpu))
            return cpu;
    }
    return -1;
}

int cpuset_last(const CpuSet *set)
{
    for (int cpu = CPUSET_MAX - 1; cpu >= 0; cpu--) {
        if (cpuset_has(set, cpu))
            return cpu;
    }
    return -1;
}

static const char *skip_blanks(const char *at)
{
    while (g_ascii_isspace(*at))
        at++;
    return at;
}

/* A number below CPUSET_MAX at *AT, which moves behind it and the blanks that follow. */
static gboolean parse_number(const char **at, guint *ret_number)
{
    if (!g_ascii_isdigit(**at))
        return FALSE;
    char *end = NULL;
    guint64 number = g_ascii_strtoull(*at, &end, 10);
    if (number >= CPUSET_MAX)
        return FALSE;
    *at = skip_blanks(end);
    *ret_number = number;
    return TRUE;
}

/* One member or range at *AT. */
static gboolean parse_item(const char **at, CpuSet *set)
{
    guint first, last;
    gboolean exclude = **at == '^';
    if (exclude)
        *at = skip_blanks(*at + 1);
    if (!parse_number(at, &first))
        return FALSE;
    last = first;
    if (**at == '-' && !exclude) {
        *at = skip_blanks(*at + 1);
        if (!parse_number(at, &last) || last < first)
            return FALSE;
    }
    for (guint cpu = first; cpu <= last; cpu++) {
        if (exclude)
            cpuset_remove(set, cpu);
        else
            cpuset_add(set, cpu);
    }
    return TRUE;
}

static gboolean parse_list(const char *text, CpuSet *set)
{
    const char *at = skip_blanks(text);
    if (*at == '\0')
        return TRUE;
    while (parse_item(&at, set)) {
        if (*at == '\0')
            return TRUE;
        if (*at != ',')
            return FALSE;
        at = skip_blanks(at + 1);
    }
    return FALSE;
}

CpuSet *cpuset_parse(const char *text, GError **error)
{
    g_autoptr(CpuSet) set = cpuset_new();
    if (!parse_list(text, set)) {
        error_set(error, VIR_FROM_NONE, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%.256s'", text);
        return NULL;
    }
    return g_steal_pointer(&set);
}

char *cpuset_format(const CpuSet *set)
{
    GString *text = g_string_new(NULL);
    for (int first = cpuset_next(set, -1); first >= 0;) {
        int last = first;
        while (cpuset_has(set, last + 1))
            last++;
        g_string_append_printf(text, text->len ? ",%d" : "%d", first);
        if (last > first)
            g_string_append_printf(text, "-%d", last);
        first = cpuset_next(set, last);
    }
    return g_string_free(text, FALSE);
}

void cpuset_to_map(const CpuSet *set, guint8 *map, gsize length)
{
    gsize known = MIN(length, sizeof(set->bits));
    memcpy(map, set->bits, known);
    memset(map + known, 0, length - known);
}

CpuSet *cpuset_from_map(const guint8 *map, gsize length)
{
    CpuSet *set = cpuset_new();

    if (length > 0)
        memcpy(set->bits, map, MIN(length, sizeof(set->bits)));
    return set;
}
