/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/master-key.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"

#define KEY_LENGTH 32
#define BLOCK_LENGTH 16

char *master_key_path(const char *private_dir)
{
    return g_build_filename(private_dir, "master-key.aes", NULL);
}

static gboolean random_octets(guint8 *octets, gsize length, GError **error)
{
    int code = gnutls_rnd(GNUTLS_RND_KEY, octets, length);

    return code == 0 || error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "no random numbers for the key of a guest: %s", gnutls_strerror(code));
}

gboolean master_key_make(const char *path, const ProcessIds *ids, GError **error)
{
    g_autoptr(SecretValue) key = secret_value_new(KEY_LENGTH, error);

    if (!key || !random_octets(key->octets, KEY_LENGTH, error))
        return FALSE;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    gboolean made = fd >= 0 && (!ids || fchown(fd, ids->uid, ids->gid) == 0) && write(fd, key->octets, KEY_LENGTH) == KEY_LENGTH;
    int errnum = errno;
    if (fd >= 0)
        close(fd);
    return made || error_set_errno(error, VIR_FROM_QEMU, errnum, "cannot write the key of the guest to '%s'", path);
}

/* QEMU's user might have put anything in its place: a pipe does not hold us up, a link is not followed. */
static SecretValue *read_key(const char *path, GError **error)
{
    g_autoptr(SecretValue) key = secret_value_new(KEY_LENGTH, error);
    struct stat st;

    if (!key)
        return NULL;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        error_set(error, VIR_FROM_QEMU, VIR_ERR_CONFIG_UNSUPPORTED, "the guest was started without a key, so that no secret can be given to it: "
                  "it has to be started again");
        return NULL;
    }
    gboolean read_all = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == KEY_LENGTH &&
                        read(fd, key->octets, KEY_LENGTH) == KEY_LENGTH;
    if (fd >= 0)
        close(fd);
    if (read_all)
        return g_steal_pointer(&key);
    error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "the key of the guest, '%s', cannot be read or is none", path);
    return NULL;
}

/* With the padding of PKCS #7: as many octets as are missing, each of that value. */
static SecretValue *padded(const SecretValue *value, GError **error)
{
    gsize missing = BLOCK_LENGTH - value->length % BLOCK_LENGTH;
    SecretValue *longer = secret_value_new(value->length + missing, error);

    if (!longer)
        return NULL;
    memcpy(longer->octets, value->octets, value->length);
    memset(longer->octets + value->length, (int)missing, missing);
    return longer;
}

gboolean master_key_seal(const char *path, const SecretValue *value, char **ret_data, char **ret_iv, GError **error)
{
    g_autoptr(SecretValue) key = read_key(path, error);
    g_autoptr(SecretValue) text = key ? padded(value, error) : NULL;
    guint8 iv[BLOCK_LENGTH];
    gnutls_cipher_hd_t cipher;

    if (!text || !random_octets(iv, sizeof iv, error))
        return FALSE;
    gnutls_datum_t key_datum = {key->octets, KEY_LENGTH}, iv_datum = {iv, sizeof iv};
    int code = gnutls_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_CBC, &key_datum, &iv_datum);
    if (code == 0) {
        code = gnutls_cipher_encrypt(cipher, text->octets, text->length); /* in its place */
        gnutls_cipher_deinit(cipher);
    }
    if (code != 0)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR, "cannot encrypt a secret for the guest: %s", gnutls_strerror(code));
    *ret_data = g_base64_encode(text->octets, text->length);
    *ret_iv = g_base64_encode(iv, sizeof iv);
    return TRUE;
}
