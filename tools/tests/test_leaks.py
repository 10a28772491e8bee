# SPDX-License-Identifier: GPL-2.0-only
"""tools/guest/leaks.sh: what it says of what kmemleak says."""
import os
import shutil
import subprocess
import tempfile
import unittest

from toolbox import TOOLS

LEAK = "unreferenced object 0xffff888012345678 (size 192):\n  comm \"kunit\", pid 1"


class Leaks(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="leaks-test.")
        self.addCleanup(shutil.rmtree, self.top)

    def ask(self, told, kmemleak="kmemleak"):
        """Its exit status and what it prints, where kmemleak tells that much."""
        # As in debugfs: what is read is not what was written, and the size is 0.
        for name, script in (("cat", f"printf '%s' '{told}'"), ("sleep", ":")):
            path = os.path.join(self.top, name)
            with open(path, "w") as f:
                f.write(f"#!/bin/sh\n{script}\n")
            os.chmod(path, 0o755)
        os.symlink("/dev/null", os.path.join(self.top, "kmemleak"))
        done = subprocess.run(["sh", os.path.join(TOOLS, "guest/leaks.sh")], capture_output=True, text=True,
                              env={"PATH": f"{self.top}:{os.environ['PATH']}",
                                   "KMEMLEAK": os.path.join(self.top, kmemleak)})
        return done.returncode, done.stdout

    def test_a_leak(self):
        code, said = self.ask(LEAK)
        self.assertEqual(code, 1)
        self.assertTrue(said.startswith("not ok 1 - no leaks\n# unreferenced object"), said)
        self.assertIn("\n#   comm", said)

    def test_no_leak(self):
        self.assertEqual(self.ask(""), (0, "ok 1 - no leaks\n"))

    def test_a_kernel_without(self):
        self.assertEqual(self.ask(LEAK, "nowhere"), (0, ""))

    def test_one_that_has_given_up(self):
        code, said = self.ask("", ".")
        self.assertEqual((code, said), (1, "not ok 1 - kmemleak works\n"))
