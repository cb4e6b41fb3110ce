# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk of device-mapper that can be suspended: what reads it then waits in the kernel and cannot be killed."""
import ctypes
import fcntl
import os
import struct

CONTROL = '/dev/mapper/control'
HEADER = struct.Struct('=3I I I I i I I I Q 128s 129s 7x')
TARGET = struct.Struct('=Q Q i I 16s')
SIZE = HEADER.size
CREATE, SUSPEND, LOAD = 3, 6, 9
SUSPENDED = 1 << 1


def ioctl(number, name, payload=b'', flags=0, targets=0):
    data = bytearray(SIZE + len(payload))
    HEADER.pack_into(data, 0, 4, 0, 0, len(data), SIZE, targets, 0, flags, 0, 0, 0, name.encode(), b'')
    data[SIZE:] = payload
    buffer = (ctypes.c_char * len(data)).from_buffer(data)
    control = os.open(CONTROL, os.O_RDWR)
    try:
        fcntl.ioctl(control, 3 << 30 | SIZE << 16 | 0xfd << 8 | number, buffer)
    finally:
        os.close(control)
    return HEADER.unpack_from(data)[10]


class Disk:
    """SECTORS of zeroes, as a node of its own."""

    def __init__(self, name, sectors=16384):
        self.name = name
        device = ioctl(CREATE, name)
        ioctl(LOAD, name, TARGET.pack(0, sectors, 0, TARGET.size + 8, b'zero') + bytes(8), targets=1)
        self.resume()
        self.path = '/dev/' + name
        minor = device & 0xff | device >> 12 & 0xfff00
        os.mknod(self.path, 0o660 | 0o060000, os.makedev(device >> 8 & 0xfff, minor))

    def suspend(self):
        ioctl(SUSPEND, self.name, flags=SUSPENDED)

    def resume(self):
        ioctl(SUSPEND, self.name)
