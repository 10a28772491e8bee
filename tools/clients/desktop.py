# SPDX-License-Identifier: GPL-2.0-only
"""Clients of displays: kmscube, kmsgrab, weston, sway, Xorg."""
import os
import re
import shutil
import signal
import tempfile
import time

import pixels
from machine import OUT, Card, Failed, Photographer, Program, rule, run, shared, shown, wait_for

SIZE = WIDTH, HEIGHT = 640, 480
MODE = f"{WIDTH}x{HEIGHT}"
# Of weston-simple-dmabuf-egl's window.
WINDOW = 256
# A program that has drawn, and has not used the processor for as long, has stopped.
STILL_SECONDS = 15
# Who runs what does not run for root.
USER, GROUP = "nobody", "nogroup"
GRAB = ["ffmpeg", "-v", "warning", "-nostdin", "-y"]
TO_RAW = ["-vf", "hwdownload,format=bgr0", "-frames:v", "1", "-f", "rawvideo"]


def write(path, text):
    with open(path, "w" if isinstance(text, str) else "wb") as f:
        f.write(text)
    return path


class Turning:
    """Three pictures, each another, of what a program draws.

    One counts only if the program has run since the one before it: of one that stands still
    by now, the last pictures may be on their way to the screen.
    """
    def __init__(self, spoil, program, *others):
        self.spoil, self.program, self.all = spoil, program, (program, *others)
        self.seen, self.seen_at = set(), -1
        self.used, self.since = -1, 0

    def picture(self, crc):
        """Of what the program draws, just taken -> whether it was the third"""
        used = self.program.cpu_time()
        if crc not in self.seen and used > self.seen_at:
            self.seen.add(crc)
            self.seen_at = used
            if self.spoil == "still":
                self.program.child.send_signal(signal.SIGSTOP)
        return len(self.seen) >= 3

    def nobody_runs(self):
        """Whether all have done nothing for so long that nothing will come any more."""
        used = sum(program.cpu_time() for program in self.all)
        if used != self.used:
            self.used, self.since = used, time.monotonic()
        return time.monotonic() - self.since > STILL_SECONDS


def turns(name, part, is_drawn, spoil, program, *others):
    """Wait until what a program draws has turned; part: where it is on a picture of the screen."""
    turning = Turning(spoil, program, *others)

    def turned():
        picture = part(photographer.picture(name))
        if is_drawn(picture) and turning.picture(picture.crc()):
            return True
        if turning.nobody_runs():
            raise Failed(f"{program.name} stands still, after {len(turning.seen)} pictures")
        return False

    with Photographer() as photographer:
        wait_for(turned, f"picture of {name} that turns", program)


# --- kmscube ----------------------------------------------------------------------------

