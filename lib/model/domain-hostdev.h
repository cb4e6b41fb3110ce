/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Devices of the host that a guest gets: <hostdev>, and an <interface> of type hostdev, which is one in all but its name.
 * What holds for every hypervisor. The steps are apart because libvirt's order decides which of several faults is named,
 * and what a later default sees.
 */
#include "lib/model/model.h"

/* Defaults of what has just been read, and what is wrong with it alone. */
gboolean domain_normalize_hostdevs(Domain *def, GError **error);

/* Adds the SCSI controllers that host devices speak of, of the model that the others of such devices have. libvirt does so
 * twice: before the machine's own controllers, when a device without a place counts for the first one, and at the end. */
void domain_want_hostdev_controllers(Domain *def);

/* Gives a SCSI device that has none a place: the first free unit of a controller that there is, else of one that will
 * have to be made. Disks have theirs by now. */
void domain_address_hostdev(const Domain *def, Hostdev *hostdev);

/* A device is given once, and two SCSI devices have two places. */
gboolean domain_validate_hostdevs(const Domain *def, GError **error);
