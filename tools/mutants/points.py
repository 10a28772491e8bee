# SPDX-License-Identifier: GPL-2.0-only
"""Where our kernel code can be made to go wrong, and how: mutants.

A mutant is one change of one function, named FUNCTION:WHAT.  Some follow from
what a function is: whatever others call, by an exported symbol or by a table of
operations, gets one that fails at once, and one that says that all is well and
does nothing.  The rest stand in the files of 'silent', each with its line as it is
and as it would be:

  FUNCTION:WHAT
      what the code does then
      - what stands there once, blanks and line ends as you like
      + what it would be; MUTANT is true while it is this one's turn

All of them are built into one kernel, from copies of the sources in which every
change is behind a question: is it this one's turn?
"""
import collections
import glob
import os
import re

TOOLS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REPO = os.path.dirname(TOOLS)
HERE = os.path.dirname(os.path.abspath(__file__))
SILENT = os.path.join(HERE, "silent")
# Whose functions are entries, and where else those of 'silent' may change something.
SOURCES = ("drivers/dma-buf/*.c", "drivers/dma-buf/dma-buf-table.h", "drivers/dma-buf/dma-buf-undemanding.h",
           "drivers/gpu/drm/drm_prime*.c", "drivers/gpu/drm/drm_prime_internal.h", "drivers/gpu/drm/drm_gem_storage*.c",
           "drivers/gpu/drm/vgem/*.c", "drivers/gpu/drm/virtio/*.c")
# What the kernel's own code calls without a table or an exported symbol.
CALLED_BY_DRM = ("drm_prime_remove_buf_handle", "drm_prime_handle_to_fd_ioctl", "drm_prime_fd_to_handle_ioctl",
                 "vgpu_prime_handle_to_fd", "vgpu_prime_fd_to_handle", "vgpu_prime_import", "vgpu_dumb_create",
                 "vgpu_map_offset", "vgpu_execbuffer_ioctl")
SWITCH = "#include <linux/prime-mutants.h>\n"
KBUILD = "drivers/dma-buf/Kbuild.prime"

FAILS, NOTHING = "fails", "does-nothing"
INTEGERS = ("int", "long", "ssize_t", "loff_t")
# By the type that a function returns: what a mutant of it is called, returns, and does.
RETURNS = {
    **dict.fromkeys(INTEGERS, ((FAILS, "-EIO", "EIO"), (NOTHING, "0", "0, and nothing is done"))),
    "vm_fault_t": ((FAILS, "VM_FAULT_SIGBUS", "SIGBUS"),),
    "__poll_t": (("always-ready", "EPOLLIN | EPOLLOUT", "ready, whatever the fences say"),
                 ("never-ready", "0", "not ready, whatever the fences say")),
    "bool": (("true", "true", "true, whatever is asked"), ("false", "false", "false, whatever is asked")),
    "void": ((NOTHING, "", "nothing is done"),),
    "enum drm_mode_status": (("all-good", "MODE_OK", "every mode is good"), ("none-good", "MODE_BAD", "no mode is")),
    "enum drm_connector_status": (("connected", "connector_status_connected", "a screen is there, whatever is"),
                                  ("disconnected", "connector_status_disconnected", "no screen is there")),
    "const char *": (("wrong", '"mutant"', "a wrong name"),),
    **dict.fromkeys(("unsigned int", "unsigned long", "u64"), (("zero", "0", "0"),)),
}
POINTER = ((FAILS, "ERR_PTR(-EIO)", "EIO"),)

Function = collections.namedtuple("Function", "file name type parameters begin end")
Mutant = collections.namedtuple("Mutant", "name tells file edits")


class Stop(Exception):
    """What does not fit together, in one line."""


def sources():
    """{path: text} of the files that can have mutants."""
    found = {}
    for pattern in SOURCES:
        for path in sorted(glob.glob(pattern, root_dir=REPO)):
            with open(os.path.join(REPO, path)) as f:
                found[path] = f.read()
    return found


# --- what is in a file --------------------------------------------------------

HEAD = re.compile(r"^(?P<type>[A-Za-z_][\w ]*?[ \n]\**\n?)(?P<name>\w+)\((?P<parameters>[^;{}]*?)\)\n\{\n", re.M)


def functions(path, text):
    """Every function that the file defines; all begin in the first column."""
    for match in HEAD.finditer(text):
        kind = re.sub(r"\b(static|inline|__always_inline|noinline|__init|__exit)\b", "", match["type"])
        yield Function(path, match["name"], " ".join(kind.split()), match["parameters"],
                       match.end(), text.index("\n}", match.end() - 1) + 1)


