/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The pieces of a guest's memory, and what QEMU is told of where each comes from. */
#include "driver-kvm/argv.h"
#include "driver-kvm/caps.h"

#define MEMORY_NO_NODE (-1)

typedef struct {
    const char *id;             /* of its back end */
    const char *file;           /* the last part of its file's path, where that is ours to choose */
    guint64 kib;
    int node;                   /* NUMA node of the guest; MEMORY_NO_NODE */
    const MemoryDevice *module; /* NULL: of what the guest has without modules */
} MemoryPiece;

guint memory_n_cells(const Domain *def);

/* What a guest has without modules, in KiB. */
guint64 memory_initial(const Domain *def);

/* The sum of its modules, in KiB. */
guint64 memory_of_modules(const Domain *def);

/* There may be modules, now or later. */
gboolean memory_has_slots(const Domain *def);

/* Sizes as QEMU takes them, which counts in MiB. */
void memory_align(Domain *live);

/* The size of MODULE as its machine takes it. FALSE: a persistent one of a machine of large steps has not one step. */
guint64 memory_module_size(const Domain *def, const MemoryDevice *module);
gboolean memory_fits_block(const Domain *def, const MemoryDevice *module);

/* What is preallocated by the device and not by its back end, which would take all that it may ever have. */
gboolean memory_is_preallocated(const Domain *live, const MemoryPiece *piece);

/* Appends the back end of PIECE. */
void memory_add_backend(const Domain *live, const Caps *caps, const ArgvContext *context, const MemoryPiece *piece, GPtrArray *parts);

/* The sizes in KiB of the huge pages that LIVE's memory takes from files (guint64, some perhaps twice). */
GArray *memory_file_pages(const Domain *live);

/* Gives each module of a slotted kind its slot. */
gboolean memory_assign_slots(Domain *def, GError **error);

/* All modules together; each alone is device-memory.c's. */
gboolean memory_validate(const Domain *def, GError **error);
