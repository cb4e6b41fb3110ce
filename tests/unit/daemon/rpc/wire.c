/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The codec. Every emitted type is walked: random values round trip, no prefix of an encoding is accepted, no change of
 * octets does harm. Limits and the exact octets are tried on tests/gen/rpc/toy.idl, and on what libvirt sends.
 */
#include "daemon/rpc/wire.h"

#include <string.h>
#include "daemon/rpc/admin-gen.h"
#include "daemon/rpc/keepalive-gen.h"
#include "daemon/rpc/netmsg-gen.h"
#include "daemon/rpc/qemu-gen.h"
#include "daemon/rpc/toy-gen.h"
#include "daemon/rpc/xdr.h"
#include "lib/error.h"
#include "random-value.h"

static const struct {
    const WireType *const *types;
    const guint *n;
} tables[] = {
    {net_types, &net_n_types},     {remote_types, &remote_n_types}, {qemu_types, &qemu_n_types},
    {admin_types, &admin_n_types}, {toy_types, &toy_n_types},
};

static const WireProgram *const programs[] = {&remote_program, &qemu_program, &admin_program, &keepalive_program,
                                              &toy_program};

#define DECODE "Unable to decode message payload: "
#define ENCODE "Unable to encode message payload: "

typedef void (*TypeTest)(const WireType *type, GRand *rand);

static void each_type(gconstpointer data)
{
    TypeTest test = *(const TypeTest *)data;
    g_autoptr(GRand) rand = g_rand_new_with_seed(g_test_rand_int());

    for (guint i = 0; i < G_N_ELEMENTS(tables); i++)
        for (guint j = 0; j < *tables[i].n; j++)
            test(tables[i].types[j], rand);
}

static GByteArray *random_bytes(const WireType *type, GRand *rand)
{
    g_autofree gpointer value = g_malloc0(type->size);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    random_value(type, value, 3, rand);
    wire_encode(type, value, bytes, &error);
    g_assert_no_error(error);
    wire_clear(type, value);
    return g_steal_pointer(&bytes);
}

/* A piece of memory of exactly N octets, so that a sanitizer sees the first one too many. */
static gboolean decode_exact(const WireType *type, const guint8 *bytes, gsize n, gpointer out, GError **error)
{
    g_autofree guint8 *copy = g_memdup2(bytes, n);

    return wire_decode(type, copy, n, out, error);
}

static void round_trip(const WireType *type, GRand *rand)
{
    for (guint i = 0; i < 20; i++) {
        g_autoptr(GByteArray) bytes = random_bytes(type, rand);
        g_autoptr(GByteArray) again = g_byte_array_new();
        g_autofree gpointer value = g_malloc(type->size);
        g_autoptr(GError) error = NULL;

        g_assert_cmpuint(bytes->len, >=, type->min_size);
        g_assert_cmpuint(bytes->len % 4, ==, 0);
        decode_exact(type, bytes->data, bytes->len, value, &error);
        g_assert_no_error(error);
        wire_encode(type, value, again, &error);
        g_assert_no_error(error);
        g_assert_cmpmem(bytes->data, bytes->len, again->data, again->len);
        wire_clear(type, value);
        for (gsize j = 0; j < type->size; j++)
            g_assert_cmpuint(((guint8 *)value)[j], ==, 0);
    }
}

/* What a value points to itself is gone, nothing else is touched, and it can be cleared. */
static void overwritten(const WireType *type, GRand *rand)
{
    for (guint i = 0; i < 20; i++) {
        g_autofree gpointer value = g_malloc0(type->size);

        random_value(type, value, 3, rand);
        wire_overwrite(type, value);
        for (guint k = 0; k < type->n_fields && !type->is_union; k++) {
            const WireField *field = &type->fields[k];
            const char *const *text = (const char *const *)(gpointer)((guint8 *)value + field->offset);
            gboolean single = field->repeat == WIRE_ONE || field->repeat == WIRE_OPTIONAL;

            if (field->kind == WIRE_STRING && single && *text)
                g_assert_cmpstr(*text, ==, "");
        }
        wire_clear(type, value);
    }
}

