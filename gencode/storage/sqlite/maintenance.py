"""Copies a database, also one in use (a consistent snapshot, checked page by page), and compacts it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gencode.domain.errors import DataDirLocked
from gencode.storage.lock import data_dir_lock
from gencode.storage.sqlite.errors import reason
from gencode.storage.sqlite.schema import APPLICATION_ID


class CopyFailed(Exception):
    """The message is for the user."""


def copy_database(data_dir: Path, name: str, target: Path) -> None:
    """Copy DATA_DIR's database into a new file. A running service is not held up. Raises CopyFailed."""
    with _explained(data_dir / name):
        try:
            with data_dir_lock(data_dir):
                _copy(f"{(data_dir / name).as_uri()}?mode=rw", target)  # also recovers what a crash left
        except DataDirLocked:
            # Read-only: a second connection that writes or checkpoints could damage the file, see
            # SEVERAL_CONNECTIONS_SQLITE.
            _copy(f"{(data_dir / name).as_uri()}?mode=ro", target)
    check_database(target)


def check_database(path: Path) -> None:
    """Check every page, and that it is a database of gencode. No one may write to it. Raises CopyFailed."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with _explained(path), closing(sqlite3.connect(uri, uri=True)) as connection:
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        if owner != APPLICATION_ID:
            raise CopyFailed(f"{path.name} is no database of gencode")
        (finding,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if finding != "ok":
            raise CopyFailed(f"{path.name} is damaged: {finding}")


def compact_database(path: Path) -> int:
    """Replace a database by a copy without free pages; returns by how many bytes the file became smaller.

    The caller holds the lock of the folder and has no connection. VACUUM in place would put its temporary
    copy into memory or into a folder for temporary files, and prompts must not lie there. Raises CopyFailed,
    also when another program has the file open; the database is as it was then.
    """
    size = path.stat().st_size
    try:
        with TemporaryDirectory(dir=path.parent, prefix=".gencode-prune-") as folder, _explained(path):
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
    """With the owner and the mode of before; on disk when it returns."""
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


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CopyFailed(f"{path.name} cannot be used: {reason(error)}") from error


def _copy(source: str, target: Path) -> None:
    """All pages in one step: what is written meanwhile waits in the WAL of the source."""
    with (
        closing(sqlite3.connect(source, uri=True, timeout=30)) as opened,
        closing(sqlite3.connect(target)) as copy,
    ):
        opened.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without others beside it
