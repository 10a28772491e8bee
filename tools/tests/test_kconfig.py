# SPDX-License-Identifier: GPL-2.0-only
"""The symbols of drivers that we replace: who configures them gets what stock's gives."""
import os
import subprocess
import tempfile
import unittest

from toolbox import tool

TREE = os.environ.get("TEST_TREE")
CONF = os.path.join(TREE or "", "scripts/kconfig/conf")
# All that stock's drivers/gpu/drm/virtio/Kconfig says a word about, but for helpers of its own.
VIRTIO = ("DRM_VIRTIO_GPU", "DRM_VIRTIO_GPU_KMS", "VIRTIO", "VIRTIO_DMA_SHARED_BUFFER", "DRM_KMS_HELPER", "SHMEM")
# What the kernel's Makefile tells Kconfig.
ENVIRONMENT = {"ARCH": "x86", "SRCARCH": "x86", "KERNELVERSION": "6.12", "CC": "gcc", "LD": "ld", "AR": "ar",
               "NM": "nm", "OBJCOPY": "objcopy", "HOSTCC": "gcc", "HOSTCXX": "g++", "PAHOLE": "no-pahole",
               "RUSTC": "no-rustc", "RUSTC_OR_CLIPPY": "no-rustc", "BINDGEN": "no-bindgen", "LLVM": "",
               "CLANG_FLAGS": ""}
BASE = {"MODULES": "y", "64BIT": "y", "PCI": "y", "DRM": "y", "VIRTIO_MENU": "y"}


def configured(source, target, wished):
    """What Kconfig makes of a wish: the values of VIRTIO, of those that are there."""
    with tempfile.TemporaryDirectory() as top:
        wish = os.path.join(top, "wish")
        with open(wish, "w") as f:
            f.writelines(f"CONFIG_{symbol}={value}\n" for symbol, value in wished.items())
        result = os.path.join(top, "config")
        # there: it leaves include/config, of which no source may have any that is built elsewhere
        subprocess.run([CONF, f"--{target}", "Kconfig"], cwd=top, check=True, capture_output=True,
                       env={**os.environ, **ENVIRONMENT, "srctree": source, "KCONFIG_CONFIG": result,
                            "KCONFIG_ALLCONFIG": wish})
        with open(result) as f:
            lines = [line[len("CONFIG_"):].rstrip().split("=", 1) for line in f if line.startswith("CONFIG_")]
    return {symbol: value for symbol, value in lines if symbol in VIRTIO}


@unittest.skipUnless(TREE, "needs --tree, for its Kconfig")
class Virtio(unittest.TestCase):
    def both(self, target="allnoconfig", **wished):
        stock = tool("kernel").source(None)
        return [configured(source, target, {**BASE, **wished}) for source in (stock, TREE)]

    def assertAlike(self, *, driver, **kw):
        stock, ours = self.both(**kw)
        self.assertEqual(stock.get("DRM_VIRTIO_GPU"), driver)
        self.assertEqual(ours, stock)
        return ours

    def test_the_source_stays_clean(self):
        self.both(DRM_VIRTIO_GPU="y")
        self.assertFalse(os.path.exists(os.path.join(tool("kernel").source(None), "include/config")))

    def test_built_in(self):
        self.assertAlike(driver="y", DRM_VIRTIO_GPU="y")

    def test_module(self):
        ours = self.assertAlike(driver="m", DRM_VIRTIO_GPU="m")
        self.assertEqual((ours["VIRTIO"], ours["VIRTIO_DMA_SHARED_BUFFER"]), ("m", "m"))

    def test_displays(self):
        self.assertEqual(self.assertAlike(driver="m", DRM_VIRTIO_GPU="m", DRM_VIRTIO_GPU_KMS="y")["DRM_VIRTIO_GPU_KMS"],
                         "y")

    def test_displays_by_default(self):
        ours = self.assertAlike(driver="m", target="alldefconfig", DRM_VIRTIO_GPU="m")
        self.assertEqual(ours["DRM_VIRTIO_GPU_KMS"], "y")

    def test_not_by_default(self):
        self.assertAlike(driver=None, target="alldefconfig")

    def test_all_of_it(self):
        self.assertAlike(driver="m", target="allmodconfig")

    def test_no_more_than_drm_is(self):
        self.assertAlike(driver="m", DRM="m", DRM_VIRTIO_GPU="y")

    def test_not_without_drm(self):
        self.assertAlike(driver=None, DRM="n", DRM_VIRTIO_GPU="y")

    def test_not_without_virtio(self):
        self.assertAlike(driver=None, VIRTIO_MENU="n", DRM_VIRTIO_GPU="y")

    def test_memory_that_can_be_swapped(self):
        # the one difference: a kernel whose shmem is ramfs, for which ours has no storage
        stock, ours = self.both(EXPERT="y", SHMEM="n", DRM_VIRTIO_GPU="y")
        self.assertEqual((stock.get("SHMEM"), stock.get("DRM_VIRTIO_GPU")), (None, "y"))
        self.assertNotIn("DRM_VIRTIO_GPU", ours)


if __name__ == "__main__":
    unittest.main()
