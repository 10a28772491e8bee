# SPDX-License-Identifier: GPL-2.0-only
"""The runner tells apart every way in which a guest can end."""
import os
import subprocess
import tempfile
import unittest

from klog import EXPECTED
from toolbox import TOOLS

DIRTY = "WARNING: CPU: 0 made up"
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

    def test_a_command(self):
        """What it prints and how it ends, two CPUs, another device, a module; nobody asked for the log."""
        done = self.vm("--smp", "2", "--qemu-arg=-device", "--qemu-arg=edu", "--", "sh", "-c",
                       "echo hello; nproc; grep -h 0x11e8 /sys/bus/pci/devices/*/device;"
                       "modprobe vkms; cut -d' ' -f1 /proc/modules | grep vkms;"
                       f"echo '{DIRTY}' > /dev/kmsg; exit 42")
        self.ends(done, 42)
        self.assertEqual(done.stdout, "hello\n2\n0x11e8\nvkms\n")

    def test_a_script_may_write_where_it_must_and_nowhere_else(self):
        with tempfile.TemporaryDirectory() as top:
            script, out = os.path.join(top, "job"), os.path.join(top, "out")
            with open(script, "w") as f:
                f.write("touch /tmp/x /run/x && ! touch /usr/x 2> /dev/null && nproc > $VM_SHARE/note\n")
            self.ends(self.vm("--smp", "1", "--script", script, "--out", out), 0)
            with open(os.path.join(out, "note")) as f:
                self.assertEqual(f.read(), "1\n")

    def test_timed_out(self):
        self.ends(self.vm("--", "sleep", "1000", timeout=8), 124, "timed out after 8")

    def test_died_in_the_job(self):
        self.ends(self.vm("--", "sh", "-c", "echo c > /proc/sysrq-trigger; sleep 60"), 125, "guest died")

    def test_a_kernel_that_does_not_boot(self):
        self.ends(self.vm("--append", "init=/nonexistent/init", "--append", "rootflags=trans=none",
                          "--", "true"), 125, "guest died", "panic")

    def test_a_dirty_log(self):
        self.ends(self.vm("--check-log", "--", "sh", "-c", f"echo '{DIRTY}' > /dev/kmsg"), 126, "made up")

    def test_a_log_that_is_dirty_as_asked_for(self):
        job = f"echo '<3>{EXPECTED}' > /dev/kmsg; echo '{DIRTY}' > /dev/kmsg"
        self.ends(self.vm("--check-log", "--", "sh", "-c", job), 0)

    def test_qemu_that_cannot_start(self):
        self.ends(self.vm("--qemu-arg=-device", "--qemu-arg=no-such-device", "--", "true"), 127, "QEMU failed")
        self.ends(self.vm("--qemu", "no-such-qemu", "--", "true"), 127, "not installed")


class NoKernel(unittest.TestCase):
    def test_says_what_to_run(self):
        done = subprocess.run([os.path.join(TOOLS, "vm"), "--tree", "/nonexistent", "--", "true"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 127)
        self.assertIn("make kernel", done.stderr)
