/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which libvirt we speak like, and which of its features a client finds here. Any thread. */
#include <glib.h>

/* major * 1,000,000 + minor * 1,000 + release: the release whose protocol the descriptions hold. */
#define VERSION_LIBVIRT 9000000

/* libvirt's feature numbers travel as they are; no public header names them. */
typedef enum {
    FEATURE_FD_PASSING = 8,
    FEATURE_TYPED_PARAM_STRING = 9,
    FEATURE_PROGRAM_KEEPALIVE = 10,
    FEATURE_XML_MIGRATABLE = 11,
    FEATURE_REMOTE_EVENT_CALLBACK = 14,
    FEATURE_REMOTE_CLOSE_CALLBACK = 15,
    FEATURE_NETWORK_UPDATE_HAS_CORRECT_ORDER = 16,
} Feature;

/* NUMBER may be any. */
gboolean version_has_feature(int number);
