/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Tells the daemon which step failed, on what (may be NULL), and errno; ends the process. */
void fail(const char *step, const char *what) __attribute__((noreturn));
