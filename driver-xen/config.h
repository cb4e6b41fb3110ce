/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A domain as libxl wants it described (libxl.h's types, xl.cfg(5) for what they mean). */
#include <libxl.h>
#include <libxl_utils.h>

#include "lib/model/model.h"

/* Fills RET_CONFIG, which libxl_domain_config_init() has made, from LIVE, a complete definition. VIR_ERR_CONFIG_UNSUPPORTED
 * names what libxl does not have. */
gboolean config_build(libxl_ctx *libxl, const Domain *live, libxl_domain_config *config, GError **error);

/* Of a guest on a device model's hardware: what that is, and how it boots. INFO is of that type. */
gboolean config_hvm(const Domain *live, libxl_domain_build_info *info, GError **error);

/* Of one device, made by libxl_device_..._init(). */
gboolean config_disk(const Disk *disk, libxl_device_disk *config, GError **error);
gboolean config_nic(const Domain *live, const Interface *interface, gboolean plugged, libxl_device_nic *config, GError **error);

/* NAME, of an interface's host side, is none that somebody has chosen: NULL, or as libxl makes them. */
gboolean config_is_generated(const char *name);

/* In xl's words, to free by free(): the order of boot devices, and one serial port (NULL with ERROR). */
char *config_boot_order(const Domain *live);
char *config_serial(const Chardev *serial, GError **error);

/* Strings that libxl will free. */
char *config_dup(const char *text);
