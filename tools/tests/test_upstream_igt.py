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
    def listed(self, body, patterns=(), others=False):
        with tempfile.TemporaryDirectory() as folder:
            return igt.listed(program(folder, "p", body), patterns, others=others)

    def test_subtests(self):
        self.assertEqual(self.listed("echo a; echo b-suspend; echo c"), ["igt@p@a", "igt@p@c"])

    def test_what_a_driver_does_not_survive(self):
        with tempfile.TemporaryDirectory() as folder:
            path = program(folder, "p", "echo overflow-vrefresh; echo int-max-clock; echo zero-clock")
            self.assertEqual(igt.listed(path, (), igt.LEFT_OUT["vkms"]), ["igt@p@zero-clock"])
            self.assertEqual(igt.listed(path, ()), ["igt@p@overflow-vrefresh", "igt@p@zero-clock"])

    def test_program_without(self):
        self.assertEqual(self.listed("exit 79"), ["igt@p"])

    def test_program_that_fails(self):
        self.assertEqual(self.listed("echo a; exit 1"), [])

    def test_patterns(self):
        body = "echo x-a; echo y; echo x-suspend; echo y-suspend; echo x-b"
        self.assertEqual(self.listed(body, ("x-*",)), ["igt@p@x-a", "igt@p@x-b"])
        self.assertEqual(self.listed(body, ("x-*",), True), ["igt@p@y"])


class SecondRun(unittest.TestCase):
    """Guests that find what is said here, the second time as a test that is run again."""

    def compare(self, first, second=None):
        self.again = []

        def run(_, kernel, lines, what=""):
            self.again += lines if kernel == "ours" and what else ()
            found = (second if what else first)[igt.KERNELS.index(kernel)]
            return dict(found) if found is not None else None

        for name, fake in ("run", run), ("testlist", lambda *_: ["all"]):
            self.addCleanup(setattr, igt, name, getattr(igt, name))
            setattr(igt, name, fake)
        return igt.compare(argparse.Namespace(mixtures=False))

    def test_mixtures_have_a_guest_if_asked(self):
        booted = []
        for name, fake in (("run", lambda *said: booted.append(said[1:]) or {}),
                           ("testlist", lambda _, others=False: ["others"] if others else ["all"])):
            self.addCleanup(setattr, igt, name, getattr(igt, name))
            setattr(igt, name, fake)
        for mixtures in (False, True):
            igt.run_all(argparse.Namespace(mixtures=mixtures), "ours")
        self.assertEqual(booted, [("ours", ["all"]), ("ours", ["all"]), ("ours", ["others"], "-mixtures")])

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


