"""SQLite's error codes in words that tell what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gencode.domain.errors import StoreError, StoreUnusable

# Named by primary result code. The texts are ours: SQLite's own may quote data.
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full: free space for DATA_DIR",
    sqlite3.SQLITE_IOERR: "the disk reported an error: check the disk, its quota and the file size limit",
    sqlite3.SQLITE_BUSY: "another program holds the database: close that program",
    sqlite3.SQLITE_READONLY: "the database cannot be written to: check its permissions and its mount",
    sqlite3.SQLITE_PERM: "the database cannot be used: check its permissions",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened: check the permissions of DATA_DIR",
    sqlite3.SQLITE_CORRUPT: "the database is damaged: stop the service and restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is not a database, or damaged: restore a backup or move the file away",
    sqlite3.SQLITE_NOMEM: "SQLite ran out of memory: give the service more",
    sqlite3.SQLITE_TOOBIG: "a value is too large for the database",
    sqlite3.SQLITE_CONSTRAINT: "such a record exists already, or its task does not",
}


def store_error(error: sqlite3.Error) -> StoreError:
    """For a failure in use. The original is the cause."""
    mapped = StoreError(f"the storage failed: {reason(error)}")
    mapped.__cause__ = error
    return mapped


def store_unusable(path: Path, error: sqlite3.Error) -> StoreUnusable:
    """For a failure at the start."""
    return StoreUnusable(f"{path} cannot be used: {reason(error)}")


def reason(error: sqlite3.Error) -> str:
    extended: int | None = getattr(error, "sqlite_errorcode", None)
    primary = None if extended is None else extended & 0xFF  # the extended code tells the primary one's kind
    return _REASONS.get(primary or 0, "the database failed; the log has the details")
