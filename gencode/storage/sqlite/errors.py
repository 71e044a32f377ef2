"""Maps SQLite's errors to ours, with messages that say what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gencode.domain.errors import OutcomeUnknown, StoreError, StoreUnusable
from gencode.domain.phrase import Phrase

# By primary result code. SQLite's own texts are not used: they may quote data.
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

_NOT_COMMITTED = {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_NOMEM),
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR_WRITE),
}
"""Errors of COMMIT after which the transaction is certainly not in the WAL: the frame that commits it is the
last one that is written. After others, such as a failed fsync, that frame may be in the file: a process that
opens the database after a crash would find the transaction committed."""


def store_error(error: sqlite3.Error) -> StoreError:
    """The StoreError for a failure in use, with the original as its cause."""
    return _caused(StoreError(_failed(reason(error))), error)


def commit_error(error: sqlite3.Error) -> StoreError:
    """The error for a failure of COMMIT: OutcomeUnknown if it is open whether the transaction is durable."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and (code in _NOT_COMMITTED or _primary(code) in _NOT_COMMITTED):
        return store_error(error)
    return _caused(
        OutcomeUnknown(Phrase("the storage failed: {reason}", reason=Phrase(reason(error)))), error
    )


def store_unusable(path: Path, error: sqlite3.Error) -> StoreUnusable:
    """The error for a failure at the start."""
    return StoreUnusable(f"{path} cannot be used: {reason(error)}")


def reason(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    return _REASONS.get(_primary(code or 0), "the database failed; the log has the details")


def _primary(code: int) -> int:
    """An extended code holds its primary one in the lowest byte."""
    return code & 0xFF


def _failed(why: str) -> Phrase:
    return Phrase("the storage failed: {reason}", reason=Phrase(why))


def _caused(error: StoreError, cause: sqlite3.Error) -> StoreError:
    error.__cause__ = cause
    return error
