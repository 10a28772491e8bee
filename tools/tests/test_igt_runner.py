# SPDX-License-Identifier: GPL-2.0-only
"""The runner of igt-tests: what it makes of programs that end in every way."""
import argparse
import errno
import fnmatch
import importlib.machinery
import importlib.util
import os
import socket
import subprocess
import tempfile
import unittest
import unittest.mock

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Speaks as IGT's programs do: on stderr of what it is about only when it is asked to.  "dies" ends the process, "hangs" waits for ever.
PROGRAM = r"""#!/bin/sh
if [ "$1" = --list-subtests ]; then echo "good parts skips dies bad hangs late"; exit 0; fi
echo $$ >> "$PROCESSES"
code=0
say() { echo "$1"; [ -z "$IGT_SENTINEL_ON_STDERR" ] || echo "$1" >&2; }
for name in good parts skips dies bad hangs late; do
	case ",$2," in *",$name,"*) ;; *) continue ;; esac
	say "Starting subtest: $name"
	verdict=SUCCESS
	case $name in
	parts)
		say "Starting dynamic subtest: a"
		say "Dynamic subtest a: SUCCESS (0.1s)"
		say "Starting dynamic subtest: b"
		say "Dynamic subtest b: SKIP (0.1s)" ;;
	skips) echo "Test requirement not met"; verdict=SKIP; [ "$2" != skips ] || code=77 ;;
	dies) kill -SEGV $$ ;;
	bad) echo "(bad:1) CRITICAL: 1 != 2" >&2; verdict=FAIL code=98 ;;
	hangs) read -r _ < "$PIPE" ;;
	esac
	say "Subtest $name: $verdict (0.5s)"
done
exit $code
"""


class Runner(unittest.TestCase):
    def run_list(self, names, *options):
        """-> {subtest or subtest@part: result}, how many processes it took, exit status"""
        with tempfile.TemporaryDirectory() as top:
            program, listed = os.path.join(top, "fake"), os.path.join(top, "list")
            with open(program, "w") as f:
                f.write(PROGRAM)
            os.chmod(program, 0o755)
            with open(listed, "w") as f:
                f.writelines(f"igt@fake@{name}\n" for name in names)
            os.mkfifo(os.path.join(top, "pipe"))
            env = dict(os.environ, PROCESSES=os.path.join(top, "count"), PIPE=os.path.join(top, "pipe"))
            done = subprocess.run([f"{REPO}/igt-tests/runner", "--bin", top, "--testlist", listed,
                                   *options], env=env, capture_output=True, text=True)
            with open(os.path.join(top, "count")) as f:
                processes = len(f.readlines())
        self.said = done.stdout
        words = [line.split() for line in done.stdout.splitlines() if line.startswith(("PASS", "FAIL", "SKIP"))]
        return {w[1][len("igt@fake@"):]: w[0] for w in words}, processes, done.returncode

    def test_each_in_a_process(self):
        results, processes, code = self.run_list(["good", "parts", "skips"])
        self.assertEqual(results, {"good": "PASS", "parts@a": "PASS", "parts@b": "SKIP", "skips": "SKIP"})
        self.assertEqual((processes, code), (3, 0))

    def test_what_is_skipped_and_not_listed_fails_if_asked(self):
        results, _, code = self.run_list(["good", "parts", "skips"], "--strict")
        self.assertEqual(results, {"good": "PASS", "parts@a": "PASS", "parts@b": "FAIL", "skips": "FAIL"})
        self.assertEqual(code, 1)

    def test_all_in_one(self):
        results, processes, code = self.run_list(["good", "parts", "skips", "late"], "--multiple-mode")
        self.assertEqual(results, {"good": "PASS", "parts@a": "PASS", "parts@b": "SKIP", "skips": "SKIP",
                                   "late": "PASS"})
        self.assertEqual((processes, code), (1, 0))

    def test_a_program_without_subtests(self):
        with tempfile.TemporaryDirectory() as top:
            for name, last, code in (("good", "SUCCESS (0.5s)", 0), ("skips", "SKIP (0.1s)", 77), ("dies", "", 98)):
                with open(os.path.join(top, name), "w") as f:
                    f.write(f"#!/bin/sh\n[ $# = 0 ] || exit 79\necho '{last}'\nexit {code}\n")
                os.chmod(f.name, 0o755)
            with open(os.path.join(top, "list"), "w") as f:
                f.write("igt@good\nigt@skips\nigt@dies\nigt@absent\n")
            done = subprocess.run([f"{REPO}/igt-tests/runner", "--bin", top, "--testlist", os.path.join(top, "list")],
                                  capture_output=True, text=True)
        words = [line.split()[:2] for line in done.stdout.splitlines() if line.startswith(("PASS", "FAIL", "SKIP"))]
        self.assertEqual(words[:3], [["PASS", "igt@good"], ["SKIP", "igt@skips"], ["FAIL", "igt@dies"]])
        self.assertIn("igt@absent", done.stdout)
        self.assertEqual(done.returncode, 1)

    def test_nothing_after_a_failure_if_asked(self):
        results, processes, _ = self.run_list(["good", "bad", "parts"], "--fail-fast")
        self.assertEqual((results, processes), ({"good": "PASS", "bad": "FAIL"}, 2))

    def test_a_failure_is_its_own(self):
        results, processes, code = self.run_list(["good", "bad", "late"], "--multiple-mode")
        self.assertEqual(results, {"good": "PASS", "bad": "FAIL", "late": "PASS"})
        self.assertEqual((processes, code), (1, 1))

    def test_a_failure_is_told_with_its_assertion(self):
        for options in (), ("--multiple-mode",):
            self.run_list(["good", "bad", "late"], *options)
            self.assertIn("\n    (bad:1) CRITICAL: 1 != 2\nPASS igt@fake@late", self.said)

    def test_the_rest_runs_after_a_death(self):
        results, processes, code = self.run_list(["good", "dies", "skips", "late"], "--multiple-mode")
        self.assertEqual(results, {"good": "PASS", "skips": "SKIP", "dies": "FAIL", "late": "PASS"})
        self.assertEqual((processes, code), (2, 1))

    def test_the_rest_runs_after_a_timeout(self):
        results, processes, code = self.run_list(["good", "hangs", "late"], "--multiple-mode", "--timeout", "5")
        self.assertEqual(results, {"good": "PASS", "hangs": "FAIL", "late": "PASS"})
        self.assertEqual((processes, code), (2, 1))


