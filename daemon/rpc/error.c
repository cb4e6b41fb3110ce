/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/rpc/error.h"

#include "lib/error.h"

GByteArray *error_message(FrameHeader header, const GError *error)
{
    const char *detail = error_detail(error);
    gboolean has_detail = detail[0] != '\0';
    virErrorNumber code = error_code(error);
    int errnum = error_errno(error);
    int none = error_is_plain(error) ? 0 : -1; /* libvirt's for errors about an argument, and for all others */
    NetMessageError wire = {
        .code = code,
        .domain = error_from(error),
        .message = error->message,
        .level = VIR_ERR_ERROR,
        .str1 = (char *)error_format(code, has_detail),
        .str2 = has_detail ? (char *)detail : NULL,
        .int1 = errnum > 0 ? errnum : none,
        .int2 = none,
    };
    GByteArray *message;

    header.status = NET_ERROR;
    message = frame_begin(&header);
    /* Texts of errors are bounded far below what a message may carry. */
    if (!wire_encode(&net_message_error_type, &wire, message, NULL) || !frame_finish(message, NULL))
        g_assert_not_reached();
    return message;
}
