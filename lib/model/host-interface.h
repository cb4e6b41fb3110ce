/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the document of a host's interface means beyond its description. Any thread. */
#include "lib/model/model.h"

/* Drops what is said beside what counts: addresses that are none, ARP requests of a bond whose links are watched. */
HostInterface *host_interface_read(XmlDocument *document, GError **error);
