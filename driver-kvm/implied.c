/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/implied.h"
#include "driver-kvm/machine.h"
#include "lib/error.h"
#include "lib/model/domain-address.h"
#include "lib/model/domain-defaults.h"

static gboolean want_root(Domain *def, GError **error)
{
    ControllerModel model = machine_kind(def)->root;
    const Controller *root = domain_controller(def, CONTROLLER_TYPE_PCI, 0);

    if (!root)
        domain_add_controller(def, CONTROLLER_TYPE_PCI, 0, model);
    else if (root->model != model)
        return error_set(error, VIR_FROM_QEMU, VIR_ERR_XML_ERROR,
                         "The PCI controller with index='0' must be model='%s' for this machine type, but model='%s' was "
                         "found instead", controller_model_to_string(model), controller_model_to_string(root->model));
    return TRUE;
}

static void want_usb(Domain *def, const Caps *caps)
{
    ControllerModel model = CONTROLLER_MODEL_UNSET;

    if (domain_controller(def, CONTROLLER_TYPE_USB, 0))
        return;
    if (machine_is_q35(def)) {
        if (caps_has_device(caps, "qemu-xhci"))
            model = CONTROLLER_MODEL_QEMU_XHCI;
        else if (caps_has_device(caps, "nec-usb-xhci"))
            model = CONTROLLER_MODEL_NEC_XHCI;
        else
            return;
    }
    domain_add_controller(def, CONTROLLER_TYPE_USB, 0, model);
}

/* A keyboard, and a mouse beside which no tablet points. */
static void want_usb_inputs(Domain *def)
{
    gboolean tablet = FALSE;

    if (def->devices->graphics->len == 0)
        return;
    for (guint i = 0; i < def->devices->inputs->len; i++) {
        const Input *input = g_ptr_array_index(def->devices->inputs, i);

        tablet = tablet ||
                 (input->type == INPUT_TYPE_TABLET && (input->bus == INPUT_BUS_USB || input->bus == INPUT_BUS_UNSET));
    }
    domain_want_input(def, INPUT_TYPE_KEYBOARD, INPUT_BUS_USB);
    if (!tablet)
        domain_want_input(def, INPUT_TYPE_MOUSE, INPUT_BUS_USB);
}

/* The firmware itself tells of a panic. */
static void want_panic(Domain *def, PanicModel model)
{
    for (guint i = 0; i < def->devices->panics->len; i++) {
        const Panic *panic = g_ptr_array_index(def->devices->panics, i);

        if (panic->model == PANIC_MODEL_UNSET || panic->model == model)
            return;
    }
    g_ptr_array_add(def->devices->panics, panic_new());
}

static void want_audio(Domain *def)
{
    AudioType type = def->devices->graphics->len ? AUDIO_TYPE_UNSET : AUDIO_TYPE_NONE;
    Audio *audio;

    if (def->devices->audios->len > 0)
        return;
    for (guint i = 0; i < def->devices->graphics->len; i++) {
        const Graphics *graphics = g_ptr_array_index(def->devices->graphics, i);

        if (graphics->type == GRAPHICS_TYPE_SPICE)
            type = AUDIO_TYPE_SPICE;
        if (graphics->type == GRAPHICS_TYPE_VNC)
            type = AUDIO_TYPE_NONE;
        if (graphics->type == GRAPHICS_TYPE_SDL)
            type = AUDIO_TYPE_UNSET;
    }
    if (type == AUDIO_TYPE_UNSET) /* the other displays bring their own */
        return;
    audio = audio_new();
    audio->id = 1;
    audio->type = type;
    g_ptr_array_add(def->devices->audios, audio);
}

gboolean implied_devices(Domain *def, const Caps *caps, GError **error)
{
    const MachineKind *kind = machine_kind(def);

    if (kind->has & MACHINE_PS2) {
        domain_want_input(def, INPUT_TYPE_MOUSE, INPUT_BUS_PS2);
        domain_want_input(def, INPUT_TYPE_KEYBOARD, INPUT_BUS_PS2);
    }
    if (kind->has & MACHINE_USB)
        want_usb(def, caps);
    if (kind->has & MACHINE_SATA)
        domain_want_controller(def, CONTROLLER_TYPE_SATA, 0, CONTROLLER_MODEL_UNSET);
    if (machine_offers_pci(def, caps) && !want_root(def, error))
        return FALSE;
    if ((kind->has & MACHINE_BALLOON) && !def->devices->memballoon) {
        def->devices->memballoon = memballoon_new();
        def->devices->memballoon->model = MEMBALLOON_MODEL_VIRTIO;
    }
    if (kind->has & MACHINE_USB_INPUTS)
        want_usb_inputs(def);
    if (kind->has & MACHINE_PANIC)
        want_panic(def, kind->panic);
    want_audio(def);
    return TRUE;
}
