"""Runs what callers asked for: all writes in one transaction, then the reads.

Creates go before commits, these before notes and all before reads, each in the order of the calls: a commit
can only concern a task whose create was called earlier, and a read may see what was asked for while it
waited.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gencode.domain.callback import NEWS
from gencode.domain.errors import IdempotencyKeyReused, StoreError
from gencode.domain.task import Task
from gencode.engine.store import TaskQuery
from gencode.storage.rows import Row
from gencode.storage.sqlite import statements
from gencode.storage.sqlite.batcher import Outcome
from gencode.storage.sqlite.errors import store_error


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Create:
    """Gives None, or the Task that `key` named first."""

    task: Row
    events: Sequence[Row]
    key: Row | None
    callback: Row | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Commit:
    """Gives None."""

    task: Row
    events: Sequence[Row]
    parts: Sequence[Row]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Note:
    """Gives None."""

    callback: Row


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Read:
    """Gives what `run` returns; it sees committed data only."""

    run: Callable[[sqlite3.Connection], Any]


Write = Create | Commit | Note
Operation = Write | Read
Outcomes = dict[Operation, Outcome]


def execute(connection: sqlite3.Connection, operations: Sequence[Operation]) -> list[Outcome]:
    """One outcome for each operation, in their order."""
    outcomes = _write(connection, [op for op in operations if not isinstance(op, Read)])
    outcomes |= {op: _read(connection, op) for op in operations if isinstance(op, Read)}
    return [outcomes[operation] for operation in operations]


def _write(connection: sqlite3.Connection, writes: Sequence[Write]) -> Outcomes:
    """All in one transaction; if that fails, each in its own, so that only the guilty one fails."""
    if not writes:
        return {}
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:  # nobody's fault; asking again for each would multiply the wait for a lock
        return {write: _failed(error) for write in writes}
    try:
        outcomes = _apply(connection, writes)
        connection.execute("COMMIT")
    except Exception as error:
        _roll_back(connection)
        return {writes[0]: _failed(error)} if len(writes) == 1 else _write_singly(connection, writes)
    return outcomes


def _write_singly(connection: sqlite3.Connection, writes: Sequence[Write]) -> Outcomes:
    outcomes: Outcomes = {}
    for write in writes:
        outcomes |= _write(connection, [write])
    return outcomes


def _apply(connection: sqlite3.Connection, writes: Sequence[Write]) -> Outcomes:
    outcomes: Outcomes = dict.fromkeys(writes, Outcome())
    outcomes |= _create(connection, [write for write in writes if isinstance(write, Create)])
    _commit(connection, [write for write in writes if isinstance(write, Commit)])
    for note in (write for write in writes if isinstance(write, Note)):
        statements.note_callback(connection, note.callback)
    return outcomes


def _create(connection: sqlite3.Connection, creates: Sequence[Create]) -> Outcomes:
    """Stores the new ones; the outcomes of those whose key is taken."""
    taken = _taken(connection, creates)
    new = [create for create in creates if create not in taken]
    statements.insert_tasks(connection, [create.task for create in new])
    statements.insert_events(connection, [row for create in new for row in create.events])
    statements.insert_keys(connection, [create.key for create in new if create.key])
    statements.insert_callbacks(connection, [create.callback for create in new if create.callback])
    return {create: _replay(connection, create, owner) for create, owner in taken.items()}


def _taken(connection: sqlite3.Connection, creates: Sequence[Create]) -> dict[Create, Row]:
    """Creates whose key named a task before, here or in the database, with the row of that key."""
    names = [create.key[:2] for create in creates if create.key]
    owners = {row[:2]: row for row in statements.known_keys(connection, names)}
    taken = {}
    for create in creates:
        if create.key and (owner := owners.setdefault(create.key[:2], create.key)) is not create.key:
            taken[create] = owner
    return taken


def _replay(connection: sqlite3.Connection, create: Create, owner: Row) -> Outcome:
    try:
        return Outcome(
            value=_owned(connection, create.key or owner, owner)
        )  # it has one: else it were not taken
    except IdempotencyKeyReused as error:
        return Outcome(error=error)


def named(connection: sqlite3.Connection, key: Row) -> Task | None:
    """For Store.named; the last column of `key` does not matter."""
    owners = statements.known_keys(connection, [key[:2]])
    return _owned(connection, key, owners[0]) if owners else None


def _owned(connection: sqlite3.Connection, key: Row, owner: Row) -> Task:
    _, _, digest, task_id = owner
    if key[2] != digest:
        raise IdempotencyKeyReused("this idempotency key came with another body before: use a new key")
    (task,) = statements.find(connection, TaskQuery(id=task_id))
    return task


def _commit(connection: sqlite3.Connection, commits: Sequence[Commit]) -> None:
    newest = {commit.task[0]: commit.task for commit in commits}
    if statements.update_tasks(connection, list(newest.values())) != len(newest):
        raise StoreError("nothing was stored: there is no such task")
    statements.insert_events(connection, [row for commit in commits for row in commit.events])
    statements.put_parts(connection, [row for commit in commits for row in commit.parts])
    statements.wake_callbacks(
        connection, [row[0] for commit in commits for row in commit.events if row[2] in NEWS]
    )


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # SQLite has rolled back by itself after some errors of the disk
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _read(connection: sqlite3.Connection, read: Read) -> Outcome:
    try:
        return Outcome(value=read.run(connection))
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> Outcome:
    return Outcome(error=store_error(error) if isinstance(error, sqlite3.Error) else error)
