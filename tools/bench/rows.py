# SPDX-License-Identifier: GPL-2.0-only
"""What is measured, in which unit, and what it is to be beside stock.

A row is a figure of both kernels and the ratio of the two, or, where it says so, a
figure that has a meaning of its own.  A goal can be out of reach: where the same
system calls without a dma-buf, the floor, already cost more, or gain less.  Then what
counts is that ours is within FLOOR of that.
"""
import dataclasses

FLOOR = 1.05
# What two threads gain that share nothing, where the machine has two CPUs to spare.
TWO_CPUS = 1.6
STATISTICS, PLAIN = "", "-plain"
CROWD = 100000
GROUPS = {
    "export": "Make buffers and share them",
    "import": "Import them elsewhere",
    "kernel": "Importers in the kernel",
    "file": "Use the file",
    "crowd": "Among many buffers",
    "flat": f"{CROWD:,} buffers against 100, ours",
    "contention": "Several at once",
    "large": "Large buffers that are touched, and move",
}


@dataclasses.dataclass(frozen=True)
class Row:
    """at_most or at_least is the goal, of the ratio or of ours alone if own is set."""
    name: str
    group: str
    title: str
    at_most: float = 0
    at_least: float = 0
    unit: str = "instructions"
    config: str = STATISTICS
    floor: str = ""         # the name of the figure that is below both, beside floor_beside if that is set
    floor_beside: str = ""
    own: bool = False       # ours alone
    beside: str = ""        # ours alone, divided by this figure of ours
    only_if: str = ""       # a figure of ours below TWO_CPUS means that the machine was busy
    kept: bool = True       # an instruction count, or as good: make bench-check holds it

    def key(self):
        return self.name + self.config


def flat(name, title, floor=""):
    below = {"floor": f"{floor}@{CROWD}", "floor_beside": f"{floor}@100"} if floor else {}
    return Row(f"{name}@{CROWD}", "flat", title, at_most=1.05, own=True, beside=f"{name}@100", unit="ratio", **below)


def threads(name, title, config=STATISTICS):
    return Row(f"threads-{name}", "contention", title, at_least=0.9, own=True, only_if=f"loop-{name}",
               unit="of a loop's gain", config=config, floor=f"floor-threads-{name}", kept=False)


ROWS = (
    Row("export-close", "export", "export, close; statistics on", 0.35, floor="floor-statistics"),
    Row("export-close", "export", "export, close; off", 0.95, config=PLAIN, floor="floor-export-close"),
    Row("create-close", "export", "vgem: create, close"),
    Row("create-export-close", "export", "vgem: create, export, close; on", 0.60,
        floor="floor-create-export-close"),
    Row("create-export-close", "export", "vgem: create, export, close; off", 0.60, config=PLAIN,
        floor="floor-create-export-close"),
    Row("reexport", "export", "export again", 0.80, floor="floor-reexport"),
    Row("reimport", "import", "import what is known", 0.80, floor="floor-reimport"),
    Row("import-4k", "import", "import 4 KiB, close", 0.35, floor="floor-import-4k"),
    Row("import-16k", "import", "import 16 KiB, close"),
    Row("import-8m", "import", "import 8 MiB, close", 0.02, floor="floor-import-8m"),
    Row("import-8m-mapped", "import", "the same, a process maps it"),
    Row("import-8m-udmabuf", "import", "the same, of udmabuf"),
    Row("never-used", "import", "create, export, import, close; on", 0.25, floor="floor-never-used"),
    Row("never-used", "import", "create, export, import, close; off", 0.25, config=PLAIN,
        floor="floor-never-used"),
    Row("attach", "kernel", "attach, detach"),
    Row("map-4k", "kernel", "attach, map 4 KiB, and back"),
    Row("remap-4k", "kernel", "map 4 KiB again"),
    Row("map-8m", "kernel", "attach, map 8 MiB, and back"),
    Row("remap-8m", "kernel", "map 8 MiB again", 0.04, floor="floor-remap-8m"),
    Row("remap-8m-udmabuf", "kernel", "map 8 MiB again, udmabuf"),
    Row("remap-8m-vgem", "kernel", "map 8 MiB again, vgem"),
    Row("sync", "file", "SYNC pair", 0.60, floor="floor-sync"),
    Row("poll", "file", "poll of an idle buffer", 0.60, floor="floor-poll"),
    Row("mmap", "file", "mmap, touch, munmap 16 KiB"),
    Row("bufinfo-100", "crowd", "bufinfo of 100"),
    Row("bufinfo", "crowd", f"bufinfo, per buffer of {CROWD:,}", 0.40),
    Row("memory-bare", "crowd", "memory of an exported buffer", 0.85, unit="bytes", floor="floor-memory"),
    Row("memory-vgem", "crowd", "the same, with the GEM object", unit="bytes"),
    flat("export-close", "export, close"),
    flat("create-export-close", "vgem: create, export, close", "floor-create-export-close"),
    flat("reexport", "export again", "floor-reexport"),
    flat("reimport", "import what is known"),
    flat("import-4k", "import 4 KiB, close"),
    flat("sync", "SYNC pair"),
    flat("poll", "poll of an idle buffer"),
    Row("beside-reader", "contention", "export beside a reader of bufinfo", at_least=0.9, own=True,
        unit="of beside a loop"),
    threads("export", "2 threads: export, close; on"),
    threads("export", "2 threads: export, close; off", PLAIN),
    threads("import", "2 threads: import, close"),
    threads("reimport", "2 threads: import what is known"),
    Row("touch-4m", "large", "create, touch, close 4 MiB"),
    Row("touch-share-4m", "large", "the same, and shared"),
    Row("move-8m", "large", "import that moves 8 MiB"),
    Row("by-hand-8m", "large", "allocate, copy, free 8 MiB"),
    Row("touch-moved-8m", "large", "touch what has moved"),
    Row("copy-8m", "large", "copy 8 MiB"),
)


