/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The log writer: a process of its own that reads what the program prints, until the program and whoever else has the
 * pipes are gone, and writes it to files that are renamed when they are full. It does not end with the daemon, and it reads on
 * when it cannot write: a full disk must not stop a guest.
 */
#include "description.h"

/* Opens the logs and forks the writer; their pipes are at their numbers after (1: at 1 and 2). Ends the process on error. */
void logger_start(const Description *d);

/* All capabilities of this process are gone (duovirt-launch.c). */
void drop_capabilities(void);
