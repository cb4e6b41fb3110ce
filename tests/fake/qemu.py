#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A QEMU that misbehaves on purpose: the peer of the monitor tests.

  qemu.py --behave NAME --fd N        speaks QMP on descriptor N
  qemu-fake-NAME QEMU-OPTIONS...      (a link to this file) stands in as an <emulator>: it answers probes by becoming the
                                      real QEMU, and otherwise speaks QMP on the monitor's listening socket
"""
import array
import json
import os
import re
import socket
import sys
import time

GREETING = {"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": "fake"},
                    "capabilities": ["oob"]}}
ANSWERS = {
    "query-status": {"status": "paused", "singlestep": False, "running": False},
    "query-cpus-fast": [{"cpu-index": 0, "thread-id": 1, "qom-path": "/machine/unattached/device[0]",
                         "target": "x86_64", "props": {}}],
    "query-chardev": [], "query-block": [], "query-blockstats": [], "query-named-block-nodes": [],
    "query-balloon": {"actual": 1 << 27}, "qom-list": [], "qom-get": 0,
}


class Peer:
    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        self.fds = []

    def send(self, value):
        self.raw(json.dumps(value).encode() + b"\r\n")

    def raw(self, data):
        self.sock.sendall(data)

    def receive(self):
        """The next command; ends the program when the other side has gone."""
        while b"\n" not in self.buffer:
            data, ancillary, _, _ = self.sock.recvmsg(65536, 256)
            for level, kind, payload in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    fds = array.array("i")
                    fds.frombytes(payload[:len(payload) - len(payload) % fds.itemsize])
                    self.fds += fds
            if not data:
                sys.exit(0)
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def answer(self, command):
        name = command["execute"]
        if name == "fail":
            self.send({"error": {"class": "GenericError", "desc": "as you wish"}, "id": command["id"]})
        elif name == "fd":
            text = os.read(self.fds.pop(0), 100).decode()
            self.send({"return": text, "id": command["id"]})
        elif name == "echo":
            self.send({"return": command["arguments"], "id": command["id"]})
        else:
            self.send({"return": ANSWERS.get(name, {}), "id": command["id"]})

    def greet(self):
        self.send(GREETING)
        self.answer(self.receive())

    def serve(self):
        while True:
            self.answer(self.receive())


def normal(peer):
    peer.greet()
    peer.serve()


def late(peer):
    """The command "sleep" is answered when it is of no use any more; so are those behind it."""
    peer.greet()
    while True:
        command = peer.receive()
        if command["execute"] == "sleep":
            time.sleep(command["arguments"]["seconds"])
        peer.answer(command)


def twice(peer):
    peer.greet()
    command = peer.receive()
    peer.answer(command)
    peer.answer(command)
    peer.serve()


def reorder(peer):
    peer.greet()
    while True:
        first, second = peer.receive(), peer.receive()
        peer.answer(second)
        peer.answer(first)


def pieces(peer):
    plain = peer.raw
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)

    def bytewise(data):
        for i in range(len(data)):
            plain(data[i:i + 1])
    peer.raw = bytewise
    normal(peer)


def nonsense(peer):
    peer.greet()
    peer.receive()
    peer.raw(b"\x00\xff{]}\x80 GET / HTTP/1.1\r\n\r\n")
    peer.serve()


def death(peer):
    peer.greet()
    peer.receive()
    peer.raw(b'{"return": {"half": ')
    os._exit(3)


def flood(peer):
    """100 MB without an end of line."""
    peer.greet()
    peer.receive()
    try:
        peer.raw(b'{"return": "')
        for _ in range(100):
            peer.raw(b"x" * 1000000)
    except OSError:
        pass


def deep(peer):
    peer.greet()
    command = peer.receive()
    peer.raw(b'{"id": %d, "return": ' % command["id"] + b"[" * 100000 + b"]" * 100000 + b"}\n")
    peer.serve()


def wide(peer):
    peer.greet()
    command = peer.receive()
    peer.raw(b'{"id": %d, "return": [' % command["id"] + b"1," * 1000000 + b"1]}\n")
    peer.serve()


def silent(peer):
    peer.receive()
    time.sleep(1000)


def drowsy(peer):
    """Greets when nobody waits for it any more."""
    time.sleep(0.3)
    normal(peer)


def refuse(peer):
    peer.send(GREETING)
    command = peer.receive()
    peer.send({"error": {"class": "GenericError", "desc": "not with you"}, "id": command["id"]})
    peer.serve()


def unasked(peer):
    peer.greet()
    peer.send({"return": {}, "id": 4711})
    peer.serve()


def anonymous(peer):
    peer.greet()
    peer.receive()
    peer.send({"error": {"class": "GenericError", "desc": "JSON parse error"}})
    peer.serve()


def events(peer):
    """Events of every shape around each answer."""
    peer.greet()
    while True:
        command = peer.receive()
        peer.send({"event": "RESUME", "timestamp": {"seconds": 1, "microseconds": 5}})
        peer.send({"event": "SHUTDOWN", "data": "text", "timestamp": "now"})
        peer.send({"event": "BLOCK_IO_ERROR", "data": {"device": 7, "reason": None}, "timestamp": {"seconds": -1}})
        peer.send({"event": "RTC_CHANGE", "data": {"offset": 1 << 62}, "timestamp": {"seconds": 1 << 62, "microseconds": 0}})
        peer.answer(command)
        peer.send({"event": "STOP", "data": {}, "timestamp": {"seconds": 2, "microseconds": 999999}})


def deaf(peer):
    """Greets, then reads nothing."""
    peer.greet()
    time.sleep(1000)


BEHAVIOURS = {f.__name__: f for f in (normal, late, twice, reorder, pieces, nonsense, death, flood, deep, wide, silent,
                                      drowsy, refuse, unasked, anonymous, events, deaf)}


def main():
    stand_in = re.fullmatch(r"qemu-fake-(\w+)", os.path.basename(sys.argv[0]))
    if stand_in:
        options = " ".join(sys.argv[1:])
        if "none," in options or "-version" in options:
            real = os.environ.get("FAKE_QEMU_REAL", "/usr/bin/qemu-system-x86_64")
            os.execv(real, [real] + sys.argv[1:])
        if stand_in[1] == "early":
            sys.exit("qemu-fake: no, not today")
        listener = socket.socket(fileno=int(re.search(r"\bfd=(\d+),server=on", options)[1]))
        sock, _ = listener.accept()
        BEHAVIOURS[stand_in[1]](Peer(sock))
    else:
        args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
        BEHAVIOURS[args["--behave"]](Peer(socket.socket(fileno=int(args["--fd"]))))


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, ConnectionResetError):
        pass
