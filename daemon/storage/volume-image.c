/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/storage/volume-image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "daemon/secret/secrets.h"
#include "daemon/storage/volume-program.h"

#define TRIES 5

StorageVolumeFormat volume_image_format(const StorageVolume *volume)
{
    return volume->target->format ? volume->target->format->type : STORAGE_VOLUME_FORMAT_RAW;
}

static const char *name_of(StorageVolumeFormat format)
{
    return format == STORAGE_VOLUME_FORMAT_ISO ? "raw" : storage_volume_format_to_string(format);
}

/* --- encryption --- */

gboolean volume_image_check(const StorageVolume *volume, GError **error)
{
    const StorageEncryption *encryption = volume->target->encryption;
    StorageVolumeFormat format = volume_image_format(volume);
    gboolean raw = format == STORAGE_VOLUME_FORMAT_RAW, qcow = format == STORAGE_VOLUME_FORMAT_QCOW2 || format == STORAGE_VOLUME_FORMAT_QCOW;

    if (!encryption)
        return TRUE;
    if (!raw && !qcow)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_CONFIG_UNSUPPORTED, "volume encryption unsupported with format %s",
                         storage_volume_format_to_string(format));
    if (encryption->secrets->len != 1)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                         "A single <secret type='passphrase'...> element is expected in encryption description");
    if (encryption->cipher && !encryption->cipher->name)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_XML_ERROR, "cipher info missing 'name' attribute");
    if (encryption->format == STORAGE_ENCRYPTION_FORMAT_LUKS && format != STORAGE_VOLUME_FORMAT_QCOW)
        return TRUE;
    if (raw)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "Only luks encryption is supported for raw files");
    if (encryption->format == STORAGE_ENCRYPTION_FORMAT_QCOW || encryption->format == STORAGE_ENCRYPTION_FORMAT_DEFAULT)
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_CONFIG_UNSUPPORTED, "creation of qcow2 encrypted image is not supported");
    return error_set(error, VIR_FROM_STORAGE, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported volume encryption format %s",
                     storage_encryption_format_to_string(encryption->format));
}

/* A pipe with VALUE whole in it: it holds as much as a secret can be. -1 with ERROR. */
static int pipe_with(const SecretValue *value, GError **error)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0) {
        error_set_errno(error, VIR_FROM_STORAGE, errno, "cannot make a pipe for the passphrase of a volume");
        return -1;
    }
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    gboolean written = write(ends[1], value->octets, value->length) == (gssize)value->length;
    close(ends[1]);
    if (written)
        return ends[0];
    close(ends[0]);
    error_set(error, VIR_FROM_STORAGE, VIR_ERR_INTERNAL_ERROR, "the passphrase of a volume is too long");
    return -1;
}

/* The program knows VOLUME's passphrase as ID, if VOLUME is encrypted. */
static gboolean pass_secret(VolumeProgram *program, const StorageVolume *volume, const char *id, GError **error)
{
    const StorageEncryption *encryption = volume ? volume->target->encryption : NULL;

    if (!encryption)
        return TRUE;
    if (encryption->secrets->len != 1) /* a volume that we found and did not make */
        return error_set(error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                         "A single <secret type='passphrase'...> element is expected in encryption description");
    const EncryptionSecret *secret = encryption->secrets->pdata[0];
    const SecretWish wish = {SECRET_USAGE_TYPE_VOLUME, secret->uuid.set ? secret->uuid.bytes : NULL, secret->usage};
    g_autoptr(SecretValue) value = secrets_grant(&wish, error);
    int fd = value ? pipe_with(value, error) : -1;
    if (fd < 0)
        return FALSE;
    volume_program_add(program, "--object");
    volume_program_add(program, "secret,id=%s,file=/dev/fd/%d", id, volume_program_pass(program, fd));
    return TRUE;
}

/* --- options --- */

/* In the words of a list with commas, each comma is two. */
static char *escaped(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    return g_strjoinv(",,", parts);
}

