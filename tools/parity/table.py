# SPDX-License-Identifier: GPL-2.0-only
"""Tables of what two kernels do: made, written as reStructuredText, read back.

A fact is (group, id, subject) -> (what was done, result).  Facts of two kernels
make rows; subjects for which both results are alike share a row.  The written
table is the only copy: what is compared later is read from it, so the document
cannot say one thing and the check another.

Differences need a reason, from a file of lines 'PATTERN  # reason'.  A pattern
is matched against group/id@subject.  A difference without a reason is an error,
and so is a pattern that no difference matches any more.  A test that fails needs
one as well, with its whole name for a pattern, whatever it did on stock.
"""
import collections
import fnmatch
import re

ABSENT = "not there"
SAME = "as stock"
# What tools/ktap.py calls it.
FAILED = "failed"
HEAD = ("behaviour", "what was done", "with", "stock", "ours", "why they differ")
# Cells of results are literals, the others are text.
LITERAL = (True, False, False, True, True, False)

Row = collections.namedtuple("Row", "group id what subjects stock ours why")


class Bad(Exception):
    """What is wrong with a table or its reasons, in one line."""


def read_lines(text):
    """The output of tools/parity/parity as facts."""
    facts = {}
    for line in text.split("\n"):
        if not line:
            continue
        cells = line.split("\t")
        if len(cells) != 5:
            raise Bad(f"a line that is no fact: {line[:80]!r}")
        group, subject, name, what, result = cells
        if (group, name, subject) in facts:
            raise Bad(f"told twice: {group}/{name} of {subject}")
        facts[group, name, subject] = (what, result)
    return facts


# --- reasons ------------------------------------------------------------------

def read_reasons(path):
    reasons = []
    with open(path) as f:
        for line in f:
            if not line.strip() or line.startswith("#"):
                continue
            match = re.match(r"(.+?)\s+# (.+)$", line.rstrip())
            if not match:
                raise Bad(f"{path}: no reason in {line.strip()!r}")
            reasons.append((match[1], match[2]))
    return reasons


def matches(pattern, key):
    """Only * and ? are special: names have brackets of their own."""
    return fnmatch.fnmatchcase(key, pattern.replace("[", "[[]"))


# --- rows ---------------------------------------------------------------------

def make_rows(stock, ours, reasons):
    """-> rows in the order of the facts, complaints."""
    rows, complaints, used = {}, [], set()
    for key in dict.fromkeys([*ours, *stock]):
        group, name, subject = key
        what = (ours.get(key) or stock.get(key))[0]
        one = stock[key][1] if key in stock else ABSENT
        two = ours[key][1] if key in ours else ABSENT
        why = ""
        full = f"{group}/{name}@{subject}"
        # a test that fails is excused by name only, even if it fails on stock, too
        if one != two or two == FAILED:
            found = [(p, r) for p, r in reasons if (p == full if two == FAILED else matches(p, full))]
            used.update(p for p, _ in found)
            if found:
                why = found[0][1]
            else:
                complaints.append(f"{full}: stock '{one}', ours '{two}', and no reason is given")
        same = (group, name, what, one, two, why)
        rows.setdefault(same, []).append(subject)
    complaints += [f"a reason for '{p}', but nothing differs there any more ({r})"
                   for p, r in reasons if p not in used]
    in_order = {}
    for (group, name, what, one, two, why), subjects in rows.items():
        row = Row(group, name, what, sorted(subjects), one, two, why)
        in_order.setdefault((group, name), []).append(row)
    return [row for same in in_order.values() for row in same], complaints


def ours_of(rows):
    """The column of ours as facts."""
    return {(r.group, r.id, s): (r.what, r.ours) for r in rows for s in r.subjects if r.ours != ABSENT}


# --- reStructuredText ---------------------------------------------------------

def literal(text):
    if "``" in text or text != text.strip() or not text:
        raise Bad(f"a result that cannot be shown: {text!r}")
    return f"``{text}``"


def plain(text):
    return re.sub(r"([*`|_\\])", r"\\\1", text)


def cell(text, is_literal):
    if not text:
        return ""
    if not is_literal or text in (SAME, ABSENT):
        return plain(text)
    return literal(text)


def uncell(text, is_literal):
    if is_literal and text.startswith("``"):
        return text[2:-2]
    return re.sub(r"\\(.)", r"\1", text)


def write_rows(rows, everyone, widths):
    """One list-table.  'everyone' are the subjects that 'all' stands for."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for texts, kinds in [(HEAD, (False,) * len(HEAD))] + [(row_cells(r, everyone), LITERAL) for r in rows]:
        for i, (text, kind) in enumerate(zip(texts, kinds)):
            lines.append(f"   {'* -' if i == 0 else '  -'} {cell(text, kind)}".rstrip())
    return "\n".join(lines) + "\n"


def row_cells(row, everyone):
    with_ = "all" if len(everyone) > 1 and row.subjects == everyone else ", ".join(row.subjects)
    return (row.id, row.what, with_, row.stock, SAME if row.ours == row.stock else row.ours, row.why)


def title(text, mark):
    return f"{text}\n{mark * len(text)}\n"


def summary(rows):
    """What differs, before all that does not."""
    facts, differ = count(rows)
    lines = [f"- {plain(why)} ({plain(', '.join(names))})" for why, names in reasons_of(rows).items()]
    return (f"{facts} results in {len(rows)} rows; {differ} results differ" +
            (":\n\n" + "\n".join(lines) if lines else ".") + "\n")


def reasons_of(rows):
    """Each reason once, with the rows that it is given for."""
    found = {}
    for row in rows:
        if row.why:
            group = row.group if len(row.subjects) == 1 and row.subjects[0] == "-" else f"{row.group}/{row.id}"
            names = found.setdefault(row.why, [])
            if group not in names:
                names.append(group)
    return found


def write(head, groups, rows, more=""):
    """The whole document.  groups: [(name, title)] in order; more: text before them."""
    out = [head.rstrip() + "\n", title("What differs", "-"), summary(rows)]
    if more:
        out.append(more)
    for name, heading in groups:
        mine = [r for r in rows if r.group == name]
        if not mine:
            continue
        subjects = sorted({s for r in mine for s in r.subjects})
        out.append(title(heading, "-"))
        if len(subjects) > 1:
            out.append(f"Of group {name}; *all*: {', '.join(subjects)}.\n")
        else:
            out.append(f"Of group {name}.\n")
        out.append(write_rows(mine, subjects, "16 26 12 18 18 10"))
    return "\n".join(out)


def read(text):
    """The rows of a document that write() made."""
    rows, group, everyone, cells = [], None, [], []

    def flush():
        if len(cells) == len(HEAD) and tuple(cells) != HEAD:
            name, what, with_, stock, ours, why = (uncell(c, k) for c, k in zip(cells, LITERAL))
            subjects = everyone if with_ == "all" else with_.split(", ")
            rows.append(Row(group, name, what, list(subjects), stock,
                            stock if cells[4] == SAME else ours, why))
        cells.clear()

    for line in text.split("\n"):
        if match := re.match(r"Of group (\S+?)(?:; \*all\*: (.*))?\.$", line):
            flush()
            group, everyone = match[1], (match[2] or "").split(", ")
        elif line.startswith("   * -"):
            flush()
            cells.append(line[7:])
        elif line.startswith("     -") and cells:
            cells.append(line[7:])
    flush()
    return rows


def count(rows):
    """Facts and differences, for a line that sums up."""
    differ = [r for r in rows if r.stock != r.ours]
    return sum(len(r.subjects) for r in rows), sum(len(r.subjects) for r in differ)
