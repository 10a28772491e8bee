# SPDX-License-Identifier: GPL-2.0-only
"""A known warning is left out, and nothing else with it."""
import os
import sys
import tempfile
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.append(os.path.join(REPO, "igt-tests"))
import known_warnings  # noqa: E402


def report(function):
    return ["------------[ cut here ]------------", f"WARNING: CPU: 0 PID: 39 at {function}+0x74/0x490 [vkms]",
            "Call Trace:", f" {function}+0x74", "---[ end trace 0000000000000000 ]---"]


class Log(unittest.TestCase):
    def test_known_is_removed(self):
        log = ["a", *report("known"), "b"]
        self.assertEqual(known_warnings.remove(log, functions=["known"]), ["a", "b"])

    def test_others_stay(self):
        for log in (report("other"), report("unknown"), report("known_too"), report("known")[:-1],
                    report("known")[:2] + report("other")):
            self.assertEqual(known_warnings.remove(log, functions=["known"]), log)

    def test_a_helper_is_known_by_who_calls_it(self):
        log = report("helper")
        called = log[:3] + [" caller+0x33a/0x340"] + log[3:]
        self.assertEqual(known_warnings.remove(called, functions=["helper < caller"]), [])
        self.assertEqual(known_warnings.remove(log, functions=["helper < caller"]), log)

    def test_a_line_that_a_stack_follows(self):
        log = ["known: wrong timeout value ffff", "Call Trace:", " <TASK>", " caller+0x8fe/0xc40 [vivid]", " </TASK>"]
        self.assertEqual(known_warnings.remove(["a", *log, "b"], functions=["known < caller"]), ["a", "b"])
        self.assertEqual(known_warnings.remove(log, functions=["known < other"]), log)
        self.assertEqual(known_warnings.remove(log, functions=["own < caller"]), log)

    def test_records_of_the_runner(self):
        log = [(4, line) for line in report("known")] + [(3, "BUG: x")]
        self.assertEqual(known_warnings.remove(log, lambda r: r[1], ["known"]), [(3, "BUG: x")])

    def test_the_list_has_reasons(self):
        self.assertTrue(known_warnings.read())
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
            f.write("# comment\nfunction\n")
            f.flush()
            with self.assertRaises(ValueError):
                known_warnings.read(f.name)
