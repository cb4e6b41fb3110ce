/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each domain has slots, one for each group of figures, that hold the last answer and count the attempts that have
 * ended, well or not. Who asks sets bits in `wanted` and remembers the counts; then makes sure that the domain's own
 * sampling queue has work. That work takes one bit after the other, the ones that need no monitor first, asks the
 * driver, stores the answer and counts. Who waits, waits until the counts have moved on. So:
 *
 *   - a question that comes while the same one is under way shares its answer: no more than one sample in flight;
 *   - a guest that does not answer holds up one thread, of its own, for SAMPLE_BUDGET at most, however many ask; the
 *     askers leave at their deadlines; the late answer, if it comes, is stored for the next;
 *   - what a domain's operations do (a save that takes minutes) plays no part: its sampling queue is not its queue.
 *
 * The budget is of the whole work, not of each group: a monitor that did not answer the first question in a second is
 * not waited for again for the second one.
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
#define KERNEL_GROUPS (VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_INTERFACE) /* a silent monitor does not matter */

/* In the order in which they are asked; the order in which libvirt lists them is another. */
static const guint asking_order[SAMPLER_SLOTS] = {
    VIR_DOMAIN_STATS_CPU_TOTAL, VIR_DOMAIN_STATS_INTERFACE, VIR_DOMAIN_STATS_VCPU,
    VIR_DOMAIN_STATS_BALLOON,   VIR_DOMAIN_STATS_BLOCK,     SAMPLER_MEMORY,
};
static const guint listing_order[SAMPLER_SLOTS] = {
    VIR_DOMAIN_STATS_CPU_TOTAL, VIR_DOMAIN_STATS_BALLOON, VIR_DOMAIN_STATS_VCPU,
    VIR_DOMAIN_STATS_INTERFACE, VIR_DOMAIN_STATS_BLOCK,   SAMPLER_MEMORY,
};

typedef struct {
    Params *params;  /* the last good answer of this run; NULL: none yet */
    GError *error;   /* of the last attempt; NULL if it was good */
    guint attempts;  /* that have ended */
} Slot;

/* What is kept of one domain, in Vm.sampler. */
typedef struct {
    Queue *queue;
    GMutex lock; /* all below */
    GCond moved; /* signalled when an attempt has ended */
    int run;     /* domain id that the slots are of */
    guint wanted;
    guint asking; /* the group the driver is being asked for; 0: none */
    gboolean engaged; /* work is on the queue or being done */
    Slot slots[SAMPLER_SLOTS]; /* as asking_order */
} Sampler;

static guint slot_of(guint group)
{
    guint i = 0;
    while (asking_order[i] != group)
        i++;
    return i;
}

static Sampler *sampler_new(void)
{
    Sampler *sampler = g_new0(Sampler, 1);
    sampler->queue = queue_new();
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
    queue_unref(sampler->queue);
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
static guint next_wanted(const Sampler *sampler)
{
    for (guint i = 0; i < SAMPLER_SLOTS; i++) {
        if (sampler->wanted & asking_order[i])
            return asking_order[i];
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

static void sample_group(Vm *vm, Sampler *sampler, guint group, gint64 deadline)
{
    int run = sampler->run;
    sampler->wanted &= ~group;
    sampler->asking = group;
    g_mutex_unlock(&sampler->lock);

    g_autoptr(GError) error = NULL;
    g_autoptr(Params) params = params_new();
    gint64 left = deadline - g_get_monotonic_time();
    gboolean good = ask_driver(vm, group, MAX(left, BUDGET_MIN), params, &error);

    g_mutex_lock(&sampler->lock);
    sampler->asking = 0;
    gboolean same_run = sampler->run == run;
    store(sampler, group, good && same_run ? g_steal_pointer(&params) : NULL, g_steal_pointer(&error));
}

static void work(gpointer data)
{
    g_autoptr(Vm) vm = data;
    Sampler *sampler = vm->sampler;
    gint64 deadline = g_get_monotonic_time() + SAMPLE_BUDGET;
    guint group;
    g_mutex_lock(&sampler->lock);
    while ((group = next_wanted(sampler)))
        sample_group(vm, sampler, group, deadline);
    sampler->engaged = FALSE;
    g_mutex_unlock(&sampler->lock);
}

/* Sees to it that the wanted groups are asked for. Locked. */
static void engage(Vm *vm, Sampler *sampler)
{
    GError *error = NULL;
    if (sampler->engaged || !sampler->wanted)
        return;
    sampler->engaged = queue_push(sampler->queue, work, vm_ref(vm), &error);
    if (sampler->engaged)
        return;
    for (guint group; (group = next_wanted(sampler)); sampler->wanted &= ~group)
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
    guint askable = view->responsive ? groups : groups & KERNEL_GROUPS;
    sampler->wanted |= askable & ~sampler->asking;
    engage(vm, sampler);
    g_mutex_unlock(&sampler->lock);
}

/* Waits for the end of an attempt for GROUP that had not ended when TICKET was made. Locked. */
static gboolean wait_attempt(Sampler *sampler, const SamplerTicket *ticket, guint group, gint64 deadline)
{
    guint i = slot_of(group);
    while (sampler->slots[i].attempts == ticket->attempts[i]) {
        if (!((sampler->wanted | sampler->asking) & group))
            return FALSE; /* nobody is at it: the domain is known not to answer */
        if (!g_cond_wait_until(&sampler->moved, &sampler->lock, deadline))
            return FALSE;
    }
    return TRUE;
}

void sampler_answer(const SamplerTicket *ticket, gint64 deadline, Params *params, gboolean *ret_stale)
{
    Sampler *sampler = sampler_of(ticket->vm);
    gboolean stale = FALSE;
    g_mutex_lock(&sampler->lock);
    for (guint i = 0; i < SAMPLER_SLOTS; i++) {
        guint group = listing_order[i];
        if (!(ticket->groups & group))
            continue;
        gboolean ended = wait_attempt(sampler, ticket, group, deadline);
        const Slot *slot = &sampler->slots[slot_of(group)];
        stale |= !ended || error_is(slot->error, VIR_ERR_OPERATION_TIMEOUT);
        if (slot->params && sampler->run == ticket->run)
            params_extend(params, slot->params);
    }
    g_mutex_unlock(&sampler->lock);
    *ret_stale = stale;
}

gboolean sampler_measure(Vm *vm, guint group, guint64 budget, Params *params, GError **error)
{
    SamplerTicket ticket;
    sampler_ask(vm, group, &ticket);
    Sampler *sampler = sampler_of(vm);
    g_mutex_lock(&sampler->lock);
    gboolean ended = wait_attempt(sampler, &ticket, group, g_get_monotonic_time() + budget);
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