static void add(GPtrArray *list, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void add(GPtrArray *list, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(list, g_strdup_vprintf(format, args));
    va_end(args);
}

static void add_word(GPtrArray *list, const char *prefix, const char *key, const char *value)
{
    g_autofree char *word = value ? escaped(value) : NULL;
    if (word)
        add(list, "%s%s=%s", prefix, key, word);
}

/* PREFIX: where such options are in those of the format. */
static void add_encryption(GPtrArray *list, const StorageEncryption *encryption, const char *id, const char *prefix)
{
    const StorageCipher *cipher = encryption->cipher;
    const StorageIvgen *ivgen = encryption->ivgen;

    add(list, "%skey-secret=%s", prefix, id);
    if (cipher) {
        g_autofree char *algorithm = g_strdup_printf("%s-%u", cipher->name, cipher->size);
        add_word(list, prefix, "cipher-alg", algorithm);
        add_word(list, prefix, "cipher-mode", cipher->mode);
        add_word(list, prefix, "hash-alg", cipher->hash);
    }
    if (ivgen) {
        add_word(list, prefix, "ivgen-alg", ivgen->name);
        add_word(list, prefix, "ivgen-hash-alg", ivgen->hash);
    }
}

static char *options_of(const StorageVolume *volume, const char *id, guint flags)
{
    const StorageVolumeTarget *target = volume->target;
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    gboolean qcow2 = volume_image_format(volume) == STORAGE_VOLUME_FORMAT_QCOW2;
    if (volume->backing_store && volume->backing_store->format)
        add(list, "backing_fmt=%s", storage_volume_format_to_string(volume->backing_store->format->type));
    if (target->encryption && qcow2)
        add(list, "encrypt.format=luks");
    if (target->encryption)
        add_encryption(list, target->encryption, id, qcow2 ? "encrypt." : "");
    if (flags & VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)
        add(list, "preallocation=%s",
            volume->allocation != UNSET64 && volume->allocation < volume->capacity ? "metadata" : "falloc");
    if (target->nocow)
        add(list, "nocow=on");
    if (target->compat || qcow2) {
        g_autofree char *compat = escaped(target->compat ? target->compat : "0.10");
        add(list, "compat=%s", compat);
    }
    if (target->cluster_size != UNSET64 && target->cluster_size)
        add(list, "cluster_size=%" G_GUINT64_FORMAT, target->cluster_size);
    if (target->features && target->features->lazy_refcounts)
        add(list, "lazy_refcounts");
    if (target->features && target->features->extended_l2)
        add(list, "extended_l2=on");
    g_ptr_array_add(list, NULL);
    return list->len > 1 ? g_strjoinv(",", (char **)list->pdata) : NULL;
}

/* How an image that is there is opened. */
static char *place_of(const StorageVolume *volume, const char *path, const char *id)
{
    g_autofree char *file = escaped(path);
    StorageVolumeFormat format = volume_image_format(volume);

    if (!volume->target->encryption)
        return g_strdup_printf("driver=%s,file.filename=%s", name_of(format), file);
    return format == STORAGE_VOLUME_FORMAT_QCOW2
               ? g_strdup_printf("driver=qcow2,encrypt.format=luks,encrypt.key-secret=%s,file.filename=%s", id, file)
               : g_strdup_printf("driver=luks,key-secret=%s,file.filename=%s", id, file);
}

/* --- qemu-img --- */

#define OWN "passphrase0"
#define OTHERS "passphrase1" /* of what is copied */

static VolumeProgram *begin(const char *command, const StorageVolume *volume, const char *path)
{
    VolumeProgram *program = volume_program_new("qemu-img");

    volume_program_add(program, "%s", command);
    program->instead = path;
    program->path = volume->target->path;
    return program;
}

static gboolean create(const StorageVolume *volume, const StorageVolume *from, const char *path, guint flags, GError **error)
{
    g_autoptr(VolumeProgram) program = begin("create", volume, path);
    g_autofree char *options = options_of(volume, OWN, flags);
    gboolean luks = volume->target->encryption && volume_image_format(volume) == STORAGE_VOLUME_FORMAT_RAW, backing = volume->backing_store && !from;

    volume_program_add(program, "-f");
    volume_program_add(program, "%s", luks ? "luks" : name_of(volume_image_format(volume)));
    if (!pass_secret(program, volume, OWN, error))
        return FALSE;
    if (backing) {
        volume_program_add(program, "-b");
        volume_program_add(program, "%s", volume->backing_store->path);
    }
    if (options) {
        volume_program_add(program, "-o");
        volume_program_add(program, "%s", options);
    }
    volume_program_add(program, "%s", path);
    if (volume->capacity != UNSET64 && (volume->capacity || !backing))
        volume_program_add(program, "%" G_GUINT64_FORMAT "K", volume->capacity / 1024 + (volume->capacity % 1024 != 0));
    return volume_program_run(program, error);
}

/* Into what create() made. */
static gboolean fill(const StorageVolume *volume, const StorageVolume *from, const char *path, GError **error)
{
    g_autoptr(VolumeProgram) program = begin("convert", volume, path);
    g_autofree char *source = place_of(from, from->target->path, OTHERS), *target = place_of(volume, path, OWN);

    if (!pass_secret(program, from, OTHERS, error) || !pass_secret(program, volume, OWN, error))
        return FALSE;
    for (const char *const *word = (const char *[]){"--image-opts", "-n", "--target-image-opts", source, target, NULL}; *word; word++)
        volume_program_add(program, "%s", *word);
    return volume_program_run(program, error);
}

/* Both at once, where nothing is encrypted. */
static gboolean convert(const StorageVolume *volume, const StorageVolume *from, const char *path, guint flags, GError **error)
{
    g_autoptr(VolumeProgram) program = begin("convert", volume, path);
    g_autofree char *options = options_of(volume, OWN, flags);

    for (const char *const *word = (const char *[]){"-f", name_of(volume_image_format(from)), "-O", name_of(volume_image_format(volume)), NULL}; *word; word++)
        volume_program_add(program, "%s", *word);
    if (options) {
        volume_program_add(program, "-o");
        volume_program_add(program, "%s", options);
    }
    volume_program_add(program, "%s", from->target->path);
    volume_program_add(program, "%s", path);
    return volume_program_run(program, error);
}

/* How often a passphrase is hashed, qemu-img finds by measuring how long that takes, and gives up where the clock of its thread stood
 * still meanwhile. That is chance: it may try again. */
static gboolean is_chance(const GError *error)
{
    return error && strstr(error->message, "Unable to get accurate CPU usage");
}

static gboolean create_patiently(const StorageVolume *volume, const StorageVolume *from, const char *path, guint flags, GError **error)
{
    for (guint tries = 1;; tries++) {
        g_autoptr(GError) why = NULL;
        if (create(volume, from, path, flags, &why))
            return TRUE;
        if (is_chance(why) && tries < TRIES)
            continue;
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
}

gboolean volume_image_make(const StorageVolume *volume, const StorageVolume *from, const char *path, guint flags, GError **error)
{
    if (from && !volume->target->encryption && !from->target->encryption)
        return convert(volume, from, path, flags, error);
    return create_patiently(volume, from, path, flags, error) && (!from || fill(volume, from, path, error));
}

gboolean volume_image_resize(const StorageVolume *volume, guint64 capacity, GError **error)
{
    g_autoptr(VolumeProgram) program = begin("resize", volume, NULL);

    if (capacity < volume->capacity)
        volume_program_add(program, "--shrink");
    if (!volume->target->encryption) {
        volume_program_add(program, "-f");
        volume_program_add(program, "%s", storage_volume_format_to_string(volume_image_format(volume)));
        volume_program_add(program, "%s", volume->target->path);
    } else {
        g_autofree char *place = place_of(volume, volume->target->path, OWN);
        if (!pass_secret(program, volume, OWN, error))
            return FALSE;
        volume_program_add(program, "--image-opts");
        volume_program_add(program, "%s", place);
    }
    volume_program_add(program, "%" G_GUINT64_FORMAT, (capacity + 511) / 512 * 512);
    return volume_program_run(program, error);
}
