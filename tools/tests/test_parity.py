# SPDX-License-Identifier: GPL-2.0-only
"""The tables of parity must not hide a difference, nor keep one that is gone."""
import io
import os
import sys
import tempfile
import unittest
from contextlib import redirect_stdout

import toolbox

sys.path.append(os.path.join(toolbox.TOOLS, "parity"))
import contract  # noqa: E402
import table  # noqa: E402

LINES = ("poll\tvgem\tidle\tpoll() with no fence\tIN|OUT\n"
         "poll\tvkms\tidle\tpoll() with no fence\tIN|OUT\n"
         "seek\tvgem\tset\tlseek() *to* `0`\t0: 0, 1: EINVAL\n"
         "seek\tvkms\tset\tlseek() *to* `0`\t0: 0, 1: EINVAL\n")
GROUPS = [("poll", "poll"), ("seek", "lseek")]


def tables(ours, reasons=()):
    rows, complaints = table.make_rows(table.read_lines(LINES), table.read_lines(ours), list(reasons))
    return rows, complaints, table.write("Head\n====\n", GROUPS, rows)


CORE = """/**
 * dma_buf_thing - does it
 *
 * Return: 0 or a negative errno:
 *
 *	   * -EINVAL: no buffer
 *	   * -ERESTARTSYS, -EINTR: a signal arrived
 *	   * -ENOMEM: out of memory
 */
int dma_buf_thing(struct dma_buf *dmabuf)
{
	return 0;
}
EXPORT_SYMBOL_NS_GPL(dma_buf_thing, DMA_BUF);
"""
CASES = """struct thing {
	int result;
};

static const struct thing things[] = {
	{ -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(thing, things, name);

static int helper(void)
{
	return dma_buf_thing(NULL);
}

static void thing_fails(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, helper(), p->result);
}

static void other(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, elsewhere(), -EINTR);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(thing_fails, thing_gen_params),
	KUNIT_CASE(other),
	{}
};

static struct kunit_suite suite = {
	.name = "a_suite",
	.test_cases = cases,
};
"""


class Contract(unittest.TestCase):
    def read(self, cases, ran=("a_suite",)):
        with tempfile.TemporaryDirectory() as tmp:
            for name, text in (("core/a.c", CORE), ("tests/a.c", cases)):
                os.makedirs(os.path.join(tmp, os.path.dirname(name)), exist_ok=True)
                with open(os.path.join(tmp, name), "w") as f:
                    f.write(text)
            where = os.path.join(tmp, "core"), os.path.join(tmp, "tests")
            return contract.rows(*where, ran), contract.section(*where, ran)[1]

    def test_a_case_counts_through_its_helpers_and_parameters(self):
        self.assertEqual(self.read(CASES)[0][:2], [("dma_buf_thing", "success", ["a_suite/thing_fails"]),
                                                   ("dma_buf_thing", "-EINVAL", ["a_suite/thing_fails"])])

    def test_a_suite_that_did_not_run_stands_behind_nothing(self):
        rows, complaints = self.read(CASES, ran=("another",))
        self.assertEqual({tuple(names) for _, _, names in rows}, {()})
        self.assertIn("dma_buf_thing: no unit test behind its -EINVAL", complaints)

    def test_what_is_tested_elsewhere_is_so_for_one_function(self):
        self.assertIn("dma_buf_thing: no unit test behind its -ENOMEM", self.read(CASES)[1])
        self.assertTrue(all(function.startswith(("dma_buf_", "devm_")) for function, _ in contract.ELSEWHERE))

    def test_an_errno_without_a_case_is_told(self):
        self.assertEqual(self.read(CASES)[1], ["dma_buf_thing: no unit test behind its -ERESTARTSYS",
                                               "dma_buf_thing: no unit test behind its -EINTR",
                                               "dma_buf_thing: no unit test behind its -ENOMEM"])


