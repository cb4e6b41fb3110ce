/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest ends when no running one has a higher order, and none is left that was to start after it. Each of the orders that
 * are left gets the same share of the time that is left, so that a guest which does not listen takes nothing from those
 * whose turn comes later. What has not ended by then is not waited for any longer: it goes on as long as the host does.
 *
 * Each guest's end is on a pool thread of its own; the calling thread decides who is next. Guests that somebody starts
 * meanwhile are found by another look at the end.
 */
#include "daemon/core/host-stop.h"

#include <string.h>

#include "daemon/core/guest-stop.h"
#include "daemon/core/host-journal.h"
#include "daemon/core/registry.h"
#include "lib/log.h"

#define LOOKS_MAX 4

typedef enum { WAITS, ENDS, OVER } Stage;

typedef struct {
    GMutex lock; /* stages of guests */
    GCond changed;
} All;

typedef struct {
    gatomicrefcount refs; /* the list's, and that of the thread that ends it */
    All *all;             /* a reference */
    Vm *vm;
    int id; /* of the run that is meant */
    char *name;
    HostPolicy *policy;
    Stage stage;
    gint64 deadline;
} Guest;

static void all_clear(gpointer data)
{
    All *all = data;

    g_mutex_clear(&all->lock);
    g_cond_clear(&all->changed);
}

static Guest *guest_ref(Guest *guest)
{
    g_atomic_ref_count_inc(&guest->refs);
    return guest;
}

static void guest_unref(gpointer data)
{
    Guest *guest = data;

    if (!g_atomic_ref_count_dec(&guest->refs))
        return;
    vm_unref(guest->vm);
    host_policy_free(guest->policy);
    g_free(guest->name);
    g_atomic_rc_box_release_full(guest->all, all_clear);
    g_free(guest);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guest_unref)

static void set_stage(Guest *guest, Stage stage)
{
    g_mutex_lock(&guest->all->lock);
    guest->stage = stage;
    g_cond_broadcast(&guest->all->changed);
    g_mutex_unlock(&guest->all->lock);
}

static void end_one(gpointer data)
{
    g_autoptr(Guest) guest = data;

    guest_stop(guest->vm, guest->id, guest->policy->stop, guest->deadline);
    set_stage(guest, OVER);
}

/* --- who --- */

static void add(GPtrArray *guests, All *all, Vm *vm, const HostRules *rules)
{
    g_autoptr(VmView) view = vm_view(vm);
    g_autofree char *complaint = NULL;
    Guest *guest;

    if (view->id < 0 || vm->host)
        return;
    const Domain *definition = view->next ? view->next : view->live;
    guest = g_new0(Guest, 1);
    *guest = (Guest){.all = g_atomic_rc_box_acquire(all), .vm = vm_ref(vm), .id = view->id, .name = g_strdup(definition->name)};
    g_atomic_ref_count_init(&guest->refs);
    guest->policy = host_policy_new(definition, rules, &complaint);
    if (complaint)
        vm_log(vm, LOG_WARNING, "%s", complaint);
    if (guest->policy->stop == HOST_STOP_LEAVE)
        guest->stage = OVER;
    g_ptr_array_add(guests, guest);
}

static gint by_end(gconstpointer a, gconstpointer b)
{
    const Guest *one = *(const Guest *const *)a, *other = *(const Guest *const *)b;

    if (one->policy->order != other->policy->order)
        return one->policy->order > other->policy->order ? -1 : 1;
    return strcmp(other->name, one->name);
}

/* Those that run, in the order of their ends. */
static GPtrArray *look(const Loader *loader, All *all, const HostRules *rules)
{
    GPtrArray *guests = g_ptr_array_new_with_free_func(guest_unref);

    for (const DriverInstance *const *one = loader_all(loader); *one; one++) {
        g_autoptr(GPtrArray) domains = registry_domains((*one)->registry);
        for (guint i = 0; i < domains->len; i++)
            add(guests, all, domains->pdata[i], rules);
    }
    g_ptr_array_sort(guests, by_end);
    return guests;
}

/* Beside what a daemon that was killed in the middle of this wrote. */
static void write_journal(const GPtrArray *guests, const DriverPaths *paths)
{
    g_autofree char *before = host_journal_read(paths);
    g_autoptr(GString) text = g_string_new(before);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; i < guests->len; i++) {
        const Guest *guest = guests->pdata[i];
        g_autoptr(VmView) view = vm_view(guest->vm);
        if (guest->stage == WAITS && !strstr(before, guest->vm->uuid_text))
            host_journal_add(text, guest->vm->uuid_text, guest_stop_action(guest->vm, view, guest->policy->stop));
    }
    if (text->len > 0 && !host_journal_write(paths, text->str, &error))
        log_line(LOG_ERR, "what is saved now will not be started again with the host: %s", error->message);
}

