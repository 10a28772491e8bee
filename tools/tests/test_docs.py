# SPDX-License-Identifier: GPL-2.0-only
"""Documentation/: what it names is there, here and in a kernel it was installed into."""
import glob
import os
import re
import subprocess
import unittest

from toolbox import TOOLS, tool

REPO = os.path.dirname(TOOLS)
doctables = tool("doctables")
overlay = tool("overlay")

DIRECTIVE = re.compile(r"^\.\. kernel-doc:: (\S+)\n((?:   :.*\n)*)", re.M)
# Where a path that a page names may lead.
OURS = ("drivers/", "include/", "igt-tests/", "tools/", "Documentation/")


def read(path):
    with open(path, errors="replace") as f:
        return f.read()


def pages():
    """Our pages: {path: text}"""
    found = glob.glob(os.path.join(REPO, "Documentation/**/*.rst"), recursive=True)
    return {os.path.relpath(path, REPO): read(path) for path in found}


def directives(text):
    """What a page quotes: (file, option, value)"""
    for path, options in DIRECTIVE.findall(text):
        found = re.findall(r"   :([\w-]+):(.*)\n", options)
        yield (path, *(word.strip() for word in found[0])) if found else (path, "", "")


def missing(path, text, option, value):
    """Names that a directive asks of a file whose text lacks them."""
    if text is None:
        return [path]
    if option == "doc":
        return [] if re.search(rf"^ \* DOC: {re.escape(value)}$", text, re.M) else [f"DOC: {value}"]
    if option in ("identifiers", "functions"):
        return [name for name in value.split()
                if not re.search(rf"^\s?\* (?:struct |enum |union )?{name}(?:\(\))? ?[-:]", text, re.M)]
    if option == "export":
        return [] if "EXPORT_SYMBOL" in text else ["EXPORT_SYMBOL"]
    return []


class InAKernel(unittest.TestCase):
    """A kernel's documentation after `overlay install`, without writing to one."""

    @classmethod
    def setUpClass(cls):
        done = subprocess.run([os.path.join(TOOLS, "kernel"), "source"], capture_output=True, text=True,
                              check=True)
        cls.kdir = done.stdout.strip()
        cls.after = overlay.plan(cls.kdir)

    def text(self, path):
        """A file of that kernel, None if it has none."""
        if path in self.after:
            return self.after[path]
        where = os.path.join(self.kdir, path)
        return read(where) if os.path.exists(where) else None

    def every_page(self):
        stock = glob.glob(os.path.join(self.kdir, "Documentation/**/*.rst"), recursive=True)
        names = {os.path.relpath(path, self.kdir) for path in stock} | set(self.after)
        for name in sorted(names):
            if name.startswith("Documentation/") and name.endswith(".rst"):
                yield name, self.text(name)

    def test_what_pages_quote_of_our_files_is_there(self):
        bad, count = [], 0
        for name, text in self.every_page():
            for path, option, value in directives(text):
                if path in self.after or name in self.after:
                    count += 1
                    bad += [f"{name}: {path} has no {m}" for m in missing(path, self.text(path), option, value)]
        self.assertEqual(bad, [])
        self.assertGreater(count, 30)

    def test_without_our_pages_stock_would_quote_what_is_gone(self):
        """The check above sees what it is for."""
        stock = read(os.path.join(self.kdir, overlay.DMA_BUF_PAGE))
        bad = [m for path, option, value in directives(stock) if path in self.after
               for m in missing(path, self.text(path), option, value)]
        self.assertIn("DOC: dma buf device access", bad)

    def test_every_page_of_ours_is_in_a_table_of_contents(self):
        for name, text in self.after.items():
            if name.startswith("Documentation/") and name.endswith("index.rst"):
                continue
            if name.startswith("Documentation/") and name.endswith(".rst"):
                folder, page = os.path.split(name[:-len(".rst")])
                lists = [self.text(f"{folder}/{n}") or "" for n in ("index.rst", "drivers.rst", "dma-buf.rst")]
                self.assertTrue(any(f"\n   {page}\n" in text for text in lists), name)

    def test_what_we_export_is_documented_once(self):
        quoted = [path for text in pages().values() for path, option, _ in directives(text)
                  if option == "export"]
        ours = [path for path, text in self.after.items()
                if text and path.endswith(".c") and "/tests/" not in path
                # what is for tests alone has no page
                and re.search(r"EXPORT_SYMBOL(?!_IF_KUNIT)", text)]
        self.assertEqual(sorted(quoted), sorted(ours))

    def test_pages_that_are_named_exist(self):
        bad = []
        for name, text in pages().items():
            for path in re.findall(r"\bDocumentation/[\w/.-]+\.rst\b", text):
                here = os.path.exists(os.path.join(REPO, path))
                if not here and (name.startswith("Documentation/dev/") or self.text(path) is None):
                    bad.append(f"{name}: {path}")
        self.assertEqual(bad, [])


