# SPDX-License-Identifier: GPL-2.0-only
"""Build what runs in the guest: our tests, and the kernel's own self tests."""
import os
import subprocess

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(REPO, "build")
SELFTESTS = ("dmabuf-heaps", "drivers/dma-buf", "sync")


class Failed(Exception):
    """What did not build, and where its output is."""


def steps(name, jobs, tree):
    if name != "kselftest":
        where = {"igt": "igt-tests"}.get(name, f"tools/{name}")
        return [["make", "-C", os.path.join(REPO, where), f"O={BUILD}/{name}", f"-j{jobs}"]]
    target = os.path.join(BUILD, "kselftest")
    if os.path.exists(os.path.join(target, "run_kselftest.sh")):
        return []
    return [["make", "-C", tree, f"-j{jobs}", "headers"],
            ["make", "-C", f"{tree}/tools/testing/selftests", "TARGETS=" + " ".join(SELFTESTS),
             f"INSTALL_PATH={target}", "install"]]


def build(names, jobs, tree):
    """names: igt, journey, parity, or kselftest, which is the built tree's."""
    os.makedirs(BUILD, exist_ok=True)
    log = os.path.join(BUILD, "programs.log")
    with open(log, "w") as out:
        for name in names:
            for step in steps(name, jobs, tree):
                if subprocess.run(step, stdout=out, stderr=out).returncode:
                    raise Failed(f"'{' '.join(step)}' failed, see {log}")
