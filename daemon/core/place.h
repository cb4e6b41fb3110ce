/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where the daemon's own files are: installed, or beside it in the folder it was built in. Any thread. */
#include <glib.h>

/* The build folder if this program runs from one, to free; else NULL. */
char *place_build_folder(void);

/* IN_BUILD (relative to the build folder) or INSTALLED. To free. */
char *place_of(const char *in_build, const char *installed);