class Names(unittest.TestCase):
    """Tests and files that the pages name."""

    def test_the_tests_exist(self):
        listed = read(os.path.join(REPO, "igt-tests/testlists/full.testlist")).split("\n")
        cases = set()
        for path in glob.glob(os.path.join(REPO, "drivers/**/*_test.c"), recursive=True):
            text = read(path)
            for suite in re.findall(r'^\t\.name = "(\w+)"', text, re.M):
                cases |= {f"{suite}.{case}" for case in re.findall(r"KUNIT_CASE\w*\((\w+)", text)}
        suites = {case.split(".")[0] for case in cases}
        bad, count = [], 0
        for name, text in pages().items():
            for test in re.findall(r"``(igt@[\w@-]+|\w+\.\w+)``", text):
                if test.startswith("igt@"):
                    good = test in listed
                elif test.split(".")[0] in suites:
                    good = test in cases
                else:
                    continue
                count += 1
                if not good:
                    bad.append(f"{name}: {test}")
        self.assertEqual(bad, [])
        self.assertGreater(count, 15)

    def test_the_files_exist(self):
        bad = []
        for name, text in pages().items():
            for path in re.findall(r"``([\w./-]+)``", text):
                if path.startswith(OURS) and not os.path.exists(os.path.join(REPO, path)):
                    bad.append(f"{name}: {path}")
        self.assertEqual(bad, [])


class Tables(unittest.TestCase):
    def test_a_list_becomes_rows(self):
        head, rows = doctables.split("f", "The buffer, or an ERR_PTR():\n  \n      * -EINVAL: what the\n"
                                  "        caller did\n      * -ENOMEM, -ENFILE: none left\n      * what op said")
        self.assertEqual(head, "the buffer, or an ERR_PTR():")
        self.assertEqual(rows, [("-EINVAL", "what the caller did"), ("-ENOMEM, -ENFILE", "none left"),
                                ("", "what op said")])

    def test_errnos_in_a_sentence_are_refused(self):
        for text in ("0, -EINVAL for nonsense, or the driver's error.", "0, or a negative errno:"):
            with self.assertRaisesRegex(doctables.Stop, "f: .* list"):
                doctables.split("f", text)

    def test_locks_are_read_from_the_context(self):
        for text, lock in (("Process context. The caller holds the\n  reservation lock.", True),
                           ("Any. The caller must not hold the\n  reservation lock.", False),
                           ("Any.", None)):
            self.assertIs(doctables.lock_of_function("f", text), lock)
        with self.assertRaisesRegex(doctables.Stop, "f: .*Context"):
            doctables.lock_of_function("f", "")
        self.assertTrue(doctables.lock_of_callback("f", "Does it.  Locked, optional."))
        self.assertFalse(doctables.lock_of_callback("f", "Does it.  Unlocked, optional."))
        with self.assertRaises(doctables.Stop):
            doctables.lock_of_callback("f", "Does it.")

    def test_user_space_sees_no_errno_of_the_kernel(self):
        text = doctables.table([("-ERESTARTSYS, -EINTR", "a signal"), ("", "others")], doctables.user_errno, 20)
        self.assertIn("``EINTR``\n", text)
        self.assertNotIn("RESTART", text)
        self.assertIn("   * - others\n", text)
