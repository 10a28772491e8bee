# SPDX-License-Identifier: GPL-2.0-only
"""Building Mesa and judging it: what a patch changes is built again, what fails is told."""
import argparse
import contextlib
import io
import os
import shutil
import tempfile
import unittest

from toolbox import tool

build = tool("mesa/build")
check = tool("mesa/check")

EXPECTED = """# Mesa card renderer case outcome why
distribution  *      *         import  crashed  maps what it must not
distribution  vgem   *         import  failed   its own can be mapped
patched       *      llvmpipe  late    failed   not done yet
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


class Build(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="mesa-test.")
        self.addCleanup(shutil.rmtree, self.folder)
        self.new, self.old = (os.path.join(self.folder, name) for name in ("new", "old"))

    def test_the_series_names_patches_in_order(self):
        write(os.path.join(self.folder, "series"), "# first\nb.patch\n\na.patch # why\n")
        self.assertEqual([os.path.basename(path) for path in build.series(self.folder)], ["b.patch", "a.patch"])

    def test_a_patch_in_our_series_is_there(self):
        for release in build.RELEASES.values():
            self.assertTrue(build.series(release.patches))
            for path in build.series(release.patches):
                self.assertTrue(os.path.exists(path), path)

    def test_each_debian_has_the_same_patches(self):
        first, *others = ([os.path.basename(path) for path in build.series(release.patches)]
                          for release in build.RELEASES.values())
        for other in others:
            self.assertEqual(other, first)

    def test_only_what_changed_is_newer(self):
        for tree in (self.new, self.old):
            write(os.path.join(tree, "src/same.c"), "same")
        write(os.path.join(self.new, "src/changed.c"), "new")
        write(os.path.join(self.old, "src/changed.c"), "old")
        write(os.path.join(self.new, "added/a.c"), "a")
        write(os.path.join(self.old, "gone/b.c"), "b")
        same = os.path.join(self.old, "src/same.c")
        os.utime(same, (1, 1))
        build.carry_over(self.new, self.old)
        self.assertEqual(os.stat(same).st_mtime, 1)
        with open(os.path.join(self.old, "src/changed.c")) as f:
            self.assertEqual(f.read(), "new")
        self.assertTrue(os.path.exists(os.path.join(self.old, "added/a.c")))
        self.assertFalse(os.path.exists(os.path.join(self.old, "gone")))

    def test_a_patch_that_does_not_apply_is_one_line(self):
        write(os.path.join(self.folder, "series"), "a.patch\n")
        write(os.path.join(self.folder, "a.patch"), "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-there\n+here\n")
        write(os.path.join(self.new, "f"), "elsewhere\n")
        log = build.Log(os.path.join(self.folder, "log"))
        with self.assertRaises(build.Stop) as caught:
            build.apply(self.new, self.folder, log)
        log.file.close()
        self.assertRegex(str(caught.exception), r"^a\.patch: applying it failed: .*FAILED at 1.*\(all of it: .*log\)$")

    def test_a_program_that_is_missing_names_the_packages(self):
        log = build.Log(os.path.join(self.folder, "log"))
        with self.assertRaises(build.Stop) as caught:
            log.run(["there-is-no-such-program"], "nothing")
        log.file.close()
        self.assertIn("tools/packages mesa", str(caught.exception))


class Check(unittest.TestCase):
    def judged(self, distribution, patched):
        found = {"distribution": {("vkms", "softpipe", "import"): (distribution, "")},
                 "patched": {("vkms", "softpipe", "import"): (patched, "3 pixels are others")}}
        with contextlib.redirect_stdout(io.StringIO()):
            return check.judge(check.expectations(EXPECTED), found)

    def test_what_says_most_comes_first(self):
        known = check.expectations(EXPECTED)
        self.assertEqual(check.expected(known, "distribution", "vkms", "softpipe", "import"), "crashed")
        self.assertEqual(check.expected(known, "distribution", "vgem", "softpipe", "import"), "failed")
        self.assertEqual(check.expected(known, "patched", "vkms", "llvmpipe", "late"), "failed")
        self.assertEqual(check.expected(known, "patched", "vkms", "softpipe", "late"), "passed")

    def test_no_reason_is_no_expectation(self):
        with self.assertRaises(check.Stop):
            check.expectations("patched * * import failed\n")

    def test_lines_of_the_guest(self):
        text = "noise\nmesa\tvkms\tsoftpipe\timport\tfailed\t3 pixels are others\r\nmesa\tshort\n"
        self.assertEqual(check.results(text), {("vkms", "softpipe", "import"): ("failed", "3 pixels are others")})

    def jobs(self, *cases, driver=None, guest=None, stock=False):
        return [check.job_of(guest).split("\n") for guest
                in check.plan(argparse.Namespace(cases=list(cases), driver=driver, guest=guest, stock=stock))]

    def test_all_runs_if_nothing_is_named(self):
        lines = " ".join(sum(self.jobs(), []))
        for case in check.WESTON + check.KMSCUBE + check.GSTREAMER:
            self.assertIn(case, lines)
        self.assertRegex(lines, r"mesa\.sh \S+/dmabuf vkms 'softpipe llvmpipe' ")

    def test_what_is_named_runs_where_the_plan_has_it(self):
        lines = self.jobs("fence-sample", "weston-two")[0]
        self.assertRegex(lines[0], r"/mesa\.sh \S+/dmabuf vkms .* fence-sample$")
        self.assertTrue(any(" vgem " in line for line in lines))
        self.assertRegex(lines[-2], r"/mesa-weston\.sh \S+/client virtio_gpu 'softpipe' weston-two$")
        self.assertFalse(any("kmscube" in line for line in lines))

    def test_a_driver_that_is_named_is_the_only_one(self):
        self.assertRegex("".join(self.jobs(driver="udl")[0]), r"^\S+/mesa\.sh \S+ udl 'softpipe llvmpipe'$")

    def test_of_a_driver_that_is_named_others_run_once(self):
        self.assertRegex("\n".join(self.jobs("kmscube", "import-texture", driver="udl")[0]),
                         r"^\S+/mesa\.sh \S+ udl 'softpipe llvmpipe' import-texture\n"
                         r"\S+/mesa-kmscube\.sh udl 'softpipe' kmscube\n$")

    def test_a_guest_that_is_named_is_the_only_one(self):
        self.assertEqual(len(self.jobs(guest=["virgl"])), 1)
        self.assertIn("'virgl'", self.jobs(guest=["virgl"])[0][0])

    def test_stock_has_no_noncoherent_vgem(self):
        lines = " ".join(sum(self.jobs(stock=True), []))
        self.assertNotIn("mesa-noncoherent.sh", lines)
        self.assertIn("'virgl'", lines)

    def test_stock_is_expected_to_do_as_ours_but_for_what_is_said(self):
        ours, stock = check.read_expectations(False), check.read_expectations(True)
        self.assertLessEqual(set(ours), set(stock))

    def test_gstreamer_has_a_program_of_its_own(self):
        lines = self.jobs("gstreamer-write")[0]
        self.assertRegex(lines[-2], r"/mesa-gstreamer\.sh \S+/gstreamer vgem 'gstreamer' gstreamer-write$")

    def test_whom_the_kernel_names_has_failed(self):
        key = ("vgem", "softpipe", "a")
        who = check.named("noise\nnamed\tvgem\tsoftpipe\ta\tweston writes\r\nnamed\tshort\n")
        self.assertEqual(who, {key: "weston writes"})
        self.assertEqual(check.with_named({key: (check.PASSED, "")}, who),
                         {key: (check.FAILED, "outside of DMA_BUF_IOCTL_SYNC: weston writes")})
        self.assertEqual(check.with_named({key: ("crashed", "")}, who), {key: ("crashed", "")})

    def test_what_is_no_dma_buf_yet_may_be_used_without_brackets(self):
        found = {("vgem", "softpipe", "access-export"): (check.PASSED, "")}
        self.assertEqual(check.with_named(found, {key: "dmabuf writes" for key in found}), found)

    def worse(self, patched):
        found = {"distribution": {("vkms", "softpipe", "a"): ("passed", ""), ("vkms", "softpipe", "b"): ("failed", "")},
                 "patched": {("vkms", "softpipe", "a"): (patched, ""), ("vkms", "softpipe", "b"): ("passed", "")}}
        with contextlib.redirect_stdout(io.StringIO()) as said:
            return check.tell_worse(found), said.getvalue()

    def test_what_only_the_distributions_mesa_does_is_worse(self):
        worse, said = self.worse("failed")
        self.assertEqual(worse, ["worse than with the distribution's: vkms softpipe a"])
        self.assertIn("not with the patched one: 1 of 1\n", said)

    def test_what_both_do_is_not_worse(self):
        worse, said = self.worse("passed")
        self.assertEqual(worse, [])
        self.assertIn("not with the patched one: 0 of 1\n", said)

    def test_no_such_case(self):
        with self.assertRaises(check.Stop):
            check.plan(argparse.Namespace(cases=["weston-three"], driver=None, guest=None, stock=False))

    def test_as_expected(self):
        self.assertEqual(self.judged("crashed", "passed"), (2, []))

    def test_what_fails_unexpectedly_is_told_with_its_reason(self):
        good, wrong = self.judged("crashed", "failed")
        self.assertEqual(good, 1)
        self.assertEqual(wrong, ["patched: vkms softpipe import: failed, expected passed: 3 pixels are others"])

    def test_what_passes_unexpectedly_counts_as_well(self):
        self.assertEqual(self.judged("passed", "passed")[0], 1)

    def test_fails_is_each_way_not_to_pass(self):
        for outcome in ("failed", "crashed", "hung"):
            self.assertTrue(check.as_wanted(outcome, "fails"), outcome)
        for outcome in ("passed", "not run"):
            self.assertFalse(check.as_wanted(outcome, "fails"), outcome)

    def test_what_did_not_run_counts(self):
        with contextlib.redirect_stdout(io.StringIO()):
            _, wrong = check.judge({}, {"patched": {("vkms", "softpipe", "a"): ("passed", "")}, "distribution": {}})
        self.assertEqual(wrong, ["distribution: vkms softpipe a: not run, expected passed"])