/* --- whose turn it is; with the lock --- */

static gboolean starts_after(const Guest *guest, const char *name)
{
    for (guint i = 0; i < guest->policy->after->len; i++) {
        if (g_str_equal(g_array_index(guest->policy->after, HostAfter, i).domain, name))
            return TRUE;
    }
    return FALSE;
}

static gboolean may_end(const GPtrArray *guests, const Guest *guest)
{
    for (guint i = 0; i < guests->len; i++) {
        const Guest *other = guests->pdata[i];
        if (other == guest || other->stage == OVER)
            continue;
        if (other->policy->order > guest->policy->order || starts_after(other, guest->name))
            return FALSE;
    }
    return TRUE;
}

static guint count(const GPtrArray *guests, Stage stage)
{
    guint n = 0;

    for (guint i = 0; i < guests->len; i++)
        n += ((const Guest *)guests->pdata[i])->stage == stage;
    return n;
}

/* How many orders have a guest that is not over. */
static guint orders_left(const GPtrArray *guests)
{
    guint n = 0, last = G_MAXUINT;

    for (guint i = 0; i < guests->len; i++) {
        const Guest *guest = guests->pdata[i];
        if (guest->stage == OVER || guest->policy->order == last)
            continue;
        last = guest->policy->order;
        n++;
    }
    return n;
}

/* With its stage ENDS, and the lock let go meanwhile. */
static void begin(GPtrArray *guests, Guest *guest, gint64 deadline)
{
    gint64 now = g_get_monotonic_time(), share = MAX(deadline - now, 0) / MAX(orders_left(guests), 1);
    gint64 own = guest->policy->stop_timeout ? (gint64)guest->policy->stop_timeout * G_USEC_PER_SEC : share;
    g_autoptr(GError) error = NULL;

    guest->deadline = now + MIN(own, share);
    guest->stage = ENDS;
    g_mutex_unlock(&guest->all->lock);
    if (!pool_push(POOL_CONTROL, end_one, guest_ref(guest), &error)) {
        vm_log(guest->vm, LOG_ERR, "its end with the host cannot begin: %s", error->message);
        guest_unref(guest);
        set_stage(guest, OVER);
    }
    g_mutex_lock(&guest->all->lock);
}

static Guest *next(const GPtrArray *guests, guint parallel)
{
    Guest *first = NULL;

    if (count(guests, ENDS) >= MAX(parallel, 1))
        return NULL;
    for (guint i = 0; i < guests->len; i++) {
        Guest *guest = guests->pdata[i];
        if (guest->stage != WAITS)
            continue;
        if (may_end(guests, guest))
            return guest;
        first = first ? first : guest;
    }
    return count(guests, ENDS) == 0 ? first : NULL; /* they wait for each other */
}

/* Those whose time is over are not waited for. Returns when the next one's is. */
static gint64 give_up(GPtrArray *guests)
{
    gint64 now = g_get_monotonic_time(), soonest = G_MAXINT64, patience = 2 * G_USEC_PER_SEC;

    for (guint i = 0; i < guests->len; i++) {
        Guest *guest = guests->pdata[i];
        if (guest->stage != ENDS)
            continue;
        if (now >= guest->deadline + patience) { /* it was given the time to switch it off */
            vm_log(guest->vm, LOG_ERR, "its end with the host is not waited for any longer");
            guest->stage = OVER;
            continue;
        }
        soonest = MIN(soonest, guest->deadline + patience);
    }
    return soonest;
}

static void end_all(GPtrArray *guests, All *all, const HostRules *rules, gint64 deadline)
{
    g_mutex_lock(&all->lock);
    while (count(guests, OVER) < guests->len) {
        Guest *guest = next(guests, rules->parallel);
        if (guest) {
            begin(guests, guest, deadline);
            continue;
        }
        gint64 soonest = give_up(guests);
        if (soonest != G_MAXINT64)
            g_cond_wait_until(&all->changed, &all->lock, soonest);
    }
    g_mutex_unlock(&all->lock);
}

void host_stop(const Loader *loader, const DriverPaths *paths, const HostRules *rules, gint64 deadline)
{
    All *all = g_atomic_rc_box_new0(All);

    g_mutex_init(&all->lock);
    g_cond_init(&all->changed);
    for (guint i = 0; i < LOOKS_MAX && g_get_monotonic_time() < deadline; i++) {
        g_autoptr(GPtrArray) guests = look(loader, all, rules);
        if (count(guests, WAITS) == 0)
            break;
        log_line(LOG_INFO, "the host shuts down; guests that end first: %u", count(guests, WAITS));
        write_journal(guests, paths);
        end_all(guests, all, rules, deadline);
    }
    g_atomic_rc_box_release_full(all, all_clear);
}
