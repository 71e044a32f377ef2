"""Ownership of files that root creates for a service that runs as another user."""

from __future__ import annotations

import os
from pathlib import Path


def give_to_owner_of(directory: Path, file: int | Path) -> None:
    """As root, make the owner of `directory` the owner of `file`, a path or a descriptor, so that the service
    can open it. As another user, do nothing. Raises OSError."""
    if os.geteuid() != 0:
        return
    owner = directory.stat()
    if isinstance(file, int):
        os.fchown(file, owner.st_uid, owner.st_gid)
    else:
        os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)
