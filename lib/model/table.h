/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The emitted tables: what the walker knows of a struct. Only lib/model/ and tests of it include this; everybody else
 * sees ModelType as opaque (model.h).
 */
#include "lib/model/model.h"

typedef enum {
    MODEL_STRING, /* char *; the first four are kept as text */
    MODEL_MAC,    /* char *, in lower case */
    MODEL_IP,     /* char *, as libvirt writes addresses */
    MODEL_CPUSET, /* char *, in the shortest form */
    MODEL_INT32,
    MODEL_UINT32,
    MODEL_INT64,
    MODEL_UINT64,
    MODEL_SIZE,   /* guint64, counted in `scale` bytes, with a unit attribute beside it */
    MODEL_YESNO,
    MODEL_ONOFF,
    MODEL_FLAG,   /* gboolean: the element is there or not */
    MODEL_ENUM,
    MODEL_UUID,
    MODEL_XML,    /* char *: the element as it stands */
    MODEL_STRUCT, /* pointer */
    MODEL_LIST,   /* GPtrArray of pointers */
} ModelKind;

typedef enum { MODEL_ATTRIBUTE, MODEL_ELEMENT, MODEL_CONTENT } ModelPlace;

typedef enum {
    MODEL_REQUIRED = 1 << 0,
    MODEL_HIDE = 1 << 1,       /* not written when it has its default value */
    MODEL_KEEP = 1 << 2,       /* an element that says something even when it is empty */
    MODEL_ALWAYS = 1 << 3,     /* an element that the parser supplies where it is absent */
    MODEL_CHANGEABLE = 1 << 4, /* may change while the domain runs */
    MODEL_ABI = 1 << 5,        /* what the guest sees */
    MODEL_SECRET = 1 << 6,     /* written with MODEL_FORMAT_SECURE only */
    MODEL_RUNNING = 1 << 7,    /* only a running object has it, only its document shows it */
    MODEL_STATUS = 1 << 8,     /* only our own saved state has it */
    MODEL_POSITIVE = 1 << 9,   /* zero is an error */
    MODEL_NOZERO = 1 << 10,    /* zero says the same as nothing */
    MODEL_TWIN = 1 << 11,      /* an earlier field describes the same member under other conditions */
    MODEL_ANY = 1 << 12,       /* -1 in the document is 0 here: any */
    MODEL_UPPER = 1 << 13,     /* hexadecimal digits are written in upper case */
    MODEL_NONEMPTY = 1 << 14,  /* an empty string says the same as nothing */
    MODEL_LAX = 1 << 15,       /* a wrong value says the same as nothing */
    MODEL_SIGNED = 1 << 16,    /* libvirt reads an integer: its words for what is none, and for less than zero */
    MODEL_TRANSIENT = 1 << 17, /* a definition that is read drops it; a document that goes elsewhere leaves it out */
    MODEL_NAME = 1 << 18,      /* tells which of several elements the struct is: an enumeration, written as the element's name */
} ModelMark;

struct ModelEnum {
    const char *name;
    const char *const *values; /* the string of constant n is values[n - 1] */
    guint n_values;
};

typedef struct {
    const char *attribute; /* an enumeration or a Toggle */
    guint outer;           /* of which element: so many levels up */
    guint64 values;        /* bit n: constant n; bit 0: absent */
} ModelCondition;

typedef struct {
    const char *prefix;
    const char *href;
} ModelNamespace;

