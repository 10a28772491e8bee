# SPDX-License-Identifier: GPL-2.0-only
"""The guest that clients run in: its devices, its screens, the programs that run."""
import contextlib
import glob
import os
import re
import signal
import subprocess
import time

import pixels

OUT = os.environ.get("VM_SHARE", "/tmp")
# A program that has not come so far by then does not come any more.
SECONDS = 300
# Between two looks; what is waited for is looked at, never assumed.
PAUSE = 0.1
# Mesa's other software renderer was seen to draw wrong colours on an emulated CPU.
ENVIRONMENT = {"GALLIUM_DRIVER": "softpipe"}


class Failed(Exception):
    """Why a client did not do what it is for, in one line."""


class Late(Failed):
    """It has not come so far in time, which says nothing of what it would have done then."""


class Spoil(str):
    """What is to go wrong on purpose, "" if nothing is."""

    def wanted(self, picture):
        """The picture that is to be found, or one that cannot be."""
        return picture.spoiled() if self == "picture" else picture


# --- programs -----------------------------------------------------------------------

def wait_for(condition, what, program=None):
    """-> the first true thing that condition() gives"""
    end = time.monotonic() + SECONDS
    while True:
        found = condition()
        if found:
            return found
        if program and not program.alive():
            raise Failed(f"{program.name} ended with {program.child.returncode} before {what}: {program.last_line()}")
        if time.monotonic() > end:
            raise Late(f"no {what} in {SECONDS} s")
        time.sleep(PAUSE)


class Program:
    """One that runs until it is told to stop; what it says is in NAME.log.

    Its standard input is a pipe: some run until a newline comes, and tidy up then.
    """

    def __init__(self, name, line, **environment):
        self.name, self.path = name, os.path.join(OUT, name + ".log")
        self.child = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=open(self.path, "wb"),
                                      stderr=subprocess.STDOUT, start_new_session=True,
                                      env={**os.environ, **ENVIRONMENT, **environment})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.alive():
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def alive(self):
        return self.child.poll() is None

    def log(self):
        with open(self.path, errors="replace") as f:
            return f.read()

    def last_line(self):
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in self.log().splitlines() if line.strip()]
        return lines[-1].strip() if lines else "it says nothing"

    def says(self, text):
        return wait_for(lambda: re.search(text, self.log()), f"/{text}/", self)

    def reads(self):
        """Whether it waits for its standard input."""
        with open(f"/proc/{self.child.pid}/syscall") as f:
            return f.read().startswith("0 0x0 ")

    def cpu_time(self):
        """What it has used so far, in ticks of the clock."""
        with open(f"/proc/{self.child.pid}/stat") as f:
            return sum(int(ticks) for ticks in f.read().rpartition(")")[2].split()[11:13])

    def ends(self):
        """Wait until it has ended by itself, and well."""
        try:
            code = self.child.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise Late(f"{self.name} does not end") from None
        if code:
            raise Failed(f"{self.name} ended with {code}: {self.last_line()}")
        return self

    def stop(self, number=signal.SIGTERM):
        self.child.send_signal(number)
        return self.ends()

    def newline(self):
        self.child.stdin.write(b"\n")
        self.child.stdin.close()
        return self.ends()


def run(name, line, **environment):
    """Run a program to its end -> what it says"""
    with Program(name, line, **environment) as program:
        return program.ends().log()


# --- devices ------------------------------------------------------------------------

def read(path):
    with open(path) as f:
        return f.read().strip()


def load(modules):
    """Load drivers, and have udev tell the programs of their devices."""
    for module in modules:
        subprocess.run(["modprobe", *module.split()], check=True)
    subprocess.run(["/lib/systemd/systemd-udevd", "--daemon"], check=True, stderr=subprocess.DEVNULL)
    for what in ("trigger", "settle"):
        subprocess.run(["udevadm", what], check=True)


def rule(text):
    """One more rule for udev, which it follows at once."""
    os.makedirs("/run/udev/rules.d", exist_ok=True)
    with open("/run/udev/rules.d/99-clients.rules", "w") as f:
        f.write(text)
    for line in (["control", "--reload"], ["trigger", "--subsystem-match=drm"], ["settle"]):
        subprocess.run(["udevadm", *line], check=True)


def end():
    subprocess.run(["udevadm", "control", "--exit"], check=True)


def video(name):
    """The node of the video device, or of a part of one, that has this name."""
    for path in glob.glob("/sys/class/video4linux/*/name"):
        if read(path).startswith(name):
            return "/dev/" + path.split("/")[-2]
    raise Failed(f"no video device {name}")


