# SPDX-License-Identifier: GPL-2.0-only
"""The table of faults says what the tests said, and no more."""
import unittest

import ktap
from toolbox import tool

faults = tool("faults")

UNIT = """\
    # Subtest: dma_buf_fault
    1..2
        # Subtest: fault_attach
    # fault_attach: fault: attach static to static: one=2/4 rest=3/4 ENOMEM=5
        ok 1 attach static to static
        not ok 2 attach beside
    # fault_attach: pass:1 fail:1 skip:0 total:2
    not ok 1 fault_attach
    ok 2 fault_none # SKIP nothing fails
not ok 1 dma_buf_fault
"""
IGT = """\
KTAP version 1
1..1
    KTAP version 1
    # Subtest: igt@dmabuf_faults@create
    1..1
    ok 1 vgem0
ok 1 igt@dmabuf_faults@create
"""
LOG = "Starting dynamic subtest: vgem0\nfault: create@vgem0: one=3/14 rest=11/13 ENOMEM=11 ENOSPC=3\n"
NONE = "# x: fault: put: one=0/0 rest=0/0 ENOMEM=0\nfault: touch@vgem0: one=0/7 rest=0/0\n"


class Table(unittest.TestCase):
    def rows(self):
        results = ktap.parse(UNIT) + ktap.parse(IGT)
        lines, counted = faults.table(results, faults.measured([UNIT, LOG]))
        return [" ".join(line.split()) for line in lines], counted

    def test_an_operation_has_its_numbers(self):
        lines, _ = self.rows()
        self.assertIn("attach static to static 2 of 4 3 of 4 ENOMEM passed", lines)
        self.assertIn("create@vgem0 3 of 14 11 of 13 ENOMEM ENOSPC passed", lines)

    def test_a_test_that_failed_has_no_numbers_and_is_there(self):
        self.assertIn("attach beside failed", self.rows()[0])

    def test_a_test_that_was_skipped_is_there(self):
        self.assertIn("fault_none skipped", self.rows()[0])

    def test_what_never_failed_has_no_errno(self):
        rows = faults.measured([NONE])
        self.assertEqual(rows["put"], ("0 of 0", "0 of 0", "-", 0))
        self.assertEqual(rows["touch@vgem0"], ("0 of 7", "-", "-", 7))

    def test_groups_come_once(self):
        lines, _ = self.rows()
        self.assertEqual(lines.count("dma_buf_fault"), 1)
        self.assertEqual(lines.count("dmabuf_faults"), 1)

    def test_allocations_are_counted(self):
        self.assertEqual(self.rows()[1], [2, 4 + 4 + 14 + 13])
