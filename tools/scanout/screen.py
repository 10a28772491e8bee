# SPDX-License-Identifier: GPL-2.0-only
"""What QEMU shows, by its machine protocol, and what should be there.

A picture is a function of its seed, which tools/scanout/kit.c knows as well.
"""
import json
import os
import re
import socket
import time


def connect(path, guest):
    """A connection to a socket of QEMU, as soon as QEMU has made it; None if it ends before."""
    while guest.poll() is None:
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(path)
            return s.makefile("rw", buffering=1)
        except OSError:
            s.close()
            time.sleep(0.1)
    return None


class Monitor:
    """QEMU's machine protocol, a command at a time."""

    def __init__(self, stream):
        self.stream = stream
        stream.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.stream.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        for line in self.stream:
            answer = json.loads(line)
            if "return" in answer or "error" in answer:
                return answer
        raise EOFError("the monitor is gone")

    def picture(self, path, device, head=0):
        """-> width, height, bytes of red, green and blue; also in the file"""
        answer = self.command("screendump", filename=path, device=device, head=head)
        if "error" in answer:
            raise EOFError(answer["error"]["desc"])
        with open(path, "rb") as f:
            _, size, _, pixels = f.read().split(b"\n", 3)
        return (*map(int, size.split()), pixels)


def value(seed, x, y):
    return ((((x * 7 + y * 13 + seed * 29) ^ (x * y + seed)) * 2654435761 & 0xffffffff) >> 8) & 0xffffff


def drawn(width, height, seed):
    """What a client draws, as bytes of red, green and blue."""
    out = bytearray()
    for y in range(height):
        for x in range(width):
            out += value(seed, x, y).to_bytes(3, "big")
    return bytes(out)


def cursor_drawn(width, height, seed):
    """The same as bytes of blue, green, red and how opaque."""
    return b"".join((value(seed, x, y) | 0xff000000).to_bytes(4, "little")
                    for y in range(height) for x in range(width))


def told(stream, width, height):
    """What a guest says is in a buffer, as bytes of red, green and blue."""
    rows = [bytes.fromhex(stream.readline()) for _ in range(height)]
    if any(len(row) != 3 * width for row in rows):
        raise EOFError("it does not tell every pixel")
    return b"".join(rows)


def difference(picture, width, height, want):
    """None if a picture is the one that is wanted, else what is different."""
    *size, pixels = picture
    if size != [width, height]:
        return f"the screen is {size[0]}x{size[1]}, not {width}x{height}"
    if pixels == want:
        return None
    bad = [i // 3 for i in range(0, len(want), 3) if pixels[i:i + 3] != want[i:i + 3]]
    return f"{len(bad)} of {width * height} pixels differ, the first at {bad[0] % width},{bad[0] // width}"


class Font:
    """The kernel's font of 8x16, from the source of a kernel."""

    def __init__(self, kernel):
        with open(os.path.join(kernel, "lib/fonts/font_8x16.c")) as f:
            rows = re.findall(r"^\s*(0x[0-9a-f]{2}),", f.read(), re.M)
        self.rows = bytes(int(r, 16) for r in rows)

    def line(self, text, y):
        """A row of pixels, a byte for each: is it set?"""
        return b"".join(bytes(self.rows[ord(c) * 16 + y] >> (7 - bit) & 1 for bit in range(8)) for c in text)

    def is_on(self, picture, text):
        """Is there a line like this anywhere, white on black?"""
        width, height, pixels = picture
        if set(pixels) != {0, 255}:
            return False
        rows = [bytes(p & 1 for p in pixels[y * width * 3:(y + 1) * width * 3:3]) for y in range(height)]
        lines = [self.line(text, y) for y in range(16)]
        top = max(range(16), key=lambda y: lines[y].count(1))
        for y in range(height - 15):
            x = rows[y + top].find(lines[top])
            while x >= 0:
                if all(rows[y + i][x:x + len(lines[i])] == lines[i] for i in range(16)):
                    return True
                x = rows[y + top].find(lines[top], x + 1)
        return False
