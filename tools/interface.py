# SPDX-License-Identifier: GPL-2.0-only
"""The interfaces that we replace: who in the kernel uses them, and what they export.

Both are read from a kernel's source, for tools/compile-check: a list written by hand
would be out of date with the next patch level.
"""
import os
import re

HEADERS = ("include/linux/dma-buf.h", "include/drm/drm_prime.h")
# User space, or nothing that is compiled into a kernel.
NOT_KERNEL = ("Documentation", "scripts", "tools", "usr", ".git")


class Refused(Exception):
    """A reason to stop that the caller can act upon, in one line."""


def read(path):
    with open(path, errors="replace") as f:
        return f.read()


def uncommented(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"',
                  lambda m: m[0] if m[0][0] == '"' else " ", text, flags=re.S)


def interface(kdir):
    """What stock's public headers offer: a pattern that matches a use of it."""
    words, structs = set(), set()
    for header in HEADERS:
        text = uncommented(read(os.path.join(kdir, header)))
        structs |= set(re.findall(r"^struct\s+(\w+)\s*\{", text, re.M))
        words |= set(re.findall(r"^\s*#\s*define\s+(\w+)[ (]", text, re.M))
        text = re.sub(r"^\s*#(?:.*\\\n)*.*", "", text, flags=re.M)
        text = re.sub(r"^struct\s+\w+\s*\{.*?^\}", "", text, flags=re.M | re.S)
        words |= set(re.findall(r"\b(\w+)\([^;{}]*\)\s*[;{]", re.sub(r"\{[^}]*\}", "{", text)))
    if len(words) < 40 or len(structs) < 5:
        raise Refused(f"{kdir}: found only {len(words)} names in {' and '.join(HEADERS)}; "
                      "the search in tools/interface.py no longer fits them")
    return re.compile(r"\b(?:" + "|".join(sorted(words)) + r"|drm_(?:\w+_)?prime_\w+|struct\s+(?:"
                      + "|".join(sorted(structs)) + r"))\b")


def search(kdir):
    """-> {user: reason}, {included .c file: the .c file that includes it}"""
    uses = interface(kdir)
    includes = re.compile(r"#\s*include\s*<(?:linux/dma-buf|drm/drm_prime)\.h>")
    inner = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+\.c)"', re.M)
    likely = ("dma_buf", "dma-buf", "dmabuf", "DMA_BUF", "prime", "drm_gem_map")
    users, included = {}, {}
    for root, dirs, names in os.walk(kdir):
        rel = os.path.relpath(root, kdir)
        if rel == ".":
            dirs[:] = [d for d in dirs if d not in NOT_KERNEL]
        for name in names:
            if not name.endswith(".c"):
                continue
            path = os.path.normpath(os.path.join(rel, name))
            text = read(os.path.join(root, name))
            for other in inner.findall(text) if '.c"' in text else ():
                included[os.path.normpath(os.path.join(rel, other))] = path
            if not any(word in text for word in likely):
                continue
            found = uses.search(re.sub(r'"(?:\\.|[^"\\\n])*"', '""', uncommented(text)))
            if found:
                users[path] = " ".join(found[0].split())
            elif includes.search(text):
                users[path] = includes.search(text)[0]
    return users, included


def unit_of(path, included):
    """The file that is compiled so that this one is."""
    seen = {path}
    while path in included and included[path] not in seen:
        path = included[path]
        seen.add(path)
    return path


def exports(text):
    return {(name, gpl or "", space.strip()) for _, gpl, name, space in
            re.findall(r"^EXPORT_SYMBOL(_NS)?(_GPL)?\((\w+)(?:,\s*([\w\s]+))?\)", text, re.M)}


def missing_exports(kdir, laid, replaced):
    """Symbols that the files we replace export and ours do not."""
    theirs, ours = set(), set()
    for path in replaced:
        theirs |= exports(read(os.path.join(kdir, path)))
    for path in laid.values():
        if path.endswith(".c"):
            ours |= exports(read(path))
    return len(theirs), sorted(name for name, _, _ in theirs - ours)
