/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Finds and opens the drivers: modules duovirt-driver-NAME.so in the folder where they are installed, or, for a daemon
 * that runs from its build folder, beside it. Before there are clients; then constant until loader_free().
 */
#include "daemon/core/vm.h"

typedef struct Loader Loader;

/* PATH: folders separated by colons, looked through in this order; NULL: the usual ones. A driver that cannot be used is
 * logged and left out. Never NULL. */
Loader *loader_open(const DriverHost *host, const char *path);
void loader_free(Loader *loader); /* closes the drivers; NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loader, loader_free)

/* The driver that SCHEME ("qemu") leads to; NULL if there is none. */
const DriverInstance *loader_find(const Loader *loader, const char *scheme);

/* Why the driver for SCHEME is left out though its module is there; NULL if it is not. Borrowed. */
const char *loader_why_not(const Loader *loader, const char *scheme);

/* The driver with NAME, be it in use or left out; NULL if there is no such module. */
const Driver *loader_driver(const Loader *loader, const char *name);

/* All that are in use: a NULL terminated array, borrowed. */
const DriverInstance *const *loader_all(const Loader *loader);
