# SPDX-License-Identifier: LGPL-2.1-or-later
"""A relay between a stock client and a server that notes which procedures succeeded.

What a Python call sends is libvirt's own choice (defineXML may be domain_define_xml or domain_define_xml_flags), so the
claim "this test proves that procedure" is checked on the wire rather than believed.
"""
import os
import re
import select
import socket
import struct
import threading

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REPLIES = (1, 6)  # reply, reply with descriptors
MESSAGE = 2
STREAM = 3


def procedures():
    """{(program number, procedure number): 'remote.domain_create'} from the descriptions of the wire."""
    names = {}
    for program in ('remote', 'qemu', 'admin'):
        with open(os.path.join(SOURCE, 'daemon/rpc', program + '.idl')) as f:
            text = f.read()
        number = int(re.search(r'(?m)^program \w+ (0x[0-9a-f]+)', text)[1], 16)
        for row in re.finditer(r'(?m)^(?:proc|event) (\d+) (\w+)', text):
            names[number, int(row[1])] = '%s.%s' % (program, row[2])
    return names


class Frames:
    """Cuts one direction of a conversation into headers."""

    def __init__(self):
        self.buffer = b''

    def feed(self, data):
        self.buffer += data
        while len(self.buffer) >= 28:
            length = struct.unpack('>I', self.buffer[:4])[0]
            if len(self.buffer) < length:
                return
            yield struct.unpack('>IIiiIi', self.buffer[4:28])
            self.buffer = self.buffer[length:]


class Relay:
    """Listens on PATH, forwards to UPSTREAM; succeeded() is what came back well since the last forget(), conversations what
    each client said."""

    def __init__(self, path, upstream):
        self.upstream = upstream
        self.names = procedures()
        self.seen = set()
        self.conversations = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def forget(self):
        self.seen = set()

    def succeeded(self):
        return set(self.seen)

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.upstream)
            except OSError:
                client.close()
                continue
            threading.Thread(target=self.forward, args=(client, server), daemon=True).start()

    def forward(self, client, server):
        frames, said = Frames(), bytearray()
        self.conversations.append(said)
        poll = select.poll()
        for end in (client, server):
            poll.register(end, select.POLLIN)
        other = {client.fileno(): (client, server), server.fileno(): (server, client)}
        try:
            while True:
                for number, _ in poll.poll():
                    source, sink = other[number]
                    data, fds, _, _ = socket.recv_fds(source, 1 << 16, 32)
                    if source is server:
                        for header in frames.feed(data):
                            self.note(*header)
                    else:
                        said += data
                    if not data:
                        return
                    if fds:  # they came with the last octet; libvirtd loses those that are with an earlier one
                        sink.sendall(data[:-1])
                        socket.send_fds(sink, [data[-1:]], fds)
                        for fd in fds:
                            os.close(fd)
                    else:
                        sink.sendall(data)
        except OSError:
            pass
        finally:
            client.close()
            server.close()

    def note(self, program, version, procedure, kind, serial, status):
        if (kind in REPLIES or kind == MESSAGE) and status == 0:
            self.seen.add(self.names.get((program, procedure), '%x.%d' % (program, procedure)))
