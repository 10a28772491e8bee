# SPDX-License-Identifier: GPL-2.0-only
"""Missing packages: installed, or named in one message, never half a story."""
import os
import shutil
import stat
import subprocess
import tempfile
import unittest

from toolbox import TOOLS

# What the script may use besides the commands that each test makes up.
REAL = ("sh", "sed", "mktemp", "rm", "tail", "cat", "env", "grep")


class Packages(unittest.TestCase):
    def setUp(self):
        self.bin = tempfile.mkdtemp(prefix="packages-test.")
        self.addCleanup(shutil.rmtree, self.bin)
        for name in REAL:
            os.symlink(shutil.which(name), os.path.join(self.bin, name))
        self.log = os.path.join(self.bin, "apt.log")
        self.command("dpkg-query", '[ "$4" = git ] && exit 1; printf installed')

    def command(self, name, body):
        path = os.path.join(self.bin, name)
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\n{body}\n")
        os.chmod(path, os.stat(path).st_mode | stat.S_IEXEC)

    def packages(self, *sets, **more):
        return subprocess.run([os.path.join(TOOLS, "packages"), *sets], capture_output=True, text=True,
                              env={"PATH": self.bin, **more})

    def test_nothing_missing_asks_nobody(self):
        self.command("dpkg-query", "printf installed")
        self.command("apt-get", "exit 1")
        done = self.packages("kernel", "check")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_root_installs_what_is_missing_only(self):
        self.command("id", "echo 0")
        self.command("apt-get", f'echo "$@" >> {self.log}')
        done = self.packages("tools")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.log) as f:
            line = f.read()
        self.assertIn("install", line)
        self.assertTrue(line.rstrip().endswith(" git"), line)

    def test_sudo_is_used_without_root(self):
        self.command("id", "echo 1000")
        self.command("sudo", f'echo "sudo $@" >> {self.log}')
        self.assertEqual(self.packages("tools").returncode, 0)
        with open(self.log) as f:
            self.assertRegex(f.read(), "^sudo .*apt-get.* install .*git")

    def test_neither_root_nor_sudo_names_them(self):
        self.command("id", "echo 1000")
        done = self.packages("tools")
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get install git", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_no_network(self):
        self.command("id", "echo 0")
        self.command("apt-get", "echo 'E: Could not resolve host' >&2; exit 100")
        done = self.packages("tools")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is the network up", done.stderr)
        self.assertIn("Could not resolve", done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_what_an_interrupted_dpkg_left_is_finished(self):
        done_mark = os.path.join(self.bin, "configured")
        self.command("id", "echo 0")
        self.command("dpkg", f'[ "$*" = "--configure -a" ] && : > {done_mark}')
        self.command("apt-get", f"[ -e {done_mark} ] && exit 0; "
                     "echo \"E: dpkg was interrupted, you must run 'dpkg --configure -a'\"; exit 100")
        done = self.packages("tools")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_progress_without_a_terminal(self):
        self.command("id", "echo 0")
        self.command("apt-get", "echo 'Unpacking git (1:2.39) ...'")
        self.assertIn("packages: Unpacking git", self.packages("tools").stdout)

    def test_no_such_set(self):
        self.assertEqual(self.packages("nonsense").returncode, 2)

    def test_a_kernel_of_ones_own_needs_no_source_package(self):
        self.command("dpkg-query", f'echo "$4" >> {self.log}; printf installed')
        self.packages("kernel", KDIR="/some/linux")
        with open(self.log) as f:
            asked = f.read().split()
        self.assertIn("bison", asked)
        self.assertNotIn("linux-source-6.12", asked)
