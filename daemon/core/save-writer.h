/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The process that has the file which a guest is being saved or dumped to (save-file.h). Nobody else touches that file, so
 * a disk or server that hangs holds up this process and nothing else. It may be killed at any moment.
 */
#include <glib.h>

typedef struct {
    const char *path;
    const char *folder;    /* where PATH is */
    const char *temporary; /* a name beside PATH that nobody has */
    const GByteArray *partial, *whole; /* what the file begins with, before and after it is complete; NULL: nothing */
    gboolean bypass_cache;
    gboolean seekable; /* the file itself is sent to who asked, nothing is copied */
    int control;       /* SOCK_SEQPACKET: answers go out, one byte comes in that asks for the file to get its name */
    int data;          /* what is read from here goes into the file, to the end */
    gint64 *busy;      /* shared: since when it waits for the disk, g_get_monotonic_time(); 0: it does not */
    guint8 *buffer;
    gsize size;
} SaveWriter;

/* How far it is. An answer each, in this order; after one with an error there is no other. */
typedef enum {
    SAVE_WRITER_OPENED, /* with the descriptor, if `seekable` */
    SAVE_WRITER_WROTE,  /* all of it is on the disk; the byte is waited for now */
    SAVE_WRITER_NAMED,  /* PATH is its name, and that is on the disk */
} SaveWriterStep;

typedef struct {
    SaveWriterStep step;
    int errnum;
} SaveWriterAnswer;

/* In a forked copy: only system calls, since another thread may have held any lock at the fork. */
void save_writer_run(SaveWriter *writer) __attribute__((noreturn));
