/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each domain has slots, one for each group of figures, that hold the last answer and count the attempts that have
 * ended, well or not. Who asks sets bits in `wanted` and remembers the counts; then makes sure that the domain's own
 * sampling queue has work. That work takes one bit after the other, asks the driver, stores the answer and counts. Who
 * waits, waits until the counts have moved on. So:
 *
 *   - a question that comes while the same one is under way shares its answer: no more than one sample in flight;
 *   - a guest that does not answer holds up one thread, of its own, for SAMPLE_BUDGET at most, however many ask; the
 *     askers leave when they like; the late answer, if it comes, is stored for the next;
 *   - what a domain's operations do (a save that takes minutes) plays no part: its sampling queues are not its queue.
 *
 * There are two such lines: one for what the host's kernel knows of the guest, one for what its monitor is asked. They
 * do not wait for each other, so the CPU time of a guest whose monitor is stuck is still told at once.
 *
 * The budget is of the whole work, not of each group: a monitor that did not answer the first question in a second is
 * not waited for again for the second one.
 *
 * Who asks about many waits as long as answers come in (sampler_wait): a guest is given up when, for the asker's
 * patience, neither it nor any other has answered. A fixed time for all was ruled out: on a busy host the answers of
 * many guests that are well take longer than one should wait for a single one that is not. A guest that was never asked
 * before gets more time, since there is nothing yet to give in place of its answer: it may be busy with its start.
 *
 * Figures belong to a run: another domain id means that what is stored is of another guest's life and counts as
 * nothing.
 *
 * Ruled out: the common work pool (a handful of stopped guests would take all its threads, and with them everybody's
 * calls); periodic sampling in the background (costs guests that nobody asks about, and answers with figures that are
 * always a little old); one answer for all groups together (a stuck monitor would take the figures with it that the
 * kernel alone can tell).
 */
#include "daemon/core/sampler.h"

#include "lib/error.h"

#define SAMPLE_BUDGET G_USEC_PER_SEC
#define BUDGET_MIN 1000
#define MEMORY_STATS_MAX VIR_DOMAIN_MEMORY_STAT_NR
#define KERNEL_GROUPS (VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE | \
                       VIR_DOMAIN_STATS_PERF)
#define LOOK_AGAIN (5 * 1000) /* who waits for many looks how many are left */
#define FIRST_PATIENCE (G_USEC_PER_SEC / 2)

static const guint slot_groups[SAMPLER_SLOTS] = {
    /* in the order in which libvirt lists them */
    VIR_DOMAIN_STATS_CPU_TOTAL, VIR_DOMAIN_STATS_BALLOON, VIR_DOMAIN_STATS_VCPU,
    VIR_DOMAIN_STATS_INTERFACE, VIR_DOMAIN_STATS_BLOCK,     SAMPLER_CHAINS,
    VIR_DOMAIN_STATS_PERF,      VIR_DOMAIN_STATS_IOTHREAD,  VIR_DOMAIN_STATS_DIRTYRATE,
    VIR_DOMAIN_STATS_VM,        SAMPLER_MEMORY,
};

typedef struct {
    Params *params;  /* the last good answer of this run; NULL: none yet */
    GError *error;   /* of the last attempt; NULL if it was good */
    guint attempts;  /* that have ended */
} Slot;

typedef struct {
    Queue *queue;
    guint wanted;
    guint asking;     /* the group the driver is being asked for; 0: none */
    gboolean engaged; /* work is on the queue or being done */
} Line;

enum { LINE_KERNEL, LINE_MONITOR, LINES };

/* What is kept of one domain, in Vm.sampler. */
typedef struct {
    GMutex lock; /* all below */
    GCond moved; /* signalled when an attempt has ended */
    int run;     /* domain id that the slots are of */
    Line lines[LINES];
    Slot slots[SAMPLER_SLOTS]; /* as slot_groups */
} Sampler;

