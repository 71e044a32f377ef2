"""How many bytes DATA_DIR takes, measured now and then: a folder with many files takes time to read."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

import anyio

PERIOD_SECONDS = 300.0


class DiskUse:
    """`used`: bytes of all files of a folder when they were last measured; `run` measures until cancelled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.used = 0

    @property
    def free(self) -> float:
        """Free bytes of the folder's disk at this moment; not a number if it cannot be read."""
        try:
            return shutil.disk_usage(self._folder).free
        except OSError:
            return math.nan

    async def run(self) -> None:
        while True:
            self.used = await anyio.to_thread.run_sync(folder_bytes, self._folder, abandon_on_cancel=True)
            await anyio.sleep(PERIOD_SECONDS)


def folder_bytes(folder: Path) -> int:
    """Of all files below the folder; links are not followed. What disappears meanwhile counts 0."""
    return sum(_size(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
