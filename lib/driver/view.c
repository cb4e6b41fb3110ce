/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/driver/host.h"

VmView *vm_view_ref(VmView *view)
{
    g_atomic_ref_count_inc(&view->refs);
    return view;
}

void vm_view_unref(VmView *view)
{
    if (!view || !g_atomic_ref_count_dec(&view->refs))
        return;
    domain_unref(view->live);
    domain_unref(view->next);
    domain_unref(view->former);
    g_free(view);
}