static void truncated(const WireType *type, GRand *rand)
{
    g_autoptr(GByteArray) bytes = random_bytes(type, rand);
    g_autofree guint8 *value = g_malloc(type->size);

    for (gsize n = 0; n < bytes->len; n++) {
        g_autoptr(GError) error = NULL;

        memset(value, 0x55, type->size);
        g_assert_false(decode_exact(type, bytes->data, n, value, &error));
        g_assert_true(error_is(error, VIR_ERR_RPC));
        for (gsize j = 0; j < type->size; j++)
            g_assert_cmpuint(value[j], ==, 0);
    }
}

static void changed(const WireType *type, GRand *rand)
{
    for (guint i = 0; i < 50; i++) {
        g_autoptr(GByteArray) bytes = random_bytes(type, rand);
        g_autofree gpointer value = g_malloc(type->size);

        for (gint j = g_rand_int_range(rand, 1, 4); j > 0; j--)
            bytes->data[g_rand_int_range(rand, 0, bytes->len)] = g_rand_boolean(rand) ? g_rand_int(rand) : 0xff;
        if (decode_exact(type, bytes->data, bytes->len, value, NULL))
            wire_clear(type, value);
    }
}

/* What a list may ask for in memory, for each octet that is there: never more than 16. */
static void bounded(const WireType *type, GRand *rand)
{
    for (guint i = 0; i < type->n_fields; i++) {
        const WireField *field = &type->fields[i];

        g_assert_cmpuint(field->offset, <, type->size);
        if (field->kind == WIRE_STRING)
            g_assert_cmpuint(field->length, >, 0);
        if (field->repeat == WIRE_LIST)
            g_assert_cmpuint(field->max, >, 0);
        if (field->kind == WIRE_STRUCT)
            g_assert_cmpuint(field->type->size, <=, 16 * field->type->min_size);
    }
}

static void test_toy_octets(void)
{
    static const guint8 expected[] = {
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfd,
        0xff, 0xff, 0xff, 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xfc, 0xbf, 0xf8, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c', 0,
    };
    ToyScalars value = {.c = -1, .uc = 0xff, .s = -2, .us = 0xfffe, .i = -3, .ui = 0xfffffffd, .h = -4,
                        .uh = G_GUINT64_CONSTANT(0xfffffffffffffffc), .d = -1.5, .raw = {'a', 'b', 'c'}};
    g_autoptr(GByteArray) out = g_byte_array_new();

    g_assert_true(wire_encode(&toy_scalars_type, &value, out, NULL));
    g_assert_cmpmem(out->data, out->len, expected, sizeof(expected));
}

/* char is a unit each, opaque is packed, a short is a unit. */
static void test_toy_lists(void)
{
    static const guint8 expected[] = {
        0, 0, 0, 'a', 0, 0, 0, 'b', 0, 0, 0, 'c', 0, 0, 0, 'd', 0, 0, 0, 'e', 0, 0, 0, 3, 7, 8, 9, 0, 0, 0, 0, 2,
        0, 0, 1, 1, 0, 0, 2, 2,
    };
    ToyLater value = {.letters = {'a', 'b', 'c', 'd', 'e'}, .n_bytes = 3, .bytes = (guint8[]){7, 8, 9},
                      .n_short_ones = 2, .short_ones = (guint16[]){0x101, 0x202}};
    g_autoptr(GByteArray) out = g_byte_array_new();

    g_assert_true(wire_encode(&toy_later_type, &value, out, NULL));
    g_assert_cmpmem(out->data, out->len, expected, sizeof(expected));
}

