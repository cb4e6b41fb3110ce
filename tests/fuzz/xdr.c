/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The codec on hostile octets: the first two choose one of all emitted types, the rest is decoded as it. What is
 * accepted must come out the same when encoded and decoded again.
 */
#include <stddef.h>
#include <stdint.h>
#include "daemon/rpc/admin-gen.h"
#include "daemon/rpc/netmsg-gen.h"
#include "daemon/rpc/qemu-gen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const WireType *choose(guint index)
{
    index %= net_n_types + remote_n_types + qemu_n_types + admin_n_types;
    if (index < net_n_types)
        return net_types[index];
    index -= net_n_types;
    if (index < remote_n_types)
        return remote_types[index];
    index -= remote_n_types;
    return index < qemu_n_types ? qemu_types[index] : admin_types[index - qemu_n_types];
}

static GByteArray *encode(const WireType *type, gconstpointer value)
{
    GByteArray *bytes = g_byte_array_new();

    g_assert_true(wire_encode(type, value, bytes, NULL));
    return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    g_autoptr(GByteArray) bytes = NULL, again = NULL;
    g_autofree gpointer value = NULL;
    const WireType *type;

    if (length < 2)
        return 0;
    type = choose(data[0] << 8 | data[1]);
    value = g_malloc(type->size);
    if (!wire_decode(type, data + 2, length - 2, value, NULL))
        return 0;
    bytes = encode(type, value);
    wire_clear(type, value);
    g_assert_true(wire_decode(type, bytes->data, bytes->len, value, NULL));
    again = encode(type, value);
    g_assert_cmpmem(bytes->data, bytes->len, again->data, again->len);
    wire_clear(type, value);
    return 0;
}
