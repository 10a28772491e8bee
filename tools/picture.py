# SPDX-License-Identifier: GPL-2.0-only
"""Pictures: PNM and PNG, and where in one another one is."""
import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"


def pnm(data):
    """P5 or P6 -> width, height, bytes of a pixel, pixels"""
    kind, size, _, pixels = data.split(b"\n", 3)
    width, height = map(int, size.split())
    return width, height, {b"P5": 1, b"P6": 3}[kind], pixels


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(picture):
    """The bytes of a PNG: of grey pixels, or of red, green and blue ones."""
    width, height, channels, pixels = picture
    line = width * channels
    rows = b"".join(b"\0" + pixels[y * line:(y + 1) * line] for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    return PNG + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def chunks(data):
    at = len(PNG)
    while at < len(data):
        size = struct.unpack_from(">I", data, at)[0]
        yield data[at + 4:at + 8], data[at + 8:at + 8 + size]
        at += size + 12


def paeth(left, above, corner):
    guess = left + above - corner
    return min((left, above, corner), key=lambda near: abs(guess - near))


def unfiltered(kind, row, above, step):
    """A row of a PNG as it was before its filter."""
    row = bytearray(row)
    if kind == 2:
        return bytearray((a + b) & 255 for a, b in zip(row, above))
    for i in range(len(row) if kind else 0):
        left = row[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        row[i] = (row[i] + {1: left, 3: (left + above[i]) // 2,
                            4: paeth(left, above[i], corner) if kind == 4 else 0}[kind]) & 255
    return row


def from_png(data):
    """A PNG that is not interlaced, of red, green and blue (and how opaque) -> width, height, 3, pixels"""
    parts = list(chunks(data))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", parts[0][1])
    if depth != 8 or kind not in (2, 6) or interlaced:
        raise ValueError("a PNG of another kind")
    step = {2: 3, 6: 4}[kind]
    raw = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    above, pixels = bytearray(width * step), bytearray()
    for at in range(0, len(raw), width * step + 1):
        above = unfiltered(raw[at], raw[at + 1:at + 1 + width * step], above, step)
        pixels += above
    if step == 4:
        del pixels[3::4]
    return width, height, 3, bytes(pixels)


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    return from_png(data) if data.startswith(PNG) else pnm(data)


def rows(picture):
    width, height, channels, pixels = picture
    line = width * channels
    return [pixels[y * line:(y + 1) * line] for y in range(height)]


def find(small, large):
    """Where in a large picture a small one is, whole: (x, y), or None."""
    wanted, there, step = rows(small), rows(large), large[2]
    for y in range(len(there) - len(wanted) + 1):
        at = there[y].find(wanted[0])
        while at >= 0:
            if at % step == 0 and all(there[y + i].startswith(row, at) for i, row in enumerate(wanted)):
                return at // step, y
            at = there[y].find(wanted[0], at + 1)
    return None


def beside(left, right, gap=8):
    """Two pictures of one height side by side, white between them."""
    white = b"\xff" * gap * left[2]
    pixels = b"".join(a + white + b for a, b in zip(rows(left), rows(right)))
    return left[0] + gap + right[0], left[1], left[2], pixels


def halved(picture):
    """Every other pixel of every other row."""
    width, height, step, _ = picture
    kept = (row[x:x + step] for row in rows(picture)[:height // 2 * 2:2]
            for x in range(0, width // 2 * 2 * step, 2 * step))
    return width // 2, height // 2, step, b"".join(kept)
