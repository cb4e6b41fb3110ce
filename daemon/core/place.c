/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/place.h"

/* BUILD/FOLDER/PROGRAM, and a build folder is known by what builds in it. */
char *place_build_folder(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program ? program : "/");
    for (guint up = 0; up < 4; up++) {
        g_autofree char *mark = g_build_filename(folder, "build.ninja", NULL);
        if (g_file_test(mark, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&folder);
        char *above = g_path_get_dirname(folder);
        g_free(folder);
        folder = above;
    }
    return NULL;
}

char *place_of(const char *in_build, const char *installed)
{
    g_autofree char *build = place_build_folder();
    return build ? g_build_filename(build, in_build, NULL) : g_strdup(installed);
}
