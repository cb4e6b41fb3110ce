/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Typed parameters between lib/params.h and the wire. */
#include "daemon/rpc/remote-gen.h"
#include "lib/params.h"

/* PARAMS as the remote program's list; to be freed with the reply it goes into. NULL if there are none. */
RemoteTypedParam *wire_params(const Params *params, guint32 *ret_n);

/* The same, where all texts stay PARAMS's: only the list is to be freed. */
RemoteTypedParam *wire_params_borrow(const Params *params, guint32 *ret_n);

/* The remote program's list as parameters of our own. */
Params *wire_params_read(const RemoteTypedParam *params, guint32 n);
