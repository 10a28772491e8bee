# SPDX-License-Identifier: GPL-2.0-only
"""Judging a compositor's screen: its clients' windows are found, and missed if a pixel is another."""
import os
import sys
import tempfile
import unittest

from toolbox import TOOLS

import picture

sys.path.append(os.path.join(TOOLS, "mesa"))
import screens  # noqa: E402

WIDTH, HEIGHT = 800, 300


def bars():
    """As vivid draws them, at three quarters, a text over the first rows."""
    row = b"".join(bytes(191 * part for part in colour) * screens.BAR for colour in screens.BARS)
    text = bytearray(row)
    text[30:600] = b"\xff\0\0" * 190
    return screens.BAR * 8, 120, 3, bytes(text) * 20 + row * 100


def screen(*windows):
    """Windows at places, the last one on top."""
    rows = [bytearray(b"\x20\x40\x60" * WIDTH) for _ in range(HEIGHT)]
    for window, x, y in windows:
        for i, row in enumerate(picture.rows(window)):
            rows[y + i][x * 3:x * 3 + len(row)] = row
    return WIDTH, HEIGHT, 3, b"".join(rows)


class Screens(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mesa-screens.")
        self.addCleanup(folder.cleanup)
        self.name = os.path.join(folder.name, "vkms-case")

    def judged(self, case, *windows):
        with open(self.name + ".png", "wb") as f:
            f.write(picture.png(screen(*windows)))
        return screens.wrong(self.name, case)

    def test_windows_are_found(self):
        client = screens.client(), 37, 150
        self.assertIsNone(self.judged("weston-vgem", client))
        self.assertIsNone(self.judged("weston-v4l2", (bars(), 101, 50)))
        self.assertIsNone(self.judged("weston-two", (bars(), 101, 50), client))

    def test_an_empty_screen_is_wrong(self):
        for case in screens.SHOWN:
            self.assertIn("on the screen", self.judged(case))

    def test_a_frame_before_the_last_is_wrong(self):
        self.assertIn("vgem", self.judged("weston-vgem", (screens.client(screens.LAST - 1), 0, 0)))

    def test_bars_in_another_order_are_wrong(self):
        width, height, step, pixels = bars()
        mirrored = b"".join(row[i:i + 3] for row in picture.rows((width, height, step, pixels))
                            for i in range(len(row) - 3, -1, -3))
        self.assertIn("0 rows", self.judged("weston-v4l2", ((width, height, step, mirrored), 0, 0)))

    def test_both_have_to_be_there(self):
        self.assertIn("vgem", self.judged("weston-two", (bars(), 0, 0)))
        self.assertIn("V4L2", self.judged("weston-two", (screens.client(), 0, 0)))

    def test_no_picture_is_wrong(self):
        self.assertIn("no picture", screens.wrong(self.name, "weston-vgem"))


if __name__ == "__main__":
    unittest.main()
