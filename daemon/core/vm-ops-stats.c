/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handler: figures of many domains at once.
 *
 * All guests are asked at the same time, and waited for as long as answers come in; after PATIENCE without one, what
 * each of the others answered last is given, and its record carries the boolean "duovirt.stale" (true), a field of
 * ours that no record has whose figures are whole and of now. VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT asks not to
 * wait for another call's work on a domain, which we never do.
 */
#include "daemon/core/image-size.h"
#include "daemon/core/registry.h"
#include "daemon/core/sampler.h"
#include "daemon/core/wire-params.h"
#include "daemon/rpc/call.h"
#include "lib/error.h"
#include "lib/model/domain-cpus.h"

#define PATIENCE (50 * 1000)
#define STALE_FIELD "duovirt.stale"
#define EMPTY_GROUPS VIR_DOMAIN_STATS_MEMORY /* nobody can turn on what it tells of */
#define ALL_GROUPS (VIR_DOMAIN_STATS_STATE | EMPTY_GROUPS | SAMPLER_GROUPS)

/* One group of filter flags: a domain passes if it has one of the properties asked for, or none is asked for. */
static gboolean passes(guint flags, guint group, guint properties)
{
    return !(flags & group) || (flags & group & properties);
}

static gboolean is_chosen(const VmView *view, guint flags)
{
    gboolean active = view->id >= 0;
    guint state = VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER;
    if (view->state == VIR_DOMAIN_RUNNING)
        state = VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING;
    else if (view->state == VIR_DOMAIN_PAUSED)
        state = VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED;
    else if (view->state == VIR_DOMAIN_SHUTOFF)
        state = VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF;
    return passes(flags, VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE,
                  active ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE : VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE) &&
           passes(flags, VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT | VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT,
                  view->next ? VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT
                             : VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT) &&
           passes(flags,
                  VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING | VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED |
                      VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF | VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER,
                  state);
}

/* The domain of one record while the record is made. */
typedef struct {
    Vm *vm;
    VmView *view;
    SamplerTicket ticket; /* groups 0: was not asked */
} Subject;

static void subject_clear(gpointer data)
{
    Subject *subject = data;
    vm_unref(subject->vm);
    vm_view_unref(subject->view);
}

static void add_subject(GArray *subjects, Vm *vm, guint flags)
{
    Subject subject = {.vm = vm, .view = vm_view(vm)};
    if (is_chosen(subject.view, flags)) {
        vm_ref(vm);
        g_array_append_val(subjects, subject);
    } else {
        vm_view_unref(subject.view);
    }
}

/* The named domains, or all. One that is gone by now is left out, as libvirt does. */
static GArray *choose(Call *call, const RemoteConnectGetAllDomainStatsArgs *args)
{
    GArray *subjects = g_array_new(FALSE, TRUE, sizeof(Subject));
    g_array_set_clear_func(subjects, subject_clear);
    if (args->n_doms == 0) {
        g_autoptr(GPtrArray) all = registry_domains(call->instance->registry);
        for (guint i = 0; i < all->len; i++)
            add_subject(subjects, all->pdata[i], args->flags);
    }
    for (guint i = 0; i < args->n_doms; i++) {
        g_autoptr(Vm) vm = call_lookup(call, &args->doms[i], NULL);
        if (vm)
            add_subject(subjects, vm, args->flags);
    }
    return subjects;
}

static void add_idle_disks(const Domain *def, const ImageSize *images, Params *params)
{
    const GPtrArray *disks = def->devices->disks;
    params_uint(params, disks->len, "block.count");
    for (guint i = 0; i < disks->len; i++) {
        const Disk *disk = disks->pdata[i];
        if (disk->target && disk->target->dev)
            params_string(params, disk->target->dev, "block.%u.name", i);
        if (images[i].path)
            params_string(params, images[i].path, "block.%u.path", i);
        if (!images[i].found)
            continue;
        params_ullong(params, images[i].allocation, "block.%u.allocation", i);
        if (images[i].capacity)
            params_ullong(params, images[i].capacity, "block.%u.capacity", i);
        params_ullong(params, images[i].physical, "block.%u.physical", i);
    }
}

/* What is known of a domain that does not run. IMAGES are its disks'. */
static void add_idle(const Domain *def, guint groups, const ImageSize *images, Params *params)
{
    if (groups & VIR_DOMAIN_STATS_BALLOON) {
        params_ullong(params, def->current_memory == UNSET64 ? def->memory : def->current_memory, "balloon.current");
        params_ullong(params, def->memory, "balloon.maximum");
    }
    if (groups & VIR_DOMAIN_STATS_VCPU) {
        params_uint(params, domain_vcpus(def), "vcpu.current");
        params_uint(params, domain_max_vcpus(def), "vcpu.maximum");
    }
    if (groups & VIR_DOMAIN_STATS_BLOCK)
        add_idle_disks(def, images, params);
}

