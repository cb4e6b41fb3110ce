/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/keycode.h"

#define QNUM 9
#define QNUM_MAX 0xffff

/* COUNT keys from CODE on; each is STEP more to QEMU than the one before. */
typedef struct {
    guint16 code, count, key, step;
} KeyRun;

#include "lib/keycodes-gen.h"

#define SET(keys) keys, G_N_ELEMENTS(keys)

/* In the order of virKeycodeSet. */
static const struct {
    const char *name;
    const KeyRun *runs;
    gsize n_runs;
} sets[KEYCODE_SETS] = {
    {"linux", SET(linux_keys)},   {"xt", SET(xt_keys)},         {"atset1", SET(atset1_keys)}, {"atset2", SET(atset2_keys)},
    {"atset3", SET(atset3_keys)}, {"os_x", SET(os_x_keys)},     {"xt_kbd", SET(xt_kbd_keys)}, {"usb", SET(usb_keys)},
    {"win32", SET(win32_keys)},   {"qnum", NULL, 0},
};

const char *keycode_set_name(guint set)
{
    return set < KEYCODE_SETS ? sets[set].name : NULL;
}

int keycode_to_qnum(guint set, guint code)
{
    if (set == QNUM)
        return code <= QNUM_MAX ? (int)code : -1;
    for (gsize i = 0; set < KEYCODE_SETS && i < sets[set].n_runs; i++) {
        const KeyRun *run = &sets[set].runs[i];

        if (code >= run->code && code - run->code < run->count)
            return (int)(run->key + (code - run->code) * run->step);
    }
    return -1;
}
