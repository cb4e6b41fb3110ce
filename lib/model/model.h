/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The objects of libvirt's XML documents as C structs, and the walker that works on them.
 *
 * Structs, enumerations and tables are emitted from xml-schemas/ into the build folder (model-gen.h, model-gen.c) by
 * tools/gen. How a description becomes C:
 *
 *   element      struct named in the description (Disk, DiskSource, ...); a child element is a pointer to its struct,
 *                NULL if absent; a repeated child is a GPtrArray *, never NULL, that owns its members
 *   attribute    a field of the XML name in snake case (startupPolicy -> startup_policy, queue-size -> queue_size)
 *   text element <serial>x</serial>: a field; <readonly/>: a gboolean
 *   string       char *, owned, NULL if absent
 *   number       gint32, guint32, gint64, guint64; absent is UNSET32 / UNSET64 (all ones; -1 reads the same)
 *   boolean      Toggle, whether spelled yes/no or on/off: TOGGLE_UNSET (0), TOGGLE_ON, TOGGLE_OFF
 *   enumeration  C enum, constants TYPE_VALUE (DISK_TYPE_FILE), 0 is TYPE_UNSET; disk_type_to_string(),
 *                disk_type_from_string() (0 if unknown)
 *   uuid         struct { gboolean set; guint8 bytes[16]; }
 *   foreign XML  char *, serialized (metadata, other namespaces)
 *
 * Document roots (Domain, ...) are reference-counted atomically: x_new(), x_ref(), x_unref() and g_autoptr(). A root
 * that more than one thread can see is immutable: change a x_copy() and publish that. Inner structs: model_new(&x_type),
 * model_free(), model_copy(); each also has an emitted typed wrapper (disk_new(), disk_free(), disk_copy()).
 */
#include <glib.h>
#include "lib/xml.h"

#define UNSET32 G_MAXUINT32
#define UNSET64 G_MAXUINT64

typedef enum { TOGGLE_UNSET, TOGGLE_ON, TOGGLE_OFF } Toggle;

typedef struct { gboolean set; guint8 bytes[16]; } Uuid;

typedef struct ModelType ModelType; /* an emitted table: one struct */

typedef enum {
    MODEL_FORMAT_INACTIVE = 1 << 0, /* leave out what only a running object shows (id, ports and terminals it got) */
    MODEL_FORMAT_SECURE = 1 << 1,   /* with secrets (passwords) */
    MODEL_FORMAT_MIGRATABLE = 1 << 2, /* leave out what no definition keeps (aliases, labels that were made up) */
    MODEL_FORMAT_STATUS = 1 << 3,   /* our own saved state: also what clients are never shown; without _INACTIVE: everything */
} ModelFormat;

typedef enum {
    MODEL_PARSE_INACTIVE = 1 << 0, /* ignore what only a running object has */
    MODEL_PARSE_STATUS = 1 << 1,   /* read back MODEL_FORMAT_STATUS */
} ModelParse;

gpointer model_new(const ModelType *type);
void model_free(const ModelType *type, gpointer object); /* NULL is allowed */
gpointer model_copy(const ModelType *type, gconstpointer object);
void model_unref(const ModelType *type, gpointer object); /* a root; NULL is allowed */
gboolean model_equal(const ModelType *type, gconstpointer a, gconstpointer b);

/* NODE -> new object. Unknown elements and attributes are ignored, as libvirt does; when WARNINGS is not NULL each is
 * added to it (char *, owned) with its path (XPath) and the nearest known name. A wrong value is VIR_ERR_XML_ERROR (or the
 * code libvirtd gives), naming element, attribute and value. */
gpointer model_parse(const ModelType *type, const XmlNode *node, guint flags, GPtrArray *warnings, GError **error);

/* The same from the text of a whole document. */
gpointer model_parse_text(const ModelType *type, const char *text, guint flags, GPtrArray *warnings, GError **error);

/* Writes OBJECT as an element: of its type's own name, or as NAME (a Chardev is a serial, console, ...). */
void model_format(const ModelType *type, gconstpointer object, guint flags, XmlWriter *writer);
void model_format_as(const ModelType *type, const char *name, gconstpointer object, guint flags, XmlWriter *writer);
char *model_format_text(const ModelType *type, gconstpointer object, guint flags); /* to free */

/* What differs between A and B, as paths ("devices/disk[0]/driver/@cache"); each call of FN returns FALSE to stop.
 * WHICH selects what counts. FALSE if FN stopped. */
typedef enum { MODEL_COMPARE_ALL, MODEL_COMPARE_ABI, MODEL_COMPARE_NOT_LIVE } ModelCompare;
typedef gboolean (*ModelDifference)(const char *path, gpointer data);
gboolean model_compare(const ModelType *type, gconstpointer a, gconstpointer b, ModelCompare which, ModelDifference fn,
                       gpointer data);

/* Behind the emitted x_to_string() and x_from_string(). */
typedef struct ModelEnum ModelEnum;
const char *model_enum_to_string(const ModelEnum *type, guint value);
guint model_enum_from_string(const ModelEnum *type, const char *text);

#include "lib/model/model-gen.h"
