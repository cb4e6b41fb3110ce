/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Members of a JSON object that are there only where the model has a value. QEMU tells booleans from its "on"/"off" (and
 * "auto") properties, so there are two ways to write a Toggle. */
#include <json-glib/json-glib.h>
#include "lib/model/model.h"

JsonObject *props_new(const char *key, const char *value); /* an object that begins with KEY: VALUE */

void props_string(JsonObject *props, const char *key, const char *value);   /* unless NULL */
void props_format(JsonObject *props, const char *key, const char *format, ...) G_GNUC_PRINTF(3, 4);
void props_int(JsonObject *props, const char *key, gint64 value);           /* always */
void props_uint(JsonObject *props, const char *key, guint32 value);         /* unless UNSET32 */
void props_positive(JsonObject *props, const char *key, guint32 value);     /* unless UNSET32 or 0 */
void props_bool(JsonObject *props, const char *key, gboolean value);        /* always */
void props_toggle(JsonObject *props, const char *key, Toggle value);        /* true, false; unless unset */
void props_on_off(JsonObject *props, const char *key, Toggle value);        /* "on", "off"; unless unset */
void props_null(JsonObject *props, const char *key);

/* Any struct with the members of group `virtio` may be given (NULL too: nothing is written). */
#define props_virtio(props, options)                                        \
    do {                                                                    \
        if (options) {                                                      \
            props_toggle((props), "iommu_platform", (options)->iommu);      \
            props_toggle((props), "ats", (options)->ats);                   \
            props_toggle((props), "packed", (options)->packed);             \
            props_toggle((props), "page-per-vq", (options)->page_per_vq);   \
        }                                                                   \
    } while (0)

/* "on" or "off"; NULL if unset. */
const char *toggle_words(Toggle value);
