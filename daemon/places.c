/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/places.h"

#include "daemon/daemon-config.h"

/* The folder of the build that this program lies in, to free; NULL: it is installed. */
static char *build_folder(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = g_path_get_dirname(program ? program : "/");
    g_autofree char *build = g_path_get_dirname(folder);
    g_autofree char *mark = g_build_filename(build, "build.ninja", NULL);

    return g_file_test(mark, G_FILE_TEST_EXISTS) ? g_steal_pointer(&build) : NULL;
}

static char *launcher(void)
{
    g_autofree char *build = build_folder();

    return build ? g_build_filename(build, LAUNCHER_IN_BUILD, NULL) : g_strdup(LAUNCHER_INSTALLED);
}

Places *places_new(const char *root)
{
    g_autofree char *base = root ? g_canonicalize_filename(root, NULL) : g_strdup("/");
    Places *places = g_new0(Places, 1);

    places->driver.run = g_build_filename(base, "run/duovirt", NULL);
    places->driver.state = g_build_filename(base, "var/lib/duovirt", NULL);
    places->driver.cache = g_build_filename(base, "var/cache/duovirt", NULL);
    places->driver.log = g_build_filename(base, "var/log/duovirt", NULL);
    places->driver.launcher = launcher();
    places->sockets = g_build_filename(base, "run/libvirt", NULL);
    places->lock = g_build_filename(places->driver.run, "duovirtd.lock", NULL);
    places->config = g_build_filename(base, "etc/duovirt/duovirtd.conf", NULL);
    return places;
}

void places_free(Places *places)
{
    if (!places)
        return;
    g_free((char *)places->driver.run);
    g_free((char *)places->driver.state);
    g_free((char *)places->driver.cache);
    g_free((char *)places->driver.log);
    g_free((char *)places->driver.launcher);
    g_free(places->sockets);
    g_free(places->lock);
    g_free(places->config);
    g_free(places);
}
