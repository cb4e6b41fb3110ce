/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/core/image-size.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"

static char *folder;

static char *make(const char *name, const void *content, gsize length)
{
    char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, content, length, NULL));
    return path;
}

static gboolean look(ImageSize *images, guint n)
{
    g_autoptr(GError) error = NULL;
    gboolean ok = image_sizes(images, n, g_get_monotonic_time() + 20 * G_USEC_PER_SEC, &error);
    g_assert_no_error(error);
    return ok;
}

/* A head of a qcow2 image that says it is of 5 GiB, and a raw one of 1000 octets. */
static void test_formats(void)
{
    guint8 head[64] = "QFI\xfb\0\0\0\3";
    guint64 size = GUINT64_TO_BE(G_GUINT64_CONSTANT(5) << 30);
    memcpy(head + 24, &size, sizeof(size));
    g_autofree char *qcow = make("qcow", head, sizeof(head));
    g_autofree char *raw = make("raw", head, 1);
    g_assert_cmpint(truncate(raw, 1000), ==, 0);
    ImageSize images[] = {
        {.path = qcow, .format = STORAGE_FORMAT_QCOW2}, {.path = raw, .format = STORAGE_FORMAT_RAW},
        {.path = qcow},                                 {.path = raw, .format = STORAGE_FORMAT_QCOW2},
        {.path = raw, .format = STORAGE_FORMAT_VMDK},
    };
    g_assert_true(look(images, G_N_ELEMENTS(images)));
    for (gsize i = 0; i < G_N_ELEMENTS(images); i++)
        g_assert_true(images[i].found);
    g_assert_cmpuint(images[0].capacity, ==, G_GUINT64_CONSTANT(5) << 30);
    g_assert_cmpuint(images[0].physical, ==, 64);
    g_assert_cmpuint(images[1].capacity, ==, 1000);
    g_assert_cmpuint(images[1].physical, ==, 1000);
    g_assert_cmpuint(images[2].capacity, ==, 64);
    g_assert_cmpuint(images[3].capacity, ==, 1000); /* is none */
    g_assert_cmpuint(images[4].capacity, ==, 1000); /* is none either */
}

static void test_none(void)
{
    g_autofree char *pipe = g_build_filename(folder, "pipe", NULL);
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    ImageSize images[] = {{.path = NULL}, {.path = "/nonexistent"}, {.path = folder}, {.path = pipe}};
    g_assert_true(look(images, G_N_ELEMENTS(images)));
    for (gsize i = 0; i < G_N_ELEMENTS(images); i++)
        g_assert_false(images[i].found);
    g_assert_cmpint(images[1].errnum, ==, ENOENT);
    g_assert_cmpint(images[2].errnum, ==, EISDIR);
    g_assert_true(look(images, 1));
}

static void test_disk(void)
{
    Disk *disk = disk_new();
    g_assert_null(image_size_of(disk).path);
    disk->type = STORAGE_TYPE_FILE;
    disk->source = disk_source_new();
    disk->source->file = g_strdup("/x");
    disk->driver = disk_driver_new();
    disk->driver->type = STORAGE_FORMAT_QCOW2;
    ImageSize image = image_size_of(disk);
    g_assert_cmpstr(image.path, ==, "/x");
    g_assert_cmpint(image.format, ==, STORAGE_FORMAT_QCOW2);
    disk->type = STORAGE_TYPE_NETWORK;
    g_assert_null(image_size_of(disk).path);
    disk_free(disk);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("image-size-XXXXXX", NULL);
    g_test_add_func("/image-size/formats", test_formats);
    g_test_add_func("/image-size/none", test_none);
    g_test_add_func("/image-size/disk", test_disk);
    int result = g_test_run();
    file_remove_tree(folder, NULL);
    g_free(folder);
    return result;
}
