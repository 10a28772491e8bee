# SPDX-License-Identifier: GPL-2.0-only
"""Which unit tests stand behind the core's documented contract.

The contract is read from the sources: each exported function, and the errnos
that its kernel-doc lists.  A case speaks for a function if it calls it, itself
or through the helpers of the tests, and for an errno if its own text, or that
of its table of parameters, names it as well.  So this is an index by name: what
each case compares is in the case.
"""
import collections
import glob
import os
import re

Case = collections.namedtuple("Case", "suite name own calls")
# Errnos that no case of these kernels brings about, and where they are tested.
FAULTS = "each allocation fails once in ``{}``, on the debug kernel"
ELSEWHERE = {
    ("dma_buf_attach_cpu", "-ENOMEM"): FAULTS.format("dma_buf_fault"),
    ("devm_dma_buf_declare_constraints", "-ENOMEM"): FAULTS.format("dma_buf_declare_fault"),
    ("dma_buf_export", "-ENFILE"): "prime-export/file-limit, seen by user space",
    ("dma_buf_fd", "-ENOMEM"): "``igt@dmabuf_sync_faults@full-table-heap``, on the debug kernel",
}
# How the names of functions begin that a file of cases takes from another.
HELPERS = ("mock_", "law_", "guide_kit_")
FUNCTION = re.compile(r"^(?:static )?[\w \*]+?\*?(\w+)\(([^;{}]*?)\)\n\{\n(.*?)^\}", re.M | re.S)


def documented(folder):
    """{exported function: [errno, ...]} in the order of the files"""
    found = {}
    for path in sorted(glob.glob(f"{folder}/*.c")):
        with open(path) as f:
            text = f.read()
        for name in re.findall(r"^EXPORT_SYMBOL_NS_GPL\((\w+), DMA_BUF\)", text, re.M):
            doc = re.search(rf"/\*\*\n \* {name} - (.*?)\*/", text, re.S)
            found[name] = list(dict.fromkeys(re.findall(r"\*\s+\* (-E\w+)(?=[:,])|(?<=, )(-E\w+)(?=:)",
                                                        doc[1]) if doc else []))
            found[name] = [a or b for a, b in found[name]]
    return found


def definitions(text):
    """Functions, and tables of callbacks, through which functions are called."""
    found = {name: body for name, _, body in FUNCTION.findall(text)}
    found.update(re.findall(r"^(?:static )?const struct \w+ (\w+) = \{\n(.*?)^\};", text, re.M | re.S))
    return found


def test_files(folder):
    texts = {}
    for path in sorted(glob.glob(f"{folder}/*.c")):
        with open(path) as f:
            texts[os.path.basename(path)] = f.read()
    return texts


def closure(name, bodies, seen):
    """All that a function calls, helpers of the tests looked into."""
    if name in seen or name not in bodies:
        return
    seen[name] = bodies[name]
    for called in set(re.findall(r"\b(\w+)\b", bodies[name])):
        closure(called, bodies, seen)


def cases(folder):
    texts = test_files(folder)
    helpers = {n: b for t in texts.values() for n, b in definitions(t).items() if n.startswith(HELPERS)}
    found = []
    for text in texts.values():
        suite = re.search(r"\.name = \"(\w+)\",\n(?:\t\.\w+ = .*\n)*\t\.test_cases", text)
        if not suite:
            continue
        bodies = definitions(text)
        arrays = dict(re.findall(r"^static const struct \w+ (\w+)\[\] = \{\n(.*?)^\};", text, re.M | re.S))
        params = dict(re.findall(r"KUNIT_ARRAY_PARAM_DESC\((\w+), (\w+),", text))
        for name, table in re.findall(r"KUNIT_CASE(?:_PARAM)?\((\w+)(?:,\s*(\w+)_gen_params)?\)", text):
            own, all_of = {}, {}
            closure(name, bodies, own)
            closure(name, {**helpers, **bodies}, all_of)
            words = "".join(own.values()) + arrays.get(params.get(table, ""), "")
            found.append(Case(suite[1], name, words, "".join(all_of.values())))
    return found


def rows(source, tests, ran):
    """[(function, errno or 'success', [suite/case, ...])], of the suites that ran"""
    found = []
    known = [case for case in cases(tests) if case.suite in ran]
    for function, errnos in documented(source).items():
        # its _unlocked form is the same behind a lock
        calls = [c for c in known if re.search(rf"\b{function}(_unlocked)?\(", c.calls)]
        found.append((function, "success", [f"{c.suite}/{c.name}" for c in calls]))
        for errno in errnos:
            found.append((function, errno, [f"{c.suite}/{c.name}" for c in calls
                                            if re.search(rf"{errno}\b", c.own)]))
    return found


def section(source, tests, ran):
    """The text of it all for the document, and what no case stands behind."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 30 14 56", "",
             "   * - function", "     - answer", "     - cases"]
    complaints = []
    for function, answer, names in rows(source, tests, ran):
        if len(names) > 6:
            said = f"{len(names)} cases"
        else:
            said = ", ".join(f"``{n}``" for n in names) or ELSEWHERE.get((function, answer), "")
        if not said:
            complaints.append(f"{function}: no unit test behind its {answer}")
        lines += [f"   * - ``{function}()``", f"     - {answer}", f"     - {said or 'none'}"]
    return "\n".join(lines) + "\n", complaints
