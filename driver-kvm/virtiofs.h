/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * virtiofsd, which shows a folder of the host to a guest. It keeps our rights, which it needs for files of all owners, and
 * confines itself to its folder. QEMU connects to a socket in its own folder that exists before both.
 */
#include "driver-kvm/guest.h"

/* The path of a folder's socket; to free. */
char *virtiofs_socket(const char *private_dir, const char *alias);

/* The program that a descriptor's TEXT is about, if that shows folders; to free. NULL: it is about another. */
char *virtiofs_program(const char *text, gsize length);

/* At a start: that the folder is there and the program, whose path is written into FILESYSTEM if it has none. */
gboolean virtiofs_prepare(Filesystem *filesystem, GError **error);

gboolean virtiofs_start(Guest *guest, const Filesystem *filesystem, GError **error);
