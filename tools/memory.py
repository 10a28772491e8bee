# SPDX-License-Identifier: GPL-2.0-only
"""What passed before on just the same input, and need not run again.

A check whose files and programs are what they were has nothing new to say, as make
has nothing to do for an object that is newer than its source.  Only for what the input
decides alone: never for a guest, where processes race.
"""
import glob
import hashlib
import os
import shutil
import subprocess

AS_BEFORE = "as before: nothing has changed"
# So many inputs are remembered; the cache is to stay small.
KEPT = 12


class Memory:
    def __init__(self, name, files, programs):
        """name: whose memory; files: paths, of which some may not exist; programs: those whose version counts"""
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        self.prefix = os.path.join(cache, "prime", name + "-")
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.encode() + b"\0")
            if os.path.exists(path):
                with open(path, "rb") as f:
                    digest.update(hashlib.file_digest(f, "sha256").digest())
        for program in programs:
            if shutil.which(program):
                digest.update(subprocess.run([program, "--version"], capture_output=True).stdout)
        self.where = self.prefix + digest.hexdigest()[:32]

    def recall(self, item):
        """-> what was kept, or None"""
        try:
            with open(os.path.join(self.where, item)) as f:
                return f.read()
        except OSError:
            return None

    def keep(self, item, text):
        os.makedirs(self.where, exist_ok=True)
        path = os.path.join(self.where, item)
        with open(path + ".partial", "w") as f:
            f.write(text)
        os.replace(path + ".partial", path)
        os.utime(self.where)
        for old in sorted(glob.glob(self.prefix + "*"), key=os.path.getmtime)[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