typedef struct {
    const char *xml;
    const char *parent; /* the text element that carries this attribute; NULL for the struct's own element */
    const ModelNamespace *space;
    guint16 offset;
    guint8 kind;
    guint8 place;
    guint32 marks;
    guint8 hex;                       /* 1 + digits of a number written as 0x...; 0: decimal */
    guint8 base;                      /* a number is read in this base; 0: its prefix says */
    const ModelType *type;            /* MODEL_STRUCT, MODEL_LIST */
    const ModelEnum *values;          /* MODEL_ENUM */
    const ModelCondition *conditions; /* all hold, or the field is not there */
    guint n_conditions;
    const char *initial;              /* what the parser supplies where it is absent */
    const char *blank;                /* what is written where it is unset */
    const char *match;                /* of several elements of one name: the one whose attribute `match` ... */
    const char *match_value;          /* ... has this value; NULL: is absent */
    const char *mirror;               /* shows, where there is one, the first element of this name: ... */
    const char *mirror_attribute;     /* ... its attribute of this name */
    const char *pattern;              /* MODEL_STRING: a regular expression for the whole of it */
    char *(*form)(const char *text);  /* MODEL_STRING: TEXT as it is kept, to free; NULL: it is wrong (form.h) */
    const char *kept;                 /* MODEL_RUNNING: a value that begins so belongs to the definition too */
    const char *unit;                 /* MODEL_SIZE: written unit; NULL: the largest that divides */
    guint64 scale;                    /* MODEL_SIZE: bytes in one of what is stored */
    guint64 default_scale;            /* MODEL_SIZE: bytes in one of what is read without a unit */
    guint64 only;                     /* MODEL_ENUM: bit n: constant n is allowed; 0: all are */
    gint64 min;                       /* of a signed number: G_MININT64 for none */
    guint64 max;                      /* 0: none */
    const char *bad;                  /* libvirt's own words for a wrong value; %s is the value */
    int bad_code;                     /* virErrorNumber, virErrorDomain << 16 */
    const char *high;                 /* libvirt's own words for a number beyond its limits */
    int high_code;
    const char *missing;              /* libvirt's own words where it is required and absent; %s is the type */
    int missing_code;
    const char *once;                 /* libvirt's own words for a second such element; NULL: the first one counts */
    int once_code;
    const char *refused;              /* libvirt's own words for this attribute where its conditions hold; NULL: it is taken */
    int refused_code;
} ModelField;

struct ModelType {
    const char *name; /* "DiskSource" */
    const char *xml;  /* element, where a struct has one of its own */
    gsize size;
    gboolean root;    /* begins with a gatomicrefcount */
    const ModelField *fields;
    guint n_fields;
    const guint8 *attributes; /* indices of the attributes, each after those that its conditions speak of */
    guint n_attributes;
    const char *unknown; /* libvirt's words for an element that is not described; NULL: it is ignored */
    int unknown_code;
    const char *generated; /* attribute (a Toggle): where it is on, a definition does not show the element; or NULL */
    gboolean wide;         /* never closed at once: an empty one has an end tag of its own */
};

/* Every struct, ended by NULL (tests). */
extern const ModelType *const model_types[];

#define MODEL_MEMBER(object, field, c_type) (*(c_type *)((char *)(object) + (field)->offset))
#define MODEL_MEMBER_CONST(object, field, c_type) (*(c_type const *)((const char *)(object) + (field)->offset))

/* The members of a MODEL_LIST. */
static inline GPtrArray *model_list(const ModelField *field, gconstpointer object)
{
    return MODEL_MEMBER_CONST(object, field, GPtrArray *);
}

/* True if FIELD says the same in A and B, two objects of the type that it is of. */
gboolean model_member_equal(const ModelField *field, gconstpointer a, gconstpointer b);

/* True if OBJECT's FIELD holds nothing. */
gboolean model_is_unset(const ModelField *field, gconstpointer object);

/* scalar.c: the value of one attribute or text element. */

/* Reads TEXT (and UNIT, which may be NULL, for a size) into OBJECT, which stays as it is where TEXT says nothing. NAME
 * and ELEMENT are for messages; NAME is NULL for an element's text. */
gboolean model_scalar_parse(const ModelField *field, gpointer object, const char *text, const char *unit,
                            const char *name, const char *element, GError **error);

/* As libvirt spells it, to free; NULL if unset. RET_UNIT (static) is set for a size, else NULL. */
char *model_scalar_format(const ModelField *field, gconstpointer object, const char **ret_unit);

/* The element that OBJECT is, where its type may be one of several; else NULL. */
const char *model_element_name(const ModelType *type, gconstpointer object);

/* Of a list of elements of several names ("<>") the one that NAME is, or 0. */
guint model_element_named(const ModelField *list, const char *name);

/* unknown.c. Of the attributes (or, if ELEMENTS, elements) of TYPE the one whose name is nearest to NAME; or NULL. */
const char *model_nearest(const ModelType *type, const char *name, gboolean elements);

/* An element within others. */
typedef struct ModelFrame {
    const ModelType *type;
    gconstpointer object;
    const struct ModelFrame *outer; /* NULL: not known; conditions on it hold */
} ModelFrame;

/* True if the conditions of FIELD hold in FRAME's object. */
gboolean model_applies(const ModelField *field, const ModelFrame *frame);
