# SPDX-License-Identifier: GPL-2.0-only
"""tools/upstream-igt: which tests there are, and what is run a second time."""
import argparse
import os
import tempfile
import unittest

import ktap
from toolbox import tool

igt = tool("upstream-igt")
GOOD, BAD = ktap.PASSED, ktap.FAILED


def program(folder, name, body):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        f.write(f"#!/bin/sh\n{body}\n")
    os.chmod(path, 0o755)
    return path


class Listed(unittest.TestCase):
    def listed(self, body, patterns=()):
        with tempfile.TemporaryDirectory() as folder:
            return igt.listed(program(folder, "p", body), patterns)

    def test_subtests(self):
        self.assertEqual(self.listed("echo a; echo b-suspend; echo c"), ["igt@p@a", "igt@p@c"])

    def test_program_without(self):
        self.assertEqual(self.listed("exit 79"), ["igt@p"])

    def test_program_that_fails(self):
        self.assertEqual(self.listed("echo a; exit 1"), [])

    def test_patterns(self):
        self.assertEqual(self.listed("exit 1", ("x-*",)), ["igt@p@x-*"])


class SecondRun(unittest.TestCase):
    """Guests that find what is said here, the second time as a test that is run again."""

    def compare(self, first, second=None):
        self.again = []

        def run(_, kernel, again=()):
            self.again += again if kernel == "ours" else ()
            found = (second if again else first)[igt.KERNELS.index(kernel)]
            return dict(found) if found is not None else None

        self.addCleanup(setattr, igt, "run", igt.run)
        igt.run = run
        return igt.compare(argparse.Namespace())

    def test_nothing_is_worse(self):
        results = self.compare([{"igt@p@a": GOOD, "igt@p@b": BAD}, {"igt@p@a": GOOD, "igt@p@b": GOOD}])
        self.assertEqual(self.again, [])
        self.assertEqual(igt.on_stock_alone(*results[:2]), [])
        self.assertNotIn("second time", "\n".join(igt.table(*results)))

    def test_good_the_second_time(self):
        results = self.compare([{"igt@p@a": GOOD, "igt@p@b": GOOD}, {"igt@p@a": BAD, "igt@p@b": GOOD}],
                               [{"igt@p@a": GOOD}, {"igt@p@a": GOOD}])
        self.assertEqual(self.again, ["igt@p@a"])
        self.assertEqual(igt.on_stock_alone(*results[:2]), [])
        self.assertEqual(results[1], {"igt@p@a": GOOD, "igt@p@b": GOOD})
        lines = igt.table(*results)
        told = [n for n, line in enumerate(lines) if line.startswith("what passed on ours the second time only")]
        self.assertEqual(len(told), 1)
        self.assertEqual(lines[told[0] + 1].split(), ["igt@p@a", GOOD, GOOD])

    def test_bad_again(self):
        results = self.compare([{"igt@p@a": GOOD}, {"igt@p@a": BAD}], [{"igt@p@a": GOOD}, {"igt@p@a": BAD}])
        self.assertEqual(igt.on_stock_alone(*results[:2]), ["igt@p@a"])
        self.assertNotIn("second time", "\n".join(igt.table(*results)))

    def test_a_part_has_its_whole_run(self):
        self.compare([{"igt@p@a@x": GOOD, "igt@p@a@y": GOOD, "igt@q": GOOD}, {}],
                     [{"igt@p@a@x": GOOD}, {"igt@p@a@x": GOOD}])
        self.assertEqual(self.again, ["igt@p@a", "igt@q"])

    def test_a_guest_dies(self):
        self.assertIsNone(self.compare([{"igt@p@a": GOOD}, None]))
        self.assertIsNone(self.compare([{"igt@p@a": GOOD}, {"igt@p@a": BAD}], [{"igt@p@a": GOOD}, None]))


class Pages(unittest.TestCase):
    def test_every_subtest_of_each_device(self):
        with tempfile.TemporaryDirectory() as folder:
            self.addCleanup(setattr, igt, "OUT", igt.OUT)
            igt.OUT, page = folder, os.path.join(folder, "page")
            with open(page, "w") as f:
                f.write(f"head\n{igt.MARK}\nold\n")
            igt.keep("vkms", [{"igt@p@a": GOOD, "igt@p@b": BAD}, {"igt@p@a": GOOD}, []])
            igt.write_page(page, igt.subtests)
            with open(page) as f:
                text = f.read()
        self.assertIn("head\n", text)
        self.assertNotIn("old", text)
        self.assertIn("vkms\n====\n", text)
        self.assertEqual([line.split() for line in text.splitlines() if "igt@" in line],
                         [["igt@p@a", GOOD, GOOD], ["igt@p@b", BAD, *igt.ABSENT.split()]])

    def test_both_pages_can_be_written(self):
        for page in igt.PAGE, igt.SUBTESTS:
            with open(page) as f:
                self.assertEqual(f.read().count(igt.MARK), 1)