/* As libvirtd does: padding and presence may be any octets, what follows is ignored. */
static void test_tolerance(void)
{
    static const guint8 bytes[] = {
        0, 0, 0, 3, 'a', 'b', 'c', 0x5a, 0, 0, 0, 7, 0, 0, 0, 1, 'x', 0xff, 0xff, 0xff,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'e', 0, 0, 0, 0, 0, 0, 0, 0, 'j', 'u', 'n', 'k', 'x',
    };
    g_autoptr(GError) error = NULL;
    ToyPair pair;

    decode_exact(&toy_pair_type, bytes, sizeof(bytes), &pair, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(pair.left, ==, "abc");
    g_assert_cmpstr(pair.right, ==, "x");
    g_assert_cmpint(pair.behind.letters[4], ==, 'e');
    g_assert_null(pair.behind.bytes);
    wire_clear(&toy_pair_type, &pair);
}

static void refuse(const WireType *type, const guint8 *bytes, gsize n, const char *message)
{
    g_autofree gpointer value = g_malloc(type->size);
    g_autoptr(GError) error = NULL;

    g_assert_false(decode_exact(type, bytes, n, value, &error));
    g_assert_cmpstr(error->message, ==, message);
    g_assert_cmpint(error_from(error), ==, VIR_FROM_RPC);
}

static void test_decode_limits(void)
{
    static const guint8 nul[] = {0, 0, 0, 3, 'a', 0, 'c', 0};
    static const guint8 kind[] = {0, 0, 0, 99, 0, 0, 0, 0};
    guint8 bytes[64] = {0, 0, 0, 17, 'x'};

    refuse(&toy_pair_type, bytes, sizeof(bytes),
           DECODE "ToyPair.left: length 17 is above the limit of 16");
    refuse(&toy_pair_type, nul, sizeof(nul), DECODE "ToyPair.left: a NUL inside a string");
    refuse(&toy_value_type, kind, sizeof(kind), DECODE "ToyValue: unknown kind 99");
    memset(bytes, 0, sizeof(bytes));
    bytes[23] = 5; /* after five letters */
    refuse(&toy_later_type, bytes, sizeof(bytes),
           DECODE "ToyLater.bytes: length 5 is above the limit of 4");
    bytes[23] = 0;
    bytes[27] = 4;
    refuse(&toy_later_type, bytes, 28 + 15,
           DECODE "ToyLater.shortOnes: the message ends before the value does");
    memset(bytes, 0xff, sizeof(bytes));
    refuse(&remote_domain_event_callback_tunable_msg_type, bytes, sizeof(bytes),
           DECODE "RemoteNonnullDomain.name: length 4294967295 is above the limit of 4194304");
}

/* The longest list libvirt allows, in a message that has not even its first member. */
static void test_decode_announced(void)
{
    guint8 bytes[8] = {0, 0, 0x40, 0, 0, 0, 0, 24};

    refuse(&remote_connect_get_all_domain_stats_args_type, bytes, sizeof(bytes),
           DECODE "RemoteConnectGetAllDomainStatsArgs.doms: the message ends before the value does");
}

static void refuse_encode(const WireType *type, gconstpointer value, const char *message)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    g_byte_array_append(out, (const guint8 *)"head", 4);
    g_assert_false(wire_encode(type, value, out, &error));
    g_assert_cmpstr(error->message, ==, message);
    g_assert_true(error_is(error, VIR_ERR_RPC));
    g_assert_cmpmem(out->data, out->len, "head", 4);
}

