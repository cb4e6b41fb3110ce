/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What no hypervisor can make sense of, in a definition that is complete. */
#include "lib/model/model.h"

/* Of controllers alone, which can be said before anything has its place. */
gboolean domain_validate_controllers(const Domain *def, GError **error);

/* Parts of domain_validate(): disks; interfaces, channels, displays; processors, labels and what sets limits. */
gboolean domain_validate_disks(const Domain *def, GError **error);
gboolean domain_validate_devices(const Domain *def, GError **error);
gboolean domain_validate_tuning(const Domain *def, GError **error);

/* A device whose ROM is off has nothing to say of it. ROM may be NULL. */
gboolean domain_validate_rom(const Rom *rom, GError **error);

/* A device that is not virtio has none of its options. */
gboolean domain_validate_no_virtio(Toggle iommu, Toggle ats, Toggle packed, Toggle page_per_vq, GError **error);

gboolean domain_validate(const Domain *def, GError **error);
