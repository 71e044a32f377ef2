"""Runs a batch of writes in one transaction.

Creates go before commits and these before the rest, each in the order of the calls: a commit can only concern
a task whose create was called earlier, and a task that is committed is not deleted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress

from gencode.domain.errors import IdempotencyKeyReused
from gencode.storage.batch_scheduler import Outcome
from gencode.storage.rows import FIXED_COLUMNS, Row
from gencode.storage.sqlite import reads, statements
from gencode.storage.sqlite.bulk_statements import read_values, write_values
from gencode.storage.sqlite.errors import commit_error, store_error
from gencode.storage.sqlite.reads import Read
from gencode.storage.sqlite.schema import WRITE_HEADER
from gencode.storage.usage_totals import TOTAL_KEY, add_up, row_to_total, task_usage, total_to_row
from gencode.storage.write_requests import (
    CheckWritable,
    ClaimCallback,
    Commit,
    Create,
    DeleteKeys,
    DeleteTasks,
    SaveCallback,
    Write,
    newest_rows,
    notified_tasks,
    stale,
)

Outcomes = dict[Write, Outcome]


def run_writes(connection: sqlite3.Connection, writes: Sequence[Write]) -> list[Outcome]:
    """One outcome for each write, in their order.

    All are applied together. If that fails they are applied one after the other, so that only the failing
    write fails. Either way they are one transaction, and a disk error is raised to every caller.
    """
    try:
        outcomes = _transaction(connection, writes, _apply)
    except Exception as error:
        outcomes = {writes[0]: _failed(error)} if len(writes) == 1 else _write_singly(connection, writes)
    return [outcomes[write] for write in writes]


def run_read(connection: sqlite3.Connection, read: Read) -> Outcome:
    try:
        return Outcome(value=read(connection))
    except Exception as error:
        return _failed(error)


def _write_singly(connection: sqlite3.Connection, writes: Sequence[Write]) -> Outcomes:
    try:
        return _transaction(connection, writes, _apply_singly)
    except Exception as error:
        return {write: _failed(error) for write in writes}


def _transaction(
    connection: sqlite3.Connection,
    writes: Sequence[Write],
    apply: Callable[[sqlite3.Connection, Sequence[Write]], Outcomes],
) -> Outcomes:
    """Raises what `apply` raises; nothing is stored then."""
    try:
        _roll_back(connection)  # what is still open where an earlier ROLLBACK failed
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:  # trying each write would multiply the wait for a lock
        return {write: _failed(error) for write in writes}
    try:
        outcomes = apply(connection, writes)
    except Exception:
        with suppress(sqlite3.Error):
            _roll_back(connection)
        raise
    try:
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):
            _roll_back(connection)
        return {write: Outcome(error=commit_error(error)) for write in writes}
    return outcomes


def _apply(connection: sqlite3.Connection, writes: Sequence[Write]) -> Outcomes:
    outcomes: Outcomes = dict.fromkeys(writes, Outcome())
    outcomes |= _create(connection, [write for write in writes if isinstance(write, Create)])
    _commit(connection, [write for write in writes if isinstance(write, Commit)])
    for write in writes:
        if isinstance(write, SaveCallback):
            _save_callback(connection, write)
        elif isinstance(write, ClaimCallback):
            claimed = connection.execute(statements.CLAIM_CALLBACK, write.values)
            outcomes[write] = Outcome(value=claimed.rowcount == 1)
        elif isinstance(write, DeleteTasks):
            outcomes[write] = Outcome(value=_delete_tasks(connection, write))
        elif isinstance(write, DeleteKeys):
            deleted = connection.execute(statements.DELETE_KEYS, (write.before, write.limit))
            outcomes[write] = Outcome(value=deleted.rowcount)
        elif isinstance(write, CheckWritable):
            connection.execute(WRITE_HEADER)
    return outcomes


def _apply_singly(connection: sqlite3.Connection, writes: Sequence[Write]) -> Outcomes:
    outcomes: Outcomes = {}
    for write in writes:
        connection.execute("SAVEPOINT single")
        try:
            outcomes |= _apply(connection, [write])
        except Exception as error:
            if not connection.in_transaction:  # SQLite rolls back by itself after some errors of the disk
                raise
            connection.execute("ROLLBACK TO single")
            outcomes[write] = _failed(error)
        connection.execute("RELEASE single")
    return outcomes


def _create(connection: sqlite3.Connection, creates: Sequence[Create]) -> Outcomes:
    """Stores the new ones; returns the outcomes of those whose key is taken."""
    taken = _taken_keys(connection, creates)
    new = [create for create in creates if create not in taken]
    write_values(connection, statements.INSERT_TASKS, [create.task for create in new])
    write_values(connection, statements.INSERT_REQUESTS, [create.request for create in new])
    write_values(connection, statements.INSERT_EVENTS, [row for create in new for row in create.events])
    write_values(connection, statements.INSERT_KEYS, [create.key for create in new if create.key])
    callbacks = [create.callback for create in new if create.callback]
    write_values(connection, statements.INSERT_CALLBACKS, callbacks)
    return {create: _replay(connection, create, stored) for create, stored in taken.items()}


def _taken_keys(connection: sqlite3.Connection, creates: Sequence[Create]) -> dict[Create, Row]:
    """Creates whose key named a task before, here or in the database, with the row of that key."""
    wanted = [create.key[:2] for create in creates if create.key]
    stored = {row[:2]: row for row in read_values(connection, statements.SELECT_KEYS, wanted)}
    taken = {}
    for create in creates:
        if create.key and (row := stored.setdefault(create.key[:2], create.key)) is not create.key:
            taken[create] = row
    return taken


def _replay(connection: sqlite3.Connection, create: Create, stored: Row) -> Outcome:
    try:
        return Outcome(value=reads.key_owner(connection, create.key or stored, stored))
    except IdempotencyKeyReused as error:
        return Outcome(error=error)


def _commit(connection: sqlite3.Connection, commits: Sequence[Commit]) -> None:
    """Raises Conflict when the stored version is not the one before, or an event's id is there already."""
    fixed = len(FIXED_COLUMNS)
    rows = [(row[0], base, *row[fixed:]) for row, base in newest_rows(commits)]
    if write_values(connection, statements.UPDATE_TASKS, rows) != len(rows):
        raise stale()
    try:
        write_values(
            connection, statements.INSERT_EVENTS, [row for commit in commits for row in commit.events]
        )
    except sqlite3.IntegrityError as error:
        raise stale() from error
    checkpoints = [row for commit in commits for row in commit.checkpoints]
    write_values(connection, statements.PUT_CHECKPOINTS, checkpoints)
    notified = [(task_id,) for task_id in notified_tasks(commits)]
    write_values(connection, statements.MAKE_CALLBACKS_DUE, notified)


