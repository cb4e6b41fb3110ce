/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A monitor that says anything at all: its octets go through the protocol's client into the handlers of events. The first
 * octet says whether the greeting and the agreement are given, so that what follows is looked at. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver-kvm/guest.h"
#include "lib/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const char polite[] = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n{\"return\": {}, \"id\": 1}\n";
static const char document[] =
    "<domain type='qemu'><name>f</name><os><type>hvm</type></os><devices>"
    "<disk type='file'><source file='/f' index='1'/><target dev='vda' bus='virtio'/><alias name='virtio-disk0'/></disk>"
    "<channel type='pty'><target type='virtio' name='org.qemu.guest_agent.0'/><alias name='channel0'/></channel>"
    "</devices></domain>";

static VmView view = {.state = VIR_DOMAIN_RUNNING};
static GMutex lock;
static GCond ended;
static gboolean closed;

static VmView *fake_view(Vm *vm)
{
    return vm_view_ref(&view);
}

static gboolean fake_edit(Vm *vm, VmEdit edit, gpointer data, GError **error)
{
    g_autoptr(Domain) copy = domain_copy(view.live);
    return edit(copy, data, error);
}

static void fake_state(Vm *vm, int state, int reason)
{
}

static void fake_responsive(Vm *vm, gboolean responsive)
{
}

static void fake_emit(Vm *vm, const VmEvent *event)
{
    if (event->id == VIR_DOMAIN_EVENT_ID_GRAPHICS)
        g_assert_nonnull(event->graphics.local_node);
}

static void fake_log(Vm *vm, int priority, const char *text)
{
    g_assert_nonnull(text);
}

static const DriverPaths paths = {"/nonexistent", "/nonexistent", "/nonexistent", "/nonexistent", "/nonexistent"};
static DriverHost host = {.paths = &paths, .view = fake_view, .edit_live = fake_edit, .set_state = fake_state,
                          .set_responsive = fake_responsive, .emit = fake_emit, .log = fake_log};
static Kvm kvm = {.host = &host};
static Guest guest = {.kvm = &kvm, .process = {0, -1}};

static void on_closed(const GError *why, gpointer user)
{
    g_mutex_lock(&lock);
    closed = TRUE;
    g_cond_signal(&ended);
    g_mutex_unlock(&lock);
}

static void set_up(void)
{
    g_autoptr(XmlDocument) xml = xml_parse(document, "domain", NULL);

    g_atomic_ref_count_init(&view.refs);
    view.live = model_parse(&domain_type, xml_root(xml), 0, NULL, NULL);
    g_assert_nonnull(view.live);
    g_atomic_ref_count_init(&guest.refs);
    guest.live = domain_ref(view.live);
    guest.agent = agent_new();
    host.loop = loop_new("fuzz", NULL);
    g_assert_true(loop_start(host.loop, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const QmpHandler handler = {.event = guest_on_event, .closed = on_closed};
    int pair[2];

    if (!host.loop)
        set_up();
    if (length == 0)
        return 0;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    if (data[0] & 1)
        g_assert_cmpint(write(pair[1], polite, strlen(polite)), >, 0);
    if (length > 1)
        g_assert_cmpint(write(pair[1], data + 1, length - 1), ==, length - 1);
    shutdown(pair[1], SHUT_WR);
    closed = FALSE;
    Qmp *qmp = qmp_new(host.loop, pair[0], G_USEC_PER_SEC, &handler, &guest);
    g_mutex_lock(&lock);
    while (!closed)
        g_cond_wait(&ended, &lock);
    g_mutex_unlock(&lock);
    qmp_close(qmp);
    qmp_unref(qmp);
    close(pair[1]);
    return 0;
}
