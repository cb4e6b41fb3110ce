/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/places.h"

#include <unistd.h>

#include "daemon/core/place.h"
#include "daemon/daemon-config.h"

static void set_system(Places *places, const char *root)
{
    g_autofree char *base = root ? g_canonicalize_filename(root, NULL) : g_strdup("/");

    places->driver.run = g_build_filename(base, "run/duovirt", NULL);
    places->driver.state = g_build_filename(base, "var/lib/duovirt", NULL);
    places->driver.cache = g_build_filename(base, "var/cache/duovirt", NULL);
    places->driver.log = g_build_filename(base, "var/log/duovirt", NULL);
    places->sockets = g_build_filename(base, "run/libvirt", NULL);
    places->config = root ? g_build_filename(base, "etc/duovirt/duovirtd.conf", NULL) : g_strdup(CONFIG_FILE);
    g_autofree char *folder = g_path_get_dirname(places->config);
    places->hooks = g_build_filename(folder, "hooks", NULL);
}

/* The XDG base directories, and for the sockets the place where libvirt's clients look for those of a session. */
static void set_session(Places *places)
{
    places->session = TRUE;
    places->driver.run = g_build_filename(g_get_user_runtime_dir(), "duovirt", NULL);
    places->driver.state = g_build_filename(g_get_user_data_dir(), "duovirt", NULL);
    places->driver.cache = g_build_filename(g_get_user_cache_dir(), "duovirt", NULL);
    places->driver.log = g_build_filename(g_get_user_cache_dir(), "duovirt", "log", NULL);
    places->sockets = g_build_filename(g_get_user_runtime_dir(), "libvirt", NULL);
    places->config = g_build_filename(g_get_user_config_dir(), "duovirt", "duovirtd.conf", NULL);
}

Places *places_new(const char *root)
{
    Places *places = g_new0(Places, 1);

    if (!root && geteuid() != 0)
        set_session(places);
    else
        set_system(places, root);
    places->driver.launcher = place_of("driver-kvm/launch/duovirt-launch", PROGRAM_FOLDER "/duovirt-launch");
    places->driver.probe = place_of("driver-kvm/duovirt-probe", PROGRAM_FOLDER "/duovirt-probe");
    places->lock = g_build_filename(places->driver.run, "duovirtd.lock", NULL);
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
    g_free((char *)places->driver.probe);
    g_free(places->sockets);
    g_free(places->lock);
    g_free(places->config);
    g_free(places->hooks);
    g_free(places);
}
