# SPDX-License-Identifier: GPL-2.0-only
"""The builder: its cache, its messages, and what an interruption leaves."""
import collections
import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import unittest
from unittest import mock

from toolbox import TOOLS, interruptible, tool

kernel = tool("kernel")
TREE = os.environ.get("TEST_TREE")
Usage = collections.namedtuple("Usage", "total used free")


def quiet():
    return contextlib.redirect_stderr(io.StringIO())


class Source(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="kernel-test.")
        self.addCleanup(shutil.rmtree, self.top)
        inner = os.path.join(self.top, "linux-source-6.12")
        os.mkdir(inner)
        with open(os.path.join(inner, "Makefile"), "w") as f:
            f.write("VERSION = 6\n")
        self.tarball = os.path.join(self.top, "linux.tar.xz")
        with tarfile.open(self.tarball, "w:xz") as tar:
            tar.add(inner, "linux-source-6.12")
        self.target = os.path.join(self.top, "cache", "linux")

    def test_unpacks_with_progress(self):
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            kernel.unpack(self.tarball, self.target)
        self.assertTrue(os.path.exists(os.path.join(self.target, "Makefile")))
        self.assertIn("100%", shown.getvalue())

    def test_a_torn_archive_leaves_nothing_that_looks_whole(self):
        with open(self.tarball, "r+b") as f:
            f.truncate(os.path.getsize(self.tarball) // 2)
        with quiet(), self.assertRaises((EOFError, OSError, kernel.lzma.LZMAError, tarfile.TarError)):
            kernel.unpack(self.tarball, self.target)
        self.assertFalse(os.path.exists(self.target))

    def test_what_an_interruption_left_is_unpacked_anew(self):
        os.makedirs(os.path.join(self.target + ".partial", "half"))
        with quiet():
            kernel.unpack(self.tarball, self.target)
        self.assertEqual(os.listdir(self.target), ["Makefile"])

    def test_a_full_disk_is_seen_before_it_is_filled(self):
        with mock.patch("shutil.disk_usage", return_value=Usage(10 * 2**30, 9 * 2**30, 2**30)):
            with quiet(), self.assertRaisesRegex(kernel.Stop, "1.0 GiB free.*make room"):
                kernel.unpack(self.tarball, self.target)
        self.assertFalse(os.path.exists(self.target))

    def test_no_archive(self):
        with mock.patch.object(kernel, "TARBALL", "/nonexistent"):
            with self.assertRaisesRegex(kernel.Stop, "KDIR="):
                kernel.source(None)


class Messages(unittest.TestCase):
    def explain(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".log") as f:
            f.write(text)
            f.flush()
            return kernel.explain(f.name)

    def test_a_disk_that_filled_up(self):
        self.assertIn("make room", self.explain("cc1: error: x\nas: No space left on device\nmake: Error 1\n"))

    def test_the_first_error_is_the_one_told(self):
        self.assertEqual(self.explain("  CC a.o\na.c:1: error: first\nb.c:2: error: second\nmake: *** Error 2\n"),
                         "a.c:1: error: first")

    def test_a_file_that_is_missing_is_named(self):
        self.assertIn("'x.o'", self.explain("make[5]: *** No rule to make target 'x.o'.  Stop.\n"
                                            "make[4]: *** [a] Error 2\nmake: *** [b] Error 2\n"))

    def test_another_kernel_version(self):
        with tempfile.TemporaryDirectory() as top:
            with open(os.path.join(top, "Makefile"), "w") as f:
                f.write("VERSION = 5\nPATCHLEVEL = 10\nSUBLEVEL = 0\n")
            done = subprocess.run([sys.executable, os.path.join(TOOLS, "kernel"), "ours", "--kernel", top],
                                  capture_output=True, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)
        self.assertIn("5.10.0", done.stderr)


class Interrupted(unittest.TestCase):
    def test_is_one_line_and_ends_the_overlay_too(self):
        """While the overlay waits for a file that nobody writes to."""
        with tempfile.TemporaryDirectory() as top:
            with open(os.path.join(top, ".git"), "w") as f:
                f.write("gitdir: nowhere")
            os.mkfifo(os.path.join(top, "Makefile"))
            with subprocess.Popen([sys.executable, os.path.join(TOOLS, "kernel"), "stock", "--kernel", top,
                                   "--with", "i915"], stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=interruptible,
                                  env={**os.environ, "XDG_CACHE_HOME": top}) as child:
                with open(os.path.join(top, "Makefile"), "w"):  # read by now
                    os.killpg(child.pid, signal.SIGINT)
                    _, said = child.communicate()
        self.assertEqual((child.returncode, said.strip()), (130, "kernel: interrupted; the next run carries on"))


@unittest.skipUnless(TREE, "needs --tree")
class Rebuilt(unittest.TestCase):
    def test_only_what_depends_on_a_file_that_changed(self):
        # the link is touched, which -L looks at: not the file, which other trees are built of
        link = os.path.join(TREE, "drivers/dma-buf/dma-buf-sync.c")
        before = os.lstat(link)
        make = ["make", "-Ln", "-C", TREE, "CC=ccache gcc", "HOSTCC=ccache gcc", "drivers/dma-buf/", "drivers/gpu/drm/vgem/"]
        self.addCleanup(os.utime, link, ns=(before.st_atime_ns, before.st_mtime_ns), follow_symlinks=False)
        os.utime(link, follow_symlinks=False)
        done = subprocess.run(make, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
        self.assertEqual(done.returncode, 0, done.stderr)
        # what make does not do it thinks of as new, and with it the tools that it would build with
        compiled = set(re.findall(r"-c -o (?!scripts/)(\S+\.o)", done.stdout))
        self.assertEqual(compiled, {"drivers/dma-buf/dma-buf-sync.o"}, done.stdout[-3000:])


class Unchanged(unittest.TestCase):
    """A tree that make need not be asked about: and all that says that it must be."""

    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="kernel-test.")
        self.addCleanup(shutil.rmtree, self.top)
        self.tree, self.kdir = os.path.join(self.top, "tree"), os.path.join(self.top, "kdir")
        for path in ("tree/modroot/.done", "tree/vmlinux", "tree/.config", "kdir/mm/slub.c", "kdir/.git/index"):
            self.write(path)
        self.stamp().begin()
        self.stamp().end()
        made = os.stat(self.tree + ".built").st_ctime_ns
        os.utime(self.tree + ".built", ns=(made, made))

    def write(self, path, text=""):
        path = os.path.join(self.top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)

    def stamp(self, make=("make", "-j2")):
        # not of this repository, which somebody may be at work on
        with mock.patch.object(kernel, "INPUTS", ()):
            return kernel.Stamp(self.tree, self.kdir, list(make), sys.executable)

    def touched(self, path, times):
        """Its change is newer than all that setUp() made, by the file system's coarse clock."""
        path = os.path.join(self.top, path)
        while os.stat(path).st_ctime_ns <= os.stat(self.tree + ".built").st_mtime_ns:
            os.utime(path, times)

    def test_holds(self):
        self.assertTrue(self.stamp().holds())
        self.assertTrue(self.stamp(("make", "-j7")).holds())
        self.touched("kdir/.git/index", None)
        self.assertTrue(self.stamp().holds())

    def test_a_file_that_changed(self):
        self.touched("kdir/mm/slub.c", None)
        self.assertFalse(self.stamp().holds())

    def test_a_file_with_an_old_time_that_came_here(self):
        self.touched("kdir/mm/slub.c", (1, 1))
        self.assertFalse(self.stamp().holds())

    def test_another_configuration_or_command(self):
        self.assertFalse(self.stamp(("make", "-j2", "ARCH=arm")).holds())
        self.write("tree/.config", "CONFIG_KASAN=y")
        self.assertFalse(self.stamp().holds())

    def test_what_was_made_is_gone(self):
        os.unlink(os.path.join(self.tree, "vmlinux"))
        self.assertFalse(self.stamp().holds())

    def test_a_source_that_is_gone(self):
        shutil.rmtree(self.kdir)
        self.assertFalse(self.stamp().holds())

    def test_what_changes_while_it_builds_is_not_in_it(self):
        """The stamp has the time of the beginning, when it ends."""
        self.stamp().begin()
        began = os.stat(self.tree + ".built.partial").st_mtime_ns
        os.utime(self.tree + ".built.partial", ns=(began, began - 10**12))
        self.stamp().end()
        self.assertEqual(os.stat(self.tree + ".built").st_mtime_ns, began - 10**12)


class Progress(unittest.TestCase):
    def test_never_claims_to_be_done_early_and_ends_at_100(self):
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            bar = kernel.Bar("x", 10)
            for _ in range(50):
                bar.step()
            self.assertNotIn("100%", shown.getvalue())
            bar.end()
        self.assertIn("100%", shown.getvalue())

    def test_goes_back_when_there_is_more_to_do_than_it_seemed(self):
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            bar = kernel.Bar("x", 10, 100)
            for _ in range(60):
                bar.step()
        self.assertEqual(shown.getvalue().strip().split("\n")[-1].split("]")[1].split()[0], "60%")

    def test_a_build_that_fails_does_not_end_at_100(self):
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            bar = kernel.Bar("x", 10)
            bar.step()
            bar.end(False)
        self.assertNotIn("100%", shown.getvalue())
