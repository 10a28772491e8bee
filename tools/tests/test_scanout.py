# SPDX-License-Identifier: GPL-2.0-only
"""tools/scanout/screen.py and vnc.py: whether a picture, a text, a cursor is there."""
import io
import os
import socket
import struct
import sys
import tempfile
import threading
import unittest

from toolbox import TOOLS

sys.path.append(os.path.join(TOOLS, "scanout"))
import screen  # noqa: E402
import vnc  # noqa: E402

WIDTH, HEIGHT, SEED = 40, 30, 5


class Pictures(unittest.TestCase):
    def setUp(self):
        self.pixels = screen.drawn(WIDTH, HEIGHT, SEED)

    def judged(self, pixels, width=WIDTH):
        return screen.difference((width, HEIGHT, pixels), WIDTH, HEIGHT, screen.drawn(WIDTH, HEIGHT, SEED))

    def test_as_drawn(self):
        self.assertIsNone(self.judged(self.pixels))

    def test_a_pixel_differs(self):
        at = 3 * (2 * WIDTH + 7)
        wrong = self.pixels[:at] + bytes([self.pixels[at] ^ 1]) + self.pixels[at + 1:]
        self.assertEqual(self.judged(wrong), f"1 of {WIDTH * HEIGHT} pixels differ, the first at 7,2")

    def test_another_seed(self):
        self.assertIn("pixels differ", self.judged(screen.drawn(WIDTH, HEIGHT, SEED + 1)))

    def test_another_size(self):
        self.assertIn("the screen is 41x30", self.judged(self.pixels, WIDTH + 1))

    def test_told_by_the_guest(self):
        stream = io.StringIO("10ff00012203\n0a0b0c0d0e0f\nshown\n")
        self.assertEqual(screen.told(stream, 2, 2), bytes.fromhex("10ff000122030a0b0c0d0e0f"))
        self.assertEqual(stream.readline(), "shown\n")

    def test_told_too_little(self):
        self.assertRaises(EOFError, screen.told, io.StringIO("10ff00012203\n0a0b0c\n"), 2, 2)
        self.assertRaises(EOFError, screen.told, io.StringIO("10ff00012203\n"), 2, 2)


class Text(unittest.TestCase):
    """In a font that has two letters: a column, and a box."""

    def setUp(self):
        self.font = screen.Font.__new__(screen.Font)
        rows = bytearray(256 * 16)
        rows[ord("I") * 16:ord("I") * 16 + 16] = bytes([0, *[0x18] * 14, 0])
        rows[ord("O") * 16:ord("O") * 16 + 16] = bytes([0, 0xff, *[0x81] * 12, 0xff, 0])
        self.font.rows = bytes(rows)

    def picture(self, text, x, y, white=b"\xff\xff\xff"):
        rows = [bytearray(3 * WIDTH) for _ in range(HEIGHT)]
        for line in range(16):
            for column, on in enumerate(self.font.line(text, line)):
                if on:
                    rows[y + line][3 * (x + column):3 * (x + column) + 3] = white
        return WIDTH, HEIGHT, b"".join(rows)

    def test_anywhere(self):
        self.assertTrue(self.font.is_on(self.picture("OIO", 11, 9), "OIO"))

    def test_another_text(self):
        self.assertFalse(self.font.is_on(self.picture("OII", 11, 9), "OIO"))

    def test_another_color(self):
        self.assertFalse(self.font.is_on(self.picture("OIO", 11, 9, b"\xff\xff\xfe"), "OIO"))

    def test_nothing(self):
        self.assertFalse(self.font.is_on((WIDTH, HEIGHT, bytes(3 * WIDTH * HEIGHT)), "I"))


class Viewer(unittest.TestCase):
    """A server that says what it is told to, after the greetings."""

    def serve(self, *messages):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "vnc")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        listener.listen(1)
        self.heard = []

        def answer():
            client, _ = listener.accept()
            with client:
                client.sendall(b"RFB 003.008\n")
                client.recv(12)
                client.sendall(b"\1\1")
                client.recv(1)
                client.sendall(bytes(4))
                client.recv(1)
                client.sendall(bytes(20) + struct.pack(">I", 4) + b"QEMU")
                client.sendall(b"".join(messages))
                while True:
                    data = client.recv(100)
                    if not data:
                        return
                    self.heard.append(data)

        self.server = threading.Thread(target=answer)
        self.server.start()
        return path

    @staticmethod
    def rectangle(x, y, width, height, encoding, data):
        return struct.pack(">BxHHHHHi", 0, 1, x, y, width, height, encoding) + data

    def test_cursor(self):
        pixels = bytes(range(2 * 3 * 4))
        path = self.serve(self.rectangle(1, 2, 2, 3, vnc.CURSOR_WITH_ALPHA, bytes(4) + pixels))
        with vnc.Vnc(path) as viewer:
            self.assertEqual(next(viewer.cursors()), ((1, 2), (2, 3), pixels))
        self.server.join()

    def test_resize(self):
        """What the window was comes first, then that the guest is asked."""
        old, asked = (self.rectangle(0, status, 640, 480, vnc.EXTENDED_DESKTOP_SIZE, b"\1" + bytes(19))
                      for status in (0, vnc.FORWARDED))
        path = self.serve(old, asked)
        with vnc.Vnc(path) as viewer:
            viewer.resize(800, 600)
        self.server.join()
        self.assertIn(struct.pack(">BxHH", vnc.SET_DESKTOP_SIZE, 800, 600), b"".join(self.heard))

    def test_hangs_up(self):
        with vnc.Vnc(self.serve(b"\0")) as viewer:
            viewer.socket.shutdown(socket.SHUT_WR)
            self.assertRaises(OSError, viewer.rectangle)
        self.server.join()