static guint slot_of(guint group)
{
    guint i = 0;
    while (slot_groups[i] != group)
        i++;
    return i;
}

static Sampler *sampler_new(void)
{
    Sampler *sampler = g_new0(Sampler, 1);
    for (guint i = 0; i < LINES; i++)
        sampler->lines[i].queue = queue_new();
    sampler->run = -1;
    g_mutex_init(&sampler->lock);
    g_cond_init(&sampler->moved);
    return sampler;
}

static void clear_slots(Sampler *sampler)
{
    for (guint i = 0; i < SAMPLER_SLOTS; i++) {
        g_clear_pointer(&sampler->slots[i].params, params_free);
        g_clear_error(&sampler->slots[i].error);
    }
}

/* With the Vm: nothing can be under way, for what is holds a reference to that. */
static void sampler_free(gpointer data)
{
    Sampler *sampler = data;
    clear_slots(sampler);
    for (guint i = 0; i < LINES; i++)
        queue_unref(sampler->lines[i].queue);
    g_mutex_clear(&sampler->lock);
    g_cond_clear(&sampler->moved);
    g_free(sampler);
}

static Sampler *sampler_of(Vm *vm)
{
    g_mutex_lock(&vm->lock);
    if (!vm->sampler) {
        vm->sampler = sampler_new();
        vm->sampler_destroy = sampler_free;
    }
    Sampler *sampler = vm->sampler;
    g_mutex_unlock(&vm->lock);
    return sampler;
}

static gboolean timed_out(Vm *vm, GError **error)
{
    g_autoptr(VmView) view = vm_view(vm);
    return error_set(error, vm->instance->from, VIR_ERR_OPERATION_TIMEOUT, "domain '%s' does not answer its monitor",
                     vm_view_def(view)->name);
}

/* virDomainMemoryStats' list as parameters, so that one kind of slot will do. */
static gboolean ask_memory(Vm *vm, guint64 budget, Params *params, GError **error)
{
    virDomainMemoryStatStruct stats[MEMORY_STATS_MAX];
    guint n;
    if (!vm->instance->driver->stats->memory(vm->instance->self, vm, budget, stats, MEMORY_STATS_MAX, &n, error))
        return FALSE;
    for (guint i = 0; i < n; i++)
        params_ullong(params, stats[i].val, "%d", stats[i].tag);
    return TRUE;
}

static gboolean ask_driver(Vm *vm, guint group, guint64 budget, Params *params, GError **error)
{
    const DriverInstance *instance = vm->instance;
    const DriverStatsOps *ops = instance->driver->stats;
    g_autoptr(VmView) view = vm_view(vm);
    if (!ops || !(group == SAMPLER_MEMORY ? (gpointer)ops->memory : (gpointer)ops->sample))
        return error_set(error, instance->from, VIR_ERR_NO_SUPPORT, "figures of running domains");
    if (view->id < 0)
        return error_set(error, instance->from, VIR_ERR_OPERATION_INVALID, "domain is not running");
    if (group == SAMPLER_MEMORY)
        return ask_memory(vm, budget, params, error);
    return ops->sample(instance->self, vm, group, budget, params, error);
}

/* The next group to ask for, 0 if there is none. Locked. */
static guint next_wanted(const Line *line)
{
    for (guint i = 0; i < SAMPLER_SLOTS; i++) {
        if (line->wanted & slot_groups[i])
            return slot_groups[i];
    }
    return 0;
}

/* An attempt for GROUP has ended. PARAMS is taken over; NULL with ERROR. Locked. */
static void store(Sampler *sampler, guint group, Params *params, GError *error)
{
    Slot *slot = &sampler->slots[slot_of(group)];
    slot->attempts++;
    g_clear_error(&slot->error);
    slot->error = error;
    if (params) {
        params_free(slot->params);
        slot->params = params;
    }
    g_cond_broadcast(&sampler->moved);
}

