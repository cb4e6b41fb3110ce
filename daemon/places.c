/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/places.h"

#include "daemon/core/place.h"
#include "daemon/daemon-config.h"

Places *places_new(const char *root)
{
    g_autofree char *base = root ? g_canonicalize_filename(root, NULL) : g_strdup("/");
    Places *places = g_new0(Places, 1);

    places->driver.run = g_build_filename(base, "run/duovirt", NULL);
    places->driver.state = g_build_filename(base, "var/lib/duovirt", NULL);
    places->driver.cache = g_build_filename(base, "var/cache/duovirt", NULL);
    places->driver.log = g_build_filename(base, "var/log/duovirt", NULL);
    places->driver.launcher = place_of("driver-kvm/launch/duovirt-launch", PROGRAM_FOLDER "/duovirt-launch");
    places->driver.probe = place_of("driver-kvm/duovirt-probe", PROGRAM_FOLDER "/duovirt-probe");
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
    g_free((char *)places->driver.probe);
    g_free(places->sockets);
    g_free(places->lock);
    g_free(places->config);
    g_free(places);
}
