/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The threads of a domain in its definition: which I/O threads there are, and the host CPUs of each thread. */
#include "lib/model/model.h"

/* The numbers of its I/O threads, listed or counted, in the order in which they are shown; of guint. */
GArray *domain_iothread_ids(const Domain *def);
gboolean domain_has_iothread(const Domain *def, guint id);
/* What is listed of thread ID; NULL: nothing. */
const IothreadId *domain_iothread(const Domain *def, guint id);
/* Lists them all. */
void domain_list_iothreads(Domain *def);
/* domain_iothread(), made where nothing was listed. ID is one of domain_iothread_ids(). */
IothreadId *domain_list_iothread(Domain *def, guint id);

void domain_add_iothread(Domain *def, guint id);
/* With its pins and schedule. */
void domain_del_iothread(Domain *def, guint id);
/* Who uses thread ID, in libvirt's words ("1 since it is being used by disk 'vda'"), to free; NULL: nobody. */
char *domain_iothread_user(const Domain *def, guint id);

/* The host CPUs said for a thread itself, or for all virtual CPUs; NULL: nothing is said. */
const char *domain_vcpu_cpus(const Domain *def, guint vcpu);
const char *domain_emulator_cpus(const Domain *def);
const char *domain_iothread_cpus(const Domain *def, guint id);

void domain_pin_vcpu(Domain *def, guint vcpu, const char *cpus);
void domain_pin_emulator(Domain *def, const char *cpus);
void domain_pin_iothread(Domain *def, guint id, const char *cpus);