static void sample_group(Vm *vm, Sampler *sampler, Line *line, guint group, gint64 deadline)
{
    int run = sampler->run;
    line->wanted &= ~group;
    line->asking = group;
    g_mutex_unlock(&sampler->lock);

    g_autoptr(GError) error = NULL;
    g_autoptr(Params) params = params_new();
    gint64 left = deadline - g_get_monotonic_time();
    gboolean good = ask_driver(vm, group, MAX(left, BUDGET_MIN), params, &error);

    g_mutex_lock(&sampler->lock);
    line->asking = 0;
    gboolean same_run = sampler->run == run;
    store(sampler, group, good && same_run ? g_steal_pointer(&params) : NULL, g_steal_pointer(&error));
}

/* The reference to VM is ours. */
static void work(Vm *taken, guint which)
{
    g_autoptr(Vm) vm = taken;
    Sampler *sampler = vm->sampler;
    Line *line = &sampler->lines[which];
    gint64 deadline = g_get_monotonic_time() + SAMPLE_BUDGET;
    guint group;
    g_mutex_lock(&sampler->lock);
    while ((group = next_wanted(line)))
        sample_group(vm, sampler, line, group, deadline);
    line->engaged = FALSE;
    g_mutex_unlock(&sampler->lock);
}

static void work_kernel(gpointer vm)
{
    work(vm, LINE_KERNEL);
}

static void work_monitor(gpointer vm)
{
    work(vm, LINE_MONITOR);
}

/* Sees to it that GROUPS are asked for in line WHICH. Locked. */
static void want(Vm *vm, Sampler *sampler, guint which, guint groups)
{
    static const QueueFunc works[LINES] = {work_kernel, work_monitor};
    Line *line = &sampler->lines[which];
    GError *error = NULL;
    line->wanted |= groups & ~line->asking;
    if (line->engaged || !line->wanted)
        return;
    line->engaged = queue_push(line->queue, works[which], vm_ref(vm), &error);
    if (line->engaged)
        return;
    for (guint group; (group = next_wanted(line)); line->wanted &= ~group)
        store(sampler, group, NULL, g_error_copy(error));
    g_error_free(error);
    vm_unref(vm);
}

void sampler_ask(Vm *vm, guint groups, SamplerTicket *ret_ticket)
{
    Sampler *sampler = sampler_of(vm);
    g_autoptr(VmView) view = vm_view(vm);
    g_mutex_lock(&sampler->lock);
    if (sampler->run != view->id) {
        clear_slots(sampler);
        sampler->run = view->id;
    }
    *ret_ticket = (SamplerTicket){.vm = vm, .groups = groups, .run = view->id};
    for (guint i = 0; i < SAMPLER_SLOTS; i++)
        ret_ticket->attempts[i] = sampler->slots[i].attempts;
    want(vm, sampler, LINE_KERNEL, groups & KERNEL_GROUPS);
    if (view->responsive)
        want(vm, sampler, LINE_MONITOR, groups & ~KERNEL_GROUPS);
    g_mutex_unlock(&sampler->lock);
}

/* An attempt for slot I that had not ended when TICKET was made has ended. Locked. */
static gboolean has_ended(const Sampler *sampler, const SamplerTicket *ticket, guint i)
{
    return sampler->slots[i].attempts != ticket->attempts[i];
}

/* The groups of TICKET that somebody is at and that have not ended. Locked. */
static guint groups_left(const Sampler *sampler, const SamplerTicket *ticket)
{
    guint left = 0, pending = 0;
    for (guint i = 0; i < LINES; i++)
        pending |= sampler->lines[i].wanted | sampler->lines[i].asking;
    for (guint i = 0; i < SAMPLER_SLOTS; i++) {
        if (!has_ended(sampler, ticket, i))
            left |= slot_groups[i] & ticket->groups & pending;
    }
    return left;
}

/* What is left of many questions. */
typedef struct {
    guint groups;   /* that somebody is at */
    gboolean first; /* some have never been answered, well or not, in that guest's life */
} Left;

