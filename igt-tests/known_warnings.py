# SPDX-License-Identifier: MIT
"""Warnings of stock drivers that say nothing about the buffers they show.

expectations/known-warnings.txt names them, each with its reason.  Whoever reads a
kernel log leaves out the whole report, from its first line to its last.
"""
import os
import re

LIST = os.path.join(os.path.dirname(os.path.realpath(__file__)), "expectations", "known-warnings.txt")
# Where a report begins and ends: a warning, and a line that a stack follows.
REPORTS = (("[ cut here ]", "---[ end trace"), (": wrong timeout value ", "</TASK>"))


def read(path=LIST):
    """-> what is known to warn: FUNCTION, or FUNCTION < CALLER"""
    with open(path) as f:
        entries = [(line.partition("#")) for line in f if line.strip() and not line.startswith("#")]
    for function, _, reason in entries:
        if not reason.strip():
            raise ValueError(f"{path}: '{function.strip()}' needs its reason after '#'")
    return [function.strip() for function, _, _ in entries]


def remove(records, text=lambda record: record, functions=None):
    """Records of a log less the reports of known warnings; text() tells a record's line."""
    functions = read() if functions is None else functions
    kept, report, end = [], [], None

    def known(lines):
        for entry in functions:
            function, _, caller = (s.strip() for s in entry.partition("<"))
            name = re.escape(function)
            if re.search(rf"WARNING: .* at {name}\+0x|(^|\s){name}: wrong timeout value ", lines) and \
                    (not caller or re.search(rf"\s{re.escape(caller)}\+0x", lines)):
                return True
        return False

    for record in records:
        line = text(record)
        ends = [last for first, last in REPORTS if first in line]
        if ends:
            kept += report
            report, end = [record], ends[0]
        elif report:
            report.append(record)
            if end in line:
                kept += [] if known("\n".join(map(text, report))) else report
                report = []
        else:
            kept.append(record)
    return kept + report
