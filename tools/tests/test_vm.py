# SPDX-License-Identifier: GPL-2.0-only
"""The runner tells apart every way in which a guest can end."""
import os
import subprocess
import tempfile
import unittest

from toolbox import TOOLS

TREE = os.environ.get("TEST_TREE")


@unittest.skipUnless(TREE, "needs --tree")
class Guest(unittest.TestCase):
    def vm(self, *line, timeout=60):
        return subprocess.run([os.path.join(TOOLS, "vm"), "--tree", TREE, "--timeout", str(timeout), *line],
                              capture_output=True, text=True)

    def ends(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_exit_code_and_output_pass_through(self):
        done = self.vm("--", "sh", "-c", "echo hello; exit 42")
        self.ends(done, 42)
        self.assertEqual(done.stdout, "hello\n")

    def test_a_script_may_write_where_it_must_and_nowhere_else(self):
        with tempfile.TemporaryDirectory() as top:
            script, out = os.path.join(top, "job"), os.path.join(top, "out")
            with open(script, "w") as f:
                f.write("touch /tmp/x /run/x && ! touch /usr/x 2> /dev/null && echo kept > $VM_SHARE/note\n")
            self.ends(self.vm("--script", script, "--out", out), 0)
            with open(os.path.join(out, "note")) as f:
                self.assertEqual(f.read(), "kept\n")

    def test_modules_load(self):
        self.ends(self.vm("--", "sh", "-c", "modprobe vkms && grep -q vkms /proc/modules"), 0)

    def test_all_cpus_come_up(self):
        for cpus in ("1", "2"):
            done = self.vm("--smp", cpus, "--", "nproc")
            self.ends(done, 0)
            self.assertEqual(done.stdout, cpus + "\n")

    def test_more_qemu_arguments(self):
        self.ends(self.vm("--qemu-arg=-device", "--qemu-arg=edu", "--", "sh", "-c",
                          "cat /sys/bus/pci/devices/*/device | grep 0x11e8"), 0)

    def test_timed_out(self):
        self.ends(self.vm("--", "sleep", "1000", timeout=8), 124, "timed out after 8")

    def test_died_in_the_job(self):
        self.ends(self.vm("--", "sh", "-c", "echo c > /proc/sysrq-trigger; sleep 60"), 125, "guest died")

    def test_a_kernel_that_does_not_boot(self):
        self.ends(self.vm("--append", "init=/nonexistent/init", "--append", "rootflags=trans=none",
                          "--", "true"), 125, "guest died", "panic")

    def test_a_dirty_log(self):
        job = "echo 'WARNING: CPU: 0 made up' > /dev/kmsg"
        self.ends(self.vm("--check-log", "--", "sh", "-c", job), 126, "made up")
        self.ends(self.vm("--", "sh", "-c", job), 0)

    def test_qemu_that_cannot_start(self):
        self.ends(self.vm("--qemu-arg=-device", "--qemu-arg=no-such-device", "--", "true"), 127, "QEMU failed")
        self.ends(self.vm("--qemu", "no-such-qemu", "--", "true"), 127, "not installed")


class NoKernel(unittest.TestCase):
    def test_says_what_to_run(self):
        done = subprocess.run([os.path.join(TOOLS, "vm"), "--tree", "/nonexistent", "--", "true"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 127)
        self.assertIn("make kernel", done.stderr)
