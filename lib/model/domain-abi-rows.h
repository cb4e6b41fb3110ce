/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What two definitions are compared by: a table with the order in which libvirt looks, its nouns, and where the value
 * is (as a path in the document). For the files of domain-abi*.c.
 */
#include "lib/model/model.h"
#include "lib/model/table.h"

typedef enum {
    ABI_PLAIN,
    ABI_QUOTED,
    ABI_PRESENCE, /* of an element; `text` is the whole message */
    ABI_SILENT,   /* a value; `text` is the whole message */
    ABI_MODEL,    /* a controller's, which libvirt tells by its number */
} AbiValue;

/* A table of these ends with ABI_ROWS_END. */
typedef struct {
    const char *path;
    const char *text;
    const char *blank; /* how libvirt calls it where it is unset */
    AbiValue kind;
} AbiRow;

#define ABI_ROWS_END                                                                                                   \
    {                                                                                                                  \
        0                                                                                                              \
    }
#define NONE "<null>" /* as libvirt prints what is unset */

/* The same by ROWS, both of TYPE. FALSE with VIR_ERR_CONFIG_UNSUPPORTED. */
gboolean abi_same_rows(const AbiRow *rows, const ModelType *type, gconstpointer source, gconstpointer target,
                       GError **error);

/* The field at the end of PATH and the object that has it; NULL where something on the way is absent. */
const ModelField *abi_find(const ModelType *type, gconstpointer object, const char *path, gconstpointer *ret_object);

/* To free; NULL: unset. A thing that has no value of its own is "" where it is there. */
char *abi_value(const ModelType *type, gconstpointer object, const char *path);

/* FALSE, with TEXT. */
gboolean abi_differ(GError **error, const char *text);

/* domain-abi-device.c: the same devices, in the same places. */
gboolean abi_same_devices(const Devices *source, const Devices *target, GError **error);
