# SPDX-License-Identifier: GPL-2.0-only
"""The reader of test results must not lose a failure."""
import unittest

import ktap

KUNIT = """KTAP version 1
1..1
    KTAP version 1
    # Subtest: suite
    # module: some_test
    1..3
    ok 1 plain
        KTAP version 1
        # Subtest: each
        ok 1 first
        {inner}ok 2 second
    # each: pass:1 fail:1 skip:0 total:2
    {inner}ok 2 each
    ok 3 absent # SKIP no device
{inner}ok 1 suite
"""


class Ktap(unittest.TestCase):
    def test_leaves_count_and_groups_do_not(self):
        self.assertEqual(ktap.parse(KUNIT.format(inner=""), "k/"), [
            ("k/suite/plain", "passed"), ("k/suite/each/first", "passed"),
            ("k/suite/each/second", "passed"), ("k/suite/absent", "skipped")])

    def test_a_nested_failure_counts_once(self):
        outcomes = [o for _, o in ktap.parse(KUNIT.format(inner="not "))]
        self.assertEqual(outcomes.count("failed"), 1)

    def test_a_group_that_fails_by_itself_counts(self):
        text = "    # Subtest: suite\n    1..1\n    ok 1 good\nnot ok 1 suite\n"
        self.assertEqual(ktap.parse(text), [("suite/good", "passed"), ("suite", "failed")])

    def test_a_result_that_never_came_is_a_failure(self):
        self.assertEqual(ktap.parse("1..3\nok 1 one\n"), [
            ("one", "passed"), ("missing result 1", "failed"), ("missing result 2", "failed")])

    def test_a_skipped_plan_is_a_skip(self):
        self.assertEqual(ktap.parse("1..0 # SKIP nothing here\n"), [("all", "skipped")])

    def test_kselftest_lines(self):
        text = "TAP version 13\n1..2\nok 1 [PASS,Test-1]\nnot ok 2 [FAIL,Test-2]\n# Totals: pass:1\n"
        self.assertEqual([o for _, o in ktap.parse(text)], ["passed", "failed"])

    def test_what_a_failure_said_is_told_and_no_more(self):
        text = "fine\nok 1 one\n" + "".join(f"line {n}\n" for n in range(9)) + "\nnot ok 2 two\nlate\nok 3 three\n"
        self.assertEqual(ktap.before_failures(text, 2), ["line 7", "line 8"])
        self.assertEqual(ktap.before_failures("fine\nok 1 one\n"), [])

    def test_other_output_is_no_result(self):
        self.assertEqual(ktap.parse("book 1 looks ok 2\nnothing\n"), [])
