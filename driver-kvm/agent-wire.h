/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * One command to an agent inside a guest, and its answer.
 *
 * The peer is the guest: it may send anything at any rate, or nothing. What it sent before, for whoever asked before, is told
 * apart from the answer by a number in an exchange of its own before each command (guest-sync-delimited), which also
 * shows in a short time whether anybody is there.
 */
#include <glib.h>
#include <json-glib/json-glib.h>

#define AGENT_ANSWER_MAX (10 * 1024 * 1024)
#define AGENT_VALUES_MAX 200000

typedef struct {
    int fd;            /* the connected socket, non-blocking; borrowed */
    int wake;          /* readable once there is nothing to wait for any more; -1: none; borrowed */
    gint64 sync_until; /* g_get_monotonic_time() */
    gint64 until;      /* for everything */
} AgentWire;

/* Sends MESSAGE; the whole answer, which has a member "return" or "error". NULL without ERROR: `wake` came first. Else
 * VIR_ERR_AGENT_UNRESPONSIVE, and RET_LOST is set where the socket is of no use any more. Any thread; blocks. */
JsonNode *agent_wire_run(const AgentWire *wire, JsonNode *message, gboolean *ret_lost, GError **error);
