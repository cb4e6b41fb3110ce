/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a binary is known by is a line of text: change one word of it and the stored answer is another binary's. It is
 * stored with the answer, in one file per path, which is mapped and searched where it lies: its pages are the page cache's.
 * The file is only ever replaced as a whole. (Whoever shortens it under us ends the daemon, as with a library of ours.)
 */
#include "driver-kvm/caps-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "driver-kvm/caps-ask.h"
#include "driver-kvm/caps-form.h"
#include "lib/error.h"
#include "lib/file.h"

#define FORMAT "5" /* of the stored form: another number makes old files strangers */
#define FILE_MAX (16 * 1024 * 1024)

typedef struct {
    GMutex lock; /* held while the binary is probed */
    char *identity;
    Caps *caps;
} Entry;

struct CapsCache {
    char *folder, *probe;
    const ProcessIds *ids;
    GMutex lock; /* guards the table; an entry stays once it is there */
    GHashTable *entries; /* path -> Entry */
};

static void entry_free(gpointer data)
{
    Entry *entry = data;

    g_mutex_clear(&entry->lock);
    g_free(entry->identity);
    caps_unref(entry->caps);
    g_free(entry);
}

CapsCache *caps_cache_new(const char *folder, const char *probe, const ProcessIds *ids)
{
    CapsCache *cache = g_new0(CapsCache, 1);

    cache->folder = g_strdup(folder);
    cache->probe = g_strdup(probe);
    cache->ids = ids;
    g_mutex_init(&cache->lock);
    cache->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    return cache;
}

void caps_cache_free(CapsCache *cache)
{
    if (!cache)
        return;
    g_hash_table_unref(cache->entries);
    g_mutex_clear(&cache->lock);
    g_free(cache->folder);
    g_free(cache->probe);
    g_free(cache);
}

static gboolean kvm_usable(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void add_stamp(GString *text, const struct stat *st)
{
    g_string_append_printf(text, " %" G_GINT64_FORMAT ".%09ld", (gint64)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

/* NULL with ERROR if there is no such program. */
static char *identify(const char *binary, gboolean kvm, GError **error)
{
    /* QEMU loads further parts of itself from here */
    static const char *const module_folders[] = {"/usr/lib/x86_64-linux-gnu/qemu", "/usr/lib64/qemu", "/usr/lib/qemu"};
    g_autoptr(GString) text = g_string_new("duovirt-caps " FORMAT " ");
    struct utsname system;
    struct stat st;

    if (stat(binary, &st) < 0 || access(binary, X_OK) < 0) {
        error_set_errno(error, VIR_FROM_QEMU, errno, "Cannot check QEMU binary %s", binary);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        error_set_errno(error, VIR_FROM_QEMU, EACCES, "Cannot check QEMU binary %s", binary);
        return NULL;
    }
    g_string_append_printf(text, "%s %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, binary, (guint64)st.st_ino, (guint64)st.st_size);
    add_stamp(text, &st);
    for (guint i = 0; i < G_N_ELEMENTS(module_folders); i++)
        if (stat(module_folders[i], &st) == 0)
            add_stamp(text, &st);
    g_string_append_printf(text, " %s", kvm ? "kvm" : "tcg");
    if (uname(&system) == 0)
        g_string_append_printf(text, " %s %s", system.release, system.version);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The whole of FD, which stays the caller's. NULL: it is empty, or no file of ours. */
static GVariant *map(int fd)
{
    g_autoptr(GMappedFile) file = fd >= 0 ? g_mapped_file_new_from_fd(fd, FALSE, NULL) : NULL;
    gsize length = file ? g_mapped_file_get_length(file) : 0;
    g_autoptr(GBytes) bytes = length > 0 && length <= FILE_MAX ? g_mapped_file_get_bytes(file) : NULL;
    if (!bytes)
        return NULL;
    /* looked through once; then it can be trusted */
    g_autoptr(GVariant) form = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(CAPS_FORM), bytes, FALSE));
    return g_variant_is_normal_form(form)
               ? g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(CAPS_FORM), bytes, TRUE))
               : NULL;
}

static Caps *load(const char *path, const char *identity)
{
    int fd = file_open(path, NULL);
    g_autoptr(GVariant) form = map(fd);
    const char *whose = "";

    if (fd >= 0)
        close(fd);
    if (form)
        g_variant_get_child(form, CAPS_AT_IDENTITY, "&s", &whose);
    return g_str_equal(whose, identity) ? caps_new(form) : NULL;
}

/* From the file that FORM was just written to; where that could not be (then the next start of the daemon only takes
 * longer), from memory. */
static Caps *store(const CapsCache *cache, const char *path, const char *identity, GVariant *form)
{
    gboolean stored = file_make_folder(cache->folder, 0755, NULL) &&
                      file_replace(path, g_variant_get_data(form), (gssize)g_variant_get_size(form), 0644, NULL);
    Caps *caps = stored ? load(path, identity) : NULL;

    return caps ? caps : caps_new(form);
}

static Caps *probe_and_store(const CapsCache *cache, const char *path, const char *binary, const char *identity,
                             gboolean kvm, GError **error)
{
    int fd = caps_ask(cache->probe, binary, identity, cache->ids, kvm, error);
    if (fd < 0)
        return NULL;
    g_autoptr(GVariant) form = map(fd);
    close(fd);
    if (!form) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "Failed to probe QEMU binary %s: no answer", binary);
        return NULL;
    }
    return store(cache, path, identity, form);
}

static gboolean fill(CapsCache *cache, Entry *entry, const char *binary, const char *identity, gboolean kvm, GError **error)
{
    g_autofree char *name = g_strconcat(binary, ".caps", NULL);
    g_autofree char *flat = g_strdelimit(g_strdup(name + 1), "/", '_');
    g_autofree char *path = g_build_filename(cache->folder, flat, NULL);
    Caps *caps = load(path, identity);

    if (!caps && !(caps = probe_and_store(cache, path, binary, identity, kvm, error)))
        return FALSE;
    caps_unref(entry->caps);
    entry->caps = caps;
    g_free(entry->identity);
    entry->identity = g_strdup(identity);
    return TRUE;
}

Caps *caps_cache_get(CapsCache *cache, const char *binary, GError **error)
{
    Caps *caps = NULL;

    if (!g_path_is_absolute(binary) || strlen(binary) > NAME_MAX - 10) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_INVALID_ARG, "emulator '%s' is not an absolute path of usual length", binary);
        return NULL;
    }
    gboolean kvm = kvm_usable();
    g_autofree char *identity = identify(binary, kvm, error);
    if (!identity)
        return NULL;

    g_mutex_lock(&cache->lock);
    Entry *entry = g_hash_table_lookup(cache->entries, binary);
    if (!entry) {
        entry = g_new0(Entry, 1);
        g_mutex_init(&entry->lock);
        g_hash_table_insert(cache->entries, g_strdup(binary), entry);
    }
    g_mutex_unlock(&cache->lock);

    g_mutex_lock(&entry->lock);
    if (g_strcmp0(entry->identity, identity) == 0 || fill(cache, entry, binary, identity, kvm, error))
        caps = caps_ref(entry->caps);
    g_mutex_unlock(&entry->lock);
    return caps;
}
