/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What is behind a character device on the host. Serial ports, consoles and channels have one, and so have an RNG's daemon
 * and others: a view shows any of them. */
#include "driver-kvm/argv.h"

typedef struct {
    ChardevType type;
    ChardevSource *source;      /* NULL if absent */
    ChardevSource *bind_source; /* udp: where it is received */
    const ChardevProtocol *protocol;
    const ChardevLog *log;
    gboolean named;             /* a unix socket without a path gets one: of a virtio channel */
    gboolean parallel;          /* of a parallel port: a host's device is one too */
    const char *spice;          /* what SPICE is to carry, where it is the back end: "vdagent", "usbredir", "smartcard" */
} ChardevView;

#define CHARDEV_VIEW(device)                                                                                       \
    ((ChardevView){(device)->type, (device)->source, (device)->bind_source, (device)->protocol, (device)->log, FALSE,   \
                    FALSE, NULL})

static inline const char *chardev_path(const ChardevView *view)
{
    return view->source ? view->source->path : NULL;
}

static inline gboolean chardev_listens(const ChardevView *view)
{
    return view->source && view->source->mode == CHARDEV_MODE_BIND;
}

/* What a document may leave open. PROTOCOL and LOG may become others. */
void chardev_complete(ChardevType type, ChardevSource *source, ChardevProtocol **protocol, ChardevLog **log);
#define CHARDEV_COMPLETE(device) chardev_complete((device)->type, (device)->source, &(device)->protocol, &(device)->log)

/* FN for each character device of LIVE but the consoles that stand for a serial port: their back end, where its source is
 * kept, and their alias (NULL: none yet). */
typedef void (*ChardevFunc)(const ChardevView *view, ChardevSource **source, const char *alias, gpointer data);
void chardev_each(const Domain *live, ChardevFunc fn, gpointer data);

/* Refuses what QEMU or this driver cannot do in DEF, and what lacks a path or port. */
gboolean chardev_validate(const Domain *def, const ChardevView *view, GError **error);

/* What there must be on the host, and what QEMU's user must be able to use: the other end of a connection, pipes, the host's
 * own devices. NULL terminated, to free. */
GStrv chardev_host_paths(const ChardevView *view);

/* It is there. The domains of the errors are those of libvirt's parts that look. */
gboolean chardev_check_host(const ChardevView *view, GError **error);

/* Opens sockets and files that QEMU, which runs as somebody else, is to inherit: named "ALIAS", "ALIAS.log". */
gboolean chardev_prepare(const ChardevView *view, const char *alias, ArgvContext *context, GError **error);

/* Appends the part with id "charALIAS", and what it needs before it. */
gboolean chardev_build(const ChardevView *view, const char *alias, ArgvContext *context, GPtrArray *parts, GError **error);

/* The socket that we made for QEMU, if it is ours to remove. */
void chardev_release(const ChardevView *view);
