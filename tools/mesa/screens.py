# SPDX-License-Identifier: GPL-2.0-only
"""What has to be on the screen of a compositor: the windows of its clients.

A client of a V4L2 device shows the test picture of vivid, whose eight bars are as wide
as an eighth of it; that of mesa-patches/tests/client.c shows what its pixel_of() says, and so does what
device.c draws.
"""
import os

import picture

# Of client.c and test.h.
LAST, WIDTH, HEIGHT = 3, 128, 96
# Of device.c.
AFTER, SCALE = 32, 5
# White, yellow, cyan, green, magenta, red, blue, black.
BARS = [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1), (0, 0, 0)]
BAR = 80
# A text lies over the first rows, and another window may over some.
BAR_ROWS = 64


def pixel_of(seed, x, y):
    return (x * 3 + seed * 17) & 255, (y * 5 + seed * 29) & 255, ((x ^ y) + seed * 43) & 255


def client(seed=LAST):
    """The last picture of the client."""
    pixels = b"".join(bytes(pixel_of(seed, x, y)) for y in range(HEIGHT) for x in range(WIDTH))
    return WIDTH, HEIGHT, 3, pixels


def wrong_client(screen):
    return None if picture.find(client(), screen) else "the vgem client's last picture is not on the screen"


def bright(pixel):
    return tuple(int(value > 96) for value in pixel)


def bars_at(row, x):
    return all(bright(row[at:at + 3]) == colour for i, colour in enumerate(BARS)
               for at in ((x + i * BAR + 4) * 3, (x + i * BAR + BAR // 2) * 3, (x + (i + 1) * BAR - 5) * 3))


def has_bars(row):
    return any(bars_at(row, x) for x in range(len(row) // 3 - len(BARS) * BAR + 1))


def wrong_bars(screen):
    count = sum(map(has_bars, picture.rows(screen)))
    return None if count >= BAR_ROWS else f"{count} rows of the V4L2 client's test picture are on the screen"


def drawn():
    """What dmabuf show draws: each pixel of a picture of AFTER as large as five by five."""
    rows = []
    for y in range(HEIGHT):
        row = b"".join(bytes(pixel_of(AFTER, x, y)) * SCALE for x in range(WIDTH))
        rows += [row] * SCALE
    return WIDTH * SCALE, HEIGHT * SCALE, 3, b"".join(rows)


def wrong_drawn(screen):
    return None if screen == drawn() else "what Mesa has drawn is not on the screen"


SHOWN = {"weston-vgem": [wrong_client], "weston-v4l2": [wrong_bars], "weston-gstreamer": [wrong_bars],
         "weston-two": [wrong_client, wrong_bars], "device-display": [wrong_drawn]}


def wrong(name, case):
    """None, or what is not on the screen: name.png or name.ppm is the picture of it."""
    path = next((name + suffix for suffix in (".png", ".ppm") if os.path.exists(name + suffix)), None)
    if not path:
        return "no picture of the screen"
    screen = picture.read(path)
    return next(filter(None, (judge(screen) for judge in SHOWN[case])), None)
