"""Maps PostgreSQL's errors to ours, with messages that say what to do."""

from __future__ import annotations

import psycopg

from gencode.domain.errors import OutcomeUnknown, StoreError, StoreUnusable
from gencode.domain.phrase import Phrase

_LOST = "the database cannot be reached: check that PostgreSQL runs, and DATABASE_URL"

# By SQLSTATE, or else by its first two characters. PostgreSQL's own texts are not used: they may quote data.
_REASONS = {
    "53100": "the disk of the database is full: free space on it",
    "53300": "the database has no free connection: raise max_connections, or run fewer processes",
    "53": "the database is out of resources: look at its log",
    "54": "a value is too large for the database",
    "58": "the disk of the database reported an error: check the disk",
    "25006": "the database is read-only: DATABASE_URL must name the primary server",
    "23": "such a record exists already",
    "28": "the database refuses the user: check the user and the password in DATABASE_URL",
    "3D": "the database does not exist: create it, or correct its name in DATABASE_URL",
    "42501": "the database denies a permission: grant its user CREATE on the database",
    "42": "the tables of the database are not those of this version: look at the log",
    "57014": "the database took too long: look at its load and its locks",
    "55P03": "the database took too long: look at its load and its locks",
    "40": "other processes changed the same records at the same time: try again",
    "57": "the database is starting or stopping: try again in a moment",
    "08": _LOST,
    "XX": "the database is damaged: look at its log, and restore a backup",
}

_ROLLED_BACK = {"23", "25", "40"}
"""Classes of errors that roll back. After one of another class (the server stops), COMMIT may have taken
effect."""


def store_error(error: psycopg.Error) -> StoreError:
    """The StoreError for a failure in use, with the original as its cause."""
    return _caused(StoreError(_failed(reason(error))), error)


def commit_error(error: psycopg.Error, *, is_lost: bool) -> StoreError:
    """The error for a failure of COMMIT: OutcomeUnknown, unless the database reports a rollback.

    is_lost   whether the connection is lost
    """
    if not is_lost and (error.sqlstate or "")[:2] in _ROLLED_BACK:
        return store_error(error)
    return _caused(
        OutcomeUnknown(Phrase("the storage failed: {reason}", reason=Phrase(reason(error)))), error
    )


def store_unusable(place: str, error: psycopg.Error) -> StoreUnusable:
    """The error for a failure at the start. `place`: the database's address without a password."""
    return StoreUnusable(f"the database {place} cannot be used: {detail(error)}")


def reason(error: psycopg.Error) -> str:
    """The reason in words that every user may see."""
    state = error.sqlstate
    if state is None:
        return _LOST if isinstance(error, psycopg.OperationalError) else "the database failed; see the log"
    return _REASONS.get(state) or _REASONS.get(state[:2]) or f"the database failed (SQLSTATE {state})"


def detail(error: psycopg.Error) -> str:
    """The reason for the operator: with the driver's text why it cannot connect."""
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        return f"{_LOST} ({' '.join(str(error).split())})"
    return reason(error)


def _failed(why: str) -> Phrase:
    return Phrase("the storage failed: {reason}", reason=Phrase(why))


def _caused(error: StoreError, cause: psycopg.Error) -> StoreError:
    error.__cause__ = cause
    return error
