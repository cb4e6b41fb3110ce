/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * Who wants to know what happens to which domain. Emitting is possible from any thread and never waits; sinks are called
 * on the event loop, one after the other, in the order of emission.
 */
#include "daemon/core/vm.h"

/* The domain an event is about, as it was when the event was emitted. Borrowed. */
typedef struct {
    const DriverInstance *instance;
    const guint8 *uuid;
    const char *name;
    int id;
} EventSource;

typedef void (*EventSink)(const EventSource *source, const VmEvent *event, gpointer data);

/* Loop thread of the sinks. Before the first emit. */
void event_open(Loop *loop);

/* Waits until what was emitted so far has been delivered, for a moment at most. A client without an event loop of its own
 * sees an event only with an answer that comes after it. Any thread; on the sinks' loop it does nothing. */
void event_settle(void);

/* SINK(DATA) will be called for events EVENT_ID (virDomainEventID) of the domain UUID (NULL: all) of INSTANCE. DESTROY
 * (may be NULL) frees DATA when no call is or comes. Returns a number above 0. Any thread. */
int event_subscribe(const DriverInstance *instance, int event_id, const guint8 *uuid, EventSink sink, gpointer data,
                    GDestroyNotify destroy);

/* FALSE if there is no such subscription. A call that has begun on the event loop may still be at it. Any thread. */
gboolean event_unsubscribe(int subscription);

/* Copies EVENT. Any thread. */
void event_emit(Vm *vm, const VmEvent *event);
void event_emit_lifecycle(Vm *vm, int event, int detail);
/* The same under another name than the domain has now (rename). */
void event_emit_lifecycle_as(Vm *vm, const char *name, int event, int detail);