def is_cube(picture):
    """Grey in the corners, as it clears the screen, and many colours in the middle."""
    side, width, height = picture.height // 8, picture.width, picture.height
    corners = (picture.part(x, y, side, 1) for x in (0, width - side) for y in (0, height - 1))
    grey = all(126 <= c <= 129 for corner in corners for colour in corner.colours() for c in colour)
    middle = picture.part(width * 3 // 8, height * 3 // 8, width // 4, height // 4)
    return grey and len(set(zip(*middle.colours()))) > 100


def kmscube(spoil):
    with Program("kmscube", ["kmscube", "-D", Card("virtio_gpu").node]) as program:
        turns("kmscube", lambda screen: screen, is_cube, spoil, program)
        program.newline()


# --- ffmpeg -----------------------------------------------------------------------------

def ffmpeg(spoil, driver):
    card = Card(driver)
    with Program(f"modetest-{driver}", ["modetest", "-M", driver, "-s", f"{card.screen()}:{MODE}"]) as program:
        wait_for(program.reads, "picture of modetest", program)
        path = f"/tmp/{driver}.raw"

        def grabbed():
            line = [*GRAB, "-device", card.node, "-f", "kmsgrab", "-i", "-", *TO_RAW, path]
            with Program(f"ffmpeg-{driver}", line) as grab:
                # it fails as long as no plane has anything
                return grab.child.wait() == 0

        wait_for(grabbed, "frame from ffmpeg", program)
        with open(path, "rb") as f:
            picture = pixels.raw(f.read(), "XR24", *SIZE)
        if len(set(zip(*picture.colours()))) < 8:
            raise Failed("nothing is on the frame")
        shown(card, f"ffmpeg-{driver}", picture, program, spoil)
        program.newline()


# --- weston -----------------------------------------------------------------------------

def is_triangle(window):
    """Each corner has one of the three colours, so that all of it has as much of them in all."""
    sums = [sum(pixel) for pixel in zip(*window.colours())]
    drawn = sum(250 <= s <= 260 for s in sums)
    return drawn > len(sums) // 10


def weston(spoil):
    ini = write("/tmp/weston.ini", f"[core]\nshell=kiosk-shell.so\nidle-time=0\n"
                                   f"[output]\nname=Virtual-1\nmode={MODE}\n")
    node = Card("virtio_gpu").node

    def window(screen):
        return screen.part((screen.width - WINDOW) // 2, (screen.height - WINDOW) // 2, WINDOW, WINDOW)

    with Program("weston", ["weston", "--backend=drm-backend.so", f"--drm-device={os.path.basename(node)}",
                            f"--config={ini}", "--socket=clients"]) as compositor:
        compositor.says("Loading module .*kiosk-shell")
        line = ["weston-simple-dmabuf-egl", f"--drm-render-node={node}"]
        if spoil == "nobody":
            line = ["sleep", "1000"]
        with Program("weston-simple-dmabuf-egl", line, WAYLAND_DISPLAY="clients", WAYLAND_DEBUG="1") as program:
            turns("weston", window, is_triangle, spoil, program, compositor)
            if "zwp_linux_buffer_params_v1" not in program.log():
                raise Failed("it has shown no dma-buf")
        compositor.stop()


# --- sway -------------------------------------------------------------------------------

def sway(spoil):
    card, picture = Card("virtio_gpu"), pixels.pattern(*SIZE)
    background = write("/tmp/pattern.ppm", picture.ppm())
    config = write("/tmp/sway", f"output * mode {MODE}\noutput * bg {background} center\nxwayland disable\n")
    folder = tempfile.mkdtemp(prefix="sway.")
    shutil.chown(folder, USER)
    session = {"LIBSEAT_BACKEND": "seatd", "WLR_RENDERER": "pixman", "WLR_BACKENDS": "drm", "XDG_RUNTIME_DIR": folder,
               "WLR_DRM_DEVICES": card.node, "WLR_LIBINPUT_NO_DEVICES": "1"}
    # it does not run for root, who has the devices
    with Program("seatd", ["seatd", "-u", USER], SEATD_VTBOUND="0") as seat:
        wait_for(lambda: os.path.exists("/run/seatd.sock"), "socket of seatd", seat)
        line = ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups", "sway", "-d", "-c", config]
        with Program("sway", line, **session) as compositor:
            shown(card, "sway", picture, compositor, spoil)
            display = next(n for n in os.listdir(folder) if n.startswith("wayland-") and not n.endswith(".lock"))
            run("grim", ["grim", "-t", "ppm", "/tmp/grim.ppm"], XDG_RUNTIME_DIR=folder, WAYLAND_DISPLAY=display)
            compositor.stop()
        seat.stop()
    with open("/tmp/grim.ppm", "rb") as f:
        grabbed = pixels.ppm(f.read())
    if grabbed != picture:
        raise Failed(f"grim has {grabbed}, not {picture}")


# --- Xorg -------------------------------------------------------------------------------

# Without a seat of its own it asks for a virtual console, and the kernel has none.
SEAT = "seat-clients"
SEAT_RULE = f'SUBSYSTEM=="drm", KERNEL=="card*", ENV{{ID_SEAT}}="{SEAT}", TAG+="{SEAT}"\n'
# With OpenGL on both, the display's would import, and Mesa 22.3.6 crashes where it maps
# what it has imported.
XORG = """
Section "OutputClass"
	Identifier "sink"
	MatchDriver "vkms"
	Driver "modesetting"
	Option "AccelMethod" "none"
EndSection
Section "ServerFlags"
	Option "AutoAddDevices" "false"
	Option "BlankTime" "0"
EndSection
Section "Device"
	Identifier "source"
	Driver "modesetting"
	BusID "{source}"
	Option "SWcursor" "true"
EndSection
Section "Screen"
	Identifier "screen"
	Device "source"
EndSection
"""


def xorg(spoil):
    bits = pixels.tile(64)
    source, sink = Card("virtio_gpu"), Card("vkms")
    config = write("/tmp/xorg.conf", XORG.format(source=source.pci_bus_id()))
    bitmap = write("/tmp/tile.xbm", pixels.xbm(bits))
    display = {"DISPLAY": ":7"}
    rule(SEAT_RULE)
    with Program("Xorg", ["Xorg", ":7", "-config", config, "-seat", SEAT, "-nolisten", "tcp",
                          "-noreset", "-ac", "-nocursor", "-logfile", os.path.join(OUT, "Xorg.0.log")]) as server:
        wait_for(lambda: os.path.exists("/tmp/.X11-unix/X7"), "socket of Xorg", server)
        listed = run("xrandr-providers", ["xrandr", "--listproviders"], **display)
        # that of the screen comes first
        providers = re.findall(r"^Provider \d+: id: (0x\w+)", listed, re.M)
        if len(providers) != 2:
            raise Failed(f"Xorg has {len(providers)} providers, not 2")
        run("xrandr-provider", ["xrandr", "--setprovideroutputsource", providers[1], providers[0]], **display)
        outputs = [line.split()[0] for line in run("xrandr-outputs", ["xrandr"], **display).splitlines()
                   if " connected" in line]
        run("xrandr-mode", ["xrandr", "--output", outputs[0], "--mode", MODE, "--output", outputs[-1], "--mode", MODE,
                            "--right-of", outputs[0]], **display)
        run("xsetroot", ["xsetroot", "-bitmap", bitmap, "-fg", "#ff00ff", "-bg", "#00ff00"], **display)
        picture = pixels.tiled(bits, *SIZE).through_ramp()
        shown(sink, "xorg", picture, server, spoil)
        if not shared(source.exporters, sink):
            raise Failed("no buffer of virtio_gpu is attached to vkms")
        server.stop()
