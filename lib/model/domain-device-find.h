/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Which device of a definition somebody means, and whether there can be another one like it. In libvirt's words, which
 * differ between a guest that runs (LIVE) and a definition, and from kind to kind.
 *
 * A device means one that says all that it says, and perhaps more: an address or a terminal that was found at the start
 * need not be named. Of several the first is meant, but for cards. libvirt compares some kinds in whole and finds less.
 */
#include "lib/model/domain-device.h"

/* Borrowed from DEF; NULL with ERROR. */
gpointer domain_device_find(const Domain *def, const DomainDevice *wanted, gboolean live, GError **error);

/* There is no such device in the way of WANTED in DEF. */
gboolean domain_device_check_new(const Domain *def, const DomainDevice *wanted, GError **error);
