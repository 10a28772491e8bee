# SPDX-License-Identifier: GPL-2.0-only
"""How a tool starts tools/vm."""
import os

# The tool's end is the runner's too, whatever ends it, and the guest's with that.
VM = ["setpriv", "--pdeathsig", "TERM", "--", os.path.join(os.path.dirname(os.path.abspath(__file__)), "vm")]