class BothWays(unittest.TestCase):
    def merged(self, one, other):
        run = toolbox.tool("parity/run")
        facts = [{("suite", "case", "-"): ("what", outcome)} if outcome else {} for outcome in (one, other)]
        return run.both_ways(*facts)[("suite", "case", "-")][1]

    def test_a_case_ran_if_it_did_on_one(self):
        self.assertEqual(self.merged("skipped", "passed"), "passed")
        self.assertEqual(self.merged("passed", "skipped"), "passed")
        self.assertEqual(self.merged("skipped", "skipped"), "skipped")
        self.assertEqual(self.merged(None, "passed"), "passed")
        self.assertEqual(self.merged("passed", None), "passed")

    def test_a_case_fails_if_it_does_on_one(self):
        self.assertEqual(self.merged("passed", "failed"), "failed")
        self.assertEqual(self.merged("failed", "passed"), "failed")
        self.assertEqual(self.merged("failed", "skipped"), "failed")


class Parity(unittest.TestCase):
    def test_what_is_alike_needs_no_reason(self):
        rows, complaints, _ = tables(LINES)
        self.assertEqual(complaints, [])
        self.assertEqual([r.subjects for r in rows], [["vgem", "vkms"]] * 2)

    def test_a_difference_needs_a_reason(self):
        other = LINES.replace("vkms\tidle\tpoll() with no fence\tIN|OUT", "vkms\tidle\tpoll() with no fence\tIN")
        self.assertEqual(len(tables(other)[1]), 1)
        rows, complaints, _ = tables(other, [("poll/id*@vkms", "it is better")])
        self.assertEqual(complaints, [])
        self.assertEqual([(r.subjects, r.ours, r.why) for r in rows if r.why],
                         [(["vkms"], "IN", "it is better")])

    def test_a_reason_needs_a_difference(self):
        self.assertIn("nothing differs", tables(LINES, [("poll/*@*", "it was better")])[1][0])

    def test_what_one_kernel_lacks_is_a_difference(self):
        fewer = "".join(line + "\n" for line in LINES.splitlines()[1:])
        self.assertIn(table.ABSENT, tables(fewer)[1][0])

    def test_a_failure_is_excused_by_its_whole_name_alone(self):
        facts = table.read_lines("kunit\t-\tsuite/case\t\tfailed\n")

        def judged(*reasons):
            return table.make_rows(facts, facts, [(r, "stock's own") for r in reasons])

        self.assertIn("no reason", judged()[1][0])
        self.assertIn("no reason", judged("kunit/suite/*@-")[1][0])
        rows, complaints = judged("kunit/suite/case@-")
        self.assertEqual((complaints, rows[0].why), ([], "stock's own"))

    def test_brackets_in_a_pattern_are_themselves(self):
        self.assertTrue(table.matches("a/[x]*@-", "a/[x]y@-"))
        self.assertFalse(table.matches("a/[x]@-", "a/x@-"))

    def test_a_table_reads_back_as_it_was_written(self):
        other = LINES.replace("0: 0, 1: EINVAL", "0: 0, 1: ESPIPE")
        rows, _, text = tables(other, [("seek/*@*", "a `reason` with *marks*")])
        self.assertEqual(table.read(text), rows)
        self.assertEqual(table.ours_of(table.read(text)), table.read_lines(other))

    def test_a_line_told_twice_or_broken_is_refused(self):
        for bad in (LINES + LINES, "poll\tvgem\tidle\n"):
            with self.assertRaises(table.Bad):
                table.read_lines(bad)

    def test_a_kernel_that_changed_fails_the_check(self):
        run = toolbox.tool("parity/run")
        with tempfile.TemporaryDirectory() as tmp:
            lines, doc = os.path.join(tmp, "lines"), os.path.join(tmp, "table")
            with open(doc, "w") as f:
                f.write(tables(LINES)[2])
            for text, failed in ((LINES, 0), (LINES.replace("1: EINVAL", "1: 0"), 1), (LINES.split("seek")[0], 1)):
                with open(lines, "w") as f:
                    f.write(text)
                said = io.StringIO()
                with redirect_stdout(said):
                    code = run.main(["check", "--lines", lines, "--table", doc])
                self.assertEqual(code, 1 if failed else 0)
                self.assertEqual(said.getvalue().count("    not ok"), failed)
