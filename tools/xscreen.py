# SPDX-License-Identifier: GPL-2.0-only
"""An X server in memory, for a virtual GPU that renders, and what is on its screen.

QEMU shows a rendered frame through OpenGL alone, and that wants a window.  Xvfb
keeps its screen in a file, so that a picture of it needs no program and no tool of X.
"""
import os
import shutil
import struct
import subprocess
import tempfile

# The window begins as 640x480 in the middle, and stays there when it grows to 1280x800.
SIZE = "1920x1200x24"
# Where the fields of an X window dump's head are, in words.
HEAD, WIDTH, HEIGHT, BITS, LINE, COLOURS, WORDS = 0, 4, 5, 11, 12, 19, 25


class Xvfb:
    """Runs until end(); raises OSError if it does not start."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="prime-window.")
        self.file = os.path.join(self.folder, "Xvfb_screen0")
        told, tell = os.pipe()
        self.process = subprocess.Popen(["Xvfb", "-displayfd", str(tell), "-screen", "0", SIZE, "-nocursor",
                                         "-fbdir", self.folder, "-nolisten", "tcp"], pass_fds=[tell],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(tell)
        with os.fdopen(told) as f:
            number = f.readline().strip()
        if not number:
            self.end()
            raise OSError("Xvfb does not start")
        self.env = {"DISPLAY": f":{number}", "LIBGL_ALWAYS_SOFTWARE": "1", "SDL_VIDEODRIVER": "x11"}

    def picture(self, path):
        """Write what is on the screen, as a PPM."""
        with open(self.file, "rb") as f:
            data = f.read()
        head = struct.unpack(f">{WORDS}I", data[:4 * WORDS])
        width, height, begin = head[WIDTH], head[HEIGHT], head[HEAD] + 12 * head[COLOURS]
        if head[BITS] != 32 or head[LINE] != 4 * width:
            raise OSError("a screen of another kind")
        pixels = data[begin:begin + 4 * width * height]
        out = bytearray(3 * width * height)
        for colour in range(3):
            out[colour::3] = pixels[2 - colour::4]
        with open(path, "wb") as f:
            f.write(b"P6\n%d %d\n255\n" % (width, height) + out)

    def end(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
