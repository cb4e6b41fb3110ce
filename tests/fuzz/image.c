/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first octets of an image file. */
#include "lib/image.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize length)
{
    ImageInfo info;
    image_look(data, length, length, &info);
    if (!info.format || info.backing_length > IMAGE_BACKING_MAX)
        __builtin_trap();
    return 0;
}
