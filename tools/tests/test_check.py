# SPDX-License-Identifier: GPL-2.0-only
"""Several suites share a guest: what of its output is whose."""
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

from toolbox import TOOLS, tool

check = tool("check")

OUTPUT = """\
# suite: first 10.5
ok 1 - a
not ok 2 - b
# suite: second 20.0
ok 1 - c
# suite: end 21.5
"""


# Two jobs at once, of which there are four, and one beside them, of which there are two; each
# says that it began, and has no end.
JOBS = """
import signal, sys
sys.path[:0] = [{tools!r}, {tests!r}]
import importlib.machinery, importlib.util
loader = importlib.machinery.SourceFileLoader("check", {tools!r} + "/check")
check = importlib.util.module_from_spec(importlib.util.spec_from_loader("check", loader))
loader.exec_module(check)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, check.end)
def job(name):
    check.run(["sh", "-c", "echo > " + {top!r} + "/" + name + "; exec sleep 1000"])
    return []
check.run_all([(job, n) for n in "abcd"], [(job, n) for n in "xy"], 2, check.Tally())
sys.exit(128 + check.asked_to_end[0])
"""


class Interrupted(unittest.TestCase):
    def ends(self, number, code):
        """Succeeds if what runs is ended, and what waits does not begin."""
        with tempfile.TemporaryDirectory() as top:
            script = JOBS.format(tools=TOOLS, tests=os.path.dirname(__file__), top=top)
            with subprocess.Popen([sys.executable, "-c", script]) as child:
                while len(os.listdir(top)) < 3 and child.poll() is None:
                    time.sleep(0.01)
                child.send_signal(number)
                self.assertEqual(child.wait(60), code)
            self.assertEqual(sorted(os.listdir(top)), ["a", "b", "x"])

    def test_by_whoever_sits_before_it(self):
        self.ends(signal.SIGINT, 130)

    def test_by_whatever_runs_it(self):
        self.ends(signal.SIGTERM, 143)


class Dead(unittest.TestCase):
    def run_guest(self, kind, why):
        done = subprocess.CompletedProcess([], 125, "", f"vm: {why}\n")
        with tempfile.TemporaryDirectory() as top, mock.patch.object(check, "OUT", top), \
                mock.patch.object(check, "run", return_value=done) as run:
            results = check.run_guest(kind, ("fuzz",))
        self.assertIn("failed", [outcome for _, tests, *_ in results for _, outcome in tests])
        return run.called

    def test_a_kernel_that_does_not_boot_is_not_tried_again(self):
        with mock.patch.object(check, "dead", set()):
            self.assertTrue(self.run_guest("debug", "guest died before the job ended"))
            self.assertTrue(self.run_guest("debug", "timed out after 900 s, before it came to its job: look"))
            self.assertFalse(self.run_guest("debug", ""))
            self.assertTrue(self.run_guest("release", ""))


class Failures(unittest.TestCase):
    def test_what_they_said_is_repeated_at_the_end(self):
        done = subprocess.CompletedProcess([], 0, OUTPUT.replace("not ok", "why\nnot ok"), "")
        tally = check.Tally()
        with tempfile.TemporaryDirectory() as top, mock.patch.object(check, "OUT", top), \
                mock.patch.object(check, "run", return_value=done), mock.patch.object(check, "say"), \
                mock.patch.object(check, "guest_job", return_value=""), \
                mock.patch.object(check, "NEEDS", {"first": [], "second": []}):
            for suite in check.run_guest("release", ("first", "second")):
                tally.add(*suite)
        self.assertEqual(tally.failures, ["release-first: b", "    why"])


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

    def test_a_skip_of_the_igt_tests_is_judged_by_the_list_of_its_kernel(self):
        for kind in "release", "debug":
            self.assertIn(f"/igt $VM_SHARE ours-{kind} --strict", check.guest_job(kind, ("igt",)))

    def test_what_runs_beside_is_nice_and_has_no_other_suite(self):
        suites = check.BESIDE["release"]
        # those have vkms, which warns if it gets too late
        self.assertTrue(set(suites) <= set(check.SUITES) - {"igt", "journey", "parity", "kunit"})
        for kind, nice in ("release", True), ("debug", False):
            done = subprocess.CompletedProcess([], 0, OUTPUT, "")
            with tempfile.TemporaryDirectory() as top, mock.patch.object(check, "OUT", top), \
                    mock.patch.object(check, "run", return_value=done) as run:
                check.run_guest(kind, suites)
            self.assertEqual(run.call_args.args[0][0] == "nice", nice)

    def test_only_what_provokes_warnings_may_warn_and_it_comes_last(self):
        for suites in check.GUESTS:
            before, _, after = check.guest_job("release", suites).partition(check.klog.EXPECTED)
            self.assertEqual("# suite: misuse" in after, "misuse" in suites)
            for suite in set(suites) - {"misuse"}:
                self.assertIn(f"# suite: {suite}", before)
