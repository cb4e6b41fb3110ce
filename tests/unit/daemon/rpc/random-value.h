/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Fills VALUE, a struct of TYPE, with something its description allows: short strings, lists of up to MEMBERS. */
#include "daemon/rpc/wire.h"

void random_value(const WireType *type, gpointer value, guint members, GRand *rand);
