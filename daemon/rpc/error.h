/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The one place where a GError becomes what a client reads. Any thread. */
#include "daemon/rpc/frame.h"

/* A finished message with HEADER, whose status becomes NET_ERROR, that carries ERROR. */
GByteArray *error_message(FrameHeader header, const GError *error);
