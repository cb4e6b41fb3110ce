/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The wire as tables: what a value looks like in XDR and in C (WireType), and what a procedure is (WireProc). Emitted
 * from the .idl files beside this one and walked by wire.c, so that no procedure has code of its own.
 *
 * How XDR becomes C:
 *
 *   string name             char *, never NULL in what was decoded; must not be NULL in what is encoded
 *   string? name            char *, NULL if absent
 *   struct s / s?           the struct itself / a pointer to it, NULL if absent
 *   type name<MAX>          guint32 n_name; type *name; (NULL when n_name is 0); opaque is guint8, one octet each
 *   type name[N], uuid      type name[N]; guint8 uuid[16]
 *   int uint hyper uhyper   gint32 guint32 gint64 guint64; short, char and their unsigned kinds likewise, 4 octets each
 *   union                   its discriminant and an unnamed union of its arms
 *
 * Everything a decoded struct points to is g_malloc'ed, one piece per pointer: wire_clear() frees it, and a pointer may
 * be taken out with g_steal_pointer() (set the n_ beside it to 0).
 *
 * All functions: any thread.
 */
#include <glib.h>

typedef struct Call Call; /* daemon/rpc/call.h */
typedef struct WireType WireType;
typedef struct WireProc WireProc;
typedef struct WireProgram WireProgram;

typedef enum {
    WIRE_CHAR,
    WIRE_UCHAR,
    WIRE_SHORT,
    WIRE_USHORT,
    WIRE_INT,
    WIRE_UINT,
    WIRE_HYPER,
    WIRE_UHYPER,
    WIRE_DOUBLE,
    WIRE_STRING,
    WIRE_OPAQUE,
    WIRE_STRUCT,
} WireKind;

typedef enum { WIRE_ONE, WIRE_OPTIONAL, WIRE_LIST, WIRE_FIXED } WireRepeat;

typedef struct WireField {
    const char *name; /* as libvirt spells it */
    guint8 kind;      /* WireKind */
    guint8 repeat;    /* WireRepeat */
    guint16 offset;
    guint16 count;        /* list: offset of its n_ */
    gint16 chosen_by;     /* arm of a union: the value of its discriminant */
    guint32 max;          /* list: most members; fixed: how many */
    guint32 length;       /* string: most octets */
    const WireType *type; /* struct */
} WireField;

struct WireType {
    const char *name; /* of the C struct */
    guint32 size;
    guint32 min_size; /* octets of its shortest form on the wire; never 0 */
    const WireField *fields;
    guint16 n_fields;
    guint16 discriminant; /* union: offset of a gint32 */
    gboolean is_union; /* exactly one of the fields is there */
};

typedef enum { WIRE_LANE_READ, WIRE_LANE_WORK, WIRE_LANE_WRITE, WIRE_LANE_CONTROL } WireLane; /* daemon/rpc/call.h */
typedef enum { WIRE_STREAM_NONE, WIRE_STREAM_READ, WIRE_STREAM_WRITE, WIRE_STREAM_BOTH } WireStream;
typedef enum { WIRE_FDS_NONE, WIRE_FDS_IN, WIRE_FDS_OUT, WIRE_FDS_BOTH } WireFds;

/* When a permission is needed; VALUE is compared with the argument at OFFSET of the arguments. */
typedef enum {
    WIRE_ALWAYS,
    WIRE_IF_SET,     /* all bits of VALUE are set */
    WIRE_UNLESS_SET, /* no bit of VALUE is set */
    WIRE_IF_EQUAL,
} WireWhen;

typedef struct WirePermission {
    const char *object, *permission; /* "domain", "read_secure" */
    gboolean read_only; /* also those have it who may only look */
    WireWhen when;
    guint32 offset;
    guint32 size; /* 4 or 8 */
    guint64 value;
} WirePermission;

typedef void (*WireHandler)(void); /* its real type follows from args and ret; call it by wire_handle() */

struct WireProc {
    guint32 number;
    const char *name;
    const WireProgram *program;
    gboolean is_event; /* sent to clients, never called: only msg, name, number and doc mean anything */
    const WireType *args, *ret, *msg; /* NULL: none */
    gint32 domain_offset; /* of the first RemoteNonnullDomain in the arguments; -1: none */
    WireHandler handler;  /* NULL: nobody wrote it */
    WireLane lane;
    guint64 control_flags; /* with one of these the call is on the control lane */
    gboolean read_only; /* may be called by who may only look; permissions that depend on arguments are extra */
    const WirePermission *permissions;
    guint n_permissions;
    const WirePermission *filter; /* NULL, or needed for each object of the answered list */
    guint32 flags_size;   /* 0: no flags word; 4 or 8 */
    guint32 flags_offset; /* in the arguments */
    guint64 flags_accepted;
    WireStream stream;
    guint64 sparse; /* the flag by which the stream may carry holes; 0: none */
    WireFds fds;
    gboolean on_host; /* it changes also the domain that the host itself is */
    gboolean secret_in, secret_out; /* the arguments, the answer are overwritten where they were: dispatch.c, task.c */
    const char *doc;
};

struct WireProgram {
    const char *name;
    guint32 id, version;
    const WireProc *procs; /* in the order of their numbers, from 1 */
    guint n_procs;
};

/* The row of procedure NUMBER; NULL if the program has none. */
const WireProc *wire_proc(const WireProgram *program, guint32 number);

/* Runs the handler of PROC, which must have one. ARGS and RET as PROC says, NULL where it has none. */
gboolean wire_handle(const WireProc *proc, Call *call, gconstpointer args, gpointer ret, GError **error);

/* Overwrites what VALUE of TYPE points to that is octets or text, and leaves it to be cleared. Numbers stay. */
void wire_overwrite(const WireType *type, gpointer value);

/* The flags word in ARGS; 0 if PROC has none. */
guint64 wire_flags(const WireProc *proc, gconstpointer args);

/* BYTES -> OUT, a struct of TYPE that need not be initialized. What follows the value is ignored, as libvirt does. All
 * that is allocated is bounded by a small multiple of N. FALSE with VIR_ERR_RPC and nothing in OUT to clear. */
gboolean wire_decode(const WireType *type, const guint8 *bytes, gsize n, gpointer out, GError **error);

/* Appends IN to OUT; FALSE with VIR_ERR_RPC and OUT as it was if a string, list or union is not what TYPE allows. */
gboolean wire_encode(const WireType *type, gconstpointer in, GByteArray *out, GError **error);

/* Frees what VALUE points to and zeroes it. Harmless on a zeroed VALUE. */
void wire_clear(const WireType *type, gpointer value);
