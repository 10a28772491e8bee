# SPDX-License-Identifier: GPL-2.0-only
"""Pictures: what is written can be read again, with each filter, and what is there is found."""
import struct
import unittest
import zlib

import picture

# Four by three pixels, no two of them alike.
SMALL = (4, 3, 3, bytes(i * 37 % 251 for i in range(36)))


def filtered(image, kind):
    """A PNG all of whose rows have this filter, computed as its standard says."""
    width, height, step, _ = image
    above, raw = bytes(width * step), b""
    for row in picture.rows(image):
        raw += bytes([kind])
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b, c = above[i], above[i - step] if i >= step else 0
            guess = [0, a, b, (a + b) // 2, picture.paeth(a, b, c)][kind]
            raw += bytes([(value - guess) & 255])
        above = row
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    # in two parts, as programs write them
    body = zlib.compress(raw)
    return (picture.PNG + picture.chunk(b"IHDR", head) + picture.chunk(b"IDAT", body[:9]) +
            picture.chunk(b"IDAT", body[9:]) + picture.chunk(b"IEND", b""))


class Picture(unittest.TestCase):
    def test_a_picture_is_a_png(self):
        for kind, channels in (b"P5", 1), (b"P6", 3):
            pixels = bytes(range(2 * 3 * channels))
            data = picture.png(picture.pnm(kind + b"\n3 2\n255\n" + pixels))
            self.assertEqual(struct.unpack(">IIBB", data[16:26]), (3, 2, 8, 0 if channels == 1 else 2))
            rows = zlib.decompress(data[41:-16])
            line = 3 * channels
            self.assertEqual(rows[1:1 + line] + rows[2 + line:], pixels)

    def test_what_is_written_is_read(self):
        self.assertEqual(picture.from_png(picture.png(SMALL)), SMALL)

    def test_each_filter_is_undone(self):
        for kind in range(5):
            self.assertEqual(picture.from_png(filtered(SMALL, kind)), SMALL, kind)

    def test_one_in_another_is_found(self):
        white = (6, 6, 3, b"\xff" * 108)
        rows = picture.rows(white)
        for y, row in enumerate(picture.rows(SMALL)):
            rows[y + 2] = rows[y + 2][:3] + row + rows[y + 2][15:]
        large = (6, 6, 3, b"".join(rows))
        self.assertEqual(picture.find(SMALL, large), (1, 2))
        # one pixel of it is another
        broken = bytearray(large[3])
        broken[(4 * 6 + 4) * 3] ^= 1
        self.assertIsNone(picture.find(SMALL, (6, 6, 3, bytes(broken))))

    def test_two_side_by_side(self):
        both = picture.beside(SMALL, SMALL, gap=2)
        self.assertEqual(both[:3], (10, 3, 3))
        self.assertEqual(picture.rows(both)[1], picture.rows(SMALL)[1] + b"\xff" * 6 + picture.rows(SMALL)[1])

    def test_half_a_picture(self):
        half = picture.halved(SMALL)
        self.assertEqual(half[:3], (2, 1, 3))
        self.assertEqual(half[3], SMALL[3][:3] + SMALL[3][6:9])


if __name__ == "__main__":
    unittest.main()
