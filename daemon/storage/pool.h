/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * A storage pool: its published view, and who is alone on it.
 *
 * Readers take pool_view() and never wait. Whoever changes a pool or its storage holds it by pool_enter(), one at a
 * time, on a thread that may block; another pool is never concerned. What takes long (content that is written) happens
 * outside, on a volume that is marked as used.
 */
#include "lib/error.h"
#include "lib/model/storage-pool.h"

/* Immutable, reference-counted. */
typedef struct {
    gatomicrefcount refs;
    StoragePool *def;   /* with sizes, where it is active */
    StoragePool *next;  /* what counts after its end, if that was defined since it started; else NULL */
    GPtrArray *volumes; /* of StorageVolume, by name; owned */
    gboolean active, persistent, autostart;
} PoolView;

typedef struct {
    gatomicrefcount refs;
    guint8 uuid[16];
    char uuid_text[37];
    GMutex turn; /* pool_enter() */
    GMutex lock; /* all below; never held across I/O */
    GCond changed;
    PoolView *view;
    gboolean listed;  /* it is in the registry */
    GHashTable *used; /* names of volumes whose content is worked on -> Use */
} VolumePool;

VolumePool *pool_new(StoragePool *def); /* takes DEF */
VolumePool *pool_ref(VolumePool *pool);
void pool_unref(VolumePool *pool); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VolumePool, pool_unref)

PoolView *pool_view(VolumePool *pool); /* a new reference */
PoolView *pool_view_ref(PoolView *view);
void pool_view_unref(PoolView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PoolView, pool_view_unref)

/* CHANGE edits a copy of the view, which then is the view; it must not block. */
typedef void (*PoolChange)(PoolView *view, gpointer data);
void pool_publish(VolumePool *pool, PoolChange change, gpointer data);

/* Alone on POOL until pool_leave(). FALSE with VIR_ERR_NO_STORAGE_POOL where it is gone. May wait as long as another
 * operation on this pool takes. */
gboolean pool_enter(VolumePool *pool, GError **error);
void pool_leave(VolumePool *pool);

/* VIR_ERR_OPERATION_INVALID in libvirt's words. */
gboolean pool_check_active(const PoolView *view, GError **error);
gboolean pool_check_idle(VolumePool *pool, GError **error); /* no volume is worked on */

/* The volume of that name (key, path; the path as libvirt cleans it); borrowed from VIEW. NULL: there is none. */
StorageVolume *pool_find_volume(const PoolView *view, const char *name);

/* The pool's volumes with VOLUME (taken) in place of the one with its name; or without NAME. */
void pool_put_volume(VolumePool *pool, StorageVolume *volume);
void pool_drop_volume(VolumePool *pool, const char *name);

/* NAME's content is worked on until pool_unuse(): VIR_ERR_OPERATION_INVALID where that is so already. WHAT (static):
 * "being allocated", "in use". */
gboolean pool_use(VolumePool *pool, const char *name, const char *what, GError **error);
/* The same, beside others of its kind: its content is sent or received. */
gboolean pool_use_shared(VolumePool *pool, const char *name, GError **error);
void pool_unuse(VolumePool *pool, const char *name);
/* Nothing more comes: what is still under way ends by itself. Never blocks. */
void pool_use_ending(VolumePool *pool, const char *name);
/* Waits for that. */
void pool_settle(VolumePool *pool, const char *name);

/* --- all of them --- */

#define POOLS_MAX 16384 /* what the protocol's lists can carry */

VolumePool *pools_find_name(const char *name); /* new references; NULL: there is none */
VolumePool *pools_find_uuid(const guint8 uuid[16]);
GPtrArray *pools_all(void); /* by name; elements are owned by it */

/* The pool for DEF (borrowed), entered, with a reference: a new one, or the one that has its name and UUID. Refused in
 * libvirt's words where one of the two is another's, its place is another pool's, or, with INACTIVE, it is active. */
VolumePool *pools_claim(StoragePool *def, gboolean inactive, GError **error);
/* Leaves it; a new one that was not shown by then is forgotten. */
void pools_release(VolumePool *pool);
void pools_show(VolumePool *pool); /* harmless where it is shown */
void pools_hide(VolumePool *pool);
