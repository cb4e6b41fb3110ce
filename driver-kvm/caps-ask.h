/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Has a program of ours, duovirt-probe, ask a QEMU binary what it can do. The answers are several MB as trees of JSON, and what
 * speaks may be any program: neither belongs into a daemon that lives for months.
 *
 *   duovirt-probe BINARY IDENTITY kvm|tcg [UID GID [GROUP...]]
 *
 * writes the form (caps-form.h) to its standard output, or why it cannot to its standard error and ends with 1. With UID and GID
 * QEMU runs as these.
 */
#include "lib/process.h"

/* A file in memory that holds the form; the caller closes it. -1 with VIR_ERR_INTERNAL_ERROR and what the binary said, or
 * VIR_ERR_OPERATION_TIMEOUT. Blocks, somewhat longer than CAPS_PROBE_DEADLINE at most. IDS may be NULL. */
int caps_ask(const char *probe, const char *binary, const char *identity, const ProcessIds *ids, gboolean try_kvm,
             GError **error);
