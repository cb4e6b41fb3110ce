/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What QEMU is told of a device: a list of parts (its back end's nodes, objects and character devices, then the device).
 * A part is one struct with two renderings: arguments for the command line, and a command for the monitor.
 */
#include <glib.h>
#include <json-glib/json-glib.h>

typedef enum {
    PART_OBJECT,
    PART_CHARDEV,
    PART_BLOCKDEV,
    PART_NETDEV,
    PART_AUDIODEV, /* command line only */
    PART_DEVICE,
    PART_FDSET,  /* a file that QEMU finds as /dev/fdset/N */
    PART_OPTION, /* command line only: any other option */
} PartKind;

typedef struct {
    PartKind kind;
    JsonObject *props; /* NULL for PART_OPTION */
    char *option;      /* PART_OPTION: "-vnc" */
    char *text;        /* PART_CHARDEV: the command line's words for it; PART_OPTION: the value, NULL if it has none */
} Part;

GPtrArray *parts_new(void); /* of Part */

/* All take their JsonObject and strings over. */
void parts_add(GPtrArray *parts, PartKind kind, JsonObject *props);
void parts_add_chardev(GPtrArray *parts, JsonObject *props, char *text);
/* ID: a character device that is a connection to the socket at PATH. */
void parts_add_socket(GPtrArray *parts, const char *id, const char *path);
void parts_add_fdset(GPtrArray *parts, int number, const char *name); /* NUMBER: of the descriptor, and of the set */
void parts_add_option(GPtrArray *parts, const char *option, char *text);

/* Appends the arguments of PARTS to ARGV. */
void parts_to_argv(const GPtrArray *parts, GPtrArray *argv);

/* The command that makes PART on a running guest, and the one that undoes it. FALSE if there is none. RET_ARGUMENTS is the
 * caller's to unref. */
gboolean part_to_command(const Part *part, const char **ret_command, JsonObject **ret_arguments);
gboolean part_to_undo(const Part *part, const char **ret_command, JsonObject **ret_arguments);

/* VALUE with each comma doubled, as QEMU's option syntax wants it; to free. */
char *part_escape(const char *value);
