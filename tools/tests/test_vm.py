# SPDX-License-Identifier: GPL-2.0-only
"""The runner tells apart every way in which a guest can end."""
import os
import signal
import subprocess
import sys
import tempfile
import unittest

from klog import EXPECTED
from toolbox import TOOLS

DIRTY = "WARNING: CPU: 0 made up"
TREE = os.environ.get("TEST_TREE")


@unittest.skipUnless(TREE, "needs --tree")
class Guest(unittest.TestCase):
    def vm(self, *line, timeout=600):
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
        self.ends(self.vm("--", "sleep", "1000", timeout=8), 124, "timed out after 8 s", "--timeout")

    def test_a_runner_that_is_ended_takes_its_guest_along(self):
        """Asked to end it also clears up; killed it cannot, but there is no guest left over either."""
        for number, code in ((signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)):
            with tempfile.TemporaryDirectory() as top:
                env = {**os.environ, "TMPDIR": top}
                with subprocess.Popen([os.path.join(TOOLS, "vm"), "--tree", TREE, "--", "sh", "-c", "echo up; sleep 1000"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True) as vm:
                    self.assertEqual(vm.stdout.readline(), "up\n")
                    vm.send_signal(number)
                    vm.communicate()  # until QEMU, which has the pipes' other ends, is gone as well
                self.assertEqual(vm.returncode, code)
                if number == signal.SIGTERM:
                    self.assertEqual(os.listdir(top), [])

    def test_a_tool_that_is_killed_takes_its_guest_along(self):
        """The runner has time to clear up then."""
        tool = "import runner, subprocess, sys; subprocess.run([*runner.VM, *sys.argv[1:]])"
        with tempfile.TemporaryDirectory() as top:
            env = {**os.environ, "TMPDIR": top, "PYTHONPATH": TOOLS}
            with subprocess.Popen([sys.executable, "-Bc", tool, "--tree", TREE, "--", "sh", "-c", "echo up; sleep 1000"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True) as process:
                self.assertEqual(process.stdout.readline(), "up\n")
                process.kill()
                process.communicate(timeout=60)  # until the runner and QEMU, which have the pipes' other ends, are gone
            self.assertEqual(os.listdir(top), [])

    def test_died_in_the_job(self):
        self.ends(self.vm("--", "sh", "-c", "echo c > /proc/sysrq-trigger; sleep 60"), 125, "guest died")

    def test_a_kernel_that_does_not_boot(self):
        self.ends(self.vm("--append", "rootflags=trans=none", "--", "true"), 125, "does not boot", "panic")

    def test_where_its_console_is_kept_one_line_tells(self):
        with tempfile.TemporaryDirectory() as out:
            done = self.vm("--append", "rootflags=trans=none", "--out", out, "--", "true")
            self.ends(done, 125, "does not boot", os.path.join(out, "console"))
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            with open(os.path.join(out, "console")) as f:
                self.assertIn("panic", f.read())

    def test_a_dirty_log(self):
        self.ends(self.vm("--check-log", "--", "sh", "-c", f"echo '{DIRTY}' > /dev/kmsg"), 126, "made up")

    def test_a_log_that_is_dirty_as_asked_for(self):
        job = f"echo '<3>{EXPECTED}' > /dev/kmsg; echo '{DIRTY}' > /dev/kmsg"
        self.ends(self.vm("--check-log", "--", "sh", "-c", job), 0)
        self.ends(self.vm("--check-log", "--", "sh", "-c", f"{job}; echo 'BUG: KASAN: made up' > /dev/kmsg"), 126)

    def test_qemu_that_cannot_start(self):
        self.ends(self.vm("--qemu-arg=-device", "--qemu-arg=no-such-device", "--", "true"), 127, "QEMU failed")
        self.ends(self.vm("--qemu", "no-such-qemu", "--", "true"), 127, "not installed")


class NoKernel(unittest.TestCase):
    def test_no_room_is_one_line(self):
        with tempfile.TemporaryDirectory() as top:
            image = os.path.join(top, "arch/x86/boot/bzImage")
            os.makedirs(os.path.dirname(image))
            with open(image, "w") as f:
                f.write("not a kernel")
            done = subprocess.run(["sh", "-c", 'ulimit -f 0; exec "$@"', "-", os.path.join(TOOLS, "vm"), "--tree", top,
                                   "--accel", "tcg", "--", "true"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 127)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertRegex(done.stderr, "File too large.*run it again|temporary directory.*run it again")

    def test_says_what_to_run(self):
        done = subprocess.run([os.path.join(TOOLS, "vm"), "--tree", "/nonexistent", "--", "true"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 127)
        self.assertIn("make kernel", done.stderr)
