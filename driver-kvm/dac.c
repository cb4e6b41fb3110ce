/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file is known by device and inode. `held` is the truth of this daemon: file -> who had it, and the runs that use it;
 * the record of each run (RUN/dac, a line a file) is where a restarted daemon has it from.
 *
 * Taking: look (as root: what is it; as QEMU's user: may it), write the record, then change hands and look again. The looks
 * (dac-look.c) are taken without the lock, so that one file's server does not hold up other guests. Who wants a file that is
 * just being given back waits for that file. Ruled out: extended attributes on the files, which network file systems lack
 * and which a host that lost power would find stale.
 */
#include "driver-kvm/dac.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "driver-kvm/dac-look.h"
#include "lib/error.h"
#include "lib/file.h"

#define PATIENCE (10 * G_USEC_PER_SEC)
#define RECORD_MAX (4 * 1024 * 1024)

typedef struct {
    FileKey key; /* first: it is its own key in the table */
    uid_t uid;
    gid_t gid;
    char *path;
    GHashTable *runs; /* set of char *, owned; empty: it is just being given back */
} Held;

struct Dac {
    const ProcessIds *ids;
    GMutex lock; /* guards the table */
    GCond returned; /* signalled when a file has been given back */
    GHashTable *held; /* FileKey -> Held */
};

static guint key_hash(gconstpointer data)
{
    const FileKey *key = data;
    guint64 mixed = key->ino ^ (key->dev << 32);

    return g_int64_hash(&mixed);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(FileKey)) == 0;
}

static void held_free(gpointer data)
{
    Held *held = data;

    g_free(held->path);
    g_hash_table_unref(held->runs);
    g_free(held);
}

static void path_free(gpointer data)
{
    DacPath *path = data;

    g_free(path->path);
    g_free(path);
}

GPtrArray *dac_paths_new(void)
{
    return g_ptr_array_new_with_free_func(path_free);
}

void dac_paths_add(GPtrArray *paths, const char *path, gboolean write)
{
    if (!path || path[0] != '/')
        return;
    DacPath *entry = g_new(DacPath, 1);
    *entry = (DacPath){g_strdup(path), write};
    g_ptr_array_add(paths, entry);
}

static gboolean refuse(Dac *dac, DacPath *path, int errnum, GError **error)
{
    gsize obstacle = dac_obstacle(dac->ids, path);
    g_autofree char *hint = NULL;

    if (obstacle > 0)
        hint = g_strdup_printf(" ('%.*s' may not be searched)", (int)obstacle, path->path);
    return error_set(error, VIR_FROM_QEMU, VIR_ERR_SYSTEM_ERROR, "Cannot access storage file '%s' (as uid:%u, gid:%u): %s%s",
                     path->path, dac->ids->uid, dac->ids->gid, g_strerror(errnum), hint ? hint : "");
}

static char *record_path(const char *run)
{
    return g_build_filename(run, "dac", NULL);
}

static Held *hold(Dac *dac, const FileKey *key, uid_t uid, gid_t gid, const char *path, const char *run)
{
    Held *held = g_hash_table_lookup(dac->held, key);

    if (!held) {
        held = g_new(Held, 1);
        *held = (Held){*key, uid, gid, g_strdup(path), g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
        g_hash_table_insert(dac->held, &held->key, held);
    }
    g_hash_table_add(held->runs, g_strdup(run));
    return held;
}

static gboolean write_record(Dac *dac, const char *run, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *path = record_path(run);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, dac->held);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Held *held = value;
        if (!g_hash_table_contains(held->runs, run))
            continue;
        g_autofree char *name = g_strescape(held->path, NULL);
        g_string_append_printf(text, "%u %u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s\n", held->uid, held->gid,
                               held->key.dev, held->key.ino, name);
    }
    return file_replace_volatile(path, text->str, text->len, 0600, error);
}

static void read_record(Dac *dac, const char *run)
{
    g_autofree char *path = record_path(run);
    g_autofree char *text = file_read(path, RECORD_MAX, NULL, NULL);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        guint uid, gid;
        FileKey key;
        int at = 0;
        if (sscanf(lines[i], "%u %u %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %n", &uid, &gid, &key.dev, &key.ino, &at) < 4 ||
            at == 0)
            continue;
        g_autofree char *name = g_strcompress(lines[i] + at);
        hold(dac, &key, uid, gid, name, run);
    }
}

Dac *dac_new(const ProcessIds *ids, const char *folder)
{
    Dac *dac = g_new0(Dac, 1);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    dac->ids = ids;
    g_mutex_init(&dac->lock);
    g_cond_init(&dac->returned);
    dac->held = g_hash_table_new_full(key_hash, key_equal, NULL, held_free);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *run = g_build_filename(folder, name, NULL);
        read_record(dac, run);
    }
    return dac;
}

void dac_free(Dac *dac)
{
    if (!dac)
        return;
    g_hash_table_unref(dac->held);
    g_mutex_clear(&dac->lock);
    g_cond_clear(&dac->returned);
    g_free(dac);
}

