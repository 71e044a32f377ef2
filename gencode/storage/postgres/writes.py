"""Runs a batch of writes in one transaction.

Creates go before commits and these before the rest, each in the order of the calls: a commit can only concern
a task whose create was called earlier, and a task that is committed is not deleted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg

from gencode.domain.errors import GencodeError, IdempotencyKeyReused, StoreError
from gencode.domain.phrase import Phrase
from gencode.storage.batch_scheduler import Outcome
from gencode.storage.postgres import reads, statements
from gencode.storage.postgres.connection import Connection
from gencode.storage.postgres.errors import commit_error, store_error
from gencode.storage.postgres.reconnecting_connection import ReconnectingConnection
from gencode.storage.rows import CALLBACK_COLUMNS, CHECKPOINT_COLUMNS, FIXED_COLUMNS, Row
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
    queued_tasks,
    stale,
)

Outcomes = dict[Write, Outcome]
Apply = Callable[[Connection, Sequence[Write]], Awaitable[Outcomes]]

Enqueue = Callable[[psycopg.AsyncConnection[Any], Sequence[tuple[str, str]]], Awaitable[None]]
"""Called in the transaction of a batch of writes, with (id, principal) of each task that is queued by it and
was not before, in the order of the calls. What it does must be undone when the transaction is: it may be
called again for the same tasks. If it fails, the writes fail."""

_WAIT_LESS = b"SET LOCAL lock_timeout = '2s'"
"""Longer than PostgreSQL takes to find a deadlock. Several writes may wait one after another."""
_ATTEMPTS = 3
"""How often a transaction that conflicts with other processes is tried."""


class Writer:
    """Writes through one connection. `enqueue`: see `Enqueue`."""

    def __init__(self, slot: ReconnectingConnection, enqueue: Enqueue | None) -> None:
        self._slot = slot
        self._enqueue = enqueue

    async def run(self, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome for each write, in their order.

        All are applied together. If one of them fails, they are applied one after the other, so that only
        that one fails; in both cases in one transaction, and an error of the database is raised to all
        callers.
        """
        try:
            outcomes = await self._attempt(writes, self._apply)
        except Exception as error:
            if len(writes) > 1 and _may_be_of_one_write(error):
                outcomes = await self._write_singly(writes)
            else:
                outcomes = {write: _failed(error) for write in writes}
        return [outcomes[write] for write in writes]

    async def _write_singly(self, writes: Sequence[Write]) -> Outcomes:
        try:
            return await self._attempt(writes, self._apply_singly)
        except Exception as error:
            return {write: _failed(error) for write in writes}

    async def _attempt(self, writes: Sequence[Write], apply: Apply) -> Outcomes:
        """Repeats the transaction after a deadlock, since only its end releases all of its locks."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._transaction(writes, apply)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                continue
        return await self._transaction(writes, apply)

    async def _transaction(self, writes: Sequence[Write], apply: Apply) -> Outcomes:
        """Raises what `apply` raises; nothing is stored then."""
        connection = await self._slot.use(Connection.begin)
        with connection.limited():
            try:
                outcomes = await apply(connection, writes)
            except BaseException:
                await connection.roll_back()
                raise
            try:
                await connection.commit()
            except psycopg.Error as error:
                is_lost = connection.is_lost
                await connection.roll_back()
                return {write: Outcome(error=commit_error(error, is_lost=is_lost)) for write in writes}
        return outcomes

    async def _apply_singly(self, connection: Connection, writes: Sequence[Write]) -> Outcomes:
        outcomes: Outcomes = {}
        await connection.run(_WAIT_LESS)
        for write in writes:
            outcomes |= await self._apply_alone(connection, write)
        return outcomes

    async def _apply_alone(self, connection: Connection, write: Write) -> Outcomes:
        await connection.run(b"SAVEPOINT single")
        try:
            outcomes = await self._apply(connection, [write])
        except Exception as error:
            if not _may_be_of_one_write(error):
                raise
            await connection.run(b"ROLLBACK TO single")
            outcomes = {write: _failed(error)}
        await connection.run(b"RELEASE single")
        return outcomes

    async def _apply(self, connection: Connection, writes: Sequence[Write]) -> Outcomes:
        outcomes: Outcomes = dict.fromkeys(writes, Outcome())
        creates = [write for write in writes if isinstance(write, Create)]
        commits = [write for write in writes if isinstance(write, Commit)]
        replayed = await _create(connection, creates)
        former_states = await _commit(connection, commits)
        if self._enqueue:
            new = [create for create in creates if create not in replayed]
            if queued := queued_tasks(new, commits, former_states):
                await _call(self._enqueue, connection, queued)
        for write in writes:
            if not isinstance(write, Create | Commit):
                outcomes[write] = Outcome(value=await _apply_other(connection, write))
        return outcomes | replayed


async def _apply_other(connection: Connection, write: Write) -> Any:
    """Returns the value of its outcome."""
    match write:
        case SaveCallback():
            values = dict(zip(CALLBACK_COLUMNS, write.callback, strict=True))
            await connection.run(statements.SAVE_CALLBACK, values)
        case ClaimCallback():
            return await connection.run(statements.CLAIM_CALLBACK, write.values) == 1
        case DeleteTasks():
            return await _delete_tasks(connection, write)
        case DeleteKeys():
            return await connection.run(statements.DELETE_KEYS, [write.before, write.limit])
        case CheckWritable():
            await connection.fetch(statements.CHECK_WRITABLE)
    return None


async def _create(connection: Connection, creates: Sequence[Create]) -> Outcomes:
    """Stores the new ones; returns the outcomes of those whose key is taken."""
    taken = await _taken_keys(connection, creates)
    new = [create for create in creates if create not in taken]
    await connection.run_over(statements.INSERT_TASKS, [create.task for create in new])
    await connection.run_over(statements.INSERT_REQUESTS, [create.request for create in new])
    await connection.run_over(statements.INSERT_EVENTS, [row for create in new for row in create.events])
    callbacks = [create.callback for create in new if create.callback]
    await connection.run_over(statements.INSERT_CALLBACKS, callbacks)
    return {create: await _replay(connection, create, stored) for create, stored in taken.items()}


async def _taken_keys(connection: Connection, creates: Sequence[Create]) -> dict[Create, Row]:
    """Stores the keys that are free. Returns the creates whose key named a task before, here or in the
    database, with the row of that key."""
    first: dict[Row, Row] = {}
    for create in creates:
        if create.key:
            first.setdefault(create.key[:2], create.key)
    stored = set(await connection.fetch_over(statements.INSERT_KEYS, sorted(first.values())))
    known = [key for key in first if key not in stored]
    found = await connection.fetch_over(statements.SELECT_KEYS, known)
    if len(found) < len(known):
        raise StoreError("an idempotency key was deleted at this moment: try again")
    owners = first | {row[:2]: row for row in found}
    return {
        create: owners[create.key[:2]]
        for create in creates
        if create.key and owners[create.key[:2]] is not create.key
    }


async def _replay(connection: Connection, create: Create, stored: Row) -> Outcome:
    try:
        return Outcome(value=await reads.key_owner(connection, create.key or stored, stored))
    except IdempotencyKeyReused as error:
        return Outcome(error=error)


async def _commit(connection: Connection, commits: Sequence[Commit]) -> dict[str, str]:
    """Returns the former states of the tasks.

    Raises Conflict when the stored version is not the one before, or an event's id is there already.
    """
    fixed = len(FIXED_COLUMNS)
    rows = [(row[0], base, *row[fixed:]) for row, base in newest_rows(commits)]
    updated = await connection.fetch_over(statements.UPDATE_TASKS, rows)
    if len(updated) != len(rows):
        raise stale()
    try:
        await connection.run_over(
            statements.INSERT_EVENTS, [row for commit in commits for row in commit.events]
        )
    except psycopg.errors.UniqueViolation as error:
        raise stale() from error
    await connection.run_over(statements.PUT_CHECKPOINTS, _newest_checkpoints(commits))
    notified = [(task_id,) for task_id in notified_tasks(commits)]
    await connection.run_over(statements.MAKE_CALLBACKS_DUE, notified)
    return dict(updated)


def _newest_checkpoints(commits: Sequence[Commit]) -> list[Row]:
    """The newest text of each checkpoint, in the order in which they were first stored: one statement cannot
    store the same one twice."""
    name = len(CHECKPOINT_COLUMNS) - 1
    return list({row[:name]: row for commit in commits for row in commit.checkpoints}.values())


async def _delete_tasks(connection: Connection, delete: DeleteTasks) -> list[str]:
    """Those that have not changed; their usage is added to the totals."""
    await connection.run(statements.LOCK_TOTALS)
    found = await connection.fetch_over(statements.SELECT_DELETED_USAGE, delete.tasks)
    usages = add_up(task_usage(*columns) for _, *columns in found)
    keys = [total_to_row(usage)[: len(TOTAL_KEY)] for usage in usages]
    stored = map(row_to_total, await connection.fetch_over(statements.SELECT_TOTALS_OF, keys))
    totals = add_up([*stored, *usages])
    await connection.run_over(statements.PUT_TOTALS, [total_to_row(total) for total in totals])
    ids = [(task_id,) for task_id, *_ in found]
    for statement in statements.DELETE_TASKS:
        await connection.run_over(statement, ids)
    return [task_id for (task_id,) in ids]


async def _call(enqueue: Enqueue, connection: Connection, queued: Sequence[tuple[str, str]]) -> None:
    try:
        await enqueue(connection.raw, queued)
    except (psycopg.Error, GencodeError):
        raise
    except Exception as error:
        raise StoreError(
            Phrase("the task could not be queued ({name})", name=type(error).__name__)
        ) from error


def _may_be_of_one_write(error: Exception) -> bool:
    """Whether the others may succeed without it. If the database itself fails, trying each write would
    multiply its load."""
    if not isinstance(error, psycopg.Error):
        return True
    return (error.sqlstate or "")[:2] in {"21", "22", "23", "54", "55"}


def _failed(error: Exception) -> Outcome:
    """An error for each caller: one object raised in many tasks would mix their tracebacks."""
    return Outcome(error=store_error(error) if isinstance(error, psycopg.Error) else error)
