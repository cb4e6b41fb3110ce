/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A list of libvirt's typed parameters: name, type, value, in the order of insertion. One owner, one thread at a time. */
#include <glib.h>
#include <libvirt/libvirt.h>

typedef struct {
    char *field; /* owned; shorter than VIR_TYPED_PARAM_FIELD_LENGTH */
    gint32 type; /* virTypedParameterType */
    union {
        gint32 i;
        guint32 ui;
        gint64 l;
        guint64 ul;
        double d;
        gint32 b;
        char *s; /* owned */
    } value;
} Param;

typedef struct Params {
    GArray *array; /* of Param */
} Params;

Params *params_new(void);
void params_free(Params *params); /* NULL is allowed */
guint params_length(const Params *params);
const Param *params_at(const Params *params, guint index);
const Param *params_find(const Params *params, const char *field); /* NULL if absent */

/* FIELD is a printf format, so that "net.%u.rx.bytes" needs no buffer at the caller. */
void params_int(Params *params, gint32 value, const char *field, ...) G_GNUC_PRINTF(3, 4);
void params_uint(Params *params, guint32 value, const char *field, ...) G_GNUC_PRINTF(3, 4);
void params_llong(Params *params, gint64 value, const char *field, ...) G_GNUC_PRINTF(3, 4);
void params_ullong(Params *params, guint64 value, const char *field, ...) G_GNUC_PRINTF(3, 4);
void params_double(Params *params, double value, const char *field, ...) G_GNUC_PRINTF(3, 4);
void params_boolean(Params *params, gboolean value, const char *field, ...) G_GNUC_PRINTF(3, 4);
void params_string(Params *params, const char *value, const char *field, ...) G_GNUC_PRINTF(3, 4); /* copies VALUE */

/* Appends a copy of every parameter of SOURCE. */
void params_extend(Params *params, const Params *source);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Params, params_free)
