"""The folder of unfinished files of the forge."""

from __future__ import annotations

import shutil
from pathlib import Path


def empty_scratch(root: Path) -> Path:
    """The scratch folder of a forge whose repositories are in `root`; what an earlier process left there is
    deleted. It is on the same file system as the repositories, so that files can be renamed. Raises OSError
    if the folder cannot be made."""
    scratch = root / ".scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return scratch
