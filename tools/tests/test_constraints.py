# SPDX-License-Identifier: GPL-2.0-only
"""The laws of constraints, in user space, under ASan and UBSan."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from toolbox import TOOLS

ROUNDS = 2000000
REPO = os.path.dirname(TOOLS)


def build(top, target, *variables):
    """The program of the sources in one tree."""
    return subprocess.run(["make", "-s", "-C", os.path.join(top, "tools/constraints"), f"O={target}", *variables],
                          capture_output=True, text=True)


class Laws(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = os.path.join(REPO, "build/constraints")
        made = build(REPO, cls.folder)
        if made.returncode:
            raise AssertionError(made.stdout + made.stderr)

    def run_laws(self, *args):
        return subprocess.run([os.path.join(self.folder, "constraints"), *map(str, args)],
                              capture_output=True, text=True)

    def test_laws_hold(self):
        done = self.run_laws(ROUNDS)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        laws = re.findall(r"^ok .*, (\d+) cases$", done.stdout, re.M)
        self.assertEqual(len(laws), 11, done.stdout)
        self.assertEqual(int(laws[0]), ROUNDS)
        self.assertRegex(done.stdout, r"\n15 passed, 0 failed \(seed \d+\)\n$")

    def test_no_number_is_an_error(self):
        done = self.run_laws("many")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("not a number: many", done.stderr)


class Broken(unittest.TestCase):
    """What the program is for: it tells a rule that is wrong, and in which case."""

    def test_a_wrong_rule_is_told(self):
        with tempfile.TemporaryDirectory() as tmp:
            for folder in ("drivers/dma-buf", "include/linux", "tools/constraints"):
                shutil.copytree(os.path.join(REPO, folder), os.path.join(tmp, folder))
            path = os.path.join(tmp, "drivers/dma-buf/dma-buf-constraints.c")
            with open(path) as f:
                text = f.read()
            wrong = text.replace("max(a->alignment, b->alignment)", "min(a->alignment, b->alignment)")
            self.assertNotEqual(text, wrong)
            with open(path, "w") as f:
                f.write(wrong)
            kernel = subprocess.run([os.path.join(TOOLS, "kernel"), "source"], check=True,
                                    capture_output=True, text=True).stdout.strip()
            made = build(tmp, os.path.join(tmp, "out"), f"KERNEL={kernel}")
            self.assertEqual(made.returncode, 0, made.stderr)
            runs = [subprocess.run([os.path.join(tmp, "out/constraints"), "1000", "7"],
                                   capture_output=True, text=True) for _ in range(2)]
        self.assertEqual(runs[0].returncode, 1)
        self.assertIn("not ok  examples of the algebra: the wider alignment", runs[0].stdout)
        self.assertRegex(runs[0].stdout, r"not ok  order: [\w ]+ \(seed 7, case \d+\)")
        self.assertEqual(runs[0].stdout, runs[1].stdout)
