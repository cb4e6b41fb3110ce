/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Figures of running guests, asked of their drivers.
 *
 * However many ask about one domain at the same time, its driver is asked once. Asking never blocks; answers are waited
 * for by the asker, for as long as he likes, and where none comes, the figures that were measured last are given and
 * called stale. See sampler.c. Any thread.
 */
#include <glib.h>
#include "daemon/core/vm.h"
#include "lib/params.h"

/* The groups of virDomainStatsTypes that are asked of drivers, and, beside them, virDomainMemoryStats' own list: its
 * parameters' names are the tags as decimal numbers, their type is ullong. */
#define SAMPLER_GROUPS                                                                                                 \
    (VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE |      \
     VIR_DOMAIN_STATS_BLOCK | VIR_DOMAIN_STATS_PERF | VIR_DOMAIN_STATS_IOTHREAD | VIR_DOMAIN_STATS_DIRTYRATE |         \
     VIR_DOMAIN_STATS_VM)
#define SAMPLER_MEMORY (1u << 30)
#define SAMPLER_CHAINS DRIVER_STATS_CHAINS /* in place of VIR_DOMAIN_STATS_BLOCK */
#define SAMPLER_SLOTS 11

/* A question that was asked. */
typedef struct {
    Vm *vm; /* borrowed */
    guint groups;
    int run;
    guint attempts[SAMPLER_SLOTS];
} SamplerTicket;

/* Asks for GROUPS of VM, which should be running. */
void sampler_ask(Vm *vm, guint groups, SamplerTicket *ret_ticket);

/* Waits until all N questions are answered, or no answer to any has come for PATIENCE microseconds (half a second where
 * there is nothing from before to give instead). */
void sampler_wait(const SamplerTicket *const *tickets, guint n, gint64 patience);

/* Adds to PARAMS, in libvirt's order of groups, what is known now. RET_STALE: something is older than the question, or
 * missing because the guest did not answer. */
void sampler_answer(const SamplerTicket *ticket, Params *params, gboolean *ret_stale);

/* One group, nothing old: FALSE with VIR_ERR_OPERATION_TIMEOUT if the guest does not answer within BUDGET microseconds,
 * or the driver's error. */
gboolean sampler_measure(Vm *vm, guint group, guint64 budget, Params *params, GError **error);