class Deaths(unittest.TestCase):
    """A program that ends in the middle of a subtest with parts, of which one has failed."""

    OUT = ("Starting subtest: parts\nStarting dynamic subtest: a\nDynamic subtest a: FAIL (0.1s)\n"
           "Starting dynamic subtest: b\n")

    def died(self, out, status):
        """-> {leaf: whether it died}"""
        s = load_runner().Subtest("p", "p", "parts")
        s.take(argparse.Namespace(timeout=5), out, "", status, [])
        return {leaf.name[len("igt@p@"):]: leaf.died for leaf in s.leaves}

    def test_what_never_ran_is_counted(self):
        for status in None, -11, 139, 98:
            self.assertEqual(self.died(self.OUT, status), {"parts@a": False, "parts@b": True, "parts": True})

    def test_who_ends_has_not_died(self):
        out = self.OUT + "Dynamic subtest b: SUCCESS (0.1s)\nSubtest parts: FAIL (0.2s)\n"
        self.assertEqual(self.died(out, 98), {"parts@a": False, "parts@b": False})

    def test_who_tells_of_a_dead_child_has_not_died(self):
        out = "Starting subtest: parts\nSubtest parts: FAIL (0.2s)\n"
        self.assertEqual(self.died(out, 137), {"parts": False})
        self.assertEqual(self.died(out.replace("FAIL", "CRASH"), 139), {"parts": True})


def load_runner():
    loader = importlib.machinery.SourceFileLoader("runner", f"{REPO}/igt-tests/runner")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("runner", loader))
    loader.exec_module(module)
    return module


