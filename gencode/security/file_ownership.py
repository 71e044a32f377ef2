"""Files that the administrator makes for a service that runs as another user."""

from __future__ import annotations

import os
from pathlib import Path


def give_to_owner_of(folder: Path, file: int | Path) -> None:
    """As root, make the owner of `folder` the owner of `file`, a path or a descriptor, so that the service
    can open it. As another user, do nothing. Raises OSError."""
    if os.geteuid() != 0:
        return
    owner = folder.stat()
    if isinstance(file, int):
        os.fchown(file, owner.st_uid, owner.st_gid)
    else:
        os.chown(file, owner.st_uid, owner.st_gid, follow_symlinks=False)
