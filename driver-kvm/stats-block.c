/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "driver-kvm/block.h"
#include "driver-kvm/qmp-commands.h"
#include "driver-kvm/stats-private.h"
#include "lib/json-peek.h"
#include "lib/model/domain-disk.h"

/* An answer of query-blockstats belongs to a disk by the device it is attached to. */
static JsonObject *find_block(JsonArray *blocks, const char *alias)
{
    g_autofree char *path = g_strconcat("/machine/peripheral/", alias, NULL);
    gsize length = strlen(path);

    for (guint i = 0; i < json_peek_length(blocks); i++) {
        JsonObject *block = json_peek_object_at(blocks, i);
        const char *qdev = json_peek_string(block, "qdev");
        if (qdev && (g_str_equal(qdev, alias) ||
                     (strncmp(qdev, path, length) == 0 && (qdev[length] == '\0' || qdev[length] == '/'))))
            return block;
    }
    return NULL;
}

static JsonObject *find_node(JsonArray *nodes, const char *name)
{
    for (guint i = 0; name && i < json_peek_length(nodes); i++) {
        JsonObject *node = json_peek_object_at(nodes, i);
        if (g_strcmp0(json_peek_string(node, "node-name"), name) == 0)
            return node;
    }
    return NULL;
}

static void add_number(Params *params, JsonObject *from, const char *member, guint disk, const char *field)
{
    gint64 value;

    if (json_peek_int(from, member, &value))
        params_ullong(params, value, "block.%u.%s", disk, field);
}

/* What QEMU says. */
typedef struct {
    JsonArray *blocks; /* of query-blockstats */
    JsonArray *nodes;  /* of query-named-block-nodes */
} Told;

/* What there is to say of any image. */
static void sample_image(const Disk *disk, const DiskImage *image, guint index, Params *params)
{
    const char *path = image->type == STORAGE_TYPE_NETWORK ? NULL : disk_image_path(image);

    if (disk->target)
        params_string(params, disk->target->dev, "block.%u.name", index);
    if (path)
        params_string(params, path, "block.%u.path", index);
    if (image->source && image->index != UNSET32)
        params_uint(params, image->index, "block.%u.backingIndex", index);
}

/* STATS: of its node; NULL: QEMU tells nothing of it. */
static void sample_sizes(JsonObject *stats, const Told *told, guint index, Params *params)
{
    JsonObject *image = json_peek_object(find_node(told->nodes, json_peek_string(stats, "node-name")), "image");
    JsonObject *below = json_peek_object(json_peek_object(stats, "parent"), "stats");
    gint64 size;

    add_number(params, below, "wr_highest_offset", index, "allocation");
    add_number(params, image, "virtual-size", index, "capacity");
    add_number(params, image, json_peek_int(image, "actual-size", &size) ? "actual-size" : "virtual-size", index, "physical");
}

static void sample_disk(const Disk *disk, guint index, const Told *told, Params *params)
{
    static const struct {
        const char *member, *field;
    } counters[] = {
        {"rd_operations", "rd.reqs"},     {"rd_bytes", "rd.bytes"},     {"rd_total_time_ns", "rd.times"},
        {"wr_operations", "wr.reqs"},     {"wr_bytes", "wr.bytes"},     {"wr_total_time_ns", "wr.times"},
        {"flush_operations", "fl.reqs"},  {"flush_total_time_ns", "fl.times"},
    };
    const DiskImage own = disk_image(disk);
    JsonObject *block = disk->alias ? find_block(told->blocks, disk->alias->name) : NULL;

    sample_image(disk, &own, index, params);
    if (!block)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(counters); i++)
        add_number(params, json_peek_object(block, "stats"), counters[i].member, index, counters[i].field);
    sample_sizes(block, told, index, params);
}

/* The images that DISK's own builds on: records from INDEX on; the next one's. */
static guint sample_chain(const Disk *disk, guint index, const Told *told, Params *params)
{
    JsonObject *stats = disk->alias ? find_block(told->blocks, disk->alias->name) : NULL;

    for (const DiskBackingStore *store = disk->backing_store; store && store->source; store = store->backing_store) {
        const DiskImage image = disk_image_behind(disk, store);
        g_autofree char *node = block_image_node(image.index);

        sample_image(disk, &image, index, params);
        while (stats && g_strcmp0(json_peek_string(stats, "node-name"), node) != 0)
            stats = json_peek_object(stats, "backing");
        sample_sizes(stats, told, index++, params);
    }
    return index;
}

static guint count_records(const GPtrArray *disks, gboolean chains)
{
    guint n = disks->len;

    for (guint i = 0; chains && i < disks->len; i++)
        for (const DiskBackingStore *store = ((const Disk *)disks->pdata[i])->backing_store; store && store->source;
             store = store->backing_store)
            n++;
    return n;
}

static gboolean sample_disks(const Sample *sample, gboolean chains, Params *params, GError **error)
{
    const GPtrArray *disks = sample->live->devices->disks;
    guint index = 0;

    params_uint(params, count_records(disks, chains), "block.count");
    if (disks->len == 0)
        return TRUE;
    g_autoptr(JsonNode) blocks = stats_ask(sample, "query-blockstats", NULL, error);
    if (!blocks)
        return FALSE;
    g_autoptr(JsonNode) nodes = stats_ask(sample, "query-named-block-nodes", qmp_args("b:flat", TRUE, NULL), error);
    if (!nodes)
        return FALSE;
    const Told told = {json_peek_as_array(blocks), json_peek_as_array(nodes)};
    for (guint i = 0; i < disks->len; i++) {
        sample_disk(disks->pdata[i], index++, &told, params);
        if (chains)
            index = sample_chain(disks->pdata[i], index, &told, params);
    }
    return TRUE;
}

gboolean stats_blocks(const Sample *sample, Params *params, GError **error)
{
    return sample_disks(sample, FALSE, params, error);
}

gboolean stats_chains(const Sample *sample, Params *params, GError **error)
{
    return sample_disks(sample, TRUE, params, error);
}