/* Those that must change hands, and those that already have for another run. */
static gboolean *choose(Dac *dac, const char *run, const GPtrArray *paths, const Look *looks)
{
    gboolean *change = g_new0(gboolean, paths->len);

    for (guint i = 0; i < paths->len; i++) {
        const DacPath *path = paths->pdata[i];
        gboolean file = !S_ISDIR(looks[i].mode);
        gboolean shared = g_hash_table_contains(dac->held, &looks[i].key);
        change[i] = file && looks[i].forbidden != 0;
        if (change[i] || shared)
            hold(dac, &looks[i].key, looks[i].uid, looks[i].gid, path->path, run);
    }
    return change;
}

static gboolean check(Dac *dac, const GPtrArray *paths, const Look *looks, gboolean all, GError **error)
{
    for (guint i = 0; i < paths->len; i++) {
        if (looks[i].error)
            return error_set_errno(error, VIR_FROM_SECURITY, looks[i].error, "unable to stat: %s",
                                   ((const DacPath *)paths->pdata[i])->path);
        if (all && looks[i].forbidden)
            return refuse(dac, paths->pdata[i], looks[i].forbidden, error);
    }
    return TRUE;
}

static gboolean some_return(Dac *dac, const GPtrArray *paths, const Look *looks)
{
    for (guint i = 0; i < paths->len; i++) {
        const Held *held = g_hash_table_lookup(dac->held, &looks[i].key);
        if (held && g_hash_table_size(held->runs) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Looks, and looks again after files that were on their way back have arrived. Returns with the lock held, or NULL without. */
static Look *look_and_lock(Dac *dac, const GPtrArray *paths, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE;

    for (;;) {
        g_autofree Look *looks = dac_look(dac->ids, paths, NULL, NULL, error);
        if (!looks || !check(dac, paths, looks, FALSE, error))
            return NULL;
        g_mutex_lock(&dac->lock);
        if (!some_return(dac, paths, looks))
            return g_steal_pointer(&looks);
        gboolean in_time = g_cond_wait_until(&dac->returned, &dac->lock, deadline);
        g_mutex_unlock(&dac->lock);
        if (!in_time) {
            error_set(error, VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "a file of the guest is still being given back");
            return NULL;
        }
    }
}

static gboolean any(const gboolean *flags, guint n)
{
    for (guint i = 0; i < n; i++)
        if (flags[i])
            return TRUE;
    return FALSE;
}

static gboolean take(Dac *dac, const char *run, const GPtrArray *paths, GError **error)
{
    g_autofree Look *before = look_and_lock(dac, paths, error);

    if (!before)
        return FALSE;
    g_autofree gboolean *change = choose(dac, run, paths, before);
    gboolean written = write_record(dac, run, error);
    g_mutex_unlock(&dac->lock);
    if (!written)
        return FALSE;
    if (!any(change, paths->len))
        return check(dac, paths, before, TRUE, error);
    g_autofree Look *after = dac_look(dac->ids, paths, change, before, error);
    return after && check(dac, paths, after, TRUE, error);
}

gboolean dac_take(Dac *dac, const char *run, const GPtrArray *paths, GError **error)
{
    if (!dac->ids || paths->len == 0)
        return TRUE;
    if (paths->len > DAC_PATHS_MAX)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "a guest can have at most %d files", DAC_PATHS_MAX);
    return take(dac, run, paths, error);
}

static gboolean is_among(const GPtrArray *paths, const char *path)
{
    for (guint i = 0; i < paths->len; i++)
        if (g_str_equal(((const DacPath *)paths->pdata[i])->path, path))
            return TRUE;
    return FALSE;
}

/* The files that nobody but RUN uses, of those in GONE (NULL: of all) that are not in REST. They stay in the table, without a run. */
static GPtrArray *leave(Dac *dac, const char *run, const GPtrArray *gone, const GPtrArray *rest)
{
    GPtrArray *last = g_ptr_array_new();
    GHashTableIter iter;
    gpointer value;

    g_mutex_lock(&dac->lock);
    g_hash_table_iter_init(&iter, dac->held);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Held *held = value;
        if (gone && (!is_among(gone, held->path) || is_among(rest, held->path)))
            continue;
        if (g_hash_table_remove(held->runs, run) && g_hash_table_size(held->runs) == 0)
            g_ptr_array_add(last, held);
    }
    g_mutex_unlock(&dac->lock);
    return last;
}

static void give_back(Dac *dac, const GPtrArray *files)
{
    for (guint i = 0; i < files->len; i++) {
        Held *held = files->pdata[i];
        dac_return(dac->ids, held->path, &held->key, held->uid, held->gid);
        g_mutex_lock(&dac->lock);
        g_hash_table_remove(dac->held, &held->key);
        g_cond_broadcast(&dac->returned);
        g_mutex_unlock(&dac->lock);
    }
}

/* A record that could not be written tells of files that are back: they go back once more, to whom they are. */
void dac_drop(Dac *dac, const char *run, const GPtrArray *gone, const GPtrArray *rest)
{
    if (!dac->ids)
        return;
    g_autoptr(GPtrArray) last = leave(dac, run, gone, rest);
    give_back(dac, last);
    g_mutex_lock(&dac->lock);
    write_record(dac, run, NULL);
    g_mutex_unlock(&dac->lock);
}

void dac_give_back(Dac *dac, const char *run)
{
    g_autofree char *record = record_path(run);

    if (!dac->ids)
        return;
    g_autoptr(GPtrArray) last = leave(dac, run, NULL, NULL);
    give_back(dac, last);
    unlink(record);
}
