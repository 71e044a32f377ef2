"""Compacts a database file that is not in use: replaces it by a copy without free pages."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from gencode.storage.sqlite.database_copy import CopyFailed, check_database, explained


def compact_database(path: Path) -> int:
    """Replace a database by a copy without free pages; returns by how many bytes the file became smaller.

    The caller holds the lock of the folder and has no connection. VACUUM in place would put its temporary
    copy into memory or into the system's folder for temporary files, where prompts must not be stored. Raises
    CopyFailed, also when another program has the file open; then the database is unchanged.
    """
    size = path.stat().st_size
    try:
        with TemporaryDirectory(dir=path.parent, prefix=".gencode-prune-") as folder, explained(path):
            _compact(path, Path(folder, path.name))
    except OSError as error:
        raise CopyFailed(f"{path.name} cannot be copied: {error.strerror}") from error
    return size - path.stat().st_size


def _compact(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    if path.with_name(f"{path.name}-wal").exists():  # the last connection that is closed removes it
        raise CopyFailed(f"{path.name} is open in another program: close that program, and try again")
    check_database(copy)
    _replace(path, copy)


def _replace(path: Path, copy: Path) -> None:
    """Keeps owner and mode; the copy is on disk on return."""
    before = path.stat()
    with copy.open("rb") as file:
        os.fchmod(file.fileno(), before.st_mode & 0o777)
        os.fchown(file.fileno(), before.st_uid, before.st_gid)
        os.fsync(file.fileno())
    copy.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