class Card:
    """The card of a driver: vkms, or virtio_gpu."""

    def __init__(self, driver):
        self.driver = driver
        # what exports its buffers: the driver, or the DRM core for it
        self.exporters = {driver, "drm"}
        for path in glob.glob("/sys/class/drm/card?"):
            self.number = path[-1]
            self.node = "/dev/dri/card" + self.number
            if read(f"/sys/kernel/debug/dri/{self.number}/name").split()[0] == driver:
                return
        raise Failed(f"no card of {driver}")

    def pci_bus_id(self):
        """As X names a device."""
        path = os.path.realpath(f"/sys/class/drm/card{self.number}/device")
        _, bus, slot, function = re.findall(r"/(\w{4}):(\w\w):(\w\w)\.(\w)", path)[-1]
        return f"PCI:{int(bus, 16)}:{int(slot, 16)}:{function}"

    def screen(self):
        """-> the first connector that is connected, and a CRTC, as modetest wants them"""
        text = run(f"modetest-{self.driver}-list", ["modetest", "-M", self.driver, "-c", "-p"])
        line = re.search(r"^(\d+)\t\d+\tconnected\t", text, re.M)
        crtc = re.search(r"^CRTCs:\n.*\n(\d+)\t", text, re.M)
        if not line or not crtc:
            raise Failed(f"modetest finds no screen of {self.driver}")
        return f"{line[1]}@{crtc[1]}"


def buffers():
    """[(exporter, names of the devices that are attached)] of all dma-bufs"""
    found = []
    for line in read("/sys/kernel/debug/dma_buf/bufinfo").splitlines():
        words = line.split()
        if len(words) >= 6 and line[0].isdigit():
            found.append((words[4], set()))
        elif len(words) == 1 and found:
            found[-1][1].add(words[0])
    return found


def shared(exporters, card):
    """Whether a buffer of one of these is attached to the card just now."""
    device = os.path.realpath(f"/sys/class/drm/card{card.number}/device")
    # a driver may map for the device that its own sits on
    names = {os.path.basename(device), os.path.basename(os.path.dirname(device))}
    return any(exporter in exporters and names & attached for exporter, attached in buffers())


def exported(exporters):
    """Whether there is a buffer of one of these."""
    return any(exporter in exporters for exporter, _ in buffers())


@contextlib.contextmanager
def declared(device, words):
    """While it lasts, the kernel knows what a device needs whose driver does not say it."""
    path = "/sys/kernel/debug/dma_buf/constraints"

    def declare(what):
        try:
            with open(path, "r+") as f:
                f.write(f"{device} {what}\n")
        except OSError as e:
            raise Failed(f"what {device} needs cannot be declared: {e.strerror}") from None

    declare(words)
    try:
        yield
    finally:
        declare("-")


# --- screens ------------------------------------------------------------------------

class Checksums:
    """The screen of vkms: the checksum of each frame."""

    def __init__(self, card):
        self.folder = f"/sys/kernel/debug/dri/{card.number}/crtc-0/crc"
        self.fd = None

    def __enter__(self):
        with open(os.path.join(self.folder, "control"), "w") as f:
            f.write("auto")
        return self

    def __exit__(self, *_):
        if self.fd is not None:
            os.close(self.fd)

    def new(self):
        """Those that have come since it was called last."""
        found = set()
        try:
            if self.fd is None:
                self.fd = os.open(os.path.join(self.folder, "data"), os.O_RDONLY | os.O_NONBLOCK)
            while True:
                found.add(int(os.read(self.fd, 256).split()[1], 16))
        except OSError:
            return found    # nothing more, or the screen is still off


def shown_by_vkms(card, picture, wanted, program):
    """-> whether what is wanted is on the screen, once it or the picture is"""
    seen = set()

    def there():
        new = screen.new()
        seen.update(new)
        return new & {picture.crc(), wanted.crc()}

    with Checksums(card) as screen:
        try:
            return wanted.crc() in wait_for(there, f"{wanted} on {card.driver}", program)
        except Late as e:
            raise Late(f"{e}; seen: {' '.join(f'{c:08x}' for c in sorted(seen)[:4]) or 'nothing'}") from None


class Photographer:
    """The screen of virtio-gpu, as tools/vm photographs it: see there."""

    def __init__(self):
        for path in glob.glob("/sys/class/virtio-ports/*/name"):
            if read(path) == "prime.screen":
                self.port = open("/dev/" + path.split("/")[-2], "r+b", buffering=0)
                return
        raise Failed("nobody takes pictures of this guest")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.port.close()

    def picture(self, name):
        self.port.write(name.encode() + b"\n")
        answer = self.port.readline().strip()
        if answer != b"ok":
            raise Failed(f"no picture of the screen: {answer.decode()}")
        with open(os.path.join(OUT, name + ".ppm"), "rb") as f:
            return pixels.ppm(f.read())


def shown_by_virtio(name, picture, wanted, program):
    """The same of virtio-gpu's."""
    last = []
    with Photographer() as photographer:
        def there():
            last[:] = [photographer.picture(name)]
            return last[0] in (picture, wanted)

        try:
            wait_for(there, f"{wanted} on virtio_gpu", program)
        except Late as e:
            raise Late(f"{e}; last seen: {last[0] if last else 'nothing'}") from None
    return last[0] == wanted


def shown(card, name, picture, program, spoil):
    """Wait for the picture. One that a spoiled client looks for never comes: it has to be told from this."""
    wanted = spoil.wanted(picture)
    if card.driver == "vkms":
        good = shown_by_vkms(card, picture, wanted, program)
    else:
        good = shown_by_virtio(name, picture, wanted, program)
    if not good:
        raise Failed(f"{picture} is on {card.driver}, not {wanted}")