static void test_encode_limits(void)
{
    ToyPair pair = {.left = (char *)"12345678901234567"};
    ToyLater later = {.n_bytes = 5, .bytes = (guint8 *)"12345"};
    ToyValue value = {0};
    RemoteConnectGetCpuModelNamesRet names = {.n_models = 20};
    g_autofree char *name = g_strnfill(4 * 1024 * 1024, 'x');
    char *models[20];

    refuse_encode(&toy_pair_type, &pair, ENCODE "ToyPair.left: length 17 is above the limit of 16");
    pair.left = NULL;
    refuse_encode(&toy_pair_type, &pair,
                  ENCODE "ToyPair.left: a string that must be there is missing");
    refuse_encode(&toy_later_type, &later, ENCODE "ToyLater.bytes: length 5 is above the limit of 4");
    refuse_encode(&toy_value_type, &value, ENCODE "ToyValue: unknown kind 0");
    for (guint i = 0; i < G_N_ELEMENTS(models); i++)
        models[i] = name;
    names.models = models;
    refuse_encode(&remote_connect_get_cpu_model_names_ret_type, &names,
                  ENCODE "RemoteConnectGetCpuModelNamesRet.models: the message would be longer than a message may be");
}

/* What libvirtd 9.0.0 answered to node_get_info of its test driver. */
static void test_libvirt_node_info(void)
{
    static const guint8 tail[] = {0, 0, 0, 0, 0, 0x30, 0, 0, 0, 0, 0, 16, 0, 0, 5, 0x78, 0, 0, 0, 2,
                                  0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2};
    guint8 bytes[32 * 4 + sizeof(tail)] = {0, 0, 0, 'i', 0, 0, 0, '6', 0, 0, 0, '8', 0, 0, 0, '6'};
    RemoteNodeGetInfoRet info;

    memcpy(bytes + 32 * 4, tail, sizeof(tail));
    g_assert_true(decode_exact(&remote_node_get_info_ret_type, bytes, sizeof(bytes), &info, NULL));
    g_assert_cmpstr(info.model, ==, "i686");
    g_assert_cmpuint(info.memory, ==, 3145728);
    g_assert_cmpint(info.cpus, ==, 16);
    g_assert_cmpint(info.mhz, ==, 1400);
    g_assert_cmpint(info.threads, ==, 2);
}

gboolean toy_thing_do(Call *call, const ToyThingDoArgs *args, ToyThingDoRet *ret, GError **error)
{
    ret->half = args->flags / 2.0;
    return call == NULL && error != NULL;
}

gboolean toy_thing_set(Call *call, const ToyThingSetArgs *args, GError **error)
{
    return args->level == 5 || error_set(error, VIR_FROM_RPC, VIR_ERR_INVALID_ARG, "level %d", args->level);
}

gboolean toy_thing_get(Call *call, ToyThingGetRet *ret, GError **error)
{
    ret->level = 7;
    return TRUE;
}

gboolean toy_thing_poke(Call *call, GError **error)
{
    return error_set(error, VIR_FROM_RPC, VIR_ERR_OPERATION_INVALID, "poked");
}

static void test_handlers(void)
{
    g_autoptr(GError) error = NULL;
    ToyThingDoArgs args = {.flags = 3};
    ToyThingDoRet done = {0};
    ToyThingSetArgs set = {.level = 5};
    ToyThingGetRet got = {0};

    g_assert_true(wire_handle(wire_proc(&toy_program, TOY_PROC_THING_DO), NULL, &args, &done, &error));
    g_assert_cmpfloat(done.half, ==, 1.5);
    g_assert_true(wire_handle(wire_proc(&toy_program, TOY_PROC_THING_SET), NULL, &set, NULL, &error));
    g_assert_true(wire_handle(wire_proc(&toy_program, TOY_PROC_THING_GET), NULL, NULL, &got, &error));
    g_assert_cmpint(got.level, ==, 7);
    g_assert_false(wire_handle(wire_proc(&toy_program, TOY_PROC_THING_POKE), NULL, NULL, NULL, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_INVALID));
    g_assert_null(wire_proc(&toy_program, TOY_PROC_THING_FORGOTTEN)->handler);
}

