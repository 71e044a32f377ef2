"""Gives all tasks of one client to another, in the database of a stopped service."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from gencode.domain.principal import Principal
from gencode.storage.ownership_transfer_result import OwnershipTransfer
from gencode.storage.sqlite.connection import connect
from gencode.storage.sqlite.errors import store_unusable

_COUNT = (
    "SELECT (SELECT count(*) FROM tasks WHERE principal = :source),"
    " (SELECT count(*) FROM idempotency_keys WHERE principal = :source),"
    " (SELECT count(*) FROM callbacks WHERE task_id IN (SELECT id FROM tasks WHERE principal = :source))"
)
_ASSIGN = (
    "UPDATE tasks SET principal = :target, principal_kind = :kind WHERE principal = :source",
    "UPDATE OR IGNORE idempotency_keys SET principal = :target WHERE principal = :source",
)
_USED_BY_BOTH = "DELETE FROM idempotency_keys WHERE principal = :source"
"""What is left: a key that both have used names the task that the other client submitted with it."""
_OWNERS = (
    "SELECT principal, count(*) FROM tasks GROUP BY principal ORDER BY count(*) DESC, principal LIMIT 20"
)


def transfer_tasks(path: Path, source: str, target: Principal, *, dry_run: bool = False) -> OwnershipTransfer:
    """Make `target` the owner of all tasks of `source`, of their callbacks, and of its idempotency keys, in
    one transaction. `dry_run`: only count.

    The caller holds the lock of the folder. Raises StoreUnusable.
    """
    with closing(connect(path, busy_timeout=5)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            made = _assign(connection, source, target)
            connection.execute("ROLLBACK" if dry_run else "COMMIT")
        except sqlite3.Error as error:
            raise store_unusable(path, error) from error
    return made


def owners(path: Path) -> dict[str, int]:
    """How many tasks the clients with the most tasks have (at most 20 clients). Raises StoreUnusable."""
    with closing(connect(path, busy_timeout=5)) as connection:
        try:
            return dict(connection.execute(_OWNERS))
        except sqlite3.Error as error:
            raise store_unusable(path, error) from error


def _assign(connection: sqlite3.Connection, source: str, target: Principal) -> OwnershipTransfer:
    values = {"source": source, "target": target.id, "kind": target.kind.value}
    tasks, keys, callbacks = connection.execute(_COUNT, values).fetchone()
    for sql in _ASSIGN:
        connection.execute(sql, values)
    dropped = connection.execute(_USED_BY_BOTH, values).rowcount
    return OwnershipTransfer(tasks=tasks, idempotency_keys=keys, callbacks=callbacks, dropped_keys=dropped)