def exported(text):
    return re.findall(r"^EXPORT_SYMBOL(?:_NS)?(?:_GPL)?\((\w+)", text, re.M)


def in_tables(text):
    """Names that stand in tables of operations, of ioctls and of configfs attributes."""
    for table in re.finditer(r"^(?:static )?(?:const )?struct \w+ \w+(?:\[\w*\])? = \{\n(.*?)^\};", text, re.M | re.S):
        yield from re.findall(r"^\t+\.\w+ = (\w+),", table[1], re.M)
        yield from re.findall(r"DRM_IOCTL_DEF_DRV\(\w+,\s+(\w+)", table[1])
    for ro, prefix, name in re.findall(r"^CONFIGFS_ATTR(_RO)?\((\w+), (\w+)\);", text, re.M):
        yield f"{prefix}{name}_show"
        if not ro:
            yield f"{prefix}{name}_store"


class Index:
    """The functions of all files by name.  A name may stand in several files."""

    def __init__(self, texts):
        self.texts = texts
        self.by_name = collections.defaultdict(list)
        for path, text in texts.items():
            for function in functions(path, text):
                self.by_name[function.name].append(function)

    def find(self, name, path=None):
        """The one of that name, of this file if there are several; None if there is none."""
        found = self.by_name.get(name, [])
        here = [f for f in found if f.file == path] or found
        if len(here) > 1:
            raise Stop(f"{name}() is in {' and '.join(f.file for f in here)}: rename one")
        return here[0] if here else None

    def entries(self):
        """The functions that others call, in the order of the files."""
        found, missing = {}, []
        for path, text in self.texts.items():
            for name in exported(text):
                # a table that is exported has no code of its own, and its functions are in it
                if not self.find(name, path) and not re.search(rf"^const struct \w+ {name} =", text, re.M):
                    missing.append(f"{path}: {name}() is exported, and its definition not found")
            names = [*exported(text), *in_tables(text), *re.findall(r"^(?:int|long) (\w+_ioctl_\w+)\(", text, re.M),
                     *(n for n in CALLED_BY_DRM if self.find(n) and self.find(n).file == path)]
            for name in names:
                function = self.find(name, path)
                if function:
                    found[function.name] = function
        if missing:
            raise Stop("; ".join(missing))
        order = {path: number for number, path in enumerate(self.texts)}
        return sorted(found.values(), key=lambda f: (order[f.file], f.begin))


# --- mutants --------------------------------------------------------------------

def returns_of(function):
    """((what, value, tells), ...) for a function's own type."""
    if re.match(r"(const )?(struct \w+|char) \*$", function.type) and function.type not in RETURNS:
        return POINTER
    if function.type not in RETURNS:
        raise Stop(f"{function.file}: {function.name}() returns '{function.type}', for which RETURNS has nothing")
    # who writes is told how much was taken
    count = re.search(r"\bsize_t count\b", function.parameters)
    return tuple((what, "count" if count and what == NOTHING else value, tells)
                 for what, value, tells in RETURNS[function.type])


def at_once(function):
    """Mutants that return before anything is done."""
    for what, value, tells in returns_of(function):
        line = f"\tif (MUTANT)\n\t\treturn {value}".rstrip() + ";\n"
        yield Mutant(f"{function.name}:{what}", tells, function.file, ((function.begin, function.begin, line),))


def is_at_once(mutant):
    """Whether nothing of its function is done, as at_once() makes them; those of 'silent' change a line."""
    return all(begin == end for begin, end, _ in mutant.edits)


def listed(text, origin):
    """Read a file of 'silent' -> (name, tells, [(as it is, as it would be)])."""
    entry, entries = None, []
    for number, line in enumerate(text.split("\n"), 1):
        where, stripped = f"{origin}:{number}", line.strip()
        if not stripped or line.startswith("#"):
            continue
        if not line[0].isspace():
            if not re.fullmatch(r"\w+:[\w-]+", stripped):
                raise Stop(f"{where}: '{stripped}' is not FUNCTION:WHAT")
            entry = (stripped, [], [])
            entries.append(entry)
        elif not entry:
            raise Stop(f"{where}: belongs to no mutant")
        elif re.match(r"-\s", stripped):
            if entry[2] and not entry[2][-1][1]:
                entry[2][-1][0].append(stripped[2:])
            else:
                entry[2].append(([stripped[2:]], []))
        elif re.match(r"\+\s", stripped) and entry[2]:
            entry[2][-1][1].append(stripped[2:])
        else:
            entry[1].append(stripped)
    for name, tells, pairs in entries:
        if not tells or not pairs or not all(new for _, new in pairs):
            raise Stop(f"{origin}: {name} has not all of what it does, lines with '-' and lines with '+'")
        yield name, " ".join(tells), [("\n".join(old), "\n".join(new)) for old, new in pairs]