static void test_row(void)
{
    const WireProc *row = wire_proc(&toy_program, TOY_PROC_THING_DO);
    ToyThingDoArgs args = {.flags = 3};
    ToyThingSetArgs set = {.flags = G_MAXUINT64};

    g_assert_cmpstr(row->doc, ==, "Does it on two lines.");
    g_assert_true(row->program == &toy_program);
    g_assert_cmpint(row->domain_offset, ==, offsetof(ToyThingDoArgs, held.dom));
    g_assert_cmpint(row->lane, ==, WIRE_LANE_CONTROL);
    g_assert_cmpint(row->stream, ==, WIRE_STREAM_READ);
    g_assert_cmpint(row->fds, ==, WIRE_FDS_BOTH);
    g_assert_cmpuint(row->sparse, ==, VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM);
    g_assert_cmpuint(row->flags_accepted, ==, VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY);
    g_assert_true(row->read_only);
    g_assert_cmpuint(wire_flags(row, &args), ==, 3);
    g_assert_cmpstr(row->filter->permission, ==, "getattr");
    g_assert_cmpuint(row->n_permissions, ==, 3);
    g_assert_cmpstr(row->permissions[1].permission, ==, "save");
    g_assert_cmpint(row->permissions[1].when, ==, WIRE_UNLESS_SET);
    g_assert_cmpuint(row->permissions[1].value, ==, VIR_DOMAIN_AFFECT_CONFIG | VIR_DOMAIN_AFFECT_LIVE);
    g_assert_cmpuint(row->permissions[1].offset, ==, offsetof(ToyThingDoArgs, flags));

    row = wire_proc(&toy_program, TOY_PROC_THING_SET);
    g_assert_cmpint(row->domain_offset, ==, -1);
    g_assert_false(row->read_only);
    g_assert_cmpint(row->permissions[0].when, ==, WIRE_IF_EQUAL);
    g_assert_cmpuint(wire_flags(row, &set), ==, G_MAXUINT64);
    g_assert_cmpuint(wire_flags(wire_proc(&toy_program, TOY_PROC_THING_POKE), NULL), ==, 0);
    g_assert_true(wire_proc(&toy_program, TOY_PROC_THING_DONE)->is_event);
    g_assert_null(wire_proc(&toy_program, 0));
    g_assert_null(wire_proc(&toy_program, 7));
}

static void test_programs(void)
{
    static const guint counts[] = {443, 7, 19, 2};

    for (guint i = 0; i < G_N_ELEMENTS(counts); i++)
        g_assert_cmpuint(programs[i]->n_procs, ==, counts[i]);
    for (guint i = 0; i < G_N_ELEMENTS(programs); i++)
        for (guint j = 1; j <= programs[i]->n_procs; j++) {
            const WireProc *row = wire_proc(programs[i], j);

            g_assert_cmpuint(row->number, ==, j);
            g_assert_true(row->program == programs[i]);
            if (row->lane == WIRE_LANE_WRITE)
                g_assert_cmpint(row->domain_offset, >=, 0);
        }
}

int main(int argc, char **argv)
{
    static const TypeTest round_trips = round_trip, truncates = truncated, overwrites = overwritten, changes = changed, bounds = bounded;

    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/wire/round-trip", &round_trips, each_type);
    g_test_add_data_func("/wire/overwritten", &overwrites, each_type);
    g_test_add_data_func("/wire/truncated", &truncates, each_type);
    g_test_add_data_func("/wire/changed", &changes, each_type);
    g_test_add_data_func("/wire/bounded", &bounds, each_type);
    g_test_add_func("/wire/toy-octets", test_toy_octets);
    g_test_add_func("/wire/toy-lists", test_toy_lists);
    g_test_add_func("/wire/tolerance", test_tolerance);
    g_test_add_func("/wire/decode-limits", test_decode_limits);
    g_test_add_func("/wire/decode-announced", test_decode_announced);
    g_test_add_func("/wire/encode-limits", test_encode_limits);
    g_test_add_func("/wire/libvirt-node-info", test_libvirt_node_info);
    g_test_add_func("/wire/handlers", test_handlers);
    g_test_add_func("/wire/row", test_row);
    g_test_add_func("/wire/programs", test_programs);
    return g_test_run();
}
