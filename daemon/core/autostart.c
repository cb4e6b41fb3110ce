/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thread decides who is next; each start runs in its domain's queue, RULES.parallel of them at a time. A domain may
 * start when all with a lower order are settled, and those that it names as well. Settled is who has started and whose delay
 * is over, or who could not be started: that keeps nobody from starting but those that require it. Domains that wait for
 * each other would wait for ever: the first of them is told so in the log, and started.
 *
 * Who is settled is marked (boot-mark.h): after a kill -9 the next daemon goes on with the others, and starts nobody again whom
 * somebody has shut down meanwhile.
 */
#include "daemon/core/autostart.h"

#include <string.h>

#include "daemon/core/boot-mark.h"
#include "daemon/core/host-journal.h"
#include "daemon/core/managed-save.h"
#include "daemon/core/registry.h"
#include "lib/log.h"

typedef enum { WAITS, STARTS, STARTED, FAILED } Stage;

typedef struct {
    Autostart *all; /* borrowed */
    Vm *vm;
    char *name;
    HostPolicy *policy;
    Stage stage;
    gint64 settled; /* when those after it may go on (monotonic); of STARTED */
} One;

struct Autostart {
    const DriverPaths *paths;
    HostRules rules;
    AutostartWhat what;
    GThread *thread;
    GMutex lock; /* all below */
    GCond changed;
    GPtrArray *ones; /* of One, in the order of their starts */
    GString *mark;   /* what the file says */
    guint running;
    gboolean ends;
};

static void mark(Autostart *all, const char *line)
{
    g_autoptr(GError) error = NULL;

    if (all->what == AUTOSTART_BOOT && !boot_mark_add(all->paths, all->mark, line, &error))
        log_line(LOG_ERR, "%s", error->message);
}

gboolean autostart_was_done(const DriverPaths *paths)
{
    g_autofree char *text = boot_mark_read(paths);

    return boot_mark_has(text, BOOT_MARK_ALL);
}

static void one_free(gpointer data)
{
    One *one = data;

    vm_unref(one->vm);
    host_policy_free(one->policy);
    g_free(one->name);
    g_free(one);
}

/* --- who --- */

static gboolean is_running(Vm *vm)
{
    g_autoptr(VmView) view = vm_view(vm);

    return view->id >= 0;
}

static void add(Autostart *all, Vm *vm, const VmView *view)
{
    g_autofree char *complaint = NULL;
    One *one = g_new0(One, 1);

    *one = (One){.all = all, .vm = vm_ref(vm), .name = g_strdup(view->next->name)};
    one->policy = host_policy_new(view->next, &all->rules, &complaint);
    if (complaint)
        vm_log(vm, LOG_WARNING, "%s", complaint);
    if (boot_mark_has(all->mark->str, vm->uuid_text))
        one->stage = is_running(vm) ? STARTED : FAILED;
    g_ptr_array_add(all->ones, one);
}

static void add_domains(Autostart *all, const DriverInstance *instance, const char *journal)
{
    g_autoptr(GPtrArray) domains = registry_domains(instance->registry);

    for (guint i = 0; i < domains->len; i++) {
        Vm *vm = domains->pdata[i];
        g_autoptr(VmView) view = vm_view(vm);
        gboolean wanted = view->autostart && all->what == AUTOSTART_BOOT;
        if (view->next && (wanted || host_journal_has(journal, vm->uuid_text)))
            add(all, vm, view);
    }
}

static gint by_order(gconstpointer a, gconstpointer b)
{
    const One *one = *(const One *const *)a, *other = *(const One *const *)b;

    if (one->policy->order != other->policy->order)
        return one->policy->order < other->policy->order ? -1 : 1;
    return strcmp(one->name, other->name);
}

/* --- starting --- */

static gboolean start_how(Vm *vm, RunStart *how, gpointer data, GError **error)
{
    return run_start(vm, how, error);
}

static gboolean start_fresh(Vm *vm, GError **error)
{
    RunStart how = RUN_START_INIT;

    return run_start(vm, &how, error);
}

