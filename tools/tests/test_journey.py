# SPDX-License-Identifier: GPL-2.0-only
"""The verdict on the journey: each thing that a hop may have wrong makes it fail."""
import os
import shutil
import subprocess
import tempfile
import unittest

from toolbox import TOOLS

JOURNEY = os.path.join(TOOLS, "journey")
# Two hops that are as they should be, then what is planted, then the verdict.
PROGRAM = """
#include "report.h"
const char *role = "test";
int main(void)
{{
	struct report report = {{ .intended = {{ 0x1111, 0x2222 }} }};
	struct hop hop = {{ .frame = 1, .process = "client", .does = "draw", .device = "vgem",
			   .handle = 1, .fd = 3, .inode = 7, .size = 4096, .attached = 0,
			   .importers = 0, .sg_entries = NONE, .copied = 0, .hash = 0x1111 }};

	report_add(&report, &hop);
	hop.frame = 2;
	hop.attached = hop.importers = 1;
	hop.hash = 0x2222;
	report_add(&report, &hop);
	{planted}
	return report_check(&report) ? 0 : 1;
}}
"""


class Verdict(unittest.TestCase):
    def verdict(self, planted=""):
        top = tempfile.mkdtemp(prefix="journey-test.")
        self.addCleanup(shutil.rmtree, top)
        source, program = os.path.join(top, "main.c"), os.path.join(top, "main")
        with open(source, "w") as f:
            f.write(PROGRAM.format(planted=planted))
        objects = [os.path.join(JOURNEY, name) for name in ("report.c", "outfile.c", "util.c")]
        subprocess.run(["gcc", "-std=gnu11", "-Drole=role_of_util", "-c", "-o", os.path.join(top, "util.o"), objects.pop()],
                       check=True)
        subprocess.run(["gcc", "-std=gnu11", "-I", JOURNEY, "-o", program, source, *objects, os.path.join(top, "util.o")],
                       check=True)
        return subprocess.run([program], capture_output=True, text=True)

    def test_all_as_it_should_be(self):
        done = self.verdict()
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_one_thing_wrong(self):
        for member, value, word in (("hash", "0x2223", "pixels"), ("inode", "8", "inode"), ("size", "8192", "size"),
                                    ("attached", "2", "attached"), ("copied", "4096", "copied")):
            done = self.verdict(f"report.hops[1].{member} = {value};")
            self.assertEqual(done.returncode, 1, member)
            self.assertRegex(done.stderr, f"\\Atest: hop 2 .*{word}.*\n\\Z")

    def test_the_same_picture_twice(self):
        self.assertEqual(self.verdict("report.intended[1] = report.intended[0];").returncode, 1)
