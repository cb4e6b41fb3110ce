/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>
#include "driver-kvm/block.h"
#include "lib/error.h"

static void put32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_BE(value);
    memcpy(at, &value, 4);
}

/* A header of version 3 whose backing file's name is NAME, at OFFSET. */
static void make_header(guint8 header[4096], const char *name, guint32 offset, const char *format)
{
    memset(header, 0, 4096);
    memcpy(header, "QFI\xfb", 4);
    put32(header + 4, 3);
    put32(header + 12, name ? offset : 0);
    put32(header + 16, name ? (guint32)strlen(name) : 0);
    put32(header + 100, 104);
    if (format) {
        put32(header + 104, 0xe2792aca);
        put32(header + 108, (guint32)strlen(format));
        memcpy(header + 112, format, strlen(format));
    }
    if (name && offset + strlen(name) <= 4096)
        memcpy(header + offset, name, strlen(name));
}

static char *write_image(const char *folder, const char *name, const char *backing, const char *format)
{
    char *path = g_build_filename(folder, name, NULL);
    guint8 header[4096];

    make_header(header, backing, 1000, format);
    g_assert_true(g_file_set_contents(path, (char *)header, sizeof header, NULL));
    return path;
}

static Disk *disk_of(const char *path)
{
    Disk *disk = disk_new();

    disk->type = STORAGE_TYPE_FILE;
    disk->driver = disk_driver_new();
    disk->driver->type = STORAGE_FORMAT_QCOW2;
    disk->source = disk_source_new();
    disk->source->file = g_strdup(path);
    disk->target = disk_target_new();
    disk->target->dev = g_strdup("vda");
    return disk;
}

static void test_chain(void)
{
    g_autofree char *folder = g_dir_make_tmp("block-XXXXXX", NULL);
    g_autofree char *base = write_image(folder, "base", NULL, NULL);
    g_autofree char *top = write_image(folder, "top", "base", "qcow2");
    g_autofree char *loop = write_image(folder, "loop", "loop", "qcow2");
    g_autofree char *blind = write_image(folder, "blind", "base", NULL);
    g_autoptr(Disk) disk = disk_of(top), endless = disk_of(loop), unsaid = disk_of(blind), missing = disk_of("/none/such");
    g_autoptr(GError) error = NULL;
    const ArgvContext nobody = {.uid = 65534, .gid = 65533};

    g_assert_true(block_prepare(disk, &nobody, &error));
    g_assert_cmpstr(disk->backing_store->source->file, ==, base);
    g_assert_cmpint(disk->backing_store->detected, ==, TOGGLE_ON);
    g_assert_null(disk->backing_store->backing_store->source); /* the end */
    g_assert_cmpint(disk->backing_store->backing_store->detected, ==, TOGGLE_UNSET);
    g_assert_false(block_prepare(endless, &nobody, &error));
    g_assert_true(error_is(error, VIR_ERR_OPERATION_UNSUPPORTED));
    g_clear_error(&error);
    g_assert_false(block_prepare(unsaid, &nobody, &error)); /* qcow2, but nobody says so: it could be the guest's lie */
    g_assert_true(error_is(error, VIR_ERR_OPERATION_FAILED));
    g_clear_error(&error);
    g_assert_false(block_prepare(missing, &nobody, &error));
    g_assert_cmpstr(error->message, ==, "Cannot access storage file '/none/such' (as uid:65534, gid:65533): No such file or directory");
    unlink(base);
    unlink(top);
    unlink(loop);
    unlink(blind);
    rmdir(folder);
}

static DiskBackingStore *behind(const char *path)
{
    DiskBackingStore *store = disk_backing_store_new();

    store->source = disk_source_new();
    store->source->file = g_strdup(path);
    return store;
}

/* As libvirtd 9.0.0 numbers a chain that is found, one that the document begins, and an empty drive. */
static void test_numbers(void)
{
    g_autoptr(ArgvContext) context = argv_context_new("/");
    g_autoptr(Domain) domain = domain_new();
    Disk *found = disk_of("/a"), *said = disk_of("/b"), *empty = disk_of(NULL);

    domain->devices = devices_new();
    for (guint i = 0; i < 3; i++)
        g_ptr_array_add(domain->devices->disks, ((Disk *[]){found, said, empty})[i]);
    said->backing_store = behind("/b1");
    block_number_said(domain, context);
    found->backing_store = behind("/a1");
    found->backing_store->backing_store = behind("/a2");
    said->backing_store->backing_store = behind("/b2");
    block_number_found(domain, context);
    g_assert_cmpuint(context->images, ==, 7);
    g_assert_cmpuint(said->source->index, ==, 2);
    g_assert_cmpuint(said->backing_store->index, ==, 3);
    g_assert_cmpuint(found->source->index, ==, 4);
    g_assert_cmpuint(said->backing_store->backing_store->index, ==, 5);
    g_assert_cmpuint(found->backing_store->index, ==, 6);
    g_assert_cmpuint(found->backing_store->backing_store->index, ==, 7);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/block/chain", test_chain);
    g_test_add_func("/block/numbers", test_numbers);
    return g_test_run();
}
