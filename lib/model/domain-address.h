/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Places of devices that do not depend on the hypervisor: disks on their controllers, virtio-serial ports, and the
 * order in which a definition keeps disks and controllers. */
#include "lib/model/model.h"

#define CONTROLLERS_MAX 1024   /* of one kind; a document can name any index */
#define VIRTIO_SERIAL_PORTS 31 /* of a controller that does not say */

/* The number of a disk among those of its kind: "sda" 0, "vdb" 1, "sdaa" 26; -1 if TARGET is no such name. A partition
 * number after the letters is not counted. */
int domain_disk_number(const char *target);

/* The bus of a disk whose document names none. */
DiskBus domain_disk_bus(const Disk *disk);

/* ADDRESS, which may be NULL, is that of a drive at this place. */
gboolean domain_is_drive_at(const Address *address, guint controller, guint bus, guint target, guint unit);

/* Gives DISK, which has none, the address that follows from its target and bus. NARROW: a SCSI bus has 7 units. */
gboolean domain_address_disk(Disk *disk, GError **error);

/* Puts disks and controllers into the order libvirt keeps: DISKS as they came, but after those of the same bus with a
 * lower number; controllers likewise by index, companions after their master. */
void domain_sort_disks(Domain *def);
void domain_sort_controllers(Domain *def);

/* The controller of TYPE with INDEX; NULL if there is none. */
Controller *domain_controller(const Domain *def, ControllerType type, guint index);

/* Appends a controller; it belongs to DEF. */
Controller *domain_add_controller(Domain *def, ControllerType type, guint index, ControllerModel model);
/* The same unless there is one. */
void domain_want_controller(Domain *def, ControllerType type, guint index, ControllerModel model);

/* Numbers controllers that have no index. */
void domain_number_controllers(Domain *def);

/* Adds the controllers that disks and virtio-serial devices speak of. */
void domain_want_disk_controllers(Domain *def);
void domain_want_serial_controllers(Domain *def);
void domain_want_card_controllers(Domain *def); /* places smartcards too */

/* Gives each virtio console and channel its port. */
gboolean domain_address_virtio_serial(Domain *def, GError **error);

gboolean domain_is_ich9_usb(const Controller *controller);
