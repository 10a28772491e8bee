# SPDX-License-Identifier: GPL-2.0-only
"""Faults to be switched on: where they go, that none is forgotten, and what finds them."""
import os
import re
import shutil
import tempfile
import unittest

from toolbox import tool

run = tool("mutants/run")
points = run.points

CORE = """\
/* Two ways out, and a table. */
#include <linux/a.h>

static int check(const struct buf *buf)
{
	if (!buf->size)
		return -EINVAL;

	return 0;
}

static struct buf *
buf_make(size_t size,
	 int flags)
{
	struct buf *buf = alloc(size);

	return buf;
}
EXPORT_SYMBOL_NS_GPL(buf_make, BUF);

void buf_put(struct buf *buf)
{
	put(buf);
}
EXPORT_SYMBOL_GPL(buf_put);

static ssize_t name_store(struct buf *buf, const char *page, size_t count)
{
	return count;
}

static const struct buf_ops ops = {
	.owner = THIS_MODULE,
	.check = check,
	.size = 4,
};
CONFIGFS_ATTR(name_, unused);
"""
FILE = "drivers/dma-buf/buf.c"


def made(silent="", text=CORE):
    return points.mutants({FILE: text}, {"silent": silent})


def names(mutants):
    return [mutant.name for mutant in mutants]


class Points(unittest.TestCase):
    def test_what_is_exported_or_in_a_table_has_faults(self):
        self.assertEqual(names(made()), ["check:fails", "check:does-nothing", "buf_make:fails", "buf_put:does-nothing"])

    def test_a_pointer_fails_with_an_errno(self):
        edit = next(m for m in made() if m.name == "buf_make:fails").edits[0]
        self.assertEqual(edit[2], "\tif (MUTANT)\n\t\treturn ERR_PTR(-EIO);\n")
        self.assertEqual(CORE[edit[0]:].split("\n")[0], "\tstruct buf *buf = alloc(size);")

    def test_who_writes_is_told_that_all_was_taken(self):
        index = points.Index({FILE: CORE})
        self.assertIn(("does-nothing", "count", "0, and nothing is done"), points.returns_of(index.find("name_store")))

    def test_a_type_that_is_not_known_is_a_complaint(self):
        text = CORE.replace("static int check(", "static strange_t check(")
        with self.assertRaisesRegex(points.Stop, "check.. returns 'strange_t'"):
            made(text=text)

    def test_an_export_that_is_not_found_is_a_complaint(self):
        with self.assertRaisesRegex(points.Stop, "buf_gone.. is exported"):
            made(text=CORE + "EXPORT_SYMBOL(buf_gone);\n")

    def test_attributes_of_configfs_are_entries(self):
        self.assertEqual(list(points.in_tables("CONFIGFS_ATTR(a_, b);\nCONFIGFS_ATTR_RO(a_, c);\n")),
                         ["a_b_show", "a_b_store", "a_c_show"])


class Silent(unittest.TestCase):
    ENTRY = "check:any-size\n    takes all\n    - if (!buf->size)\n    -     return -EINVAL;\n    + if (MUTANT)\n    +     ;\n"

    def test_lines_are_found_whatever_their_blanks(self):
        mutant = next(m for m in made(self.ENTRY) if m.name == "check:any-size")
        (begin, end, _), = mutant.edits
        self.assertEqual((CORE[begin:end], mutant.tells), ("if (!buf->size)\n\t\treturn -EINVAL;", "takes all"))

    def test_a_line_that_changed_is_a_complaint(self):
        with self.assertRaisesRegex(points.Stop, "check:any-size: .* is 0 times"):
            made(self.ENTRY.replace("!buf->size", "!buf->length"))

    def test_a_function_that_is_gone_is_a_complaint(self):
        with self.assertRaisesRegex(points.Stop, "no such function"):
            made(self.ENTRY.replace("check:", "gone:"))

    def test_a_fault_that_is_always_on_is_a_complaint(self):
        with self.assertRaisesRegex(points.Stop, "always on"):
            made(self.ENTRY.replace("MUTANT", "true"))

    def test_half_an_entry_is_a_complaint(self):
        with self.assertRaisesRegex(points.Stop, "has not all"):
            made("check:half\n    takes all\n    - if (!buf->size)\n")

    def test_two_at_one_line_are_a_complaint(self):
        twice = made(self.ENTRY + self.ENTRY.replace("any-size", "again"))
        with self.assertRaisesRegex(points.Stop, "two mutants change the same line"):
            points.changed(CORE, list(enumerate(twice, 1)))

    def test_they_are_told_from_those_that_return_at_once(self):
        silent = "check:takes-none\n    takes one of no size\n    - if (!buf->size)\n    + if (!MUTANT && !buf->size)\n"
        self.assertEqual([m.name for m in made(silent) if not points.is_at_once(m)], ["check:takes-none"])


