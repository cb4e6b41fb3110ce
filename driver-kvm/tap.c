/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-kvm/tap.h"
#include "lib/error.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/sockios.h>

#define FREE_PATIENCE (1 * G_USEC_PER_SEC)
#define FREE_PAUSE (10 * 1000)

static gboolean set_name(struct ifreq *request, const char *name, GError **error)
{
    memset(request, 0, sizeof *request);
    if (strlen(name) >= IFNAMSIZ || !*name)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "Network interface name '%s' is too long", name);
    memcpy(request->ifr_name, name, strlen(name));
    return TRUE;
}

/* One ioctl on the device NAME; WHAT, with the name, says what failed. */
static gboolean change(int control, unsigned long operation, struct ifreq *request, const char *what, GError **error)
{
    if (ioctl(control, operation, request) < 0)
        return error_set_errno(error, VIR_FROM_NONE, errno, "%s '%s'", what, request->ifr_name);
    return TRUE;
}

/* A bridge takes the lowest address of its ports: 0xfe in front makes ours the last that it would take. */
static gboolean set_mac(int control, const char *name, const char *mac, GError **error)
{
    struct ifreq request;
    unsigned int bytes[6];

    if (!set_name(&request, name, error))
        return FALSE;
    if (sscanf(mac, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4], &bytes[5]) != 6)
        return error_set(error, VIR_FROM_NONE, VIR_ERR_INTERNAL_ERROR, "'%s' is no hardware address", mac);
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    for (int i = 0; i < 6; i++)
        request.ifr_hwaddr.sa_data[i] = (char)bytes[i];
    request.ifr_hwaddr.sa_data[0] = (char)(bytes[0] == 0xfe ? 0xfa : 0xfe);
    return change(control, SIOCSIFHWADDR, &request, "Cannot set interface MAC on", error);
}

static gboolean get_mtu(int control, const char *name, guint *ret_mtu, GError **error)
{
    struct ifreq request;

    if (!set_name(&request, name, error) || !change(control, SIOCGIFMTU, &request, "Cannot get interface MTU on", error))
        return FALSE;
    *ret_mtu = (guint)request.ifr_mtu;
    return TRUE;
}

static gboolean set_mtu(int control, const char *name, guint mtu, GError **error)
{
    struct ifreq request;

    if (!set_name(&request, name, error))
        return FALSE;
    request.ifr_mtu = (int)mtu;
    return change(control, SIOCSIFMTU, &request, "Cannot set interface MTU on", error);
}

static gboolean attach(int control, const char *bridge, const char *name, GError **error)
{
    struct ifreq request;

    if (!set_name(&request, bridge, error))
        return FALSE;
    request.ifr_ifindex = (int)if_nametoindex(name);
    if (ioctl(control, SIOCBRADDIF, &request) < 0)
        return error_set_errno(error, VIR_FROM_NONE, errno, "Unable to add bridge %s port %s", bridge, name);
    return TRUE;
}

static gboolean bring_up(int control, const char *name, GError **error)
{
    struct ifreq request;

    if (!set_name(&request, name, error) || !change(control, SIOCGIFFLAGS, &request, "Cannot get interface flags on", error))
        return FALSE;
    request.ifr_flags |= IFF_UP;
    return change(control, SIOCSIFFLAGS, &request, "Cannot set interface flags on", error);
}

static gboolean open_queues(const TapWish *wish, GArray *fds, char name[IFNAMSIZ], GError **error)
{
    struct ifreq request;

    if (!set_name(&request, wish->name ? wish->name : "vnet%d", error))
        return FALSE;
    request.ifr_flags = IFF_TAP | IFF_NO_PI | (wish->header ? IFF_VNET_HDR : 0) | (wish->queues > 1 ? IFF_MULTI_QUEUE : 0);
    for (guint i = 0; i < wish->queues; i++) {
        int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

        if (fd < 0)
            return error_set_errno(error, VIR_FROM_NONE, errno, "Unable to open /dev/net/tun, is tun module loaded?");
        g_array_append_val(fds, fd);
        if (ioctl(fd, TUNSETIFF, &request) < 0)
            return error_set_errno(error, VIR_FROM_NONE, errno, "Unable to create tap device %s",
                                   wish->name ? wish->name : "vnet%d");
    }
    memcpy(name, request.ifr_name, IFNAMSIZ); /* the kernel has put the number in */
    return TRUE;
}

static gboolean set_up(const TapWish *wish, int control, const char *name, GError **error)
{
    guint mtu = wish->mtu;

    if (wish->exists)
        return TRUE;
    if (!set_mac(control, name, wish->mac, error) || (mtu == 0 && wish->bridge && !get_mtu(control, wish->bridge, &mtu, error)))
        return FALSE;
    return (mtu == 0 || set_mtu(control, name, mtu, error)) &&
           (!wish->bridge || attach(control, wish->bridge, name, error)) && bring_up(control, name, error);
}

/* A tap ends with the last descriptor of it, which a copy of us that is about to become another program may still have when
 * the guest is gone already. */
static gboolean wait_free(const char *name)
{
    g_autofree char *flags = g_strdup_printf("/sys/class/net/%s/tun_flags", name);
    gint64 deadline = g_get_monotonic_time() + FREE_PATIENCE;

    while (if_nametoindex(name) > 0) {
        if (access(flags, F_OK) < 0 || g_get_monotonic_time() > deadline)
            return if_nametoindex(name) == 0;
        g_usleep(FREE_PAUSE);
    }
    return TRUE;
}

gboolean tap_open(const TapWish *wish, GArray *fds, char **ret_name, GError **error)
{
    char name[IFNAMSIZ] = "";
    guint before = fds->len, mtu;
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    gboolean done;

    if (control < 0)
        return error_set_errno(error, VIR_FROM_NONE, errno, "Cannot open network interface control socket");
    if (wish->name && !wish->exists && !strchr(wish->name, '%') && !wait_free(wish->name)) {
        close(control);
        return error_set(error, VIR_FROM_NONE, VIR_ERR_OPERATION_INVALID, "The %s interface already exists",
                         wish->name);
    }
    /* A missing bridge is found before anything is made. */
    done = (!wish->bridge || get_mtu(control, wish->bridge, &mtu, error)) && open_queues(wish, fds, name, error) &&
           set_up(wish, control, name, error);
    close(control);
    if (!done) {
        for (guint i = before; i < fds->len; i++)
            close(g_array_index(fds, int, i));
        g_array_set_size(fds, before);
        return FALSE;
    }
    *ret_name = g_strdup(name);
    return TRUE;
}

void tap_open_vhost(guint queues, GArray *fds)
{
    for (guint i = 0; i < queues; i++) {
        int fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);

        if (fd < 0)
            return;
        g_array_append_val(fds, fd);
    }
}