class Expectations(unittest.TestCase):
    """What is listed for a kernel, and what comes of a test then."""

    LISTS = {"k-fails": "igt@p@fails  # a\nigt@p@both  # a\nigt@p@noisy*  # a\nigt@p@loud@dmesg  # e\n",
             "k-flakes": "igt@p@flakes*  # b\nigt@p@both  # b\n",
             "k-skips": "igt@p@skips  # c\n", "k-small-skips": "igt@p@small  # d\n"}

    def judge(self, name, result, kernel="k", strict=True, died=False):
        """-> what it is then, and why"""
        runner = load_runner()
        with tempfile.TemporaryDirectory() as top:
            os.mkdir(os.path.join(top, "expectations"))
            for which, text in self.LISTS.items():
                with open(os.path.join(top, "expectations", which + ".txt"), "w") as f:
                    f.write(text)
            runner.HERE = top
            leaf = runner.Leaf(f"igt@p@{name}", result, died=died)
            runner.Expectations(kernel, strict).judge(leaf)
        return leaf.result, "".join(leaf.why)

    def test_known_failure(self):
        self.assertEqual(self.judge("fails", "FAIL"), ("XFAIL", "a"))
        self.assertEqual(self.judge("fails", "PASS")[0], "FAIL")

    def test_flake_may_pass_or_fail(self):
        self.assertEqual(self.judge("flakes", "FAIL"), ("FLAKE", "b"))
        self.assertEqual(self.judge("flakes@part", "FAIL"), ("FLAKE", "b"))
        self.assertEqual(self.judge("flakes", "PASS"), ("PASS", ""))
        self.assertEqual(self.judge("flakes", "SKIP")[0], "FAIL")
        self.assertEqual(self.judge("both", "PASS"), ("PASS", ""))
        self.assertEqual(self.judge("both", "FAIL"), ("FLAKE", "b"))

    def test_who_dies_is_not_excused(self):
        for name in "fails", "flakes":
            self.assertEqual(self.judge(name, "FAIL", died=True)[0], "FAIL")

    def test_the_log_is_excused_by_its_own_line(self):
        self.assertEqual(self.judge("noisy", "FAIL"), ("XFAIL", "a"))
        self.assertEqual(self.judge("noisy@dmesg", "FAIL")[0], "FAIL")
        self.assertEqual(self.judge("loud@dmesg", "FAIL"), ("XFAIL", "e"))
        self.assertEqual(self.judge("loud", "FAIL")[0], "FAIL")

    def test_others_fail(self):
        self.assertEqual(self.judge("other", "FAIL")[0], "FAIL")

    def test_known_skip(self):
        self.assertEqual(self.judge("skips", "SKIP"), ("SKIP", ""))
        self.assertEqual(self.judge("skips", "PASS")[0], "FAIL")
        self.assertEqual(self.judge("other", "SKIP")[0], "FAIL")
        self.assertEqual(self.judge("other", "SKIP", strict=False), ("SKIP", ""))

    def test_a_kernel_of_a_kind_has_both_lists(self):
        self.assertEqual(self.judge("small", "SKIP")[0], "FAIL")
        self.assertEqual(self.judge("small", "SKIP", "k-small"), ("SKIP", ""))
        self.assertEqual(self.judge("skips", "SKIP", "k-small"), ("SKIP", ""))

    def test_a_flake_is_told_and_does_not_count(self):
        runner = load_runner()
        leaf = runner.Leaf("igt@p@flakes", runner.FLAKE, why=["looked for in 17"])
        self.assertEqual(runner.tap_line(1, leaf, leaf.name), "ok 1 igt@p@flakes # XFAIL now and then: looked for in 17")
        s = runner.Subtest("p", "p", "flakes")
        s.leaves.append(leaf)
        self.assertIn('failures="0" skipped="1"', runner.junit([s], []))

    def test_every_entry_names_something(self):
        """A list of the project says nothing of a test that is gone."""
        folder = os.path.join(REPO, "igt-tests/expectations")
        runner = load_runner()
        subtests = [name.split("@") for name in Lists.listed("full.testlist")]
        for name in os.listdir(folder):
            for pattern, _ in runner.Expectations.read(name) if name != "known-warnings.txt" else ():
                _, program, rest = pattern.split("@", 2)
                # a pattern of two parts may begin with the subtest and end with the dynamic one
                found = [s for _, p, s in subtests if fnmatch.fnmatchcase(p, program) and
                         (rest.startswith("*") or fnmatch.fnmatchcase(s, rest.split("@")[0]))]
                self.assertTrue(found, f"{name}: {pattern}")


class KernelLog(unittest.TestCase):
    def setUp(self):
        self.runner = load_runner()

    def test_the_marks_of_the_tests_are_read(self):
        ours, kmsg = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log = self.runner.KernelLog.__new__(self.runner.KernelLog)
        ours.setblocking(False)
        log.fd = ours.fileno()
        for record in b"6,1,0,-;the kernel's", b"14,2,0,-;[IGT] fake: starting subtest a", b"12,3,0,-;a daemon's":
            kmsg.send(record + b"\n")
        self.assertEqual(log.new(), [(6, "the kernel's"), (6, "[IGT] fake: starting subtest a")])
        ours.close()
        kmsg.close()

    def test_what_was_overwritten_fails(self):
        log = self.runner.KernelLog.__new__(self.runner.KernelLog)
        log.fd = 0
        with unittest.mock.patch("os.read", side_effect=[OSError(errno.EPIPE, ""), OSError(errno.EAGAIN, "")]):
            self.assertEqual(self.runner.KernelLog.bad(log.new()), [self.runner.LOST])

    def test_each_has_its_own(self):
        log = [(6, "[IGT] fake: starting subtest a"), (4, "x"), (6, "[IGT] fake: starting subtest b"), (4, "y")]
        mine = self.runner.give_out(self.runner.log_sections(log, "a"), ["a", "b"])
        self.assertEqual([[text for _, text in mine[n]][1:] for n in "ab"], [["x"], ["y"]])

    def test_nothing_is_lost(self):
        log = [(4, "before any"), (6, "[IGT] fake: starting subtest b"), (4, "y")]
        mine = self.runner.give_out(self.runner.log_sections(log, "a"), ["b"])
        self.assertEqual({text for _, text in mine["b"]}, {text for _, text in log})


class Lists(unittest.TestCase):
    """The subtests that are run, by name."""

    @staticmethod
    def listed(name):
        with open(os.path.join(REPO, "igt-tests/testlists", name)) as f:
            return [line.strip() for line in f if line.strip() and not line.startswith("#")]

    def test_the_full_list_has_all_of_the_fast_one(self):
        self.assertEqual(sorted(set(self.listed("fast.testlist")) - set(self.listed("full.testlist"))), [])

    def test_the_full_list_has_every_subtest_once(self):
        programs = os.path.join(REPO, "build/igt")
        if not os.path.isdir(programs):
            self.skipTest("needs build/igt")
        there = []
        for name in os.listdir(programs):
            path = os.path.join(programs, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                out = subprocess.run([path, "--list-subtests"], capture_output=True, text=True, check=True)
                there += [f"igt@{name}@{subtest}" for subtest in out.stdout.split()]
        self.assertEqual(sorted(self.listed("full.testlist")), sorted(there))
