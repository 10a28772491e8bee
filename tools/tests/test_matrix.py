# SPDX-License-Identifier: GPL-2.0-only
"""The matrix: what is read from two runs, put into a table, and held against each other."""
import unittest

from toolbox import tool

matrix = tool("matrix")

STOCK = """<testsuite name="igt" tests="3">
<testcase classname="igt.prime_matrix" name="mmap-same-process@vgem0-to-vkms0" time="0.1"/>
<testcase classname="igt.prime_matrix" name="scanout-same-process@vgem0-to-vkms0" time="0.1"/>
<testcase classname="igt.prime_matrix" name="mmap-same-process@vgem0-to-virtio-gpu0" time="0.1">
<skipped message="virtio-gpu0 and the buffer of vgem0: ENODEV"/></testcase>
</testsuite>"""
OURS = STOCK.replace('<skipped message="virtio-gpu0 and the buffer of vgem0: ENODEV"/>', "")
BROKEN = """<testsuite name="igt" tests="2">
<testcase classname="igt.prime_matrix" name="mmap-same-process@vgem0-to-vkms0" time="0.1"/>
<testcase classname="igt.prime_matrix" name="scanout-same-process@vgem0-to-vkms0" time="0.1">
<failure message="pixel 0,0">log</failure></testcase>
<testcase classname="igt.prime_matrix" name="mmap-same-process@dmesg" time="0">
<failure message="in the kernel log:">a splat</failure></testcase>
</testsuite>"""


class Matrix(unittest.TestCase):
    def setUp(self):
        self.stock, self.ours, self.broken = (matrix.read(text) for text in (STOCK, OURS, BROKEN))

    def test_a_cell_for_each_pair_and_way(self):
        results, failed = self.stock
        self.assertEqual(failed, [])
        self.assertEqual({c: r.outcome for c, r in results.items()}, {
            ("mmap-same-process", "vgem0", "vkms0"): "passed",
            ("scanout-same-process", "vgem0", "vkms0"): "passed",
            ("mmap-same-process", "vgem0", "virtio-gpu0"): "refused"})

    def test_the_table_has_both_kernels(self):
        rows = [line.split("  ") for line in matrix.table([self.stock[0], self.ours[0]]).split("\n")]
        self.assertEqual([[cell.strip() for cell in row if cell.strip()] for row in rows],
                         [["virtio-gpu0", "vkms0"], ["vgem0", "0/1 (r) | 1/1", "2/2 | 2/2"]])

    def test_a_device_that_is_not_there(self):
        self.assertEqual(matrix.cell_text([{}, self.ours[0]], "vgem0", "vkms0"), "- | 2/2")

    def test_who_refuses(self):
        self.assertEqual(matrix.refusals([self.stock[0], self.ours[0]]),
                         ["stock: virtio-gpu0 refuses vgem0: ENODEV"])

    def test_nothing_is_worse(self):
        self.assertEqual(matrix.worse(self.stock[0], self.ours[0]), [])

    def test_a_cell_that_fails_is_worse(self):
        self.assertEqual(matrix.worse(self.stock[0], self.broken[0]), [("scanout-same-process", "vgem0", "vkms0")])

    def test_a_cell_that_did_not_run_is_worse(self):
        self.assertEqual(len(matrix.worse(self.stock[0], {})), 2)

    def test_failures_are_told_the_log_s_too(self):
        self.assertEqual(self.broken[1], ["scanout-same-process@vgem0-to-vkms0: pixel 0,0",
                                          "mmap-same-process@dmesg: in the kernel log:"])

    def test_the_page_has_every_pair(self):
        text = matrix.page([self.stock[0], self.ours[0]], {("ours", "scanout-vgem0-to-vkms0")})
        self.assertIn("id='vgem0-vkms0'", text)
        self.assertIn("id='vgem0-virtio-gpu0'", text)
        self.assertIn("ours/frames/scanout-vgem0-to-vkms0.png", text)
        self.assertNotIn("stock/frames", text)


if __name__ == "__main__":
    unittest.main()
