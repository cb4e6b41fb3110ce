/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * How a domain begins and ends with its host. What libvirt has no word for is said in an element of ours among the domain's
 * metadata, where every client can read and set it and libvirtd keeps it:
 *
 *   <metadata>
 *     <duovirt:host xmlns:duovirt='urn:duovirt:host'>
 *       <duovirt:start order='10' delay='5'>
 *         <duovirt:after domain='database' required='yes'/>
 *       </duovirt:start>
 *       <duovirt:stop action='save' timeout='60'/>
 *     </duovirt:host>
 *   </metadata>
 *
 * Ruled out: elements or attributes of ours in the rest of the document, which libvirt's tools drop or refuse, and a file of
 * our own beside it, which no client of libvirt could edit.
 */
#include <glib.h>
#include "lib/model/model.h"

#define HOST_POLICY_URI "urn:duovirt:host"
#define HOST_ORDER_LAST 10000   /* of a domain that says nothing: after those that do */
#define HOST_SECONDS_MAX 86400

typedef enum {
    HOST_STOP_SAVE,     /* managed save; where that cannot be, as shutdown */
    HOST_STOP_SHUTDOWN, /* asked to shut down; off when its time is over */
    HOST_STOP_OFF,      /* off at once; QEMU still writes its caches */
    HOST_STOP_LEAVE,    /* nothing is done */
    HOST_STOP_UNSET,    /* in the configuration: shutdown, or save in a user's own daemon */
} HostStop;

extern const char *const host_stop_names[]; /* by HostStop, NULL terminated */

/* What holds for a domain that says nothing, and for all together: from the configuration. */
typedef struct {
    guint parallel;     /* starts, or ends, at a time */
    guint delay;        /* seconds after a start before what comes later begins */
    guint stop;         /* HostStop */
    guint stop_timeout; /* seconds that the end of all may take */
} HostRules;

typedef struct {
    char *domain; /* its name */
    gboolean required;
} HostAfter;

typedef struct {
    guint order;   /* 0 to HOST_ORDER_LAST: lower ones start before and end after */
    guint delay;   /* seconds */
    GArray *after; /* of HostAfter */
    guint stop;    /* HostStop */
    guint stop_timeout; /* seconds; 0: as much as there is */
} HostPolicy;

/* What DEFINITION says, and RULES for the rest. What is wrong in it is left out and told in RET_COMPLAINT (to free; NULL if
 * all is well). Never NULL. */
HostPolicy *host_policy_new(const Domain *definition, const HostRules *rules, char **ret_complaint);
void host_policy_free(HostPolicy *policy); /* NULL is allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HostPolicy, host_policy_free)
