# SPDX-License-Identifier: GPL-2.0-only
"""A guest that has its root file system in memory, and nothing else of the machine.

tools/vm gives a guest the machine's own root file system, over 9p. Two kinds of guest
cannot have it: one that sleeps, for Linux cannot put 9p to sleep, and one in a guest,
which is too slow for it. Theirs is made of a few programs, with the libraries and the
kernel modules that these need.
"""
import gzip
import os
import re
import shutil
import subprocess
import tempfile

MODULES = ("virtio_gpu", "vgem")
INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in {modules}; do modprobe $module || echo "no module $module"; done
port=
# it is there when the host has answered, a moment after its driver
until [ "$port" ]; do
	for device in /sys/class/virtio-ports/*; do
		name=
		[ ! -e $device/name ] || read -r name < $device/name
		[ "$name" != {port} ] || port=/dev/${{device##*/}}
	done
done
scanout $port {cases}
code=$?
# nothing of the buffers has stayed behind
[ $code != 0 ] || modprobe -r virtio_gpu || code=1
echo "end $code" > $port
echo o > /proc/sysrq-trigger
read -r forever < /dev/ttyS0
"""


def libraries(program):
    """What the dynamic linker would load, itself included."""
    out = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", out)


def copy(source, root, target=None):
    path = root + (target or source)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(os.path.realpath(source), path)


def module_files(modroot):
    """Our modules, what they need, and what modprobe finds them by."""
    release, = os.listdir(os.path.join(modroot, "lib/modules"))
    for module in MODULES:
        out = subprocess.run(["modprobe", "-d", modroot, "-S", release, "--show-depends", module],
                             capture_output=True, text=True, check=True).stdout
        yield from re.findall(r"^insmod (\S+)", out, re.M)
    for name in ("modules.dep.bin", "modules.alias.bin", "modules.softdep", "modules.builtin.bin"):
        yield os.path.join(modroot, "lib/modules", release, name)


def pack(tree, program, port, cases, target):
    """Write the root file system of a guest that runs @program, a compressed cpio archive."""
    modroot = os.path.join(tree, "modroot")
    with tempfile.TemporaryDirectory(prefix="prime-bare.") as root:
        for folder in ("proc", "sys", "dev", "tmp"):
            os.mkdir(os.path.join(root, folder))
        commands = {"/bin/sh": "/bin/sh", "/bin/modprobe": shutil.which("kmod"), "/bin/mount": shutil.which("mount"),
                    "/bin/scanout": program}
        for place, source in commands.items():
            copy(source, root, place)
            for library in libraries(source):
                copy(library, root)
        for path in dict.fromkeys(module_files(modroot)):
            copy(path, root, os.path.realpath(path)[len(os.path.realpath(modroot)):])
        init = os.path.join(root, "init")
        with open(init, "w") as f:
            f.write(INIT.format(modules=" ".join(MODULES), port=port, cases=cases))
        os.chmod(init, 0o755)
        names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
        archive = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=root, input=names,
                                 capture_output=True, check=True).stdout
    with gzip.open(target, "wb", compresslevel=5) as f:
        f.write(archive)


def line(image, initrd, console, append, memory):
    """QEMU's command line, without the devices that the test is about."""
    return ["qemu-system-x86_64", "-M", "q35,memory-backend=ram",
            "-object", f"memory-backend-memfd,id=ram,size={memory}", "-m", memory,
            "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-display", "none", "-no-reboot",
            "-nodefaults", "-kernel", image, "-initrd", initrd, "-serial", f"file:{console}",
            "-append", "console=ttyS0 rdinit=/init panic=-1 oops=panic loglevel=5 no_timer_check "
            "tsc=unstable log_buf_len=4M random.trust_cpu=on " + " ".join(append),
            "-device", "virtio-serial-pci"]
