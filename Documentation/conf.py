# SPDX-License-Identifier: GPL-2.0-only
"""Sphinx for this repository; `make docs` runs it through tools/docs.

The pages are written for two homes: this one, and the Documentation folder of
a kernel that the overlay was installed into, where the kernel's own conf.py
builds them.  So they use nothing but what the kernel has: kernel-doc and
automarkup come from its source, which the environment names as srctree.
"""
import os
import sys

from docutils.parsers.rst.directives.images import Figure

srctree = os.path.abspath(os.environ["srctree"])
sys.path.insert(0, os.path.join(srctree, "Documentation/sphinx"))

project = "PRIME"
author = copyright = "the PRIME authors"
extensions = ["kerneldoc", "automarkup"]
primary_domain = "c"
highlight_language = "none"
kerneldoc_bin = os.path.join(srctree, "scripts/kernel-doc")
kerneldoc_srctree = srctree
# Words of the kernel's C that Sphinx does not know.
c_id_attributes = ["__init", "__user", "__iomem", "__must_check", "__rcu"]

html_theme = "alabaster"
html_theme_options = {
    "description": "Buffers shared between devices, on Linux 6.12",
    "fixed_sidebar": True,
    "page_width": "1100px",
    "sidebar_width": "260px",
}
html_sidebars = {"**": ["about.html", "searchbox.html", "navigation.html"]}
html_copy_source = False
html_show_copyright = False


def setup(app):
    # The kernel's own figure also converts pictures for LaTeX, and wants
    # graphviz even where nothing is to convert.
    app.add_directive("kernel-figure", Figure)
