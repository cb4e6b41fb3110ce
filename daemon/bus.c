/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/bus.h"

#include "lib/error.h"

struct Bus {
    Loop *loop;
    sd_bus *connection;
};

Bus *bus_new(Loop *loop)
{
    Bus *bus = g_new0(Bus, 1);

    bus->loop = loop;
    return bus;
}

static void drop(Bus *bus)
{
    if (bus->connection) {
        sd_bus_detach_event(bus->connection);
        bus->connection = sd_bus_close_unref(bus->connection);
    }
}

void bus_free(Bus *bus)
{
    if (!bus)
        return;
    drop(bus);
    g_free(bus);
}

sd_bus *bus_connect(Bus *bus, GError **error)
{
    int r;

    if (bus->connection && sd_bus_is_open(bus->connection) > 0)
        return bus->connection;
    drop(bus);
    r = sd_bus_open_system(&bus->connection);
    if (r >= 0)
        r = sd_bus_attach_event(bus->connection, loop_event(bus->loop), SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        return bus->connection;
    drop(bus);
    error_set_errno(error, VIR_FROM_DBUS, -r, "Unable to get DBus system bus connection");
    return NULL;
}