class Guests(unittest.TestCase):
    """Guests that say the lines of a program each, and end as told."""

    def run_with(self, *guests, resume=False):
        said = list(guests)
        self.booted = []

        def vm(command, **_):
            out = command[command.index("--out") + 1]
            with open(os.path.join(out, "list")) as f:
                self.booted.append(f.read().split())
            text, status = said.pop(0)
            return argparse.Namespace(stdout=text, stderr="", returncode=status)

        for name in "subprocess", "OUT":
            self.addCleanup(setattr, igt, name, getattr(igt, name))
        igt.subprocess = argparse.Namespace(run=vm)
        igt.OUT = self.folder
        return igt.run(argparse.Namespace(on="vkms", igt="/igt", limit=1, timeout=1, resume=resume), "stock",
                       ["igt@p@a", "igt@p@b", "igt@p@c", "igt@q"])

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    HEAD = "KTAP version 1\n1..4\nok 1 igt@p@a\n"

    def test_goes_on_in_another(self):
        found = self.run_with((self.HEAD, 125), ("KTAP version 1\n1..2\nok 1 igt@p@c\nok 2 igt@q\n", 0))
        self.assertEqual(found, {"igt@p@a": GOOD, "igt@p@b": igt.DIED, "igt@p@c": GOOD, "igt@q": GOOD})
        self.assertEqual(self.booted, [["igt@p@a", "igt@p@b", "igt@p@c", "igt@q"], ["igt@p@c", "igt@q"]])

    def test_dies_in_the_last(self):
        found = self.run_with((self.HEAD + "ok 2 igt@p@b\nok 3 igt@p@c\n", 125))
        self.assertEqual(found["igt@q"], igt.DIED)

    def test_dies_all_the_time(self):
        igt.GUESTS, guests = 2, igt.GUESTS
        self.addCleanup(setattr, igt, "GUESTS", guests)
        self.assertIsNone(self.run_with(("", 125), ("", 125)))

    def test_dies_twice_in_a_program(self):
        found = self.run_with((self.HEAD, 125), ("", 125), ("KTAP version 1\n1..1\nok 1 igt@q\n", 0))
        self.assertEqual(found, {"igt@p@a": GOOD, "igt@p@b": igt.DIED, "igt@p@c": igt.DIED, "igt@q": GOOD})
        igt.testlist = lambda _: [f"igt@p@{s}" for s in "abcd"] + ["igt@q"]
        self.assertEqual(igt.without_killers(igt.testlist(None), found), ["igt@q"])

    def test_a_guest_of_another_run_is_not_kept(self):
        self.run_with((self.HEAD, 125), ("KTAP version 1\n1..2\nok 1 igt@p@c\nok 2 igt@q\n", 0))
        with open(os.path.join(self.folder, "vkms/stock-1/list"), "a") as f:
            f.write("igt@r\n")
        found = self.run_with(("KTAP version 1\n1..2\nok 1 igt@p@c\nnot ok 2 igt@q\n", 0), resume=True)
        self.assertEqual((found["igt@q"], self.booted), (BAD, [["igt@p@c", "igt@q"]]))

    def test_guests_are_kept(self):
        self.run_with((self.HEAD, 125), ("KTAP version 1\n1..2\nok 1 igt@p@c\nok 2 igt@q\n", 0))
        found = self.run_with(resume=True)
        self.assertEqual((found["igt@p@b"], found["igt@q"], self.booted), (igt.DIED, GOOD, []))

    def test_only_ours_dies(self):
        died = {"igt@p@a": igt.DIED}
        self.assertEqual(igt.on_stock_alone({"igt@p@a": BAD}, died), ["igt@p@a"])
        self.assertEqual(igt.on_stock_alone({"igt@p@a": GOOD}, died), ["igt@p@a"])
        self.assertEqual(igt.on_stock_alone(died, died), [])
        self.assertEqual(igt.counts(died, "p"), "0/1/0")


class Pages(unittest.TestCase):
    def test_a_device_is_written_and_others_stay(self):
        with tempfile.TemporaryDirectory() as folder:
            page = os.path.join(folder, "page")
            with open(page, "w") as f:
                f.write(f"head\n{igt.MARK}\nvirtio-gl\n=========\n\n::\n\n  other\n\n"
                        "vkms\n====\n\n::\n\n  old\n")
            results = {"igt@p@a": GOOD, "igt@p@b": BAD}, {"igt@p@a": GOOD}
            igt.write_page(page, "vkms", igt.subtests(*results))
            with open(page) as f:
                once = f.read()
            igt.write_page(page, "virtio", ["first"])
            igt.write_page(page, "vkms", igt.subtests(*results))
            with open(page) as f:
                text = f.read()
        self.assertEqual(text, once.replace(igt.MARK, f"{igt.MARK}\nvirtio\n======\n\n::\n\n  first\n"))
        self.assertTrue(once.startswith(f"head\n{igt.MARK}\nvirtio-gl\n=========\n\n::\n\n  other\n\nvkms\n"))
        self.assertNotIn("old", once)
        self.assertEqual([line.split() for line in once.splitlines() if "igt@" in line],
                         [["igt@p@a", GOOD, GOOD], ["igt@p@b", BAD, *igt.ABSENT.split()]])

    def test_both_pages_can_be_written(self):
        for page in igt.PAGE, igt.SUBTESTS:
            with open(page) as f:
                self.assertEqual(f.read().count(igt.MARK), 1)
