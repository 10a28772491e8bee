# SPDX-License-Identifier: GPL-2.0-only
"""Read a guest's kernel log: what a clean run never prints, and KCSAN's reports.

A report of KCSAN belongs to us if any function of its stacks is in an object of
ours.  A name that some other file has as well counts too: better one report too
many to look at than one too few.
"""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "igt-tests"))
import known_warnings  # noqa: E402

BAD_LOG = re.compile(
    r"WARNING:|BUG:|BUG at|Oops|general protection fault|KASAN|KCSAN|UBSAN|"
    r"INFO: (task|rcu|trying|possible)|possible (recursive|circular)|suspicious RCU|"
    r"DMA-API:.*(overlapping|not|leak|sync|driver)|unreferenced object|"
    r"inconsistent lock|bad unlock balance|held lock freed|soft lockup|hung task|"
    r"refcount_t:|list_(add|del) corruption|sleeping function called|Call Trace:|"
    r"Kernel panic|scheduling while atomic|ODEBUG")

# Whoever provokes warnings prints this first; the warnings that come after it are his,
# but no other report is.
EXPECTED = "prime: what follows is asked for"
WARNED = re.compile(r"WARNING: CPU|Call Trace:")

# The lines that every report of KCSAN has; they match BAD_LOG.
KCSAN_LINE = re.compile(r"BUG: KCSAN: |Reported by Kernel Concurrency Sanitizer on:")
STAMP = re.compile(r"^\[\s*\d+\.\d+\](\[.*?\])? ")
FRAME = re.compile(r"^\s*(?:reordered to: )?([\w.]+)\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[(\w+)\])?\s*$")
# Where the objects are whose races are ours, below a kernel's build tree.
OURS = ("drivers/dma-buf/", "drivers/gpu/drm/drm_prime", "drivers/gpu/drm/drm_gem_storage",
        "drivers/gpu/drm/vgem/", "drivers/gpu/drm/virtio/", "drivers/gpu/drm/tests/drm_prime",
        "drivers/gpu/drm/tests/drm_gem_storage")


def unexpected(lines):
    """A log without the warnings that were asked for."""
    asked_for = False
    for line in lines:
        asked_for |= EXPECTED in line
        if not (asked_for and WARNED.search(line) and not BAD_LOG.search(WARNED.sub("", line))):
            yield line


class Race:
    """One report: what it says, and the functions of its stacks."""

    def __init__(self, title):
        self.title, self.lines, self.functions = title, [], []

    def add(self, line):
        self.lines.append(line)
        frame = FRAME.match(line)
        if frame:
            self.functions.append(frame[1])

    def key(self):
        return self.title, tuple(self.functions)


def races(text):
    """The reports of KCSAN in a log, each kind once, with how often it is there."""
    found, now = {}, None
    for line in text.split("\n"):
        line = STAMP.sub("", line.rstrip())
        title = re.search(r"BUG: KCSAN: (.*)", line)
        if title:
            now = Race(title[1])
        elif now and line.startswith("=" * 20):
            found.setdefault(now.key(), [now, 0])[1] += 1
            now = None
        elif now:
            now.add(line)
    if now:  # the log ends within it
        found.setdefault(now.key(), [now, 0])[1] += 1
    return list(found.values())


def known(path=os.path.join(HERE, "stress.known")):
    """-> titles of KCSAN's reports, warnings as known_warnings has them: of stock code alone"""
    entries = known_warnings.read(path)
    return (["data-race in " + e for e in entries if " / " in e], [e for e in entries if " < " in e])


def others(text, known_too=()):
    """The suspicious lines that are not KCSAN's, nor a known warning's."""
    warnings = known_warnings.read() + list(known_too)
    return list(dict.fromkeys(line.rstrip() for line in known_warnings.remove(text.split("\n"), functions=warnings)
                              if BAD_LOG.search(line) and not KCSAN_LINE.search(line)))


def our_functions(tree):
    """Names of all functions in our objects of a built tree."""
    objects = []
    for top in sorted({os.path.dirname(o) for o in OURS}):
        for root, _, names in os.walk(os.path.join(tree, top)):
            paths = [os.path.relpath(os.path.join(root, n), tree) for n in names if n.endswith(".o")]
            objects += [p for p in paths if p.startswith(OURS)]
    out = subprocess.run(["nm", "--defined-only", "--format=posix", *objects], cwd=tree,
                         capture_output=True, text=True)
    return set(re.findall(r"^(\S+) [tTwW] ", out.stdout, re.M))


def is_ours(race, functions):
    return any(f in functions for f in race.functions)