class Sources(unittest.TestCase):
    def test_the_text_without_its_faults_is_the_text(self):
        text = points.changed(CORE, list(enumerate(made(), 1)))
        self.assertEqual(len(re.findall(r"prime_mutant\(\d+\)", text)), 4)
        without = re.sub(r"\tif \(prime_mutant\(\d+\)\)\n\t\treturn[^\n]*\n", "", text)
        self.assertEqual(without.replace(points.SWITCH, ""), CORE)

    def test_every_entry_of_ours_has_a_fault(self):
        texts = points.sources()
        faults = {name.split(":")[0] for name in names(points.mutants())}
        for text in texts.values():
            # a second look, by other means than the tool's; what only tests call is no entry
            for name in re.findall(r"EXPORT_SYMBOL(?!_IF_KUNIT)\w*\((\w+)", text):
                if not re.search(rf"^const struct \w+ {name} =", text, re.M):
                    self.assertIn(name, faults)
            for ops in re.findall(r"struct (?:virtio_)?dma_buf_ops \w+ = \{(.*?)\n\};", text, re.S):
                for name in re.findall(r"= (\w+),", ops):
                    if any(re.search(rf"^(?:\w[\w *]*)?{name}\([^;]*?\)\n\{{", t, re.M) for t in texts.values()):
                        self.assertIn(name, faults)
            for name in re.findall(r"DRM_IOCTL_DEF_DRV\(\w+,\s*(\w+)", text):
                self.assertIn(name, faults)

    def test_what_did_not_change_is_not_written(self):
        top = tempfile.mkdtemp(prefix="mutants-test.")
        self.addCleanup(shutil.rmtree, top)
        faults = points.mutants()
        points.write_sources(top, faults)
        path = os.path.join(top, faults[0].file)
        os.utime(path, (1, 1))
        stale = os.path.join(top, "drivers/dma-buf/gone.c")
        with open(stale, "w") as f:
            f.write("")
        points.write_sources(top, faults)
        self.assertEqual(os.stat(path).st_mtime, 1)
        self.assertFalse(os.path.exists(stale))

    def test_reasons_are_for_faults_that_there_are(self):
        listed, bad = run.reasons(run.read(run.SURVIVORS), "survivors")
        self.assertEqual(bad, [])
        self.assertLessEqual(set(listed), set(names(points.mutants())))


LOOKS = """\
# begins: 10.0
PASS igt@a@one@vgem0 (0.10s)
# igt: 1 passed, 0 failed, 0 skipped
# reached: igt@a@one 10.5 1-2,4
# begins: 10.5
SKIP igt@a@two (0.00s): no device
# reached: igt@a@two 10.6\x20
# begins: 10.6
FAIL igt@a@three (0.00s)
# reached: igt@a@three 10.7 3
"""
FAULT = "buf_put:does-nothing"
OFF = f"# off: {FAULT}\n"
RUN = f"# on: {FAULT}\nPASS igt@a@one@vgem0 (0.10s)\nPASS igt@a@one@vgem1 (0.10s)\n"


