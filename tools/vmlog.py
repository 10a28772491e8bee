# SPDX-License-Identifier: GPL-2.0-only
"""What tools/vm has against a guest."""
import re


def complaints(stderr):
    """Its lines, but those on how the guest is run: what it died of, a log that is not clean, a timeout."""
    return re.findall(r"^vm: (?!probing|KVM)(.*)$", stderr, re.M)
