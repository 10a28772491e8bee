# SPDX-License-Identifier: GPL-2.0-only
"""Several suites share a guest: what of its output is whose."""
import subprocess
import unittest

from toolbox import tool

check = tool("check")

OUTPUT = """\
# suite: first 10.5
ok 1 - a
not ok 2 - b
# suite: second 20.0
ok 1 - c
# suite: end 21.5
"""


class Suites(unittest.TestCase):
    def test_each_has_its_own_results_and_seconds(self):
        self.assertEqual(check.results_of(OUTPUT, ("first", "second")),
                         [["first", [("a", "passed"), ("b", "failed")], 9.5],
                          ["second", [("c", "passed")], 1.5]])

    def test_one_the_guest_did_not_come_to_has_failed(self):
        died = OUTPUT[:OUTPUT.index("ok 1 - c")]
        (_, first, seconds), (_, second, _) = check.results_of(died, ("first", "second"))
        self.assertEqual((len(first), seconds), (2, 9.5))
        self.assertEqual(second, [("any result", "failed")])

    def test_every_suite_is_in_one_guest_and_its_job_is_shell(self):
        self.assertEqual(len(set(check.SUITES)), len(check.SUITES))
        for kind in check.KERNELS:
            for suites in check.GUESTS:
                job = check.guest_job(kind, suites)
                self.assertEqual(subprocess.run(["sh", "-n"], input=job, text=True).returncode, 0)
                for suite in suites:
                    self.assertEqual(job.count(f"# suite: {suite} "), 1)
                # one of the two looks for leaks, once
                self.assertEqual(job.count("leaks.sh"), suites[-1] != "selftests")

    def test_only_what_provokes_warnings_may_warn_and_it_comes_last(self):
        for suites in check.GUESTS:
            before, _, after = check.guest_job("release", suites).partition(check.klog.EXPECTED)
            self.assertEqual("# suite: misuse" in after, "misuse" in suites)
            for suite in set(suites) - {"misuse"}:
                self.assertIn(f"# suite: {suite}", before)