class Runs(unittest.TestCase):
    def test_a_look_says_who_comes_where(self):
        looks, failed = run.looks_in(LOOKS, ["none", "a", "b", "c", "d"])
        self.assertEqual(looks["igt@a@one"], run.Look(0.5, True, ["a", "b", "d"]))
        self.assertFalse(looks["igt@a@two"].passed)
        self.assertEqual(failed, ["FAIL igt@a@three (0.00s)"])

    def test_quick_tests_come_first_but_for_the_one_that_is_known(self):
        looks = {"slow": run.Look(9.0, True, ["x"]), "igt@a@b": run.Look(5.0, True, ["x"]),
                 "quick": run.Look(1.0, True, ["x"]), "elsewhere": run.Look(0.1, True, ["y"])}
        self.assertEqual(run.candidates("x", looks, None), ["quick", "igt@a@b", "slow"])
        self.assertEqual(run.candidates("x", looks, "igt@a@b@vgem0"), ["igt@a@b", "quick", "slow"])

    def test_a_test_that_fails_finds_it(self):
        self.assertEqual(self.read(1, "FAIL igt@a@two@vgem0 (1.00s)\n    said\n" + OFF), ({FAULT: "igt@a@two@vgem0"}, []))

    def test_tests_that_pass_find_nothing(self):
        self.assertEqual(self.read(1, OFF), ({FAULT: None}, []))

    def test_a_guest_that_dies_is_the_next_test_s(self):
        self.assertEqual(self.read(1, ""), ({FAULT: "igt@a@two" + run.DIES}, []))

    def test_who_is_not_the_first_has_to_be_well_again(self):
        failed = "FAIL igt@a@one@vgem1 (1.00s)\n" + OFF
        for end, found, left in ((f"# well again: {FAULT}\n", "igt@a@one@vgem1", []), (f"# spoiled: {FAULT}\n", None, [FAULT])):
            done, back = self.read(2, failed + end)
            self.assertEqual((done.get(FAULT), back), (found, left))
            self.assertIn("first:fails", done)

    def test_who_dies_and_is_not_the_first_is_tried_again(self):
        self.assertEqual(self.read(2, ""), ({"first:fails": None}, [FAULT]))

    def test_who_was_not_tried_is_tried_again(self):
        self.assertEqual(run.read_guest(run.IGT, "", ["a:b", "c:d"], {}), ({}, ["a:b", "c:d"]))

    def read(self, place, end):
        first = "# on: first:fails\nPASS igt@a@one (0.10s)\n# off: first:fails\n" if place > 1 else ""
        batch = (["first:fails"] if place > 1 else []) + [FAULT]
        tests = dict.fromkeys(batch, ["igt@a@one", "igt@a@two", "igt@a@three"])
        return run.read_guest(run.IGT, first + RUN + end, batch, tests)

    def test_a_unit_test_finds_it(self):
        self.assertEqual(run.unit_finds("    # Subtest: suite\n    1..1\n    not ok 1 case\nnot ok 1 suite\n", []),
                         "kunit suite/case")
        self.assertIsNone(run.unit_finds("ok 1 suite\n", []))

    def test_what_is_lost_is_found(self):
        self.assertEqual(run.leaks_finds(RUN + "FAIL leaks\nnot ok 1 - no leaks\n", ["igt@a@one"]), "kmemleak after igt@a@one")
        self.assertIsNone(run.leaks_finds(RUN + "ok 1 - no leaks\n", ["igt@a@one"]))
        self.assertEqual(run.unit_leaks_finds("    ok 1 one\nFAIL leaks\nnot ok 1 - no leaks\n", ["vgem"]), "kmemleak after kunit vgem")
        self.assertIsNone(run.unit_leaks_finds("    ok 1 one\nok 1 - no leaks\n", ["vgem"]))

    def test_who_comes_back_is_the_first(self):
        queue = run.Queue([f"f:{n}" for n in range(run.AT_ONCE + 2)])
        _, batch = queue.take()
        queue.give_back(batch[5:])
        self.assertEqual(queue.take()[1][0], "f:5")


class Table(unittest.TestCase):
    def setUp(self):
        self.made = made()
        self.verdicts = {"check:fails": run.Verdict("igt@a@one@vgem0", 3, True), "check:does-nothing": run.Verdict(None, 2, True),
                         "buf_make:fails": run.Verdict("igt@a@two (the guest dies)", 1, True),
                         "buf_put:does-nothing": run.Verdict(None, 0, True)}
        self.listed = {"buf_put:does-nothing": "nobody can tell"}

    def test_what_found_a_fault_is_read_again(self):
        text = "\n".join(run.table(self.made, self.verdicts, self.listed))
        self.assertEqual(run.hints(text), {"check:fails": "igt@a@one@vgem0", "buf_make:fails": "igt@a@two"})
        self.assertIn("nothing: nobody can tell", text)
        self.assertEqual(run.summary(self.verdicts), "4 faults: 2 found by an igt-test, 0 by a unit test alone, "
                         "0 by kmemleak alone, 2 by nothing")

    def test_a_survivor_without_a_reason_is_a_complaint(self):
        self.assertEqual(run.judge(self.verdicts, self.listed, self.made),
                         ["check:does-nothing is found by no test, and 2 igt-tests come there"])

    def test_what_was_not_tried_has_not_survived(self):
        self.verdicts["check:does-nothing"] = run.Verdict(None, 2, False)
        self.assertEqual(run.judge(self.verdicts, self.listed, self.made), [])
        self.assertNotIn("NOTHING", "\n".join(run.table(self.made, self.verdicts, self.listed)))
        self.assertIn("1 by nothing, 1 not tried", run.summary(self.verdicts))

    def test_a_reason_for_what_is_found_or_gone_is_a_complaint(self):
        bad = run.judge(self.verdicts, {**self.listed, "check:does-nothing": "so", "check:fails": "so", "a:b": "so"},
                        self.made)
        self.assertEqual(len(bad), 2)

    def test_several_faults_may_have_one_reason(self):
        found, bad = run.reasons("# text\na:b\nc:d\n    the same\n    for both\n\ne:f\n", "s")
        self.assertEqual(found, {"a:b": "the same for both", "c:d": "the same for both"})
        self.assertEqual(bad, ["s: e:f has no reason"])
