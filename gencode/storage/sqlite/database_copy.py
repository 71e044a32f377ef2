"""Copies a database file, also one in use, as a consistent snapshot that is checked page by page."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gencode.domain.errors import DataDirLocked
from gencode.storage.data_dir_lock import data_dir_lock
from gencode.storage.sqlite.errors import reason
from gencode.storage.sqlite.schema import APPLICATION_ID, INDEX_APPLICATION_ID


class CopyFailed(Exception):
    """The message is for the user."""


def copy_database(data_dir: Path, name: str, target: Path) -> None:
    """Copy DATA_DIR's database into a new file, without blocking a running service. Raises CopyFailed."""
    with explained(data_dir / name):
        try:
            with data_dir_lock(data_dir):
                _copy(f"{(data_dir / name).as_uri()}?mode=rw", target)  # also recovers what a crash left
        except DataDirLocked:
            # Read-only: a second connection that writes or checkpoints could damage the file, see
            # SEVERAL_CONNECTIONS_SQLITE.
            _copy(f"{(data_dir / name).as_uri()}?mode=ro", target)
    check_database(target)


def copy_shared_database(source: Path, target: Path) -> None:
    """Copy a database with a rollback journal, which several processes may write. Raises CopyFailed."""
    with explained(source):
        _copy(f"{source.absolute().as_uri()}?mode=rw", target)  # also recovers what a crash left
    check_database(target)


def check_database(path: Path) -> None:
    """Check every page, and that it is a database of gencode. It must have no writer. Raises CopyFailed."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with explained(path), closing(sqlite3.connect(uri, uri=True)) as connection:
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        if owner not in (APPLICATION_ID, INDEX_APPLICATION_ID):
            raise CopyFailed(f"{path.name} is no database of gencode")
        (finding,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if finding != "ok":
            raise CopyFailed(f"{path.name} is damaged: {finding}")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raises CopyFailed for any error of SQLite."""
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