def edits_of(index, name, pairs):
    """Where the lines of an entry stand: ((begin, end, text), ...), and in which file."""
    function = index.find(name.split(":")[0])
    if not function:
        raise Stop(f"{name}: there is no such function")
    body = index.texts[function.file][function.begin:function.end]
    edits = []
    for old, new in pairs:
        found = list(re.finditer(r"\s+".join(re.escape(word) for word in old.split()), body))
        if len(found) != 1:
            raise Stop(f"{name}: '{old.split(chr(10))[0]}' is {len(found)} times in {function.file}, not once")
        if "MUTANT" not in new:
            raise Stop(f"{name}: it is always on, there is no MUTANT in what it would be")
        edits.append((function.begin + found[0].start(), function.begin + found[0].end(), new))
    return function.file, tuple(edits)


def silent_ones():
    """The files of 'silent': {path: text}."""
    texts = {}
    for path in sorted(glob.glob(os.path.join(SILENT, "*"))):
        with open(path) as f:
            texts[os.path.relpath(path, HERE)] = f.read()
    return texts


def mutants(texts=None, silent=None):
    """All of them, by file and place."""
    index = Index(texts if texts is not None else sources())
    made = [mutant for entry in index.entries() for mutant in at_once(entry)]
    for origin, text in (silent_ones() if silent is None else silent).items():
        for name, tells, pairs in listed(text, origin):
            made.append(Mutant(name, tells, *edits_of(index, name, pairs)))
    twice = [name for name, times in collections.Counter(m.name for m in made).items() if times > 1]
    if twice:
        raise Stop(f"two mutants have the name {twice[0]}")
    order = {path: number for number, path in enumerate(index.texts)}
    return sorted(made, key=lambda m: (order[m.file], m.edits[0][0]))


# --- the sources with all of them in --------------------------------------------

def changed(text, numbered):
    """The file's text with its mutants, given as (number, mutant)."""
    edits = sorted((begin, end, new.replace("MUTANT", f"prime_mutant({number})"))
                   for number, mutant in numbered for begin, end, new in mutant.edits)
    for (_, end, _), (begin, _, _) in zip(edits, edits[1:]):
        if begin < end:
            raise Stop(f"two mutants change the same line: {text[begin:end]}")
    for begin, end, new in reversed(edits):
        text = text[:begin] + new + text[end:]
    return text.replace("#include ", SWITCH + "#include ", 1)


def write(path, text):
    """Make nothing newer that is as it was: it would be built again."""
    if os.path.exists(path):
        with open(path) as f:
            if f.read() == text:
                return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def names_header(made):
    lines = "".join(f'\t"{mutant.name}",\n' for mutant in made)
    return ("/* SPDX-License-Identifier: GPL-2.0-only */\n"
            f"#define PRIME_MUTANTS {len(made) + 1}\n\n"
            f'static const char *const prime_mutant_names[PRIME_MUTANTS] = {{\n\t"none",\n{lines}}};\n')


def write_sources(target, made):
    """What takes the place of our files, for tools/kernel --instead."""
    texts, by_file = sources(), collections.defaultdict(list)
    for number, mutant in enumerate(made, 1):
        by_file[mutant.file].append((number, mutant))
    files = {path: changed(texts[path], numbered) for path, numbered in by_file.items()}
    for name, path in (("prime-mutants.h", "include/linux/prime-mutants.h"),
                       ("prime-mutants.c", "drivers/dma-buf/prime-mutants.c")):
        with open(os.path.join(HERE, name)) as f:
            files[path] = f.read()
    files["drivers/dma-buf/prime-mutants-names.h"] = names_header(made)
    with open(os.path.join(REPO, KBUILD)) as f:
        files[KBUILD] = f.read() + "obj-y += prime-mutants.o\n"
    for path, text in files.items():
        write(os.path.join(target, path), text)
    for root, _, names in os.walk(target):
        for name in names:
            if os.path.relpath(os.path.join(root, name), target) not in files:
                os.unlink(os.path.join(root, name))