static gboolean start_or_go_on(Vm *vm, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);

    if (view->id >= 0)
        return TRUE;
    if (!vm_check_present(vm, error))
        return FALSE;
    return view->managed_save ? managed_save_start(vm, FALSE, start_how, NULL, error) : start_fresh(vm, error);
}

/* ERROR: NULL where it was started. */
static void settle(One *one, const GError *error)
{
    Autostart *all = one->all;

    if (error)
        vm_log(one->vm, LOG_ERR, "it cannot be started with the host: %s", error->message);
    else
        vm_log(one->vm, LOG_INFO, "started with the host (order %u)", one->policy->order);
    g_mutex_lock(&all->lock);
    one->stage = error ? FAILED : STARTED;
    one->settled = g_get_monotonic_time() + (gint64)one->policy->delay * G_USEC_PER_SEC;
    mark(all, one->vm->uuid_text);
    all->running--;
    g_cond_broadcast(&all->changed);
    g_mutex_unlock(&all->lock);
}

static void start_one(gpointer data)
{
    One *one = data;
    g_autoptr(GError) error = NULL;

    start_or_go_on(one->vm, &error);
    settle(one, error);
}

/* With the lock, which is let go meanwhile. */
static void begin(One *one)
{
    Autostart *all = one->all;
    g_autoptr(GError) error = NULL;

    one->stage = STARTS;
    all->running++;
    g_mutex_unlock(&all->lock);
    if (!queue_push(one->vm->queue, start_one, one, &error))
        settle(one, error);
    g_mutex_lock(&all->lock);
}

/* --- whose turn it is; all with the lock --- */

typedef enum { GO, NOT_YET, NEVER } Turn;

/* NOT_YET: RET_WAKE becomes the time at which it is settled, if that is known and earlier. */
static gboolean is_settled(const One *one, gint64 now, gint64 *ret_wake)
{
    if (one->stage == FAILED)
        return TRUE;
    if (one->stage != STARTED)
        return FALSE;
    if (one->settled <= now)
        return TRUE;
    *ret_wake = MIN(*ret_wake, one->settled);
    return FALSE;
}

static One *find(const Autostart *all, const char *name)
{
    for (guint i = 0; i < all->ones->len; i++) {
        One *one = all->ones->pdata[i];
        if (g_str_equal(one->name, name))
            return one;
    }
    return NULL;
}

/* One that is not ours to start may run all the same. */
static gboolean runs_elsewhere(const One *one, const char *name)
{
    g_autoptr(Vm) vm = registry_find_name(one->vm->instance->registry, name);

    return vm && is_running(vm);
}

static Turn turn_after(const One *one, const HostAfter *after, gint64 now, gint64 *ret_wake)
{
    const One *other = find(one->all, after->domain);

    if (other && !is_settled(other, now, ret_wake))
        return NOT_YET;
    if (!after->required)
        return GO;
    return (other ? other->stage == STARTED : runs_elsewhere(one, after->domain)) ? GO : NEVER;
}

static Turn turn_of(const One *one, gint64 now, gint64 *ret_wake, const char **ret_missing)
{
    Turn turn = GO;

    for (guint i = 0; i < one->all->ones->len; i++) {
        const One *other = one->all->ones->pdata[i];
        if (other->policy->order < one->policy->order && !is_settled(other, now, ret_wake))
            turn = NOT_YET;
    }
    for (guint i = 0; i < one->policy->after->len; i++) {
        const HostAfter *after = &g_array_index(one->policy->after, HostAfter, i);
        Turn its = turn_after(one, after, now, ret_wake);
        if (its == NEVER)
            *ret_missing = after->domain;
        turn = MAX(turn, its);
    }
    return turn;
}

static void give_up(One *one, const char *missing)
{
    one->stage = FAILED;
    mark(one->all, one->vm->uuid_text);
    vm_log(one->vm, LOG_ERR, "it cannot be started with the host: it requires '%s', which does not run", missing);
}

