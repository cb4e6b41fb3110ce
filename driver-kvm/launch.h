/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The driver's side of the launcher: makes the description (launch/contract.h says what it may hold) and starts
 * duovirt-launch with it. The description is whole before the fork, so that a launcher never depends on a daemon that
 * may die.
 *
 *   launch = launch_new(...); launch_add(...); launch_pass(...);
 *   launch_fork()   the launcher runs; from now on there is a process to kill
 *   launch_wait()   it has become the program, or failed
 *   launch_drain()  after the program's end: its last words are in the log
 */
#include <glib.h>
#include "lib/process.h"

typedef struct Launch Launch;

/* LAUNCHER: path of duovirt-launch. LOCK: a descriptor that the program shall hold; taken over. */
Launch *launch_new(const char *launcher, int lock);
void launch_free(Launch *launch); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Launch, launch_free)

/* One record; the value is a printf format. */
void launch_add(Launch *launch, const char *key, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* FD (borrowed until launch_fork()) will be NUMBER in the program. */
void launch_pass(Launch *launch, int fd, int number);

gboolean launch_fork(Launch *launch, Process *ret_process, GError **error);

/* VIR_ERR_INTERNAL_ERROR with the step that failed; VIR_ERR_OPERATION_TIMEOUT. */
gboolean launch_wait(Launch *launch, gint64 deadline, GError **error);

/* Waits until the log writer has ended; gives up at DEADLINE. */
void launch_drain(Launch *launch, gint64 deadline);