/* The images of all domains that do not run, in the order of SUBJECTS; RET_SIZES: with sizes, for no path hangs. */
static GArray *idle_images(const GArray *subjects, guint groups, gint64 deadline, gboolean *ret_sizes)
{
    GArray *images = g_array_new(FALSE, TRUE, sizeof(ImageSize));
    for (guint i = 0; i < subjects->len && (groups & VIR_DOMAIN_STATS_BLOCK); i++) {
        const VmView *view = g_array_index(subjects, Subject, i).view;
        if (view->id >= 0)
            continue;
        const GPtrArray *disks = vm_view_def(view)->devices->disks;
        for (guint n = 0; n < disks->len; n++) {
            ImageSize image = image_size_of(disks->pdata[n]);
            g_array_append_val(images, image);
        }
    }
    *ret_sizes = images->len == 0 || image_sizes((ImageSize *)images->data, images->len, deadline, NULL);
    return images;
}

/* Takes IMAGES forward by as many as the domain has disks, if it does not run. */
static void add_subject_params(const Subject *subject, guint groups, const ImageSize **images, Params *params,
                               gboolean *ret_stale)
{
    if (groups & VIR_DOMAIN_STATS_STATE) {
        params_int(params, subject->view->state, "state.state");
        params_int(params, subject->view->reason, "state.reason");
    }
    if (subject->view->id >= 0) {
        sampler_answer(&subject->ticket, params, ret_stale);
    } else {
        const Domain *def = vm_view_def(subject->view);
        add_idle(def, groups, *images, params);
        if (groups & VIR_DOMAIN_STATS_BLOCK)
            *images += def->devices->disks->len;
    }
}

/* GROUPS as they are asked for with FLAGS. */
static guint sampled(guint groups, guint flags)
{
    gboolean chains = (groups & VIR_DOMAIN_STATS_BLOCK) && (flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING);

    groups &= SAMPLER_GROUPS;
    return chains ? (groups & ~(guint)VIR_DOMAIN_STATS_BLOCK) | SAMPLER_CHAINS : groups;
}

/* The questions to those that run. Elements are borrowed from SUBJECTS. */
static GPtrArray *ask_all(GArray *subjects, guint groups, guint flags)
{
    GPtrArray *tickets = g_ptr_array_new();
    for (guint i = 0; i < subjects->len; i++) {
        Subject *subject = &g_array_index(subjects, Subject, i);
        if (subject->view->id < 0)
            continue;
        sampler_ask(subject->vm, sampled(groups, flags), &subject->ticket);
        g_ptr_array_add(tickets, &subject->ticket);
    }
    return tickets;
}

gboolean remote_connect_get_all_domain_stats(Call *call, const RemoteConnectGetAllDomainStatsArgs *args,
                                             RemoteConnectGetAllDomainStatsRet *ret, GError **error)
{
    if ((args->flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS) && (args->stats & ~ALL_GROUPS))
        return error_set(error, call->instance->from, VIR_ERR_ARGUMENT_UNSUPPORTED,
                         "Stats types bits 0x%x are not supported by this daemon", args->stats & ~ALL_GROUPS);
    guint groups = args->stats ? args->stats & ALL_GROUPS : ALL_GROUPS;

    gboolean sizes;
    g_autoptr(GArray) subjects = choose(call, args);
    g_autoptr(GPtrArray) tickets = ask_all(subjects, groups, args->flags);
    g_autoptr(GArray) images = idle_images(subjects, groups, g_get_monotonic_time() + PATIENCE, &sizes);
    sampler_wait((const SamplerTicket *const *)tickets->pdata, tickets->len, PATIENCE);
    const ImageSize *next_image = (const ImageSize *)images->data;

    ret->n_ret_stats = subjects->len;
    ret->ret_stats = subjects->len ? g_new0(RemoteDomainStatsRecord, subjects->len) : NULL;
    for (guint i = 0; i < subjects->len; i++) {
        const Subject *subject = &g_array_index(subjects, Subject, i);
        gboolean stale = !sizes && subject->view->id < 0;
        g_autoptr(Params) params = params_new();
        add_subject_params(subject, groups, &next_image, params, &stale);
        if (stale)
            params_boolean(params, TRUE, STALE_FIELD);
        call_domain(subject->vm, &ret->ret_stats[i].dom);
        ret->ret_stats[i].params = wire_params(params, &ret->ret_stats[i].n_params);
    }
    return TRUE;
}
