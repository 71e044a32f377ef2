"""The disk use of DATA_DIR, measured every PERIOD_SECONDS, because listing many files is slow."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

import anyio

PERIOD_SECONDS = 300.0


class DiskUse:
    """`used`: the bytes of all files of a directory at the last measurement; `run` measures until
    cancelled."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.used = 0

    @property
    def free(self) -> float:
        """The bytes that are free now on the directory's disk; NaN if they cannot be read."""
        try:
            return shutil.disk_usage(self._directory).free
        except OSError:
            return math.nan

    async def run(self) -> None:
        while True:
            self.used = await anyio.to_thread.run_sync(
                directory_bytes, self._directory, abandon_on_cancel=True
            )
            await anyio.sleep(PERIOD_SECONDS)


def directory_bytes(directory: Path) -> int:
    """The size of all files below the directory. Links are not followed. A file that disappears meanwhile
    counts as 0."""
    return sum(_size(os.path.join(path, name)) for path, _, names in os.walk(directory) for name in names)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
