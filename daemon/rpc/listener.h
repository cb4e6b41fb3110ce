/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The sockets that clients look for in one folder: libvirt-sock, libvirt-sock-ro, and the same two under the names of
 * libvirt's daemons of one driver each, which a client prefers where they exist.
 *
 * A socket file that nobody listens on is replaced; one that another daemon serves is an error.
 */
#include "daemon/rpc/server.h"

typedef struct {
    const char *folder;     /* made if missing */
    mode_t mode, mode_ro;   /* of the socket files */
    gboolean session;       /* nobody but our own user: the writable sockets only, in a folder that is his */
    gid_t group;            /* of the socket files; (gid_t)-1: left as it is */
} ListenerOptions;

typedef struct Listener Listener;

/* Listens; nobody is accepted before listener_start(). Where systemd passed sockets (named libvirt-sock, ... as the
 * files are), those are taken and no others made. */
Listener *listener_open(const ListenerOptions *options, GError **error);

/* Connections go to SERVER. I/O loop. */
gboolean listener_start(Listener *listener, Server *server, GError **error);

/* Accepts nobody more and removes the files it made. I/O loop, or before listener_start(). NULL is allowed. */
void listener_close(Listener *listener);
