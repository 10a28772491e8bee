# SPDX-License-Identifier: GPL-2.0-only
"""What of a kernel log is a data race, whose it is, and what is something else."""
import os
import tempfile
import unittest
from unittest import mock

import klog

REPORT = """\
[   12.345678] ==================================================================
[   12.345679] BUG: KCSAN: data-race in dma_buf_fd / vfs_write

[   12.345680] write to 0xffff888005a12345 of 4 bytes by task 71 on cpu 0:
[   12.345681]  dma_buf_fd+0x1d/0x30
[   12.345682]  __x64_sys_ioctl+0x89/0xd0 [vgem]
[   12.345683] read to 0xffff888005a12345 of 4 bytes by task 72 on cpu 1:
[   12.345684]  vfs_write+0x1d/0x30
[   12.345685]  reordered to: vfs_more+0x23e/0x260

[   12.345686] value changed: 0x00000001 -> 0x00000002

[   12.345687] Reported by Kernel Concurrency Sanitizer on:
[   12.345688] CPU: 1 UID: 0 PID: 72 Comm: x Not tainted 6.12.0 #1
[   12.345689] ==================================================================
"""
OTHER = REPORT.replace("dma_buf_fd", "vfs_read")


class Races(unittest.TestCase):
    def test_a_report_is_taken_apart(self):
        (race, count), = klog.races("before\n" + REPORT + "after\n")
        self.assertEqual(race.title, "data-race in dma_buf_fd / vfs_write")
        self.assertEqual(race.functions, ["dma_buf_fd", "__x64_sys_ioctl", "vfs_write", "vfs_more"])
        self.assertEqual(count, 1)

    def test_the_same_again_is_counted(self):
        again = REPORT.replace("0xffff888005a12345", "0xffff888006bbbbbb").replace("12.34", "99.99")
        (_, count), = klog.races(REPORT + again)
        self.assertEqual(count, 2)
        self.assertEqual(len(klog.races(REPORT + OTHER)), 2)

    def test_one_that_the_log_cuts_off_counts(self):
        (race, _), = klog.races(REPORT[:REPORT.index("[   12.345684]")])
        self.assertEqual(race.functions, ["dma_buf_fd", "__x64_sys_ioctl"])

    def test_any_function_of_ours_makes_it_ours(self):
        race = klog.races(REPORT)[0][0]
        self.assertTrue(klog.is_ours(race, {"__x64_sys_ioctl"}))
        self.assertTrue(klog.is_ours(race, {"vfs_more"}))
        self.assertFalse(klog.is_ours(race, {"vfs", "dma_buf_f"}))

    def test_no_race_no_report(self):
        self.assertEqual(klog.races("kcsan: strict mode configured\nall is well\n"), [])


class Known(unittest.TestCase):
    LOG = ("[ cut here ]\nWARNING: CPU: 1 at refcount_warn_saturate+0x80/0xe0\nCall Trace:\n"
           " a_caller+0x33a/0x340\n---[ end trace 0 ]---\n")

    def test_races_and_warnings_are_told_apart(self):
        races, warnings = klog.known()
        self.assertTrue(races and all(r.startswith("data-race in ") and " < " not in r for r in races))
        with tempfile.NamedTemporaryFile("w+") as file:
            file.write("a / b  # one\nrefcount_warn_saturate < a_caller  # two\n")
            file.flush()
            self.assertEqual(klog.known(file.name),
                             (["data-race in a / b"], ["refcount_warn_saturate < a_caller"]))

    def test_known_under_stress_only(self):
        self.assertEqual(klog.others(self.LOG, ["refcount_warn_saturate < a_caller"]), [])
        self.assertEqual(len(klog.others(self.LOG)), 2)

    def test_known_everywhere(self):
        log = self.LOG.replace("a_caller", "sync_timeline_signal")
        self.assertEqual(klog.others(log), [])


class Expected(unittest.TestCase):
    def test_warnings_that_were_asked_for_and_nothing_else(self):
        before, after = "WARNING: CPU: 0 before", ["WARNING: CPU: 0 after", " Call Trace:"]
        others = ["BUG: KASAN: slab", "WARNING: suspicious RCU usage", "unreferenced object 0x0"]
        log = [before, klog.EXPECTED, *after, *others]
        self.assertEqual(list(klog.unexpected(log)), [before, klog.EXPECTED, *others])


class Others(unittest.TestCase):
    def test_reports_of_kcsan_are_not_among_them(self):
        self.assertEqual(klog.others(REPORT), [])

    def test_what_stands_within_a_report_is(self):
        line = "[   12.345685] WARNING: CPU: 0 PID: 1 at drivers/dma-buf/dma-buf.c:1"
        self.assertEqual(klog.others(REPORT.replace("\n[   12.345686]", f"\n{line}\n[   12.345686]")), [line])

    def test_each_once(self):
        self.assertEqual(klog.others("BUG: a\nfine\nBUG: a\nOops: b\n"), ["BUG: a", "Oops: b"])


class Functions(unittest.TestCase):
    def test_come_from_our_objects_alone(self):
        with tempfile.TemporaryDirectory() as tree:
            for name in ("drivers/dma-buf/dma-buf.o", "drivers/dma-buf/tests/a.o", "drivers/dma-buf/b.c",
                         "drivers/gpu/drm/drm_prime_sg.o", "drivers/gpu/drm/drm_gem_storage_cpu.o",
                         "drivers/gpu/drm/virtio/virtgpu_vq.o", "drivers/gpu/drm/drm_gem.o"):
                os.makedirs(os.path.join(tree, os.path.dirname(name)), exist_ok=True)
                open(os.path.join(tree, name), "w").close()
            said = mock.Mock(stdout="dma-buf.o:\ndma_buf_fd T 0 10\nlocal.isra.0 t 10 5\ndata D 0 8\n")
            with mock.patch("subprocess.run", return_value=said) as run:
                self.assertEqual(klog.our_functions(tree), {"dma_buf_fd", "local.isra.0"})
            self.assertEqual(set(run.call_args[0][0][3:]),
                             {"drivers/dma-buf/dma-buf.o", "drivers/dma-buf/tests/a.o",
                              "drivers/gpu/drm/drm_prime_sg.o", "drivers/gpu/drm/drm_gem_storage_cpu.o",
                              "drivers/gpu/drm/virtio/virtgpu_vq.o"})
