# SPDX-License-Identifier: GPL-2.0-only
"""Coverage: every line that never ran is named with a reason, and nothing else is."""
import unittest

from toolbox import tool

coverage = tool("coverage")

LIST = """
# a comment
a/b.c  open_it()
    | return -ENOMEM;
    | goto err;
    The machine is lost by then.

a/b.h  close_it()
\t| return -ENOMEM;
\tA comma, like this one, is fine.
"""
SOURCE = """int one(void)
{
	return 1;
}

static struct thing *
two(struct thing *a,
    int b)
{
	if (!a)
		return NULL;
label:
	return a;
}
int three;
""".split("\n")


def line(function, text):
    return coverage.Line("a/b.c", function, text)


class Named(unittest.TestCase):
    def test_entries_are_read(self):
        named, bad = coverage.named_lines(LIST, "list")
        self.assertEqual(bad, [])
        self.assertEqual(dict(named), {line("open_it", "return -ENOMEM;"): 1, line("open_it", "goto err;"): 1,
                                       coverage.Line("a/b.h", "close_it", "return -ENOMEM;"): 1})

    def complaint(self, text):
        _, bad = coverage.named_lines(text, "list")
        self.assertEqual(len(bad), 1, bad)
        return bad[0]

    def test_a_reason_is_demanded(self):
        self.assertIn("list:1: no reason", self.complaint("a/b.c  f()\n    | x();\n"))

    def test_lines_are_demanded(self):
        self.assertIn("list:1: no lines", self.complaint("a/b.c  f()\n    because\n"))

    def test_other_text_is_refused(self):
        self.assertIn("list:1: neither", self.complaint("a/b.c: 12\n"))


class Judge(unittest.TestCase):
    def judge(self, left, named):
        count = coverage.collections.Counter
        return coverage.judge_lines(count(left), count(named))

    def test_named_lines_pass(self):
        self.assertEqual(self.judge([line("f", "x();")], [line("f", "x();")]), [])

    def test_a_line_that_nobody_named_fails(self):
        self.assertEqual(self.judge([line("f", "x();"), line("f", "y();")], [line("f", "x();")]),
                         ["never ran:  a/b.c  f()  | y();"])

    def test_a_named_line_that_ran_fails(self):
        self.assertEqual(self.judge([], [line("f", "x();")]),
                         ["named, but it ran or is gone:  a/b.c  f()  | x();"])

    def test_the_same_text_counts_as_often_as_it_stands_there(self):
        twice = [line("f", "return;")] * 2
        self.assertEqual(self.judge(twice, twice), [])
        self.assertEqual(len(self.judge(twice, twice[:1])), 1)
        self.assertEqual(len(self.judge(twice[:1], twice)), 1)

    def test_the_same_text_in_another_function_is_another_line(self):
        self.assertEqual(len(self.judge([line("f", "return;")], [line("g", "return;")])), 2)


class Functions(unittest.TestCase):
    def test_a_line_belongs_to_the_function_around_it(self):
        for number, name in ((1, "one"), (3, "one"), (7, "two"), (8, "two"), (10, "two"), (13, "two"), (15, "")):
            self.assertEqual(coverage.function_at(SOURCE, number), name, f"line {number}")


JUMPS = """	if (!size ||
	    !length)
		break;
	if (a) {
		/* why */
		goto out;
	}
	if (b)
		return call(b,
			    c);
	if (c)
		return -EINVAL;
	x();
	continue;
	if (!IS_ENABLED(D))
		return 0;
""".split("\n")


class Jumps(unittest.TestCase):
    def unseen(self, taken, recorded=()):
        """taken: {line of a condition: counts of its branches}"""
        lines = [{"line_number": n, "count": 1, "branches": [{"count": c} for c in counts]}
                 for n, counts in taken.items()]
        lines += [{"line_number": n, "count": 1, "branches": []} for n in recorded]
        lines += [{"line_number": n, "count": 0, "branches": [], "gcovr/noncode": True} for n in (3, 6)]
        return [line["line_number"] for line in coverage.unseen_jumps(JUMPS, lines)]

    def test_a_jump_ran_if_every_branch_was_taken(self):
        self.assertEqual(self.unseen({1: (5, 1), 2: (1, 4), 4: (2, 2), 11: (1, 1)}), [])

    def test_a_branch_never_taken_is_a_jump_that_did_not_run(self):
        self.assertEqual(self.unseen({1: (5, 1), 2: (0, 5), 11: (5, 0)}), [3, 12])

    def test_a_jump_with_a_count_is_believed(self):
        self.assertEqual(self.unseen({1: (5, 0), 11: (5, 0)}, recorded=(3, 12)), [])

    def test_what_is_not_compiled_is_no_line(self):
        self.assertEqual(self.unseen({}), [])

    def test_a_jump_that_nothing_decides_about_is_not_judged(self):
        self.assertEqual(list(coverage.condition_of(JUMPS, 14)), [])
        self.assertEqual(list(coverage.condition_of(JUMPS, 3)), [1, 2])


class Table(unittest.TestCase):
    def test_lines_and_branches_are_counted(self):
        count = coverage.Count()
        count.add([{"count": 2, "branches": [{"count": 1}, {"count": 0}]}, {"count": 0, "branches": []},
                   {"count": 0, "branches": [], "gcovr/noncode": True}])
        self.assertEqual((count.lines, count.ran, count.branches, count.taken), (2, 1, 2, 1))
        self.assertEqual(count.percent(), 50.0)


if __name__ == "__main__":
    unittest.main()
