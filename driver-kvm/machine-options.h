/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What machines of one architecture can be told beside devices: one table says where a document has it, for which
 * machines it is, and what QEMU calls it. Any thread. */
#include "driver-kvm/caps.h"
#include "lib/model/model.h"

/* Features that DEF's machine does not know are VIR_ERR_CONFIG_UNSUPPORTED. */
gboolean machine_options_validate(const Domain *def, const Caps *caps, GError **error);

/* Appends them to TEXT, the value of -machine, each behind a comma. */
void machine_options_keys(const Domain *live, GString *text);     /* behind the USB switch: which keys s390 wraps */
void machine_options_features(const Domain *live, GString *text); /* ... of the features */
void machine_options_load(const Domain *live, GString *text);     /* ... of what is booted */
