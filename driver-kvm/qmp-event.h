/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the files behind guest_on_event() share: qmp-event.c has what changes how a guest runs, qmp-event-device.c the rest. */
#include "driver-kvm/guest.h"

typedef struct {
    const char *name; /* NULL: the end of the table */
    void (*fn)(Guest *guest, JsonObject *data);
} QmpEventRow;

extern const QmpEventRow qmp_event_devices[];

int qmp_event_state(Guest *guest); /* virDomainState, as it is published */
void qmp_event_pause(Guest *guest, int reason); /* publishes that, and tells clients */
const char *qmp_event_text(JsonObject *object, const char *name); /* "" if it is not there */
