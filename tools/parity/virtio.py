# SPDX-License-Identifier: GPL-2.0-only
"""What people run on a virtio GPU, on two kernels: the facts, and the pictures compared.

A picture is a fact as well. What it shows depends on the programs' versions, so it
is not in the table; that both kernels have the same one on the screen is.
"""
import os

import table

# Subject, and what the guest needs for it; without a keyboard weston has no seat.
KEYBOARD = ["--qemu-arg=-device", "--qemu-arg=virtio-keyboard-pci"]
GUESTS = {"2d": ["--screen", *KEYBOARD], "virgl": ["--screen", "--gl", *KEYBOARD]}
GROUPS = (("ioctls", "The driver's own ioctls"), ("interface", "Files and the module"),
          ("modetest", "modetest"), ("kmscube", "kmscube"), ("gl", "OpenGL ES, dma-bufs between processes, fences"),
          ("weston", "weston"), ("pictures", "Pictures of the screen"), ("module", "The module in the end"))
SHOWN = "shown"


def jobs(tools, build):
    """[(subject, job, options of tools/vm)]"""
    return [(subject, f"{tools}/guest/virtio.sh {subject} {build}/virtio/gl {build}/parity/parity\n", options)
            for subject, options in GUESTS.items()]


def event_job(tools, module):
    """What a module's tracepoints look like, which is the same whatever the device."""
    return "".join(f"{tools}/guest/events.sh virtio_gpu {subject} {module} || exit 1\nrmmod virtio-gpu\n"
                   for subject in GUESTS)


def pixels(path):
    """(size, bytes) of a PPM, or None if there is none, or nothing is on it."""
    try:
        with open(path, "rb") as f:
            _, size, _, data = f.read().split(b"\n", 3)
    except (OSError, ValueError):
        return None
    return (size, data) if data.strip(data[:1]) else None


def difference(one, two):
    if one[0] != two[0]:
        return f"{two[0].decode()}, not {one[0].decode()}"
    return f"{sum(one[1][i:i + 3] != two[1][i:i + 3] for i in range(0, len(one[1]), 3))} pixels differ"


def compare(facts, folders):
    """Put what was seen into the place of the names of the pictures; folders: {subject: folder} of each kernel, the first is what the others are compared with."""
    for key in {k for f in facts for k in f if k[0] == "pictures"}:
        seen = [pixels(os.path.join(folder[key[2]], f[key][1])) if key in f else None
                for f, folder in zip(facts, folders)]
        results = [SHOWN if s else table.FAILED for s in seen]
        for i, picture in enumerate(seen[1:], 1):
            if seen[0] and picture and picture != seen[0]:
                results[i] = difference(seen[0], picture)
        for f, result in zip(facts, results):
            if key in f:
                f[key] = (f[key][0], result)


def read(text):
    """The facts among what the programs of a guest have printed."""
    return table.read_lines("\n".join(line for line in text.split("\n") if line.count("\t") == 4))


def in_order(facts):
    """A group after the other, whichever guest they are from."""
    order = [name for name, _ in GROUPS]
    return dict(sorted(facts.items(), key=lambda fact: order.index(fact[0][0])))
