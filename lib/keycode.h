/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Keys of a keyboard, as different systems count them. */
#include <glib.h>

#define KEYCODE_SETS 10 /* of virKeycodeSet: 0 to 9 */

/* libvirt's name of SET ("linux"). */
const char *keycode_set_name(guint set);

/* What the key CODE of SET is to QEMU; -1 if there is no such key. */
int keycode_to_qnum(guint set, guint code);
