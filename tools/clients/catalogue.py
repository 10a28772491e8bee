# SPDX-License-Identifier: GPL-2.0-only
"""All clients, and what their guests need: drivers, and options of tools/vm."""
import collections

import desktop
import video

# What is broken on purpose, so that a client must fail: a pixel of the picture that is
# looked for; a pipeline that copies; a client that stands still, or is not there; the
# device that exports.
PICTURE, COPY, STILL, NOBODY, EXPORTER = "picture", "copy", "still", "nobody", "exporter"
# vivid 0 allocates with vmalloc, vivid 1 in one piece from CMA: that is what it takes, too.
VIVIDS = ("vivid n_devs=2 node_types=0x101,0x101 num_inputs=1,1 input_types=0,0 num_outputs=1,1 "
          "output_types=1,1 allocators=0,1")
KIND = {0: "vmalloc", 1: "contig"}
SHORT = {"dmabuf": "export", "dmabuf-import": "import", "virtio_gpu": "virtio"}
SCREEN = ["--screen"]
KEYBOARD = ["--qemu-arg=-device", "--qemu-arg=virtio-keyboard-pci"]

Guest = collections.namedtuple("Guest", "modules options")
GUESTS = {
    "video": Guest([VIVIDS, "vim2m"], ["--no-gpu"]),
    "gst": Guest([VIVIDS, "vim2m", "vkms", "virtio_gpu"], SCREEN),
    "cam": Guest(["vimc"], ["--no-gpu"]),
    "display": Guest(["virtio_gpu", "vkms"], SCREEN),
    "weston": Guest(["virtio_gpu"], [*SCREEN, *KEYBOARD]),
    "sway": Guest(["virtio_gpu"], [*SCREEN, *KEYBOARD]),
    "xorg": Guest(["virtio_gpu", "vkms"], SCREEN),
}


class Client(collections.namedtuple("Client", "name what guest spoils function arguments")):
    """function runs it, with a way to spoil it, or "", and with the arguments."""


def v4l2_ctl(number):
    return Client(f"v4l2-ctl-to-{KIND[number]}",
                  f"v4l2-ctl --export-device: vivid {number} fills buffers of vivid 1's output",
                  "video", [PICTURE], video.v4l2_ctl, {"number": number})


def compliance(what, device):
    return Client(f"v4l2-compliance-{what}", f"v4l2-compliance's lines on DMABUF: {device} with buffers of vivid 1",
                  "video", [EXPORTER], video.v4l2_compliance, {"device": device})


def gst(number, mode, driver):
    name = f"gst-{KIND[number]}-{SHORT[mode]}-{SHORT.get(driver, driver)}"
    return Client(name, f"v4l2src of vivid {number}, io-mode={mode}, to kmssink on {driver}",
                  "gst", [PICTURE, COPY], video.gst, {"number": number, "mode": mode, "driver": driver})


def ffmpeg(driver):
    return Client(f"ffmpeg-{SHORT.get(driver, driver)}", f"kmsgrab and hwdownload of what {driver} shows",
                  "display", [PICTURE], desktop.ffmpeg, {"driver": driver})


CLIENTS = [
    v4l2_ctl(0),
    v4l2_ctl(1),
    compliance("capture", "vivid-000-vid-cap"),
    compliance("output", "vivid-000-vid-out"),
    compliance("vim2m", "vim2m"),
    gst(0, "dmabuf", "vkms"),
    gst(1, "dmabuf", "vkms"),
    gst(0, "dmabuf-import", "vkms"),
    gst(0, "dmabuf", "virtio_gpu"),
    gst(1, "dmabuf", "virtio_gpu"),
    gst(0, "dmabuf-import", "virtio_gpu"),
    gst(1, "dmabuf-import", "virtio_gpu"),
    Client("gst-contig-declared-virtio", "the same, and debugfs was told that vivid wants one piece",
           "gst", [PICTURE, COPY], video.gst_declared, {"driver": "virtio_gpu"}),
    Client("gst-vim2m-vkms", "v4l2src of vivid 0, v4l2convert on vim2m, kmssink on vkms, all by dma-bufs",
           "gst", [PICTURE, COPY], video.gst_vim2m, {}),
    Client("cam", "libcamera: frames of vimc, exported, imported again and mapped",
           "cam", [PICTURE], video.cam, {}),
    Client("kmscube", "three pictures of a cube that turns, on virtio-gpu",
           "display", [STILL], desktop.kmscube, {}),
    ffmpeg("vkms"),
    ffmpeg("virtio_gpu"),
    Client("weston-simple-dmabuf-egl", "weston's GL renderer on virtio-gpu, a client that draws into dma-bufs",
           "weston", [STILL, NOBODY], desktop.weston, {}),
    Client("sway-grim", "sway on virtio-gpu, and what grim grabs",
           "sway", [PICTURE], desktop.sway, {}),
    Client("xorg-prime", "virtio-gpu renders, vkms shows its buffer: PRIME output",
           "xorg", [PICTURE], desktop.xorg, {}),
]
# tools/nested runs it, in guests of its own.
NESTED = Client("qemu-blob", "QEMU in the guest, virtio-gpu with blob=true on udmabuf", "nested", [], None, {})
