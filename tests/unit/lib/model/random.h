/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Objects filled at random with what the description allows: for round trips. */
#include "lib/model/table.h"

/* A new object of TYPE as the parser could have made it: defaults set, nothing that its conditions exclude. */
gpointer random_object(const ModelType *type, GRand *rand);
