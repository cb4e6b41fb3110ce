/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What QEMU, or this driver, cannot do: for complete.c. */
#include "driver-kvm/caps.h"
#include "lib/model/model.h"

/* That the emulator runs this type of domain on this architecture. */
gboolean validate_emulator(const Domain *def, const Caps *caps, GError **error);

/* ... or that it does not run so on this host. */
gboolean validate_accel(const Domain *def, const Caps *caps, GError **error);

/* What depends on the machine alone, before devices have their defaults. */
gboolean validate_machine(const Domain *def, const Caps *caps, GError **error);

/* The domain without its devices, once everything is filled in. */
gboolean validate_domain(const Domain *def, const Caps *caps, GError **error);

/* validate-disk.c: a disk's source, and what it builds on. */
gboolean validate_disk(const Domain *def, const Disk *disk, const Caps *caps, GError **error);

/* That every element and attribute of DEF has an effect: what this driver does not know how to tell QEMU must not be
 * lost in silence. VIR_ERR_CONFIG_UNSUPPORTED names the first that has none. */
gboolean validate_start(const Domain *def, const Caps *caps, GError **error);

/* validate-tuning.c: what the document asks of the host's processors and memory, as this host is now. */
gboolean validate_tuning(const Domain *def, GError **error);
/* Values that no host could have; when the document is defined. */
gboolean validate_tunable(const Domain *def, GError **error);

/* What DEF says for power off, reboot and crash goes together. Part of validate_domain. */
gboolean validate_lifecycle(const Domain *def, GError **error);
