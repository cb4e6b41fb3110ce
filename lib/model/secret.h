/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a secret's document means beyond its description. Any thread. */
#include "lib/model/model.h"

/* Reads a definition: makes up a UUID where it has none, drops a use that is none. */
Secret *secret_read(XmlDocument *document, GError **error);
