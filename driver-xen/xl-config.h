/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * The configuration files of xl and of its predecessor xm (xl.cfg(5), xl-disk-configuration(5), xl-network-configuration(5)) from and
 * to definitions. What one has and the other cannot say is an error that names it.
 */
#include "lib/model/model.h"

typedef enum { XL_CONFIG_XL, XL_CONFIG_XM } XlConfigFormat;

/* DEF, complete, as text; to free. */
char *xl_config_format(const Domain *def, XlConfigFormat format, GError **error);

/* TEXT as a domain's document, to free. VIR_ERR_CONF_SYNTAX names the line. */
char *xl_config_parse(const char *text, XlConfigFormat format, GError **error);
