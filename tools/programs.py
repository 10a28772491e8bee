# SPDX-License-Identifier: GPL-2.0-only
"""What runs in the guest, our tests and the kernel's own: how it is built, what it needs."""
import json
import os
import shutil
import subprocess

REPO = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(REPO, "build")
# Modules of unit tests, of ours.
KUNIT = ("dma_buf_kunit", "drm_prime_kunit", "drm_gem_storage_kunit", "vgem", "virtio_gpu")
# What the igt-tests want of a machine: devices that disagree about memory, a quarter of which
# is within reach of one with 30 address lines, or with 32.
IGT_MACHINE = ("--memory", "4G", "--qemu-arg=-M", "--qemu-arg=q35,max-ram-below-4g=1G", "--append", "cma=128M@0-512M")
# What one of them finds declared for devices that it makes.
IGT_DECLARED = ("--append", 'dma_buf.constraints="boot-test.* segments=1; boot-test-2 align=65536"')
# The drivers that they use, as modprobe takes them.
IGT_DRIVERS = ("vgem devices=2", "vkms enable_overlay=1", "virtio_gpu",
               "vivid n_devs=3 allocators=0,1,0 multiplanar=1,1,2", "vim2m")
SELFTESTS = ("dmabuf-heaps", "drivers/dma-buf", "sync")


# Their programs, which the install goes on without where one does not build.
SELFTEST_PROGRAMS = ("dmabuf-heaps/dmabuf-heap", "drivers/dma-buf/udmabuf", "sync/sync_test")


class Failed(Exception):
    """What did not build, and where its output is."""


def stamp_of(tree):
    """Whose tests they are: the kernel that the tree is made from."""
    with open(os.path.join(tree, ".overlay")) as f:
        state = json.load(f)
    return f"{state['kernel']} {state['version']}"


def stamped(target):
    try:
        with open(os.path.join(target, ".from")) as f:
            return f.read()
    except OSError:
        return None


def finish_kselftest(tree, log):
    """Say that they are whole, which the install says before it has begun."""
    target = os.path.join(BUILD, "kselftest")
    for program in SELFTEST_PROGRAMS:
        if not os.access(os.path.join(target, program), os.X_OK):
            raise Failed(f"the kernel's own {program} was not built, see {log}")
    with open(os.path.join(target, ".from"), "w") as f:
        f.write(stamp_of(tree))


def steps(name, jobs, tree):
    if name != "kselftest":
        where = {"igt": "igt-tests"}.get(name, f"tools/{name}")
        return [["make", "-C", os.path.join(REPO, where), f"O={BUILD}/{name}", f"-j{jobs}"]]
    target = os.path.join(BUILD, "kselftest")
    if stamped(target) == stamp_of(tree):
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
            line = steps(name, jobs, tree)
            if name == "kselftest" and line:
                shutil.rmtree(os.path.join(BUILD, name), ignore_errors=True)
            for step in line:
                if subprocess.run(step, stdout=out, stderr=out).returncode:
                    raise Failed(f"'{' '.join(step)}' failed, see {log}")
            if name == "kselftest" and line:
                finish_kselftest(tree, log)
