/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* One device by itself, as clients name it to add it, to change it or to take it away: an element of <devices>. */
#include "lib/model/model.h"

typedef struct {
    const char *name; /* its element: "disk"; static */
    const ModelType *type;
    gsize offset;    /* in Devices */
    gboolean single; /* a pointer there, not a list */
    gpointer device; /* owned */
} DomainDevice;

void domain_device_clear(DomainDevice *device);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DomainDevice, domain_device_clear)

/* FLAGS: of ModelParse. */
gboolean domain_device_parse(const XmlNode *node, guint flags, DomainDevice *ret_device, GError **error);

/* Appends a copy of what DEVICE holds; borrowed from DEF. NULL where there can be one only, and is. A first serial port
 * brings its console with it, and takes it along when it is dropped. */
gpointer domain_device_add(Domain *def, const DomainDevice *device);

/* Takes HELD, which is of DEVICE's kind and in DEF, out and frees it. */
void domain_device_drop(Domain *def, const DomainDevice *device, gpointer held);

/* A copy of what DEVICE holds takes the place of HELD. */
void domain_device_replace(Domain *def, const DomainDevice *device, gpointer held);

guint domain_device_count(const Domain *def, const DomainDevice *device);
gpointer domain_device_at(const Domain *def, const DomainDevice *device, guint index);

/* The device of DEF that has ALIAS; its kind goes to RET_KIND, whose `device` stays NULL. */
gpointer domain_device_by_alias(const Domain *def, const char *alias, DomainDevice *ret_kind);

/* Its <alias> and <address>; NULL if it has none. */
const char *domain_device_alias(const DomainDevice *kind, gconstpointer held);

/* The name of the first attribute or element that WANTED has and HELD has not, or otherwise; NULL: HELD says everything
 * that WANTED says, and perhaps more. Both are of TYPE. */
const char *domain_device_difference(const ModelType *type, gconstpointer held, gconstpointer wanted);
