/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Asks polkit whether a local user may do something. The user may have to type a password first, so an answer can take
 * minutes: nobody waits for it on a thread.
 *
 * Source: org.freedesktop.PolicyKit1.Authority, CheckAuthorization.
 */
#include "daemon/auth/identity.h"
#include "daemon/bus.h"

/* After these the question is withdrawn and answered by VIR_ERR_AUTH_CANCELLED. */
#define POLKIT_SECONDS 120

/* Questions at a time: those of one user are his own limit, POLKIT_QUESTIONS_MAX that of all. */
#define POLKIT_QUESTIONS_MAX 256
#define POLKIT_QUESTIONS_MAX_USER 8

typedef struct Polkit Polkit;

/* LOOP is BUS's; both are borrowed. */
Polkit *polkit_new(Loop *loop, Bus *bus);

/* Questions that are open end without an answer. The loop does not run any more. NULL is allowed. */
void polkit_free(Polkit *polkit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Polkit, polkit_free)

/* On the loop's thread, once for each question. ERROR: NULL where the user may; else VIR_ERR_AUTH_FAILED (he may not, or
 * polkit cannot be asked), VIR_ERR_AUTH_UNAVAILABLE (he may if he proves who he is, and nobody is there to ask him),
 * VIR_ERR_AUTH_CANCELLED, or VIR_ERR_SYSTEM_ERROR (there is no bus). */
typedef void (*PolkitAnswer)(gpointer data, const GError *error);

/* May WHO (of a unix socket, with_process) do ACTION ("org.libvirt.unix.manage")? Returns a number for polkit_withdraw().
 * Any thread. */
guint64 polkit_ask(Polkit *polkit, const Identity *who, const char *action, PolkitAnswer answer, gpointer data);

/* Where there is no answer yet, it is VIR_ERR_AUTH_CANCELLED. Any thread. */
void polkit_withdraw(Polkit *polkit, guint64 question);
