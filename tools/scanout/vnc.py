# SPDX-License-Identifier: GPL-2.0-only
"""What somebody who looks at a guest from afar does, as far as a test needs it.

QEMU gives each output of a GPU to people over VNC (RFC 6143). They give their window
another size, which the guest hears of, and they see the guest's cursor, which is in
no screendump.
"""
import socket
import struct

SET_ENCODINGS, SET_DESKTOP_SIZE = 2, 251
FRAMEBUFFER_UPDATE = 0
FORWARDED = 4
RAW, CURSOR_WITH_ALPHA, EXTENDED_DESKTOP_SIZE = 0, -314, -308


class Vnc:
    """A connection to a server that asks for no password."""

    def __init__(self, path, seconds=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self.socket.connect(path)
        self.take(12)
        self.socket.sendall(b"RFB 003.008\n")
        self.take(self.take(1)[0])
        self.socket.sendall(b"\x01")  # no password
        if self.take(4) != bytes(4):
            raise OSError("VNC does not let us in")
        self.socket.sendall(b"\x01")  # not alone
        self.take(20)  # size and format of pixels, which we do not ask for
        self.take(struct.unpack(">I", self.take(4))[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def take(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise OSError("VNC has hung up")
            data += more
        return data

    def encodings(self, *numbers):
        self.socket.sendall(struct.pack(f">BxH{len(numbers)}i", SET_ENCODINGS, len(numbers), *numbers))

    def resize(self, width, height):
        """Ask for a window of this size; 0x0 closes it."""
        self.encodings(EXTENDED_DESKTOP_SIZE)
        self.socket.sendall(struct.pack(">BxHHBxIHHHHI", SET_DESKTOP_SIZE, width, height, 1,
                                        0, 0, 0, width, height, 0))
        while True:
            encoding, _, status, *_ = self.rectangle()
            if encoding == EXTENDED_DESKTOP_SIZE and status == FORWARDED:
                return

    def rectangle(self):
        """The next that the server sends -> encoding, x, y, width, height, data"""
        kind, count = struct.unpack(">BxH", self.take(4))
        if kind != FRAMEBUFFER_UPDATE or count != 1:
            raise OSError(f"VNC sent a message of kind {kind}")
        x, y, width, height, encoding = struct.unpack(">HHHHi", self.take(12))
        if encoding == EXTENDED_DESKTOP_SIZE:
            return encoding, x, y, width, height, self.take(3 + 16 * self.take(1)[0])
        if encoding == CURSOR_WITH_ALPHA and self.take(4) == struct.pack(">i", RAW):
            return encoding, x, y, width, height, self.take(width * height * 4)
        raise OSError(f"VNC sent a rectangle encoded as {encoding}")

    def cursors(self):
        """Each that is defined, from the present one on -> (x, y) of the hotspot, size, pixels"""
        self.encodings(CURSOR_WITH_ALPHA)
        while True:
            encoding, x, y, width, height, data = self.rectangle()
            if encoding == CURSOR_WITH_ALPHA:
                yield (x, y), (width, height), data
