"""Opens a database file, checks it and sets what durability needs."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from gencode.domain.errors import StoreUnusable
from gencode.storage.sqlite.errors import store_unusable
from gencode.storage.sqlite.schema import migrate

OLDEST_SQLITE = (3, 33)  # UPDATE ... FROM
SEVERAL_CONNECTIONS_SQLITE = (3, 51, 3)
"""Older versions can damage a WAL database that has more than one connection."""

_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",  # macOS: fsync alone leaves data in the drive's cache
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA foreign_keys = OFF",  # while tables are migrated
    "PRAGMA temp_store = MEMORY",  # prompts never go to a temporary directory
    "PRAGMA cache_size = -2000",  # KiB; new rows go to the edges of the trees, so that little is enough
    "PRAGMA journal_size_limit = 16777216",  # a WAL grown by a burst shrinks again
)


def connect(
    path: Path, busy_timeout: float, prepare: Callable[[sqlite3.Connection], None] = migrate
) -> sqlite3.Connection:
    """The connection, in autocommit mode, bound to the calling thread. Raises StoreUnusable.

    busy_timeout   seconds to wait for another program's lock
    prepare        creates or migrates the tables
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StoreUnusable(f"SQLite {sqlite3.sqlite_version} is too old: 3.33 or newer is needed")
    _make_file(path)
    try:
        return _checked(path, busy_timeout, prepare)
    except sqlite3.Error as error:
        raise store_unusable(path, error) from error


def connect_reader(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """A second connection that can only read, bound to the calling thread. Raises StoreUnusable.

    Only from SEVERAL_CONNECTIONS_SQLITE on; close it before the first connection.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        connection = sqlite3.connect(
            uri, uri=True, timeout=busy_timeout, isolation_level=None, cached_statements=0
        )
        for pragma in ("PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -2000"):
            connection.execute(pragma)
    except sqlite3.Error as error:
        raise store_unusable(path, error) from error
    return connection


def _make_file(path: Path) -> None:
    """SQLite gives the files beside it (-wal, -shm) the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreUnusable(
            f"{path} cannot be opened for writing ({error.strerror}): check that DATA_DIR exists and is"
            " writable, and that nothing else has this name"
        ) from error


def _checked(
    path: Path, busy_timeout: float, prepare: Callable[[sqlite3.Connection], None]
) -> sqlite3.Connection:
    # No statement cache: cached statements keep their last values, megabytes of prompts, in memory.
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None, cached_statements=0)
    try:
        _check_health(connection, path)
        _set_wal(connection, path)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        prepare(connection)
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_health(connection: sqlite3.Connection, path: Path) -> None:
    (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if finding != "ok":
        raise StoreUnusable(f"{path} is damaged: restore a backup, or move the file away to start empty")


def _set_wal(connection: sqlite3.Connection, path: Path) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreUnusable(f"{path} is on a file system without shared memory: put DATA_DIR on a local disk")
