# SPDX-License-Identifier: GPL-2.0-only
"""tools/igt-checkout: our tests in a checkout of igt-gpu-tools, as a link and as patches."""
import glob
import itertools
import json
import os
import re
import subprocess
import tempfile
import unittest

import programs
from toolbox import tool

checkout = tool("igt-checkout")
REPO = checkout.REPO
# Where a subdirectory of tests is built in IGT's own file, and what stands around it.
THEIRS = "subdir('panfrost')\n\nsubdir('v3d')\n\ngen_testlist = find_program('generate_testlist.sh')\n"


class Checkout(unittest.TestCase):
    """One with nothing in it but what the tool looks at."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.igt = folder.name
        for name, text in ("lib/igt_core.h", ""), ("tests/meson.build", THEIRS):
            checkout.put(self.igt, name, text)
        self.link = os.path.join(self.igt, "tests/prime")

    def meson(self):
        with open(os.path.join(self.igt, "tests/meson.build")) as f:
            return f.read()


class Link(Checkout):
    def test_laid_once(self):
        checkout.lay(self.igt)
        self.assertEqual(os.path.realpath(self.link), checkout.TESTS)
        self.assertRegex(self.meson(), r"subdir\('panfrost'\)\n\nsubdir\('prime'\)\n\nsubdir\('v3d'\)")
        before = os.stat(os.path.join(self.igt, "tests/meson.build")).st_mtime_ns
        checkout.lay(self.igt)
        self.assertEqual(self.meson().count("subdir('prime')"), 1)
        self.assertEqual(os.stat(os.path.join(self.igt, "tests/meson.build")).st_mtime_ns, before)

    def test_taken_away(self):
        checkout.lay(self.igt)
        checkout.remove(self.igt)
        self.assertEqual(self.meson(), THEIRS)
        self.assertFalse(os.path.lexists(self.link))

    def test_what_is_theirs_stays(self):
        os.mkdir(self.link)
        with self.assertRaises(checkout.Misuse):
            checkout.lay(self.igt)
        checkout.remove(self.igt)
        self.assertTrue(os.path.isdir(self.link))
        self.assertEqual(self.meson(), THEIRS)

    def test_no_place(self):
        checkout.put(self.igt, "tests/meson.build", "nothing\n")
        with self.assertRaises(checkout.Misuse):
            checkout.lay(self.igt)
        self.assertFalse(os.path.lexists(self.link))


class Patches(Checkout):
    def test_each_has_what_it_needs(self):
        """Applied one by one, nothing is named that is not there yet, and all is there in the end."""
        output = os.path.join(self.igt, "patches")
        written = checkout.patches(self.igt, output)
        names = list(checkout.programs(checkout.meson_text()))
        self.assertEqual(len(written), len(names))
        checkout.git(self.igt, "init", "-q")
        for path, name in zip(sorted(written), names):
            with open(path) as f:
                self.assertIn(f"[PATCH i-g-t {written.index(path) + 1:02}/{len(names)}] tests/prime/{name}: ", f.read())
            checkout.git(self.igt, "apply", path)
            text = self.read("meson.build")
            self.assertEqual([key for key, _ in checkout.entries(text, "prime_progs")],
                             [n for n in names if names.index(n) <= names.index(name)])
            listed = [key for key, _ in checkout.entries(text, "prime_shared")]
            listed += [path for files in checkout.programs(text).values() for path in files]
            for source in listed:
                self.assertTrue(os.path.exists(os.path.join(self.link, source)), source)
                for header in checkout.included(source):
                    self.assertTrue(os.path.exists(os.path.join(self.link, header)), header)
        self.assertEqual(text, checkout.meson_text().replace(checkout.LAID, ""))
        self.assertEqual(self.sources(self.link), self.sources(checkout.TESTS))
        self.assertEqual(self.meson(), checkout.with_subdir(THEIRS))

    def read(self, name):
        with open(os.path.join(self.link, name)) as f:
            return f.read()

    @staticmethod
    def sources(folder):
        return sorted(os.path.relpath(p, folder) for p in glob.glob(f"{folder}/**/*.[ch]", recursive=True))


class Meson(unittest.TestCase):
    """What meson is told, as make finds it."""

    def test_it_lists_what_make_builds(self):
        text = checkout.meson_text()
        shared = [key for key, _ in checkout.entries(text, "prime_shared")]
        there = {os.path.basename(p) for p in glob.glob(f"{checkout.TESTS}/*.c")}
        with open(f"{REPO}/igt-tests/Makefile") as f:
            makefile = f.read()
        self.assertEqual([s[:-2] for s in shared], re.search(r"^SHARED := (.*)$", makefile, re.M)[1].split())
        self.assertEqual({f"{p}.c" for p in checkout.programs(text)} | set(shared), there)
        folders = dict(re.findall(r"^\$\(O\)/(\w+): \$\(call objs_of,(\w+)\)$", makefile, re.M))
        for program, files in checkout.programs(text).items():
            folder = folders.pop(program, None)
            own = [os.path.relpath(p, checkout.TESTS) for p in sorted(glob.glob(f"{checkout.TESTS}/{folder}/*.c"))]
            self.assertEqual(files, [f"{program}.c", *own])
        self.assertEqual(folders, {})

    def test_a_program_without_what_is_shared(self):
        """Each takes only from its own directory and from what is in the library."""
        shared = [key for key, _ in checkout.entries(checkout.meson_text(), "prime_shared")]
        for files in checkout.programs(checkout.meson_text()).values():
            for path in checkout.needed(files):
                self.assertTrue(path.endswith(".h") or path in files or path in shared, path)


def documented(path):
    """The subtests of a documentation block, its %s replaced by each of the words below."""
    with open(path) as f:
        block = re.search(r"^/\*\*\n \* TEST: .*?^ \*/", f.read(), re.M | re.S)[0]
    words = {int(number): re.findall(r"^ \* @([\w-]+):", text, re.M)
             for number, text in re.findall(r"^ \* arg\[(\d)\]:\n(.*?)(?=^ \* arg|^ \*/)", block, re.M | re.S)}
    found = []
    for name, rest in re.findall(r"^ \* SUBTEST: (\S+)\n( \* Description: \S.*)?", block, re.M):
        if not rest:
            raise AssertionError(f"{path}: {name} has no description")
        for some in itertools.product(*[words[n] for n in range(1, name.count("%s") + 1)]):
            found.append(name % some)
    return found


def listed(path):
    return subprocess.run([path, "--list-subtests"], capture_output=True, text=True, check=True).stdout.split()


class Documentation(unittest.TestCase):
    def test_every_subtest_and_no_other(self):
        if not os.path.isdir(f"{REPO}/build/igt"):
            self.skipTest("needs build/igt")
        for program in checkout.programs(checkout.meson_text()):
            with self.subTest(program):
                self.assertEqual(sorted(documented(f"{checkout.TESTS}/{program}.c")),
                                 sorted(listed(f"{REPO}/build/igt/{program}")))

    def test_fields_that_are_asked_for(self):
        for program in checkout.programs(checkout.meson_text()):
            with open(f"{checkout.TESTS}/{program}.c") as f:
                head = re.search(r"^/\*\*\n \* TEST: .*?SUBTEST", f.read(), re.M | re.S)[0]
            for field in "Description", "Category", "Mega feature", "Sub-category", "Functionality":
                self.assertEqual(len(re.findall(rf"^ \* {field}: \S", head, re.M)), 1, f"{program}: {field}")


@unittest.skipUnless(os.environ.get("IGT"), "needs IGT=, a checkout that is built in its build/")
class Built(unittest.TestCase):
    def test_against_its_library(self):
        igt = os.path.abspath(os.environ["IGT"])
        self.addCleanup(checkout.remove, igt)
        subprocess.run([f"{REPO}/tools/igt-checkout", "build", igt], check=True, stdout=subprocess.DEVNULL)
        for program in checkout.programs(checkout.meson_text()):
            self.assertEqual(listed(f"{igt}/build/tests/prime/{program}"), listed(f"{REPO}/build/igt/{program}"))

    def test_its_reader_understands_the_documentation(self):
        igt = os.path.abspath(os.environ["IGT"])
        names = list(checkout.programs(checkout.meson_text()))
        fields = {"Category": {"Mega feature": {"Sub-category": {"Functionality": {}}}}, "Description": {},
                  "Test requirement": {}}
        config = {"name": "prime", "files": [f"tests/{n}.c" for n in names], "fields": fields}
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(checkout.TESTS, os.path.join(folder, "tests"))
            checkout.put(folder, "prime.json", json.dumps(config))
            done = subprocess.run([f"{igt}/scripts/igt_doc.py", "--config", f"{folder}/prime.json", "--show-subtests"],
                                  capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        # it prints them once for each file
        self.assertEqual(sorted(set(done.stdout.split())),
                         sorted(f"igt@{n}@{s}" for n in names for s in documented(f"{checkout.TESTS}/{n}.c")))


@unittest.skipUnless(os.environ.get("IGT") and os.environ.get("TEST_TREE"),
                     "needs IGT=, a checkout that is built in its build/, and a kernel")
class Driven(unittest.TestCase):
    """In a guest by its igt_runner, which makes of all that our programs print a result for each subtest."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=f"{REPO}/build")
        self.addCleanup(folder.cleanup)
        self.folder, self.igt = folder.name, os.path.abspath(os.environ["IGT"])

    def line(self, testlist, folder, name):
        # What it is told over a socket it mixes up: it looks for a subtest's errors where its
        # output is, and has one that passed "warn".
        return (f"IGT_RUNNER_DISABLE_SOCKET_COMMUNICATION=1 {self.igt}/build/runner/igt_runner --log-level quiet "
                f"--multiple-mode --test-list {testlist} {folder} $VM_SHARE/{name}\n")

    def guest(self, lines, *options):
        with open(f"{self.folder}/job", "w") as f:
            f.writelines(lines)
        vm = subprocess.run([f"{REPO}/tools/vm", "--tree", os.environ["TEST_TREE"], *options,
                             "--script", f"{self.folder}/job", "--out", self.folder], capture_output=True, text=True)
        self.assertEqual(vm.returncode, 0, vm.stdout + vm.stderr)

    def results(self, name):
        with open(f"{self.folder}/{name}/results.json", errors="replace") as f:
            return {test: told["result"] for test, told in json.load(f)["tests"].items()}

    def test_our_library(self):
        folder, chosen = f"{REPO}/build/igt", ("prime_ioctls", "vgem_ioctls")
        with open(f"{self.folder}/list", "w") as f:
            f.writelines(f"igt@{name}@{s}\n" for name in chosen for s in listed(f"{folder}/{name}")
                         if s != "fence-expires")
        self.guest(["modprobe vgem && modprobe vkms\n", self.line(f"{self.folder}/list", folder, "ours")],
                   "--no-gpu", "--timeout", "300")
        results = self.results("ours")
        with open(f"{self.folder}/list") as f:
            self.assertEqual({"@".join(name.split("@")[:3]) for name in results}, set(f.read().split()))
        self.assertEqual({name: result for name, result in results.items() if result not in ("pass", "skip")}, {})
        self.assertEqual(results["igt@prime_ioctls@handle-to-fd-rdwr@vgem0"], "pass")
        # vkms has none
        self.assertEqual(results["igt@prime_ioctls@render-node@vkms0"], "skip")

    def test_both_libraries(self):
        """Each subtest of the fast list gives with IGT's what it gives with ours."""
        self.addCleanup(checkout.remove, self.igt)
        subprocess.run([f"{REPO}/tools/igt-checkout", "build", self.igt], check=True, stdout=subprocess.DEVNULL)
        folders = {"ours": f"{REPO}/build/igt", "theirs": f"{self.igt}/build/tests/prime"}
        fast = f"{REPO}/igt-tests/testlists/fast.testlist"
        for name, folder in folders.items():
            self.guest([*(f"modprobe {driver}\n" for driver in programs.IGT_DRIVERS), self.line(fast, folder, name)],
                       *programs.IGT_MACHINE, *programs.IGT_DECLARED, "--timeout", "1500")
        ours, theirs = ({test: result.replace("dmesg-warn", "pass").replace("dmesg-fail", "fail")
                         for test, result in self.results(name).items()} for name in folders)
        self.assertIn("pass", ours.values())
        self.assertEqual(ours, theirs)
