# SPDX-License-Identifier: GPL-2.0-only
"""Pictures, in the one form in which they are compared: as vkms sees its screen.

A pixel has 16 bits for each of alpha, red, green and blue, as vkms has when it makes
its checksum, so that the checksum of a picture says whether it is on the screen.
"""
import array
import collections
import zlib

# For each format of raw memory, how many bytes a pixel has, and where its colours are.
BYTES = {"XR24": (4, (2, 1, 0)), "RGB3": (3, (0, 1, 2))}


class Picture(collections.namedtuple("Picture", "width height argb")):
    """argb: the pixels as said above, little-endian"""

    def __repr__(self):
        return f"{self.width}x{self.height}, checksum {self.crc():08x}"

    def crc(self):
        """As vkms computes it: from 0, and nothing is inverted, which zlib does before and after."""
        return zlib.crc32(self.argb, 0xffffffff) ^ 0xffffffff

    def colours(self):
        """The bytes of red, green and blue, upper halves."""
        return tuple(self.argb[at::8] for at in (3, 5, 7))

    def ppm(self):
        out = bytearray(3 * self.width * self.height)
        for n, colour in enumerate(self.colours()):
            out[n::3] = colour
        return b"P6\n%d %d\n255\n" % (self.width, self.height) + out

    def part(self, left, top, width, height):
        """A rectangle of it."""
        line = 8 * self.width
        rows = (self.argb[y * line + 8 * left:y * line + 8 * (left + width)] for y in range(top, top + height))
        return Picture(width, height, b"".join(rows))

    def through_ramp(self):
        """Behind the gamma ramp of Xorg, whose values have 10 bits; each colour is there wholly, or not at all."""
        out = bytearray(self.argb)
        for at in (2, 4, 6):
            out[at::8] = out[at::8].replace(b"\xff", b"\xc0")
        return self._replace(argb=bytes(out))

    def spoiled(self):
        """The same with one pixel in the middle that is another."""
        at = 8 * (self.width * (self.height // 2) + self.width // 2)
        pixel = bytes(255 - b for b in self.argb[at + 2:at + 8])
        return self._replace(argb=self.argb[:at + 2] + pixel + self.argb[at + 8:])


def of_colours(width, height, red, green, blue):
    """From 8 bits of each: the full value becomes the full value."""
    out = bytearray(b"\xff" * (8 * width * height))
    for at, colour in ((2, red), (4, green), (6, blue)):
        out[at::8] = out[at + 1::8] = colour
    return Picture(width, height, bytes(out))


def of_565(width, height, data):
    """From 16-bit pixels, scaled as vkms does it: to the nearest."""
    class Pixels(dict):
        def __missing__(self, pixel):
            parts = (pixel >> 11, 31), (pixel >> 5 & 63, 63), (pixel & 31, 31)
            self[pixel] = b"\xff\xff" + b"".join(((2 * 65535 * v + most) // (2 * most)).to_bytes(2, "little")
                                                 for v, most in parts)
            return self[pixel]

    pixels = array.array("H", data)
    return Picture(width, height, b"".join(map(Pixels().__getitem__, pixels)))


def to_565(picture):
    """As vim2m makes 16-bit pixels: the lower bits are cut off."""
    words = ((r & 0xf8) << 8 | (g & 0xfc) << 3 | b >> 3 for r, g, b in zip(*picture.colours()))
    return of_565(picture.width, picture.height, array.array("H", words).tobytes())


def raw(data, fourcc, width, height):
    """The first frame in what a video device or a screen grabber has written."""
    size, where = BYTES[fourcc]
    if len(data) < size * width * height:
        raise ValueError(f"{len(data)} bytes are no frame of {width}x{height}")
    data = data[:size * width * height]
    return of_colours(width, height, *(data[at::size] for at in where))


def ppm(data):
    kind, size, depth, pixels = data.split(b"\n", 3)
    if (kind, depth) != (b"P6", b"255"):
        raise ValueError("a picture of another kind")
    width, height = (int(n) for n in size.split())
    return of_colours(width, height, *(pixels[n::3] for n in range(3)))


def pattern(width, height):
    """Something where no line, and hardly a pixel, is like another."""
    x, y = range(width), range(height)
    red = b"".join(bytes((i * 5 + j) & 255 for i in x) for j in y)
    green = b"".join(bytes((i ^ j) & 255 for i in x) for j in y)
    blue = b"".join(bytes(((i >> 3) * 37 + j * 3) & 255 for i in x) for j in y)
    return of_colours(width, height, red, green, blue)


def tile(side):
    """Bits of a square that is like no turned or mirrored one of itself, a line each."""
    return [[(x * 3 < y) ^ (x & y & 4 > 0) for x in range(side)] for y in range(side)]


def xbm(bits):
    """The same as X reads bitmaps, whose lines have to be short."""
    side = len(bits)
    lines = (", ".join(f"0x{sum(line[x + n] << n for n in range(8)):02x}" for x in range(0, side, 8)) for line in bits)
    text = ",\n".join(lines)
    return f"#define tile_width {side}\n#define tile_height {side}\nstatic char tile_bits[] = {{\n{text} }};\n"


def tiled(bits, width, height):
    """What a screen shows that is full of them: magenta where a bit is set, else green."""
    side = len(bits)
    lines = [bytes(255 * b for b in line) * (width // side + 1) for line in bits]
    is_set = b"".join(lines[y % side][:width] for y in range(height))
    is_clear = bytes(255 - b for b in is_set)
    return of_colours(width, height, is_set, is_clear, is_set)