def _save_callback(connection: sqlite3.Connection, save: SaveCallback) -> None:
    task_id, _, _, _, *progress = save.callback
    position, failures, due, ended, reason = progress
    connection.execute(statements.SAVE_CALLBACK, (task_id, position, failures, due, ended, reason))


def _delete_tasks(connection: sqlite3.Connection, delete: DeleteTasks) -> list[str]:
    """Those that have not changed; their usage is added to the totals."""
    found = read_values(connection, statements.SELECT_DELETED_USAGE, delete.tasks)
    usages = add_up(task_usage(*columns) for _, *columns in found)
    keys = [total_to_row(usage)[: len(TOTAL_KEY)] for usage in usages]
    stored = map(row_to_total, read_values(connection, statements.SELECT_TOTALS_OF, keys))
    totals = add_up([*stored, *usages])
    write_values(connection, statements.PUT_TOTALS, [total_to_row(total) for total in totals])
    ids = [(task_id,) for task_id, *_ in found]
    for sql in statements.DELETE_TASKS:
        write_values(connection, sql, ids)
    return [task_id for (task_id,) in ids]


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _failed(error: Exception) -> Outcome:
    """An error for each caller: one object that is raised in many tasks would join their tracebacks."""
    return Outcome(error=store_error(error) if isinstance(error, sqlite3.Error) else error)
