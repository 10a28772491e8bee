# SPDX-License-Identifier: GPL-2.0-only
"""The two Mesas that are held against each other."""
import os
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
DISTRIBUTION, PATCHED = "distribution", "patched"


def prepare(mesa):
    """The line of shell before a job that makes it use this Mesa."""
    if mesa == DISTRIBUTION:
        return ""
    return subprocess.run([os.path.join(HERE, "build"), "env"], capture_output=True, text=True, check=True).stdout