static gboolean is_first(const Sampler *sampler, guint groups)
{
    for (guint i = 0; i < SAMPLER_SLOTS; i++) {
        if ((groups & slot_groups[i]) && !sampler->slots[i].params && !sampler->slots[i].error)
            return TRUE;
    }
    return FALSE;
}

static void add_left(const SamplerTicket *ticket, Left *left)
{
    Sampler *sampler = sampler_of(ticket->vm);
    g_mutex_lock(&sampler->lock);
    guint groups = groups_left(sampler, ticket);
    left->groups += __builtin_popcount(groups);
    left->first |= is_first(sampler, groups);
    g_mutex_unlock(&sampler->lock);
}

/* Waits until DEADLINE for an answer to TICKET. */
static void wait_for_one(const SamplerTicket *ticket, gint64 deadline)
{
    Sampler *sampler = sampler_of(ticket->vm);
    g_mutex_lock(&sampler->lock);
    if (groups_left(sampler, ticket))
        g_cond_wait_until(&sampler->moved, &sampler->lock, deadline);
    g_mutex_unlock(&sampler->lock);
}

void sampler_wait(const SamplerTicket *const *tickets, guint n, gint64 patience)
{
    gint64 start = g_get_monotonic_time(), progress = start;
    guint done = 0, before = G_MAXUINT;
    while (done < n) {
        Left left = {0};
        for (guint i = done; i < n; i++) {
            add_left(tickets[i], &left);
            done += i == done && left.groups == 0;
        }
        gint64 now = g_get_monotonic_time();
        if (left.groups < before)
            progress = now;
        before = left.groups;
        gint64 wait = left.first ? MAX(patience, FIRST_PATIENCE) : patience;
        gint64 deadline = MIN(progress + wait, start + SAMPLE_BUDGET);
        if (done == n || now >= deadline)
            return;
        wait_for_one(tickets[done], MIN(deadline, now + LOOK_AGAIN));
    }
}

void sampler_answer(const SamplerTicket *ticket, Params *params, gboolean *ret_stale)
{
    Sampler *sampler = sampler_of(ticket->vm);
    gboolean stale = FALSE;
    g_mutex_lock(&sampler->lock);
    for (guint i = 0; i < SAMPLER_SLOTS; i++) {
        if (!(ticket->groups & slot_groups[i]))
            continue;
        const Slot *slot = &sampler->slots[i];
        stale |= !has_ended(sampler, ticket, i) || error_is(slot->error, VIR_ERR_OPERATION_TIMEOUT);
        if (slot->params && sampler->run == ticket->run)
            params_extend(params, slot->params);
    }
    g_mutex_unlock(&sampler->lock);
    *ret_stale = stale;
}

/* Waits until DEADLINE for the end of the only group's attempt. Locked. */
static gboolean wait_attempt(Sampler *sampler, const SamplerTicket *ticket, gint64 deadline)
{
    while (groups_left(sampler, ticket)) {
        if (!g_cond_wait_until(&sampler->moved, &sampler->lock, deadline))
            break;
    }
    return has_ended(sampler, ticket, slot_of(ticket->groups));
}

gboolean sampler_measure(Vm *vm, guint group, guint64 budget, Params *params, GError **error)
{
    SamplerTicket ticket;
    sampler_ask(vm, group, &ticket);
    Sampler *sampler = sampler_of(vm);
    g_mutex_lock(&sampler->lock);
    gboolean ended = wait_attempt(sampler, &ticket, g_get_monotonic_time() + budget);
    const Slot *slot = &sampler->slots[slot_of(group)];
    gboolean good = ended && !slot->error && slot->params && sampler->run == ticket.run;
    if (good)
        params_extend(params, slot->params);
    else if (ended && slot->error && error)
        *error = g_error_copy(slot->error);
    gboolean told = ended && slot->error;
    g_mutex_unlock(&sampler->lock);
    return good || (told ? FALSE : timed_out(vm, error));
}