/* Lets go on whom nothing keeps. TRUE: look again at once. RET_WAKE: when to look again. */
static gboolean advance(Autostart *all, gint64 *ret_wake, One **ret_first)
{
    gint64 now = g_get_monotonic_time();

    *ret_wake = G_MAXINT64;
    *ret_first = NULL;
    for (guint i = 0; i < all->ones->len; i++) {
        One *one = all->ones->pdata[i];
        const char *missing = NULL;
        if (one->stage != WAITS)
            continue;
        Turn turn = turn_of(one, now, ret_wake, &missing);
        if (turn == NEVER) {
            give_up(one, missing);
            return TRUE;
        }
        if (turn == GO && all->running < MAX(all->rules.parallel, 1)) {
            begin(one);
            return TRUE;
        }
        *ret_first = *ret_first ? *ret_first : one;
    }
    return FALSE;
}

static void wait_for(Autostart *all, gint64 wake)
{
    if (wake == G_MAXINT64)
        g_cond_wait(&all->changed, &all->lock);
    else
        g_cond_wait_until(&all->changed, &all->lock, wake);
}

static gboolean somebody_waits(const Autostart *all)
{
    for (guint i = 0; i < all->ones->len; i++) {
        if (((const One *)all->ones->pdata[i])->stage == WAITS)
            return TRUE;
    }
    return FALSE;
}

/* FALSE: it was told to end before all had their turn. */
static gboolean start_all(Autostart *all)
{
    gint64 wake;
    One *first;

    while (!all->ends && somebody_waits(all)) {
        if (advance(all, &wake, &first) || !first)
            continue;
        if (all->running == 0 && wake == G_MAXINT64) {
            vm_log(first->vm, LOG_WARNING, "it waits for a domain that waits for it: it is started out of its order");
            begin(first);
        } else {
            wait_for(all, wake);
        }
    }
    while (all->running > 0)
        g_cond_wait(&all->changed, &all->lock);
    return !somebody_waits(all);
}

static gpointer run(gpointer data)
{
    Autostart *all = data;
    g_autoptr(GError) error = NULL;

    g_mutex_lock(&all->lock);
    gboolean whole = start_all(all);
    /* The mark comes before the journal's end: what is in the journal would only be found running. */
    if (whole)
        mark(all, BOOT_MARK_ALL);
    g_mutex_unlock(&all->lock);
    if (whole && !host_journal_remove(all->paths, &error))
        log_line(LOG_ERR, "%s", error->message);
    return NULL;
}

Autostart *autostart_begin(AutostartWhat what, const Loader *loader, const DriverPaths *paths, const HostRules *rules)
{
    g_autofree char *journal = host_journal_read(paths);
    g_autofree char *marked = what == AUTOSTART_BOOT ? boot_mark_read(paths) : g_strdup("");
    Autostart *all;

    if (boot_mark_has(marked, BOOT_MARK_ALL))
        return NULL;
    all = g_new0(Autostart, 1);
    *all = (Autostart){.paths = paths, .rules = *rules, .what = what, .mark = g_string_new(marked)};
    g_mutex_init(&all->lock);
    g_cond_init(&all->changed);
    all->ones = g_ptr_array_new_with_free_func(one_free);
    for (const DriverInstance *const *one = loader_all(loader); *one; one++)
        add_domains(all, *one, journal);
    g_ptr_array_sort(all->ones, by_order);
    all->thread = g_thread_new("autostart", run, all);
    return all;
}

void autostart_free(Autostart *all)
{
    if (!all)
        return;
    g_mutex_lock(&all->lock);
    all->ends = TRUE;
    g_cond_broadcast(&all->changed);
    g_mutex_unlock(&all->lock);
    g_thread_join(all->thread);
    g_ptr_array_unref(all->ones);
    g_string_free(all->mark, TRUE);
    g_mutex_clear(&all->lock);
    g_cond_clear(&all->changed);
    g_free(all);
}
