# SPDX-License-Identifier: GPL-2.0-only
"""The overlay on a small kernel tree of our own making."""
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from toolbox import TOOLS, interruptible, tool

OVERLAY = os.path.join(TOOLS, "overlay")
overlay = tool("overlay")

# Pages of a kernel, as far as the overlay looks.
DMA_BUF_PAGE = """\
Stock's title
=============

Old text about buffers.

Reservation Objects
-------------------

Text about fences.
"""
PRIME_PAGE = """\
PRIME Buffer Sharing
====================

Before.

Overview and Lifetime Rules
---------------------------

Old text about PRIME.

PRIME Function References
-------------------------

DRM MM Range Allocator
======================

After.
"""


def run(*line):
    return subprocess.run([OVERLAY, *line], capture_output=True, text=True)


class Kernel(unittest.TestCase):
    """A directory that looks like a kernel as far as the overlay does."""

    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="overlay-test.")
        self.addCleanup(shutil.rmtree, self.top)
        self.kdir = os.path.join(self.top, "linux")
        self.tree = os.path.join(self.top, "tree")
        self.put("Makefile", "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 7\nEXTRAVERSION =\n")
        for path in overlay.HOOKS:
            self.put(path, f"# stock {path}\n")
        # the first of a table's entries is stock's, a second may follow one of ours
        for path, entry, _ in reversed(overlay.CONTENTS):
            self.put(path, f".. toctree::\n\n   first\n{entry}\n   last\n")
        self.put(overlay.DMA_BUF_PAGE, DMA_BUF_PAGE)
        self.put(overlay.PRIME_PAGE, PRIME_PAGE)
        self.put("drivers/dma-buf/dma-buf.c", "stock\n")
        self.put("drivers/gpu/drm/vgem/vgem_old.c", "stock\n")
        self.put("kernel/fork.c", "stock\n")

    def put(self, path, text):
        where = os.path.join(self.kdir, path)
        os.makedirs(os.path.dirname(where), exist_ok=True)
        with open(where, "w") as f:
            f.write(text)

    def text(self, base, path):
        with open(os.path.join(base, path)) as f:
            return f.read()

    def files(self, base):
        found = {}
        for root, _, names in os.walk(base):
            for name in names:
                path = os.path.join(root, name)
                found[os.path.relpath(path, base)] = self.text(base, path)
        found.pop(".overlay", None)
        return found

    def make_tree(self, *more):
        done = run("tree", "--kernel", self.kdir, "--tree", self.tree, *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refuses(self, done, *words):
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stderr.strip().split("\n")), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class Tree(Kernel):
    def test_ours_lie_over_stock(self):
        before = self.files(self.kdir)
        self.make_tree()
        ours = os.path.join(overlay.REPO, "drivers/dma-buf/dma-buf.c")
        self.assertEqual(os.readlink(os.path.join(self.tree, "drivers/dma-buf/dma-buf.c")), ours)
        self.assertEqual(self.text(self.tree, "kernel/fork.c"), "stock\n")
        self.assertFalse(os.path.lexists(os.path.join(self.tree, "drivers/gpu/drm/vgem/vgem_old.c")))
        for path, line in overlay.HOOKS.items():
            self.assertEqual(self.text(self.tree, path).count(line), 1)
        self.assertEqual(self.files(self.kdir), before, "the kernel's own tree was written to")

    def test_again_changes_nothing(self):
        self.make_tree()
        self.assertIn(" 0 changed", self.make_tree())

    def test_another_tree_makes_nothing_look_new_in_the_first(self):
        ours = os.path.join(overlay.REPO, "drivers/dma-buf/dma-buf.c")
        before = os.stat(ours).st_mtime_ns
        self.make_tree()
        self.tree += "-debug"
        self.make_tree()
        self.assertEqual(os.stat(ours).st_mtime_ns, before)

    def test_make_sees_a_file_of_ours_that_is_older_than_what_it_built(self):
        self.make_tree("--only", "include/")
        self.built("drivers/dma-buf/dma-buf.o")
        before = os.stat(os.path.join(overlay.REPO, "drivers/dma-buf/dma-buf.c")).st_mtime_ns
        self.make_tree()
        self.assertFalse(self.is_up_to_date("drivers/dma-buf/dma-buf.o"))
        self.built("drivers/dma-buf/dma-buf.o")
        self.make_tree()
        self.assertTrue(self.is_up_to_date("drivers/dma-buf/dma-buf.o"))
        self.assertEqual(os.stat(os.path.join(overlay.REPO, "drivers/dma-buf/dma-buf.c")).st_mtime_ns, before)

    def built(self, path):
        with open(os.path.join(self.tree, path), "w"):
            pass

    def is_up_to_date(self, path):
        return subprocess.run(["make", "-Lqf-", path], cwd=self.tree, input="%.o: %.c\n\tfalse\n",
                              text=True).returncode == 0

    def test_a_removed_file_gives_stock_back(self):
        self.make_tree()
        self.assertNotIn(" 0 changed", self.make_tree("--only", "include/"))
        self.assertEqual(self.text(self.tree, "drivers/dma-buf/dma-buf.c"), "stock\n")

    def test_stock_has_nothing_of_ours(self):
        self.make_tree("--stock")
        self.assertEqual(self.files(self.tree), self.files(self.kdir))

    def test_a_new_kernel_version_makes_a_new_tree(self):
        self.make_tree()
        self.put("Makefile", "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 8\n")
        self.put("kernel/new.c", "stock\n")
        self.make_tree()
        self.assertEqual(self.text(self.tree, "kernel/new.c"), "stock\n")

    def test_what_an_interruption_left_is_made_anew(self):
        os.makedirs(os.path.join(self.tree + ".partial", "kernel"))
        self.make_tree()
        self.assertFalse(os.path.exists(self.tree + ".partial"))
        self.assertEqual(self.text(self.tree, "kernel/fork.c"), "stock\n")

    def test_another_version_is_refused(self):
        self.put("Makefile", "VERSION = 6\nPATCHLEVEL = 6\nSUBLEVEL = 1\n")
        self.refuses(run("tree", "--kernel", self.kdir, "--tree", self.tree), "6.6.1", "KDIR=")
        self.assertFalse(os.path.exists(self.tree))

    def test_no_kernel_is_refused(self):
        self.refuses(run("tree", "--kernel", self.top, "--tree", self.tree), "no kernel", "KDIR=")

    def test_a_tree_that_git_does_not_read_is_refused(self):
        self.put(".git", "gitdir: /nonexistent")
        self.refuses(run("tree", "--kernel", self.kdir, "--tree", self.tree), "git does not list", "nonexistent")

    def test_a_driver_of_ours_can_be_left_out(self):
        self.put("drivers/gpu/drm/virtio/virtgpu_drv.c", "stock\n")
        self.put("drivers/gpu/drm/virtio/virtgpu_old.c", "stock\n")
        self.make_tree("--without", "drivers/gpu/drm/virtio/")
        for name in ("virtgpu_drv.c", "virtgpu_old.c"):
            self.assertEqual(self.text(self.tree, f"drivers/gpu/drm/virtio/{name}"), "stock\n")
        self.assertFalse(os.path.lexists(os.path.join(self.tree, "drivers/gpu/drm/vgem/vgem_old.c")))

    def test_what_is_to_take_the_place_of_ours(self):
        for name in ("drivers/dma-buf/dma-buf.c", "drivers/dma-buf/more.c"):
            path = os.path.join(self.top, "instead", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write("other\n")
        self.make_tree("--instead", os.path.join(self.top, "instead"))
        for name in ("dma-buf.c", "more.c"):
            self.assertEqual(self.text(self.tree, f"drivers/dma-buf/{name}"), "other\n")
        self.assertNotEqual(self.text(self.tree, "drivers/dma-buf/dma-buf-map.c"), "other\n")

    def test_an_interruption_is_one_line(self):
        """While it waits for a file that nobody writes to."""
        where = os.path.join(self.kdir, overlay.PRIME_PAGE)
        os.unlink(where)
        os.mkfifo(where)
        with subprocess.Popen([OVERLAY, "tree", "--kernel", self.kdir, "--tree", self.tree],
                              stderr=subprocess.PIPE, text=True, preexec_fn=interruptible) as child:
            with open(where, "w"):  # opened by now, so it is there
                child.send_signal(signal.SIGINT)
                _, said = child.communicate()
        self.assertEqual((child.returncode, said), (130, "overlay: interrupted; the next run carries on\n"))

    def test_a_tree_that_was_built_in_is_refused(self):
        self.put(".config", "")
        self.refuses(run("tree", "--kernel", self.kdir, "--tree", self.tree), "mrproper")


class Install(Kernel):
    def test_writes_files_and_hooks_once(self):
        first = run("install", "--kernel", self.kdir)
        self.assertEqual(first.returncode, 0, first.stderr)
        after = self.files(self.kdir)
        ours = os.path.join(overlay.REPO, "drivers/dma-buf/dma-buf.c")
        self.assertEqual(after["drivers/dma-buf/dma-buf.c"], self.text("/", ours))
        self.assertNotIn("drivers/gpu/drm/vgem/vgem_old.c", after)
        self.assertIn(" 0 files", run("install", "--kernel", self.kdir).stdout)
        self.assertEqual(self.files(self.kdir), after)

    def test_another_version_is_refused(self):
        self.put("Makefile", "VERSION = 7\nPATCHLEVEL = 0\n")
        before = self.files(self.kdir)
        self.refuses(run("install", "--kernel", self.kdir), "7.0.0")
        self.assertEqual(self.files(self.kdir), before)

    def test_a_full_disk_changes_nothing(self):
        before = self.files(self.kdir)
        # 8 KiB for a file: some fit, some do not
        done = subprocess.run(["sh", "-c", 'ulimit -f 16; exec "$@"', "-", OVERLAY, "install", "--kernel", self.kdir],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Aoverlay: /.*: File too large; .*\n\Z")
        self.assertEqual(self.files(self.kdir), before)


class Pages(Kernel):
    """Stock's documentation: what spoke of replaced files goes, the rest stays."""

    def setUp(self):
        super().setUp()
        done = run("install", "--kernel", self.kdir)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_our_page_takes_the_place_of_half_a_page(self):
        ours = self.text(overlay.REPO, overlay.DMA_BUF_PAGE)
        self.assertEqual(self.text(self.kdir, overlay.DMA_BUF_PAGE), ours)
        fences = self.text(self.kdir, overlay.FENCE_PAGE)
        self.assertTrue(fences.endswith(DMA_BUF_PAGE[DMA_BUF_PAGE.index("Reservation Objects"):]))
        self.assertNotIn("buffers", fences)

    def test_the_section_on_prime_points_to_our_page(self):
        text = self.text(self.kdir, overlay.PRIME_PAGE)
        self.assertIn(f"Before.\n\n{overlay.PRIME_POINTER}DRM MM Range Allocator\n====", text)
        self.assertNotIn("Old text", text)

    def test_our_pages_are_in_the_tables_of_contents(self):
        for path, entry, new in overlay.CONTENTS:
            text = self.text(self.kdir, path)
            self.assertIn(f"\n{entry}\n{new}\n", text)
            self.assertTrue(text.endswith("\n   last\n"))

    def test_again_changes_nothing(self):
        before = self.files(self.kdir)
        self.assertIn(" 0 files", run("install", "--kernel", self.kdir).stdout)
        self.assertEqual(self.files(self.kdir), before)

    def test_what_is_about_this_repository_stays_here(self):
        for path in ("conf.py", "index.rst", "dev"):
            self.assertFalse(os.path.exists(os.path.join(self.kdir, "Documentation", path)))

    def test_a_tree_without_documentation_gets_ours_alone(self):
        bare = os.path.join(self.top, "bare")
        shutil.copytree(self.kdir, bare)
        shutil.rmtree(os.path.join(bare, "Documentation"))
        done = run("install", "--kernel", bare)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(os.path.exists(os.path.join(bare, overlay.DMA_BUF_PAGE)))
        self.assertFalse(os.path.exists(os.path.join(bare, overlay.PRIME_PAGE)))


class Patches(Kernel):
    def test_the_series_gives_what_install_writes(self):
        out = os.path.join(self.top, "patches")
        patched = os.path.join(self.top, "patched")
        shutil.copytree(self.kdir, patched)
        done = run("patches", "--kernel", self.kdir, "--output", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in self.text(out, "series").split():
            subprocess.run(["git", "apply", "--whitespace=nowarn", os.path.join(out, name)], cwd=patched, check=True)
        run("install", "--kernel", self.kdir)
        self.assertEqual(self.files(patched), self.files(self.kdir))
