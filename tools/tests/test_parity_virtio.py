# SPDX-License-Identifier: GPL-2.0-only
"""tools/parity/virtio.py: pictures of two screens, as facts."""
import os
import sys
import tempfile
import unittest

from toolbox import TOOLS

sys.path.append(os.path.join(TOOLS, "parity"))
import table  # noqa: E402
import virtio  # noqa: E402

KEY = ("pictures", "p", "2d")
DRAWN = b"P6\n2 1\n255\n\1\2\3\4\5\6"


class Pictures(unittest.TestCase):
    def judged(self, *pictures):
        with tempfile.TemporaryDirectory() as top:
            folders = [os.path.join(top, str(number)) for number in range(len(pictures))]
            for folder, picture in zip(folders, pictures):
                os.mkdir(folder)
                if picture:
                    with open(os.path.join(folder, "p.ppm"), "wb") as f:
                        f.write(picture)
            facts = [{KEY: ("what", "p.ppm")} for _ in pictures]
            virtio.compare(facts, [{"2d": folder} for folder in folders])
            return [f[KEY][1] for f in facts]

    def test_alike(self):
        self.assertEqual(self.judged(DRAWN, DRAWN), [virtio.SHOWN] * 2)

    def test_a_pixel_differs(self):
        self.assertEqual(self.judged(DRAWN, DRAWN[:-1] + b"\7"), [virtio.SHOWN, "1 pixels differ"])

    def test_a_third_is_compared_with_the_first(self):
        other = DRAWN[:-1] + b"\7"
        self.assertEqual(self.judged(DRAWN, other, DRAWN), [virtio.SHOWN, "1 pixels differ", virtio.SHOWN])
        self.assertEqual(self.judged(DRAWN, DRAWN, other), [virtio.SHOWN, virtio.SHOWN, "1 pixels differ"])

    def test_another_size(self):
        self.assertEqual(self.judged(DRAWN, b"P6\n1 2" + DRAWN[6:]), [virtio.SHOWN, "1 2, not 2 1"])

    def test_nothing_on_the_screen(self):
        self.assertEqual(self.judged(DRAWN, DRAWN[:-6] + bytes(6)), [virtio.SHOWN, table.FAILED])

    def test_none_on_either(self):
        self.assertEqual(self.judged(None, None), [table.FAILED] * 2)


if __name__ == "__main__":
    unittest.main()
