"""A copy of a database that is in use: one moment of it, whole, and proven to be readable."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gencode.domain.errors import DataDirLocked
from gencode.storage.lock import data_dir_lock
from gencode.storage.sqlite.errors import reason
from gencode.storage.sqlite.schema import APPLICATION_ID


class CopyFailed(Exception):
    """In words for a reader."""


def copy_database(data_dir: Path, name: str, target: Path) -> None:
    """Copy DATA_DIR's database into a new file. The service may run meanwhile, and goes on unhindered.

    Raises CopyFailed.
    """
    with _in_words(data_dir / name):
        try:
            with data_dir_lock(data_dir):
                _copy(f"{(data_dir / name).as_uri()}?mode=rw", target)  # also finishes what a crash left
        except DataDirLocked:
            # Only reading: two connections that write or checkpoint could damage the file (see sqlite.py).
            _copy(f"{(data_dir / name).as_uri()}?mode=ro", target)
    check_database(target)


def check_database(path: Path) -> None:
    """Every page of it, and that it is ours. Nobody may be writing to it. Raises CopyFailed."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with _in_words(path), closing(sqlite3.connect(uri, uri=True)) as connection:
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        if owner != APPLICATION_ID:
            raise CopyFailed(f"{path.name} is no database of gencode")
        (finding,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if finding != "ok":
            raise CopyFailed(f"{path.name} is damaged: {finding}")


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise CopyFailed(f"{path.name} cannot be used: {reason(error)}") from error


def _copy(source: str, target: Path) -> None:
    """All pages in one step: what is written meanwhile waits in the log of the source."""
    with (
        closing(sqlite3.connect(source, uri=True, timeout=30)) as opened,
        closing(sqlite3.connect(target)) as copy,
    ):
        opened.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without others beside it
