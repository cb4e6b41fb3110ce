/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/*
 * What a definition means beyond what it says, as far as no hypervisor is needed for it. The driver calls
 * domain_normalize() first, then adds what its machine has, then domain_imply().
 */
#include "lib/model/domain-cpus.h"
#include "lib/model/domain-device.h"
#include "lib/model/model.h"

/* Identity (UUID, MAC and generation identifiers where they are absent), one form for what can be written in several,
 * order of disks and controllers, and what every definition has (vcpu, os). */
gboolean domain_normalize(Domain *def, GError **error);

/* The same of one device, HELD by DEF and of KIND. */
gboolean domain_normalize_device(Domain *def, const DomainDevice *kind, gpointer held, GError **error);

/* What follows from the rest: sizes of memory, boot devices, controllers that devices speak of, the video card of a
 * display, the console that a serial port is. */
gboolean domain_imply(Domain *def, GError **error);

/* Makes each console that stands for a serial port (older clients look there) say the same as the port. After any change
 * to a serial port, also of a running guest. */
void domain_twin_consoles(Domain *def);

/* Appends an input device unless there is one of that type on that bus. */
void domain_want_input(Domain *def, InputType type, InputBus bus);

/* VIDEO, of DEF and of a known type: its screens and amounts of memory where they are absent; the first card is the primary one. */
void domain_complete_video(const Domain *def, Video *video);

/* A locally administered address that no guest is likely to have: 52:54:00 and three random bytes. To free. */
char *domain_random_mac(void);
