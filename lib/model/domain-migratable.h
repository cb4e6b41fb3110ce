/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A domain as another host, or an older libvirt, is told of it: what `dumpxml --migratable` shows and what a saved file
 * keeps. Whoever reads it completes it again to the same machine.
 */
#include "lib/model/model.h"

/* Gives DEF the order and numbers that whoever reads its document again gives it: controllers by kind, consoles by place. */
void domain_read_again(Domain *def);

/* Of DEF, also of one that runs. Paths of sockets below RUN_FOLDER belong to one run and are left out. */
Domain *domain_migratable(const Domain *def, const char *run_folder);

/* The same as a document, secrets included. To free. */
char *domain_migratable_text(const Domain *def, const char *run_folder);
