# SPDX-License-Identifier: MIT
"""Warnings of stock drivers that say nothing about the buffers they show.

expectations/known-warnings.txt names them, each with its reason.  Whoever reads a
kernel log leaves out the whole report, from its first line to its last.
"""
import os
import re

LIST = os.path.join(os.path.dirname(os.path.realpath(__file__)), "expectations", "known-warnings.txt")
BEGIN, END = "[ cut here ]", "---[ end trace"


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
    kept, report = [], []

    def known(lines):
        for entry in functions:
            function, _, caller = (s.strip() for s in entry.partition("<"))
            if re.search(rf"WARNING: .* at {re.escape(function)}\+0x", lines) and \
                    (not caller or re.search(rf"\s{re.escape(caller)}\+0x", lines)):
                return True
        return False

    for record in records:
        line = text(record)
        if BEGIN in line:
            kept += report
            report = [record]
        elif report:
            report.append(record)
            if END in line:
                kept += [] if known("\n".join(map(text, report))) else report
                report = []
        else:
            kept.append(record)
    return kept + report
