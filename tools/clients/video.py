# SPDX-License-Identifier: GPL-2.0-only
"""Clients of video devices: v4l2-ctl, v4l2-compliance, GStreamer, libcamera's cam.

vivid 0 allocates with vmalloc, vivid 1 in one piece from CMA, which it also wants of
what it imports.
"""
import os
import re
import shutil
import signal

import pixels
from machine import Card, Failed, Program, declared, exported, run, shared, shown, video

SIZE = WIDTH, HEIGHT = 640, 480
# More than any format that v4l2-compliance finds set needs.
LARGEST = 1280, 720
# libcamera gives vimc's frames in sizes of which this is one.
CAM_SIZE = 600, 480
FRAMES = 8
PLUGINS = "/usr/lib/x86_64-linux-gnu/gstreamer-1.0"
# Of all plugins of GStreamer, those that run here: to look at all of them takes a minute.
NEEDED = ("coreelements", "video4linux2", "kms")
# The exporters of video devices, as bufinfo names them.
VIDEO = {"videobuf2_vmalloc", "videobuf2_dma_contig"}
# What it says when a frame does not go from one device to the other by itself.
COPIED = re.compile(r"Failed to (?:im|ex)port[^\n]*|frame copy[^\n]*|Failed to export DMABUF[^\n]*")


def camera(number, fourcc="XR24", size=SIZE):
    """-> the node of a vivid whose frames are all alike, as large as a screen's mode"""
    width, height = size
    node = video(f"vivid-{number:03}-vid-cap")
    run(f"v4l2-ctl-set-{number}", [
        "v4l2-ctl", "-d", node, f"--set-fmt-video=width={width},height={height},pixelformat={fourcc}",
        "-c", "test_pattern=0,osd_text_mode=2,show_border=1,show_square=1"])
    return node


def frames(name, node, count, *how):
    """What a video device gives, as v4l2-ctl writes it into a file."""
    path = os.path.join("/tmp", name)
    run(f"v4l2-ctl-{name}", ["v4l2-ctl", "-d", node, *how, f"--stream-count={count}", f"--stream-to={path}"])
    with open(path, "rb") as f:
        return f.read()


def frame(name, node, fourcc="XR24"):
    """One frame that no dma-buf has carried."""
    return pixels.raw(frames(name, node, 1, "--stream-mmap"), fourcc, *SIZE)


# --- v4l2-ctl -------------------------------------------------------------------------

def output(number):
    """-> the node of a vivid that shows frames of the same size"""
    node = video(f"vivid-{number:03}-vid-out")
    run(f"v4l2-ctl-out-{number}", ["v4l2-ctl", "-d", node,
                                   f"--set-fmt-video-out=width={WIDTH},height={HEIGHT},pixelformat=XR24"])
    return node


def v4l2_ctl(spoil, number):
    node, other = camera(number), output(1)
    reference = frame("reference", node)
    got = frames("shared", node, FRAMES, "--stream-dmabuf", "--export-device", other)
    size = len(got) // FRAMES
    for n in range(FRAMES):
        picture = pixels.raw(got[n * size:(n + 1) * size], "XR24", *SIZE)
        if picture != spoil.wanted(reference):
            raise Failed(f"frame {n} is {picture}, not {spoil.wanted(reference)}")


def v4l2_compliance(spoil, device):
    export = [] if spoil else ["-e", camera(1, size=LARGEST)]
    line = ["v4l2-compliance", "-d", video(device), *export, "-s", "5", "-P", "-C", "never"]
    with Program(f"v4l2-compliance-{device}", line) as program:
        # its status is about all its lines
        program.child.wait(300)
        lines = re.findall(r"test (DMABUF.*?): (.*)", program.log())
    bad = [f"{what}: {result}" for what, result in lines if result != "OK"]
    if bad or not lines:
        raise Failed("; ".join(bad) or f"no line on DMABUF, the last one is: {program.last_line()}")


