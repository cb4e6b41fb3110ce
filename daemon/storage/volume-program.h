/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Programs that work on volumes: without a shell, with a deadline, and what they say is the error. Any thread that may block. */
#include "lib/process.h"

typedef struct {
    GPtrArray *argv;  /* of char *, owned by it; argv[0] is searched for */
    GArray *fds;      /* of ProcessFd, ours to close */
    const char *instead, *path; /* in what it says PATH stands for INSTEAD; borrowed, INSTEAD may be NULL */
} VolumeProgram;

VolumeProgram *volume_program_new(const char *name);
void volume_program_free(VolumeProgram *program); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VolumeProgram, volume_program_free)

void volume_program_add(VolumeProgram *program, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Takes FD over; the number it has in the program. */
int volume_program_pass(VolumeProgram *program, int fd);

/* Once. VIR_ERR_INTERNAL_ERROR with the command and what it said. */
gboolean volume_program_run(VolumeProgram *program, GError **error);
