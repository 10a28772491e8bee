# SPDX-License-Identifier: GPL-2.0-only
"""Read test results in the kernel's TAP dialect (Documentation/dev-tools/ktap.rst).

KUnit and kselftest both print it, nested by indentation.  Only leaves count as
tests: the line that closes a group of subtests sums up what was counted, and
counts by itself only when it failed though none of its subtests did.
"""
import re

RESULT = re.compile(r"^(\s*)(not )?ok (\d+)\s*(?:- )?(.*?)(?:\s+#\s*(\w+)\b.*)?$", re.I)
PLAN = re.compile(r"^(\s*)1\.\.(\d+)\s*(?:#\s*(SKIP).*)?$", re.I)
GROUP = re.compile(r"^(\s*)# Subtest: (.*)$")

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def depth(indent):
    return len(indent.expandtabs(8))


class Reader:
    def __init__(self, prefix):
        self.prefix = prefix
        self.results = []
        self.plans = []     # [depth, results still to come], outermost first
        self.groups = []    # (depth, name) of the groups a line is in
        self.failures = {}  # depth -> failures among the results there, per open group

    def path(self, at):
        return self.prefix + "".join(name + "/" for d, name in self.groups if d <= at)

    def end_plans(self, at):
        """Results announced below this depth that never came are failures."""
        while self.plans and self.plans[-1][0] > at:
            where, missing = self.plans.pop()
            for number in range(missing):
                self.results.append((f"{self.path(where)}missing result {number + 1}", FAILED))

    def plan(self, at, count, skipped):
        self.end_plans(at - 1)
        self.plans.append([at, count])
        if skipped:
            self.results.append((self.path(at) + "all", SKIPPED))

    def result(self, at, name, outcome):
        self.end_plans(at)
        if self.plans and self.plans[-1][0] == at:
            self.plans[-1][1] -= 1
        below = [self.failures.pop(d) for d in list(self.failures) if d > at]
        told = bool(below) and (outcome != FAILED or sum(below) > 0)
        failed = sum(below) + (outcome == FAILED)
        self.failures[at] = self.failures.get(at, 0) + failed
        if not told:
            where = self.path(at if not below else at - 1)
            self.results.append((where + name, outcome))
        self.groups = [(d, n) for d, n in self.groups if d <= at]


def parse(text, prefix=""):
    """A list of (name, outcome), one for each leaf."""
    reader = Reader(prefix)
    for line in text.split("\n"):
        if group := GROUP.match(line):
            at = depth(group[1])
            reader.groups = [(d, n) for d, n in reader.groups if d < at] + [(at, group[2].strip())]
        elif plan := PLAN.match(line):
            reader.plan(depth(plan[1]), int(plan[2]), bool(plan[3]))
        elif match := RESULT.match(line):
            directive = (match[5] or "").upper()
            outcome = SKIPPED if directive == "SKIP" else FAILED if match[2] else PASSED
            reader.result(depth(match[1]), match[4].strip() or match[3], outcome)
    reader.end_plans(-1)
    return reader.results


def before_failures(text, most=8):
    """What was said between the result before and each that failed, its last lines."""
    said, lines = [], []
    for line in text.split("\n"):
        match = RESULT.match(line)
        if not match:
            lines.append(line.strip())
            continue
        if match[2]:
            said += [one for one in lines if one][-most:]
        lines = []
    return said