@dataclasses.dataclass
class Result:
    """A row with its figures; None where a kernel has none."""
    row: Row
    stock: float
    ours: float
    ratio: float
    floor: float
    met: bool       # None without a goal, or if the machine was busy
    busy: bool = False

    def goal(self):
        sign = "<=" if self.row.at_most else ">="
        goal = self.row.at_most or self.row.at_least
        return f"{sign} {goal:.2f}" if goal else ""

    def verdict(self):
        if self.met is None:
            return "machine busy" if self.busy else ""
        if not self.met:
            return "not met"
        return "met" if self.within_goal() else "at the floor"

    def within_floor(self):
        return self.ours <= FLOOR * self.floor if self.row.at_most else self.ours * FLOOR >= self.floor

    def within_goal(self):
        return self.ratio <= self.row.at_most if self.row.at_most else self.ratio >= self.row.at_least


def floor_of(row, ours):
    floor = ours.get(row.floor + row.config) if row.floor else None
    if floor is None or not row.floor_beside:
        return floor
    beside = ours.get(row.floor_beside + row.config)
    return floor / beside if beside else None


def evaluate(row, stock, ours):
    """Figures by name of either kernel -> Result, or None where ours has none."""
    have = [figures.get(row.key()) for figures in (stock, ours)]
    if have[1] is None:
        return None
    if row.own:
        base = ours.get(row.beside) if row.beside else 1
        under = stock.get(row.beside) if row.beside else 1
        have = [h / b if h is not None and b else None for h, b in zip(have, (under, base))]
        ratio = have[1]
    else:
        ratio = have[1] / have[0] if have[0] else None
    floor = floor_of(row, ours)
    result = Result(row, *have, ratio, floor, None)
    result.busy = bool(row.only_if) and ours.get(row.only_if + row.config, 0) < TWO_CPUS
    if (row.at_most or row.at_least) and ratio is not None and not result.busy:
        result.met = result.within_goal() or bool(floor) and result.within_floor()
    return result


def by_turns(figures):
    """-> (row, floor) of the rows that were measured by the clock, a turn each"""
    return {(row.name, row.floor) for row in ROWS if row.only_if and row.name in figures}


def evaluate_all(stock, ours):
    results = [evaluate(row, stock, ours) for row in ROWS]
    return [r for r in results if r]


# --- as text ------------------------------------------------------------------

def figure(value, unit):
    if value is None:
        return "-"
    return f"{value:,.0f}" if unit in ("instructions", "bytes") else f"{value:.2f}"


def lines(results):
    """The table, as lines of text."""
    head = ("", "stock", "ours", "ratio", "goal", "floor", "")
    cells = []
    for group, title in GROUPS.items():
        mine = [r for r in results if r.row.group == group]
        if mine:
            cells.append((title,))
        for r in mine:
            unit = r.row.unit
            ratio = "" if r.row.own or r.ratio is None else f"{r.ratio:.2f}" if r.ratio >= 0.1 else f"{r.ratio:.4f}"
            floor = figure(r.floor, unit) if r.floor else ""
            title = r.row.title + ("" if unit == "instructions" else f" [{unit}]")
            cells.append(("  " + title, figure(r.stock, unit), figure(r.ours, unit), ratio, r.goal(), floor,
                          r.verdict()))
    rows = [head] + cells
    widths = [max(len(row[i]) for row in rows if len(row) > 1) for i in range(len(head))]
    widths[0] = max(widths[0], *(len(row[0]) for row in rows))
    out = []
    for row in rows:
        text = [row[0].ljust(widths[0])]
        text += [c.ljust(w) if i == 5 else c.rjust(w) for i, (c, w) in enumerate(zip(row[1:], widths[1:]))]
        out.append("  ".join(text).rstrip())
    return out


# --- what must not get worse ----------------------------------------------------

def unmeasured(results):
    """The keys of the rows to be held that are not among the results."""
    return sorted({row.key() for row in ROWS if row.kept} - {r.row.key() for r in results})


def regressions(results, accepted, slack=0.03):
    """What ours was accepted with, by row -> a line for each that is worse by more."""
    found = []
    for r in results:
        before = accepted.get(r.row.key())
        if not r.row.kept or before is None:
            continue
        worse = before / r.ours - 1 if r.row.at_least else r.ours / before - 1
        if worse > slack + 1e-9:
            found.append(f"{r.row.title}: {figure(r.ours, r.row.unit)} {r.row.unit}, "
                         f"{100 * worse:.1f} % worse than {figure(before, r.row.unit)}")
    return found + [f"{key}: was measured before, and is not any more"
                    for key in unmeasured(results) if key in accepted]
