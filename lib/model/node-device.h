/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the document of a host's device means beyond its description. Any thread. */
#include "lib/model/model.h"

/* One that is there: it has a name and all its figures. */
NodeDevice *node_device_read(XmlDocument *document, GError **error);