# --- GStreamer ------------------------------------------------------------------------

def plugins():
    folder = "/tmp/gstreamer"
    if not os.path.isdir(folder):
        os.mkdir(folder)
        for name in NEEDED:
            shutil.copy(f"{PLUGINS}/libgst{name}.so", folder)
    return {"GST_PLUGIN_SYSTEM_PATH": folder, "GST_REGISTRY": folder + "/registry", "GST_REGISTRY_FORK": "no",
            "GST_DEBUG": "2,GST_PERFORMANCE:5,kms*:5,v4l2bufferpool:4,v4l2allocator:4", "GST_DEBUG_NO_COLOR": "1"}


def copied(program):
    found = COPIED.search(program.log())
    return found[0] if found else None


def play(name, card, elements, picture, spoil, is_shared):
    """Run a pipeline until the picture is on the card's screen; no frame may have been copied."""
    line = ["gst-launch-1.0", "-e", *" ! ".join(elements).split(), "!", "kmssink", f"driver-name={card.driver}",
            "force-modesetting=true", "sync=false"]
    with Program(name, line, **plugins()) as program:
        try:
            shown(card, name, picture, program, spoil)
        finally:
            # that says more than what has come of it
            if copied(program):
                raise Failed(copied(program))
        if not is_shared():
            raise Failed("the kernel knows of no buffer that is shared")
        program.stop(signal.SIGINT)


def caps(gst):
    return f"video/x-raw,format={gst},width={WIDTH},height={HEIGHT}"


def gst(spoil, number, mode, driver):
    node, card = camera(number), Card(driver)
    picture = frame(f"camera-{number}", node)
    io = "mmap" if spoil == "copy" else mode
    play(f"gst-{number}-{mode}-{driver}", card, [f"v4l2src device={node} io-mode={io}", caps("BGRx")], picture,
         spoil, lambda: shared(VIDEO, card) if mode == "dmabuf" else exported(card.exporters))


def gst_declared(spoil, driver):
    """vivid 1 takes one piece. Its driver does not say so; somebody does, of the device that all vivids are of."""
    with declared("vivid.*", "segments=1"):
        gst(spoil, 1, "dmabuf-import", driver)


def gst_vim2m(spoil):
    node, card = camera(0, "RGB3"), Card("vkms")
    picture = pixels.to_565(frame("camera-rgb", node, "RGB3"))
    io = "mmap" if spoil == "copy" else "dmabuf"
    play("gst-vim2m", card, [f"v4l2src device={node} io-mode=dmabuf", caps("RGB"),
                             f"v4l2convert output-io-mode=dmabuf-import capture-io-mode={io}", caps("RGB16")],
         picture, spoil, lambda: shared(VIDEO, card))


# --- libcamera --------------------------------------------------------------------------

def cam(spoil):
    run("v4l2-ctl-vimc", ["v4l2-ctl", "-d", video("Sensor B"), "-c", "show_information=2"])
    folder = "/tmp/cam/"
    os.makedirs(folder, exist_ok=True)
    width, height = CAM_SIZE
    run("cam", ["cam", "-c", "1", f"-C{FRAMES}", f"-F{folder}",
                "-s", f"width={width},height={height},pixelformat=BGR888"])
    # the same device, set up as it was, without dma-bufs
    mapped = frames("vimc", video("RGB/YUV Capture"), 1, "--stream-mmap")
    reference = spoil.wanted(pixels.raw(mapped, "RGB3", *CAM_SIZE))
    names = sorted(os.listdir(folder))
    if len(names) != FRAMES:
        raise Failed(f"{len(names)} frames, not {FRAMES}")
    for name in names:
        with open(folder + name, "rb") as f:
            picture = pixels.raw(f.read(), "RGB3", *CAM_SIZE)
        if picture != reference:
            raise Failed(f"{name} is {picture}, not {reference}")
    if len(set(zip(*reference.colours()))) < 8:
        raise Failed("nothing is on the frames")
